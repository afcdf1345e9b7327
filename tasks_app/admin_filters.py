"""Filters and pages of the admin's list of tasks, whose choices and number cost no look at every task."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

from tasks_app import figures
from tasks_app.models import MODEL_ASKED, Task
from tasks_app.pipeline_setup import offered_models
from tasks_app.queueing import heartbeats
from tasks_app.wording import language_name

MOST_COUNTED = 10_000


class BoundedPaginator(Paginator):
    """Counts no further than `most`: counting a million takes longer than showing fifty of them."""

    object_list: QuerySet[Task]
    most: int

    @cached_property
    def count(self) -> int:
        return self.object_list.values("pk").order_by()[: self.most].count()

    @property
    def is_bounded(self) -> bool:
        """Whether there may be more than can be leafed through."""
        return self.count == self.most


class _Exactly(admin.SimpleListFilter):
    """`lookup`: the lookup whose value is one of `names()`, or what the address says."""

    lookup: str

    def names(self) -> Iterable[str]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name or "")
        return [(name, name) for name in sorted({*self.names(), *([asked] if asked else [])})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return queryset.filter(**{self.lookup: self.value()}) if self.value() else queryset


class ErrorCodeFilter(_Exactly):
    title = "error code"
    parameter_name = lookup = "error_code__exact"

    def names(self) -> Iterable[str]:
        return figures.finished().failures(figures.PERIODS[-1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        """SQLite takes the index of tasks with a code only where it is said that they have one; so with workers."""
        found = super().queryset(request, queryset)
        return found.exclude(error_code="") if self.value() else found


class WorkerFilter(_Exactly):
    title = "worker"
    parameter_name = lookup = "worker__exact"

    def names(self) -> Iterable[str]:
        return (worker.name for worker in heartbeats.workers() or [])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        found = super().queryset(request, queryset)
        return found.exclude(worker="") if self.value() else found


class LanguageFilter(_Exactly):
    title = "language"
    parameter_name = lookup = "language"

    def names(self) -> Iterable[str]:
        return figures.languages(figures.PERIODS[-1])

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, language_name(code)) for code, _ in super().lookups(request, model_admin)]


class ModelFilter(_Exactly):
    title = "model"
    parameter_name = "model"
    lookup = "model_asked"

    def names(self) -> Iterable[str]:
        return (model.name for model in offered_models())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Task]) -> QuerySet[Task]:
        return super().queryset(request, queryset.alias(model_asked=MODEL_ASKED))
