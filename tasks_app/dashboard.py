"""The admin's front page: what runs, waits and failed, who works, what was done, and what is not well."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.defaultfilters import date
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from tasks_app import VERSION, figures
from tasks_app.actions.access import logged_in_user, staff_may
from tasks_app.actions.drain import drain, drained, take_work_again
from tasks_app.actions.pause import go_on, pause
from tasks_app.charts import Chart, bars
from tasks_app.figures import PERIODS, Period, Work
from tasks_app.health import lacking, parts
from tasks_app.models import Task, TaskStatus
from tasks_app.progress.addresses import staff_socket
from tasks_app.queueing import heartbeats
from tasks_app.queueing.turns import in_turn
from tasks_app.wording import short_duration

STACKED = (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED)


class StaffSite(admin.AdminSite):
    """Django's admin, with the dashboard before the list of what there is."""

    site_header = site_title = "Transcription"
    index_title = "Dashboard"
    index_template = "tasks_app/admin/dashboard.html"
    enable_nav_sidebar = False  # there are few pages, and the list of tasks needs the space

    def get_urls(self) -> list[Any]:
        return [
            path("queue/", self.admin_view(require_POST(queue)), name="queue"),
            path("worker/", self.admin_view(require_POST(worker)), name="worker"),
            *super().get_urls(),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        return super().index(
            request, {**dashboard(request.user, request.GET.get("period", "")), **(extra_context or {})}
        )


def queue(request: HttpRequest) -> HttpResponseRedirect:
    """`pause`: "yes" pauses the queue, anything else lets it go on."""
    if not staff_may(request.user, "pause_queue"):
        raise PermissionDenied
    change = pause if request.POST.get("pause") == "yes" else go_on
    change(logged_in_user(request))
    return redirect("admin:index")


def worker(request: HttpRequest) -> HttpResponseRedirect:
    """`drain`: the name of a worker that is to take nothing new; or `take_work`: of one that may again."""
    if not staff_may(request.user, "drain_worker"):
        raise PermissionDenied
    user = logged_in_user(request)
    if "take_work" in request.POST:
        take_work_again(user, request.POST["take_work"])
    elif not drain(user, request.POST.get("drain", "")):
        raise Http404
    return redirect("admin:index")


def dashboard(user: User | AnonymousUser, period_name: str) -> dict[str, Any]:
    """What the page shows this member of staff, with a number of queries that does not depend on how much there is."""
    shown: dict[str, Any] = {"now": timezone.now(), "socket": staff_socket()}
    running = figures.running() if staff_may(user, "view_task") else []
    if staff_may(user, "view_task"):
        shown |= {"running": running, "waiting": in_turn(figures.SHOWN), "all_waiting": figures.waiting()}
    if staff_may(user, "view_service"):
        shown |= _service(running)
    if staff_may(user, "view_finishedtask"):
        shown |= _work(next((period for period in PERIODS if period.name == period_name), PERIODS[0]))
    return shown


def _service(running: list[Task]) -> dict[str, Any]:
    by_identifier = {str(task.pk): task for task in running}
    health, workers = parts(), heartbeats.workers()
    return {
        "health": health,
        "unwell": [part for part in health if not part.is_well],
        "lacking": lacking(),
        "workers": workers and [(worker, by_identifier.get(worker.task or "")) for worker in workers],
        "version": VERSION,
        "drained": drained(),
        "broker_away": workers is None,
        "stored": figures.lately_stored_bytes(),
    }


def _work(period: Period) -> dict[str, Any]:
    finished = figures.finished()
    return {
        "failures": [
            (code, count, task_list(PERIODS[0].since, status=TaskStatus.FAILED, error_code=code))
            for code, count in finished.failures(PERIODS[0]).items()
        ],
        "periods": [(each, finished.total(each), task_list(each.since)) for each in PERIODS],
        "period": period,
        "charts": charts(period, finished.total(period), finished.steps(period)),
        "by_model": finished.by_model(period),
    }


def task_list(since: datetime, until: datetime | None = None, **exactly: str) -> str:
    """The address of the list of tasks that ended within a time."""
    asked = {"finished_at__gte": since.isoformat(), **{f"{name}__exact": value for name, value in exactly.items()}}
    if until is not None:
        asked["finished_at__lt"] = until.isoformat()
    return f"{reverse('admin:tasks_app_task_changelist')}?{urlencode(asked)}"


def charts(period: Period, total: Work, steps: list[Work]) -> list[Chart]:
    """Tasks, hours of sound, speed and waiting time, each with a link behind every bar."""
    form = "H:i" if period.hours == 1 else "j M"
    shown = [date(timezone.localtime(step.since), form) for step in steps]
    links = [task_list(step.since, step.until) for step in steps]

    def chart(title: str, whole: str, values: list[list[tuple[str, float]]], words: list[str]) -> Chart:
        titles = [f"{time}: {said}" for time, said in zip(shown, words, strict=True)]
        return Chart(title, whole, bars(values, titles, links), shown[0], "now")

    return [
        chart(
            "Tasks",
            str(total.ended),
            [[(status, step.tasks[status]) for status in STACKED] for step in steps],
            [", ".join(f"{step.tasks[status]} {status}" for status in STACKED) for step in steps],
        ),
        chart(
            "Hours of sound",
            f"{total.sound_hours:.1f}",
            [[("plain", step.sound_hours)] for step in steps],
            [f"{step.sound_hours:.1f} hours of sound" for step in steps],
        ),
        chart(
            "Speed",
            f"{total.speed:.1f} times" if total.speed else "none",
            [[("plain", step.speed or 0)] for step in steps],
            [f"{step.speed or 0:.1f} times as fast as it was spoken" for step in steps],
        ),
        chart(
            "Mean wait",
            short_duration(total.mean_wait) or "none",
            [[("plain", step.mean_wait or 0)] for step in steps],
            [f"{short_duration(step.mean_wait) or 'nothing'} waited" for step in steps],
        ),
    ]
