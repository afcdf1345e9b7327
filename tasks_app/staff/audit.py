"""The audit in the admin: to be read, searched and downloaded."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.audit import record
from tasks_app.exports.csv_ import BYTE_ORDER_MARK, cell
from tasks_app.models import AuditAction, AuditEntry
from tasks_app.staff.read_only import ReadOnly

COLUMNS = ("at", "what", "actor_name", "owner_name", "task_id", "address", "detail")


class ActionFilter(admin.SimpleListFilter):
    title = "what was done"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return AuditAction.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(action=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "what", "actor_name", "owner_name", "task", "address", "detail")
    list_display_links = None
    list_filter = (ActionFilter, "at")
    list_per_page = 100
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would be counted to its end
    search_fields = ("actor_name__startswith", "owner_name__startswith", "task_id__startswith")
    search_help_text = "Beginning of a name or of a task's identifier"
    actions = None
    fields = COLUMNS
    change_list_template = "tasks_app/admin/audit.html"

    @admin.display(description="task")
    def task(self, entry: AuditEntry) -> SafeString | str:
        if entry.task_id is None:
            return ""
        return format_html('<a href="?q={0}">{1}…</a>', entry.task_id, str(entry.task_id)[:8])

    def get_urls(self) -> list[Any]:
        download = never_cache(require_POST(self.download))
        return [
            path("download/", self.admin_site.admin_view(download), name="tasks_app_auditentry_download"),
            *super().get_urls(),
        ]

    def download(self, request: HttpRequest) -> HttpResponseBase:
        """All that there is, newest first, as CSV. That it was downloaded is its newest line."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record(AuditAction.EXPORTED_AUDIT, logged_in_user(request))
        name = f"audit-{timezone.now():%Y-%m-%d}.csv"
        return StreamingHttpResponse(
            as_csv(AuditEntry.objects.all()),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def as_csv(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    lines: list[str] = []
    writer = csv.writer(SimpleNamespace(write=lines.append))
    writer.writerow(["time", "act", "by", "whose", "task", "from", "detail"])
    yield BYTE_ORDER_MARK + lines.pop()
    for entry in entries.iterator():
        task = entry.task_id or ""
        shown = (entry.what, entry.actor_name, entry.owner_name, task, entry.address, entry.detail)
        writer.writerow([entry.at.isoformat(), *(cell(str(value)) for value in shown)])
        yield lines.pop()
