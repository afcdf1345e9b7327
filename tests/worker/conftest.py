"""A task run in this process, with a fake in the place of the pipeline to make failures happen on demand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks_app.actions import attempts
from tasks_app.models import Task
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.transcript import Transcript
from tasks_app.worker import run_task

Pipeline = Callable[[Callable[[Observer], Transcript]], None]


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """Replaces the pipeline by a function of its observer."""

    def use(transcribe: Callable[[Observer], Transcript]) -> None:
        monkeypatch.setattr(run_task.runner, "run", lambda path, *, observer, **asked: transcribe(observer))

    return use


def run(task: Task) -> Task:
    claimed = attempts.claim(task.pk)
    if claimed is not None:
        run_task.run_task(claimed)
    task.refresh_from_db()
    return task
