"""Having a part of a finished task done again: transcribed with other options, or its speakers told apart anew.

A worker does it as a follow-up, one at a time for each task. Its result is one change of the journal, by whoever asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import inf, isfinite, nan
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Min

from tasks_app import current_settings
from tasks_app.actions import follow_ups
from tasks_app.actions.audit import record_on_anothers
from tasks_app.actions.playback import make_anew
from tasks_app.actions.status import lock
from tasks_app.actions.webhook_events import tell_corrected
from tasks_app.errors import AgainPending, FileMissing, IllegalTransition, InvalidOptions, TooManyTasks
from tasks_app.models import AuditAction, Change, FollowUp, Task, TaskStatus
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.languages import LANGUAGES
from tasks_app.pipeline.speakers.assign import Turn
from tasks_app.pipeline.transcript import Transcript
from tasks_app.pipeline_setup import offered_models
from tasks_app.progress.broadcast import broadcast_change
from tasks_app.transcripts.again import put_speakers, put_transcribed
from tasks_app.transcripts.changes import Draft, change, current
from tasks_app.transcripts.stretches import Interval

WHOLE = (0.0, inf)
TRANSCRIBE, DIARIZE = AGAIN = (FollowUp.Kind.TRANSCRIBE, FollowUp.Kind.DIARIZE)
MARGIN = 0.3
"""Seconds heard at most before and behind a stretch, where nothing else is said: its edges are those of words, whose
times may be a little off."""


def do_again(
    task: Task,
    actor: User,
    kind: FollowUp.Kind,
    asked: Mapping[str, Any],
    start: float | None = None,
    end: float | None = None,
) -> FollowUp:
    """Have all of the recording transcribed again, or what is said from `start` to `end` seconds (TRANSCRIBE); or have
    its speakers told apart again (DIARIZE, which is for the whole). `asked`: options that differ from the task's. Asked
    for the same while it waits or runs, it is that one.

    Raises:
        InputError: the options are not possible, as for an upload; or the stretch is not part of the recording.
        IllegalTransition: the task is not completed.
        FileMissing: the recording is no longer kept.
        AgainPending: another part of this task is being done again.
        TooManyTasks: the owner has too many of them waiting.
    """
    with transaction.atomic():
        lock(task)
        if task.status != TaskStatus.COMPLETED:
            raise IllegalTransition(
                task.status, user_message="A part can be done again once there is a transcript. Try the task again."
            )
        if not task.media:
            raise FileMissing(
                user_message="The recording was removed, so nothing of it can be done again. The transcript stays."
            )
        if kind == DIARIZE:
            if (start, end) != (None, None):
                raise InvalidOptions(user_message="Speakers can only be told apart again in the whole recording.")
            options = replace(TranscriptionOptions(), diarize=True, **asked).check([TranscriptionOptions().model])
            arguments: dict[str, Any] = {name: getattr(options, name) for name in ("min_speakers", "max_speakers")}
        else:
            _check_stretch(task, *_stretch(start, nan if end == inf else end))
            options = _asked_before(task, **asked).check([model.name for model in offered_models()])
            arguments = {"start": start, "end": end, "options": options.to_dict()}
        arguments["actor"] = actor.pk
        pending = pending_of(task)
        if pending is not None:
            if (pending.kind, pending.arguments) == (kind, arguments):
                return pending
            raise AgainPending
        _check_room_to_wait(task)
        task.follow_ups.filter(kind__in=AGAIN).delete()
        record_on_anothers(AuditAction.DONE_AGAIN, actor, task)
        return follow_ups.ask(task, kind, arguments)


def latest_of(task: Task) -> FollowUp | None:
    """What was asked for last; how it ended is known for some days."""
    return task.follow_ups.filter(kind__in=AGAIN).first()


def again_in_words(task: Task) -> str:
    """What was asked for last, and how far it is; empty if that was nothing."""
    if (last := latest_of(task)) is None:
        return ""
    how = {FollowUp.State.RUNNING: f"{last.percentage}%", FollowUp.State.FAILED: f"failed. {last.user_message}"}
    state = FollowUp.State(last.state)
    return f"{FollowUp.Kind(last.kind).label}: {how.get(state, state.label.lower())}"


def pending_of(task: Task) -> FollowUp | None:
    return task.follow_ups.filter(kind__in=AGAIN, state__in=follow_ups.OPEN).first()


def cancel_again(task: Task, actor: User) -> None:
    """Have nothing of the task done again. The transcript stays as it is; if nothing waits or runs, nothing happens."""
    with transaction.atomic():
        if (pending := pending_of(task)) is not None:
            record_on_anothers(AuditAction.CANCELLED, actor, task)
            follow_ups.cancel(pending)


# For workers ----------------------------------------------------------------------------------------------------------


def heard_of(follow_up: FollowUp) -> tuple[float, float]:
    """What is listened to, from and to these seconds."""
    start, end = _stretch_of(follow_up)
    rows = current(follow_up.task.transcript.segments.all())
    before = rows.filter(end__lte=start).aggregate(at=Max("end"))["at"]
    behind = rows.filter(start__gte=end).aggregate(at=Min("start"))["at"]
    return (
        max(start - MARGIN, 0.0 if before is None else before),
        min(end + MARGIN, inf if behind is None else behind),
    )


def options_of(follow_up: FollowUp) -> TranscriptionOptions:
    return TranscriptionOptions.from_dict(follow_up.arguments["options"])


def keep_transcribed(follow_up: FollowUp, found: Transcript) -> None:
    """Put what was transcribed again into the transcript.

    Raises:
        IllegalTransition: the task is not completed any more.
    """
    task, stretch = follow_up.task, _stretch_of(follow_up)
    with _change(follow_up, Change.Kind.TRANSCRIBED) as draft:
        put_transcribed(draft, found.segments, *stretch)
        if stretch == WHOLE:
            before, task.options = task.transcription_options, options_of(follow_up).to_dict()
            task.language, task.language_probability = found.language, found.language_probability
            task.save(update_fields=["options", "language", "language_probability"])
            if before.track != task.transcription_options.track:
                make_anew(task)


def keep_speakers(follow_up: FollowUp, turns: Sequence[Turn]) -> None:
    """Give what is said to the speakers who were told apart again. Raises as `keep_transcribed`."""
    task = follow_up.task
    with _change(follow_up, Change.Kind.DIARIZED) as draft:
        put_speakers(draft, list(turns))
        task.warnings = [warning for warning in task.warnings if warning["stage"] != "diarizing"]
        task.save(update_fields=["warnings"])


@contextmanager
def _change(follow_up: FollowUp, kind: Change.Kind) -> Iterator[Draft]:
    task = follow_up.task
    with transaction.atomic():
        lock(task)
        if task.status != TaskStatus.COMPLETED:
            raise IllegalTransition(task.status)
        with change(task, kind, User.objects.filter(pk=follow_up.arguments["actor"]).first()) as draft:
            yield draft
            broadcast_change(task.pk, draft.revision)
            tell_corrected(task, draft.revision)


def _stretch_of(follow_up: FollowUp) -> Interval:
    return _stretch(follow_up.arguments["start"], follow_up.arguments["end"])


def _stretch(start: float | None, end: float | None) -> Interval:
    return WHOLE[0] if start is None else start, WHOLE[1] if end is None else end


def _asked_before(task: Task, **asked: Any) -> TranscriptionOptions:
    """The task's options with what is `asked` for now. What was detected before need not be detected again."""
    options = task.transcription_options
    if options.language is None and task.language in LANGUAGES:
        options = replace(options, language=task.language)
    return replace(options, **asked)


def _check_stretch(task: Task, start: float, end: float) -> None:
    if not (isfinite(start) and 0 <= start < end and start < (task.duration or inf)):
        raise InvalidOptions(user_message="A part must end after it starts, and lie within the recording.")


def _check_room_to_wait(task: Task) -> None:
    waiting = FollowUp.objects.filter(task__owner=task.owner_id, kind__in=AGAIN, state__in=follow_ups.OPEN).count()
    if waiting >= current_settings.current("MAX_WAITING_PER_USER"):
        raise TooManyTasks
