"""`/metrics`: figures in the form that Prometheus reads: those of the dashboard, and what this process counts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from ipaddress import ip_network
from secrets import compare_digest

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tasks_app import VERSION, figures
from tasks_app.actions.access import staff_may
from tasks_app.counters import COUNTED
from tasks_app.errors import NotFound
from tasks_app.health import parts
from tasks_app.models import Task, TaskStatus
from tasks_app.queueing import heartbeats
from tasks_app.throttle import client_address

DAY = figures.PERIODS[0]
KIND = ("status", "error_code", "model", "device")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For staff who may, for whoever has METRICS_TOKEN, and for METRICS_ADDRESSES; for others it does not exist."""
    if not _may_read(request):
        raise NotFound
    registry = CollectorRegistry()
    registry.register(_Figures())
    return HttpResponse(generate_latest(registry) + generate_latest(COUNTED), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if staff_may(request.user, "view_metrics"):
        return True
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if settings.METRICS_TOKEN and compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return True
    try:
        client = ip_network(client_address(request))
    except ValueError:
        return False
    # An address of the one version is never within a network of the other.
    return any(client.network_address in of for of in settings.METRICS_ADDRESSES)


class _Figures(Collector):
    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        yield _gauge("build_info", "The program that runs", ("version",), [((VERSION,), 1)])
        counted = Task.objects.order_by().values_list("status").annotate(Count("status"))
        tasks = {**dict.fromkeys(TaskStatus.values, 0), **dict(counted)}
        yield _gauge("tasks", "Tasks that there are", ("status",), [((status,), n) for status, n in tasks.items()])
        waiting = figures.waiting()
        age = (timezone.now() - waiting.since).total_seconds() if waiting.since else 0
        yield _gauge("queue_oldest_seconds", "How long the first of the queue has waited", (), [((), max(0.0, age))])
        yield from self._finished()
        yield from self._workers()
        found = [((part.name,), float(part.is_well)) for part in parts()]
        yield _gauge("part_ok", "Whether a part of the service is well", ("part",), found)
        free = shutil.disk_usage(settings.VAR_DIR).free
        yield _gauge("disk_free_bytes", "Free on the disk of VAR_DIR", (), [((), free)])
        yield _gauge("recordings_bytes", "What the recordings take up", (), [((), figures.stored_bytes())])

    def _finished(self) -> Iterable[Metric]:
        kinds = figures.finished().by_kind(DAY)
        for name, meaning, value in (
            ("tasks", "Tasks that ended", lambda work: work.ended),
            ("sound_seconds", "Sound of completed tasks that ended", lambda work: work.sound),
            ("worked_seconds", "Work on completed tasks that ended", lambda work: work.worked),
            ("waited_seconds", "Waiting of tasks that ended", lambda work: work.waited),
        ):
            samples = [(kind, value(work)) for kind, work in kinds.items()]
            yield _gauge(f"last_day_{name}", f"{meaning} in the last 24 hours", KIND, samples)

        stages = figures.stages(DAY)
        yield _gauge(
            "last_day_stage_tasks",
            "Tasks that ended in the last 24 hours whose last attempt did the stage",
            ("stage",),
            [((name,), work.tasks) for name, work in stages.items()],
        )
        yield _gauge(
            "last_day_stage_seconds",
            "What a stage took in the last attempts of tasks that ended in the last 24 hours",
            ("stage",),
            [((name,), work.seconds) for name, work in stages.items()],
        )

    def _workers(self) -> Iterable[Metric]:
        workers = heartbeats.workers() or []
        alive = sum(worker.alive for worker in workers)
        states = [(("alive",), alive), (("silent",), len(workers) - alive)]
        yield _gauge("workers", "Workers by their signs of life", ("state",), states)
        memory = [((worker.name,), worker.memory) for worker in workers if worker.alive and worker.memory is not None]
        yield _gauge("worker_memory_bytes", "Memory that a worker holds", ("worker",), memory)


def _gauge(
    name: str, meaning: str, labels: tuple[str, ...], samples: Iterable[tuple[tuple[str, ...], float]]
) -> Metric:
    family = GaugeMetricFamily(f"transcribe_{name}", f"{meaning}.", labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
