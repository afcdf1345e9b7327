"""Settings in the admin: what staff may change while the service runs, on one page."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tasks_app.actions import change_setting
from tasks_app.actions.access import logged_in_user, staff_may
from tasks_app.models import ChangedSetting


class Shown(NamedTuple):
    """A setting as the page shows it. `row`: what was changed, if it was; `error`: why what was sent cannot be."""

    name: str
    meaning: str
    value: str
    default: str
    choices: tuple[str, ...]
    row: ChangedSetting | None
    error: str


@admin.register(ChangedSetting)
class SettingsAdmin(admin.ModelAdmin):
    def has_view_permission(self, request: HttpRequest, obj: ChangedSetting | None = None) -> bool:
        return staff_may(request.user, "change_settings")

    has_change_permission = has_module_permission = has_view_permission

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChangedSetting | None = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        page = never_cache(require_http_methods(["GET", "HEAD", "POST"])(self.page))
        return [path("", self.admin_site.admin_view(page), name="tasks_app_changedsetting_changelist")]

    def page(self, request: HttpRequest) -> HttpResponse:
        """POST changes each setting that it names; `default`: the name of one that goes back to its default."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sent, errors = {}, {}
        if request.method == "POST":
            sent = {name: request.POST[name].strip() for name in settings.CHANGEABLE if name in request.POST}
            if (name := request.POST.get("default")) in settings.CHANGEABLE:
                sent = {name: str(getattr(settings, name))}
            errors = self._change(request, sent)
            if not errors:
                messages.success(request, "Saved. Everything follows within some seconds.")
                return redirect("admin:tasks_app_changedsetting_changelist")
        context = {"title": "Settings", "shown": self._shown(sent, errors)}
        return render(request, "tasks_app/admin/settings.html", {**self.admin_site.each_context(request), **context})

    def _change(self, request: HttpRequest, sent: dict[str, str]) -> dict[str, str]:
        """Why those cannot be that were left as they are."""
        errors = {}
        for name, text in sent.items():
            try:
                change_setting.change(logged_in_user(request), name, text)
            except ValueError as error:
                errors[name] = f"It cannot be “{text[:60]}”: {error}."
        return errors

    def _shown(self, sent: dict[str, str], errors: dict[str, str]) -> list[Shown]:
        rows = ChangedSetting.objects.select_related("by").in_bulk()
        shown = []
        for name, setting in settings.CHANGEABLE.items():
            row, default = rows.get(name), str(getattr(settings, name))
            value = sent[name] if name in errors else row.value if row else default
            choices = change_setting.choices(name)
            offered = choices if not choices or value in choices else (value, *choices)
            shown.append(Shown(name, setting.meaning, value, default, offered, row, errors.get(name, "")))
        return shown
