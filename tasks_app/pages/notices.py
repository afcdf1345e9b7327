"""What stands above every page: messages of the administrators, and whether the queue is paused."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@never_cache
def notices(request: HttpRequest) -> HttpResponse:
    """For the pages, which ask again and again, to show what is new without being loaded again."""
    return render(request, "tasks_app/_notices.html")
