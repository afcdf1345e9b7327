"""What staff do with many chosen tasks at once, in the admin's list of tasks; each act has its permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.text import Truncator, get_text_list

from tasks_app.actions.access import logged_in_user, staff_may
from tasks_app.actions.audit import record_on_many
from tasks_app.actions.cancel import cancel
from tasks_app.actions.hand_over import hand_over
from tasks_app.actions.prioritise import prioritise
from tasks_app.actions.retry import retry
from tasks_app.api.files import transcripts_as_archive
from tasks_app.exports import FORMATS
from tasks_app.models import AuditAction, Priority, Task
from tasks_app.pipeline.errors import TranscriptionError

MOST = 500
"""Most tasks that something is done with at once, within one request."""
MAX_NAMED = 5  # tasks listed by name in a message


class BulkActions(admin.ModelAdmin):
    """Of `TaskAdmin`. What asks something first shows a page with the chosen tasks, which sends the same action again
    with the answers and `post`."""

    actions = (
        "cancel_tasks",
        "retry_tasks",
        "high_priority",
        "normal_priority",
        "low_priority",
        "hand_over_tasks",
        "export_tasks",
    )

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Task], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do the action that was chosen, Django's own too, unless it is for too many tasks.

        `on_its_page`: it was chosen on the page of the only task, which is shown again.
        """
        across = request.POST.get("select_across") == "1"
        if len(request.POST.getlist(ACTION_CHECKBOX_NAME)) > MOST or (across and queryset[MOST:].exists()):
            self.message_user(request, f"These are too many at once. Choose at most {MOST} tasks.", messages.ERROR)
            return redirect(request.get_full_path())
        response = super().response_action(request, queryset, *args, **kwargs)
        if "on_its_page" in request.POST:
            return redirect("admin:tasks_app_task_change", request.POST[ACTION_CHECKBOX_NAME])
        return response

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return staff_may(request.user, "cancel_task")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return staff_may(request.user, "retry_task")

    def has_prioritise_permission(self, request: HttpRequest) -> bool:
        return staff_may(request.user, "prioritise_task")

    def has_hand_over_permission(self, request: HttpRequest) -> bool:
        return staff_may(request.user, "hand_over_task")

    def has_export_permission(self, request: HttpRequest) -> bool:
        return staff_may(request.user, "export_task", "view_transcript")

    # Acts without a question ------------------------------------------------------------------------------------------

    @admin.action(description="Cancel selected tasks", permissions=["cancel"])
    def cancel_tasks(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._apply(request, queryset, cancel, "cancelled")

    @admin.action(description="Do the failed stage of selected tasks again", permissions=["retry"])
    def retry_tasks(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._apply(request, queryset, retry, "queued again")

    @admin.action(description="Take selected tasks before others", permissions=["prioritise"])
    def high_priority(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._prioritise(request, queryset, Priority.HIGH)

    @admin.action(description="Take selected tasks in their turn", permissions=["prioritise"])
    def normal_priority(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._prioritise(request, queryset, Priority.NORMAL)

    @admin.action(description="Take selected tasks after others", permissions=["prioritise"])
    def low_priority(self, request: HttpRequest, queryset: QuerySet[Task]) -> None:
        self._prioritise(request, queryset, Priority.LOW)

    def _prioritise(self, request: HttpRequest, queryset: QuerySet[Task], priority: Priority) -> None:
        chosen = list(queryset)
        changed = prioritise([task.pk for task in chosen], priority, logged_in_user(request))
        self._tell(request, changed, len(chosen) - changed, f"given {priority.label.lower()} priority")

    # Acts that ask first ----------------------------------------------------------------------------------------------

    @admin.action(description="Hand selected tasks to another owner", permissions=["hand_over"])
    def hand_over_tasks(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponseBase | None:
        """Asks for the name of the new `owner`, and `why`."""
        chosen = list(queryset)
        name, why = _answer(request, "owner"), _answer(request, "why")
        to = User.objects.filter(username=name, is_active=True).first()
        if to is None or not why:
            unknown = bool(name) and to is None
            return self._ask(request, "hand_over", chosen, name=name, why=why, unknown=unknown)
        self._apply(request, chosen, partial(_hand_over, to, why), f"handed to {to}")
        return None

    @admin.action(description="Download selected transcripts", permissions=["export"])
    def export_tasks(self, request: HttpRequest, queryset: QuerySet[Task]) -> HttpResponseBase | None:
        """Asks for the `format`, and if some are somebody else's, `why`: the audit has it for each of those."""
        user, chosen = logged_in_user(request), list(queryset)
        others = [task for task in chosen if task.owner_id != user.pk]
        file_format, why = FORMATS.get(_answer(request, "format")), _answer(request, "why")
        if file_format is None or (others and not why):
            return self._ask(request, "export", chosen, others=len(others), why=why, formats=FORMATS.values())
        record_on_many(AuditAction.EXPORTED, user, others, why)
        name = f"transcripts-{timezone.localdate():%Y-%m-%d}.zip"
        return transcripts_as_archive(request, chosen, file_format, name)

    def _ask(self, request: HttpRequest, page: str, chosen: list[Task], **shown: Any) -> HttpResponseBase:
        context = {**self.admin_site.each_context(request), "chosen": chosen, "action": f"{page}_tasks", **shown}
        return render(request, f"tasks_app/admin/{page}.html", context)

    # Telling what was done --------------------------------------------------------------------------------------------

    def _apply(
        self,
        request: HttpRequest,
        tasks: QuerySet[Task] | list[Task],
        action: Callable[[Task, User], None],
        done: str,
    ) -> None:
        """Apply an action to each task, then report how many changed, needed no change, or were refused and why."""
        user = logged_in_user(request)
        changed, unchanged = 0, 0
        refused: dict[str, list[str]] = {}
        for task in tasks:
            was = task.status, task.owner_id
            try:
                action(task, user)
            except TranscriptionError as error:
                refused.setdefault(error.user_message, []).append(task.name)
            else:
                changed += (task.status, task.owner_id) != was
                unchanged += (task.status, task.owner_id) == was
        self._tell(request, changed, unchanged, done)
        for reason, names in refused.items():
            self.message_user(request, f"{_tasks(len(names))} not {done}: {_named(names)}. {reason}", messages.WARNING)

    def _tell(self, request: HttpRequest, changed: int, unchanged: int, done: str) -> None:
        if changed:
            self.message_user(request, f"{_tasks(changed)} {done}.", messages.SUCCESS)
        if unchanged:
            self.message_user(request, f"{_tasks(unchanged)}: nothing to do.", messages.INFO)


def _hand_over(to: User, why: str, task: Task, actor: User) -> None:
    hand_over(task, to, actor, why)


def _answer(request: HttpRequest, name: str) -> str:
    """What was typed on the page that asks; nothing before it was shown."""
    return " ".join(request.POST.get(name, "").split()) if "post" in request.POST else ""


def _tasks(count: int) -> str:
    return "1 task" if count == 1 else f"{count} tasks"


def _named(names: list[str]) -> str:
    shown = [f"“{Truncator(name).chars(60)}”" for name in names[:MAX_NAMED]]
    more = len(names) - len(shown)
    return get_text_list([*shown, f"{more} more"] if more else shown, "and")
