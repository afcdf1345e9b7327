"""django-rq's pages, below the admin's, for staff with its own permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from django_rq.admin import QueueAdmin
from django_rq.models import Dashboard
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns
from rq.exceptions import NoSuchJobError

View = Callable[..., HttpResponse]


class WakeUpAdmin(QueueAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Dashboard | None = None) -> bool:
        return request.user.is_staff and request.user.has_perm("django_rq.admin")

    has_change_permission = has_module_permission = has_view_permission

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def get_urls(self) -> list[URLPattern]:
        """As django-rq's own, all of them with the permission."""
        figures = [
            URLPattern(route.pattern, self._for_permitted(route.callback), route.default_args, route.name)
            for route in get_api_urlpatterns("django_rq_")
        ]
        pages = get_admin_urlpatterns("django_rq_", self._for_permitted)
        return [*figures, *pages, *admin.ModelAdmin.get_urls(self)]

    def _for_permitted(self, view: View) -> View:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            try:
                return view(request, *args, **kwargs)
            except (
                NoSuchJobError,
                ValueError,
                ImproperlyConfigured,
            ):  # of a name that is unknown, or not there any more
                raise Http404 from None

        @wraps(view)
        def in_admin(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            setattr(request, "current_app", self.admin_site.name)  # noqa: B010  by which django-rq finds its addresses
            return self.admin_site.admin_view(wrapped)(request, *args, **kwargs)

        return in_admin


admin.site.register(Dashboard, WakeUpAdmin)
