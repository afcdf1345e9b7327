"""The page of one's keys for programs."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.keys import keys_of, make_key, revoke_key
from tasks_app.errors import InvalidOptions
from tasks_app.models import KeyScope
from tasks_app.pages.forms import KeyForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def keys(request: HttpRequest) -> HttpResponse:
    """The user's keys; POST makes one, and the answer to it is the only place where it is ever shown."""
    user = logged_in_user(request)
    form = KeyForm(request.POST if request.method == "POST" else None)
    made = ""
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        expires = timezone.now() + timedelta(days=int(days)) if days else None
        try:
            _, made = make_key(user, form.cleaned_data["name"], KeyScope(form.cleaned_data["scope"]), expires)
        except InvalidOptions as error:
            form.add_error(None, error.user_message)
        else:
            form = KeyForm()
    base_url = request.build_absolute_uri("/v1")
    context = {"form": form, "made": made, "keys": keys_of(user), "now": timezone.now(), "base_url": base_url}
    return render(request, "tasks_app/keys.html", context, status=400 if form.errors else 200)


@require_POST
@login_required
def key_revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    revoke_key(logged_in_user(request), key_id)
    messages.success(request, "The key was revoked. Programs that have it are refused from now on.")
    return redirect("keys")
