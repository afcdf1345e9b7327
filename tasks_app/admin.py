"""The admin: staff see everybody's tasks, and cancel, retry and delete them through `actions`, if they may."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Script
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from tasks_app import admin_filters, search
from tasks_app.actions.access import logged_in_user, open_transcript, staff_may, tasks_visible_to
from tasks_app.actions.again import again_in_words, do_again
from tasks_app.actions.audit import OPEN_FOR
from tasks_app.actions.delete import delete
from tasks_app.admin_filters import (
    BoundedPaginator,
    ErrorCodeFilter,
    LanguageFilter,
    ModelFilter,
    WorkerFilter,
)
from tasks_app.models import FollowUp, Speaker, Task, TaskEvent, TaskProgressStage, TaskStatus
from tasks_app.options import TranscriptionOptions
from tasks_app.pages.forms import AgainForm
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.pipeline.transcript import StageWarning
from tasks_app.progress.stages import STAGE_PERCENTAGES
from tasks_app.staff import announcements, audit, people, queue, settings  # noqa: F401  which register their pages
from tasks_app.staff.bulk import BulkActions
from tasks_app.staff.read_only import ReadOnly
from tasks_app.throttle import LimitedLogIn
from tasks_app.wording import clock, file_size, language_name, time_left


class LimitedAdminLogIn(LimitedLogIn, AdminAuthenticationForm):
    pass


admin.site.login_form = LimitedAdminLogIn

STAGE_TITLES = dict(TaskProgressStage.choices)

OF_A_STAGE = {
    FollowUp.Kind.TRANSCRIBE: ("model", "language", "track", "hints"),
    FollowUp.Kind.DIARIZE: ("min_speakers", "max_speakers"),
}
"""The options that a stage is done again with."""


class EventInline(ReadOnly, admin.TabularInline):
    model = TaskEvent
    template = "tasks_app/admin/_events.html"
    fields = ("created_at", "from_status", "to_status", "attempt", "actor", "detail")
    readonly_fields = fields

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_may(request.user, "view_task")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaskEvent]:
        return super().get_queryset(request).select_related("actor")


@admin.register(Task)
class TaskAdmin(ReadOnly, BulkActions):
    list_display = (
        "name",
        "owners_tasks",
        "status",
        "stage",
        "progress",
        "priority",
        "error_code",
        "length",
        "created_at",
    )
    list_filter = (
        "status",
        "progress_stage",
        "priority",
        ErrorCodeFilter,
        ModelFilter,
        WorkerFilter,
        "created_at",
        "finished_at",
        LanguageFilter,
    )
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # each would be counted to its end
    paginator = BoundedPaginator
    search_fields = ("name",)  # that there is a search; `search` says in what
    search_help_text = "Name, identifier, owner or error code"
    inlines = (EventInline,)
    change_form_template = "tasks_app/admin/task.html"
    fieldsets = (
        (None, {"fields": ("name", "owner", "identifier")}),
        ("Progress", {"fields": ("status", "priority", "stage", "progress", "progress_message", "time_left")}),
        ("What went wrong", {"fields": ("error_code", "user_message", "technical_detail", "traceback", "missing")}),
        ("Recording", {"fields": ("length", "file_size", "asked", "recognised", "speakers")}),
        (
            "Work",
            {
                "fields": (
                    "worker",
                    "device",
                    "stage_times",
                    "attempt",
                    "fruitless_attempts",
                    "lease_expires_at",
                    "done_again",
                )
            },
        ),
        ("Times", {"fields": ("created_at", "queued_at", "started_at", "finished_at")}),
    )

    class Media:
        js = (Script("tasks_app/admin-tasks.js", type="module"),)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return staff_may(request.user, "delete_task")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Task]:
        """Owners are read after the tasks: joined to them, SQLite would begin with the owners, and sort all tasks."""
        return super().get_queryset(request).prefetch_related("owner")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Task], search_term: str
    ) -> tuple[QuerySet[Task], bool]:
        """A whole identifier is looked up; anything else is searched for."""
        if not search_term.strip():
            return queryset, False
        with suppress(ValueError):
            return queryset.filter(pk=UUID(search_term.strip())), False
        return search.search(queryset, search_term), False

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        paginator: Any = super().get_paginator(request, *args, **kwargs)
        paginator.most = search.MOST if request.GET.get(SEARCH_VAR) else admin_filters.MOST_COUNTED
        return paginator

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """What ended within some time, by its end: in an order that the index has."""
        return ("-finished_at",) if any(name.startswith("finished_at") for name in request.GET) else ()

    # The transcript ---------------------------------------------------------------------------------------------------

    def view_on_site(self, task: Task) -> str:
        return reverse("admin:tasks_app_task_open", args=[task.identifier])

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["has_absolute_url"] = staff_may(request.user, "view_transcript")
        task = context["original"]
        completed = task is not None and task.status == TaskStatus.COMPLETED
        failed = task is not None and (task.status == TaskStatus.FAILED or task.is_incomplete)
        context["may_retry"] = failed and staff_may(request.user, "retry_task")
        context["may_do_again"] = completed and staff_may(request.user, "change_transcript")
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        open_ = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.open))
        again = self.admin_site.admin_view(require_http_methods(["GET", "HEAD", "POST"])(self.again))
        return [
            path("<uuid:identifier>/open/", open_, name="tasks_app_task_open"),
            path("<uuid:identifier>/again/", again, name="tasks_app_task_again"),
            *super().get_urls(),
        ]

    def open(self, request: HttpRequest, identifier: UUID) -> HttpResponse:
        """GET asks whether to look into somebody's transcript, POST does, with the reason in `why`."""
        user = logged_in_user(request)
        if not staff_may(user, "view_task", "view_transcript"):
            raise PermissionDenied
        task = get_object_or_404(Task.objects.select_related("owner"), pk=identifier)
        why = " ".join(request.POST.get("why", "").split())
        if why or tasks_visible_to(user).filter(pk=identifier).exists():
            if why:
                open_transcript(user, task, why)
            return redirect("task-detail", identifier)
        context = {
            **self.admin_site.each_context(request),
            "title": "Open somebody else's transcript",
            "task": task,
            "hours": OPEN_FOR.seconds // 3600,
        }
        return render(request, "tasks_app/admin/open.html", context)

    def again(self, request: HttpRequest, identifier: UUID) -> HttpResponse:
        """GET asks what of a completed task is to be done again, and how; POST has it done, by a worker."""
        user = logged_in_user(request)
        if not staff_may(user, "view_task", "change_transcript"):
            raise PermissionDenied
        task = get_object_or_404(Task.objects.select_related("owner"), pk=identifier)
        if request.method == "POST":
            try:
                kind = FollowUp.Kind.DIARIZE if request.POST.get("kind") == "diarize" else FollowUp.Kind.TRANSCRIBE
                options = TranscriptionOptions.from_fields(request.POST.dict())
                asked = {name: getattr(options, name) for name in OF_A_STAGE[kind]}
                do_again(task, user, kind, asked)
            except TranscriptionError as error:
                self.message_user(request, error.user_message, messages.WARNING)
                return redirect("admin:tasks_app_task_again", identifier)
            self.message_user(request, f"“{task}”: {kind.label.lower()} waits for a worker.", messages.SUCCESS)
            return redirect("admin:tasks_app_task_change", identifier)
        form = AgainForm(task.transcription_options, task.language)
        transcribing, diarizing = ([form[name] for name in names] for names in OF_A_STAGE.values())
        context = {
            **self.admin_site.each_context(request),
            "title": "Do a stage again",
            "task": task,
            "transcribing": transcribing,
            "diarizing": diarizing,
        }
        return render(request, "tasks_app/admin/again.html", context)

    # Display ----------------------------------------------------------------------------------------------------------

    @admin.display(description="owner", ordering="owner__username")
    def owners_tasks(self, task: Task) -> SafeString:
        """A link to all tasks of the owner, instead of a sidebar filter that lists every user."""
        return format_html('<a href="?owner__id__exact={}">{}</a>', task.owner_id, task.owner)

    @admin.display(ordering="progress_stage")
    def stage(self, task: Task) -> str:
        return task.get_progress_stage_display()

    @admin.display(ordering="progress_percentage")
    def progress(self, task: Task) -> SafeString:
        return format_html(
            '<progress max="100" value="{0}" aria-label="Progress"></progress> {0}%', task.progress_percentage
        )

    @admin.display(description="duration", ordering="duration")
    def length(self, task: Task) -> str:
        return clock(task.duration)

    @admin.display(description="size")
    def file_size(self, task: Task) -> str:
        return file_size(task.size)

    @admin.display(description="options")
    def asked(self, task: Task) -> SafeString:
        return _list(
            (name.replace("_", " "), _plain(value)) for name, value in task.transcription_options.to_dict().items()
        )

    @admin.display(description="language")
    def recognised(self, task: Task) -> str:
        if task.language_probability is None:
            return language_name(task.language) or "-"
        return f"{language_name(task.language)} ({task.language_probability:.0%} sure)"

    def speakers(self, task: Task) -> str:
        rows = Speaker.objects.filter(transcript=task.pk, until=None)
        return ", ".join(f"{row.label} ({row.name})" if row.name else row.label for row in rows) or "-"

    @admin.display(description="time left")
    def time_left(self, task: Task) -> str:
        return time_left(task.eta_seconds) or "-"

    @admin.display(description="stages of the last attempt")
    def stage_times(self, task: Task) -> str:
        """A bar whose parts are as long as the stages took."""
        whole, x, stages = sum(task.stage_seconds.values()) or 1.0, 0.0, []
        for name in ("reading", *STAGE_PERCENTAGES):
            seconds = task.stage_seconds.get(name)
            if seconds is None:
                continue
            width = round(seconds / whole * 1000, 1)
            title = STAGE_TITLES.get(name, name.capitalize())
            stages.append({"name": name, "title": title, "seconds": seconds, "x": round(x, 1), "width": width})
            x += width
        return render_to_string("tasks_app/admin/_stages.html", {"stages": stages}) if stages else "-"

    @admin.display(description="done again")
    def done_again(self, task: Task) -> str:
        return again_in_words(task) or "nothing"

    def traceback(self, task: Task) -> SafeString | str:
        """Of the last failure that nobody foresaw."""
        event = task.events.exclude(traceback="").last()
        return format_html('<pre class="traceback">{}</pre>', event.traceback) if event else "-"

    @admin.display(description="what the transcript lacks")
    def missing(self, task: Task) -> SafeString | str:
        return (
            _list(
                (warning.error_code, f"{warning.user_message} {warning.technical_detail}")
                for warning in map(StageWarning.from_dict, task.warnings)
            )
            or "nothing"
        )

    # Deleting ---------------------------------------------------------------------------------------------------------

    def delete_model(self, request: HttpRequest, obj: Task) -> None:
        delete(obj, logged_in_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        for task in queryset:
            delete(task, logged_in_user(request))

    def get_deleted_objects(
        self, objs: QuerySet[Task] | Sequence[Task], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the confirmation page lists: the tasks, without their thousands of segments."""
        return [str(task) for task in objs], {"tasks": len(objs)}, set(), []


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "any" if value is None else str(value)


def _list(pairs: Any) -> SafeString:
    return format_html_join("", "<div><b>{}</b>: {}</div>", pairs)
