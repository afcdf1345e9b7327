"""Transcribing a part of a finished task again, and telling its speakers apart again, in a worker."""

from __future__ import annotations

from collections.abc import Callable

from tasks_app.actions.again import heard_of, keep_speakers, keep_transcribed, options_of
from tasks_app.actions.earlier_recordings import usual_languages
from tasks_app.actions.status import LeaseLost
from tasks_app.errors import NothingHeard
from tasks_app.media import files
from tasks_app.models import FollowUp
from tasks_app.pipeline import runner
from tasks_app.pipeline.errors import Cancelled
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.planning import hear
from tasks_app.pipeline_setup import limits, model_store
from tasks_app.progress.stages import STAGE_PERCENTAGES

Tick = Callable[[float], None]


class _Ticking(Observer):
    def __init__(self, tick: Tick) -> None:
        self._tick = tick

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        _, start, end = STAGE_PERCENTAGES[stage]
        try:
            self._tick((start + (end - start) * fraction) / 100)
        except LeaseLost:  # inside a stage, another error would look as if the stage had failed
            raise Cancelled from None


def transcribe_again(follow_up: FollowUp, tick: Tick) -> Callable[[], None]:
    """Returns what writes the result. Raises the errors of `runner.run` and `media.files.local_copy`, and
    NothingHeard.
    """
    task = follow_up.task
    with files.local_copy(task) as path:
        found = runner.run(
            path,
            store=model_store(),
            observer=_Ticking(tick),
            limits=limits(),
            usual_languages=usual_languages(task.owner),
            stretch=heard_of(follow_up),
            **options_of(follow_up).to_dict(),
        )
    if not found.segments:
        raise NothingHeard
    return lambda: keep_transcribed(follow_up, found)


def diarize_again(follow_up: FollowUp, tick: Tick) -> Callable[[], None]:
    """Returns what writes the result. Raises the errors of `planning.hear` and `media.files.local_copy`, and
    NothingHeard.
    """
    from tasks_app.pipeline.speakers.diarize import diarize

    task, asked = follow_up.task, follow_up.arguments
    with files.local_copy(task) as path:
        sound, _ = hear(path, limits(), task.transcription_options.track, model_store().threads)
    least, most = asked["min_speakers"], asked["max_speakers"]
    turns = diarize(sound.samples, model_store(), min_speakers=least, max_speakers=most, tick=tick)
    if not turns:
        raise NothingHeard
    return lambda: keep_speakers(follow_up, turns)
