"""Timing the words that a person wrote, in a worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tasks_app.actions.retime import keep_times, to_retime
from tasks_app.media import files
from tasks_app.models import FollowUp, Task
from tasks_app.pipeline.languages import LANGUAGES, SEVERAL
from tasks_app.pipeline.planning import hear
from tasks_app.pipeline.text.forced_alignment import choose_aligner
from tasks_app.pipeline.text.retiming import Retimer
from tasks_app.pipeline.transcript import Word
from tasks_app.pipeline_setup import limits, model_store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEEP_SECONDS = 2.0
"""After so long, what was timed is kept and told to open pages; the rest follows."""


def retime_words(follow_up: FollowUp, tick: Callable[[float], None]) -> None:
    """Raises the errors of `planning.hear` and `media.files.local_copy`, and ModelUnavailable."""
    task = follow_up.task
    ahead = to_retime(task)
    if not ahead:
        return
    with files.local_copy(task) as path:
        sound, _ = hear(path, limits(), task.transcription_options.track, model_store().threads)
    retimer = _retimer(task, sound.samples)
    found: dict[int, list[Word]] = {}
    kept_at = time.monotonic()
    for done, (segment_id, segment, since, until) in enumerate(ahead, 1):
        found[segment_id] = retimer.words(segment, since, until)
        if done == len(ahead) or time.monotonic() - kept_at > KEEP_SECONDS:
            keep_times(task, found)
            found, kept_at = {}, time.monotonic()
        tick(done / len(ahead))


def _retimer(task: Task, samples: NDArray[np.int16]) -> Retimer:
    asked = task.transcription_options
    store = model_store()
    return Retimer(
        samples,
        store=store,
        model=asked.model,
        language=asked.language if asked.language in LANGUAGES else task.language,
        translate=asked.translate,
        aligner=None if asked.language == SEVERAL else choose_aligner(store, task.language),
    )
