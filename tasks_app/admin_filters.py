"""Filters of the admin's list of tasks, whose choices cost no look at every task."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from tasks_app import figures
from tasks_app.models import Task
from tasks_app.pipeline_setup import offered_models
from tasks_app.queueing import heartbeats


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


class WorkerFilter(_Exactly):
    title = "worker"
    parameter_name = lookup = "worker__exact"

    def names(self) -> Iterable[str]:
        return (worker.name for worker in heartbeats.workers() or [])


class LanguageFilter(_Exactly):
    title = "language"
    parameter_name = lookup = "language"

    def names(self) -> Iterable[str]:
        return figures.languages(figures.PERIODS[-1])


class ModelFilter(_Exactly):
    title = "model"
    parameter_name = "model"
    lookup = "options__model"

    def names(self) -> Iterable[str]:
        return (model.name for model in offered_models())
