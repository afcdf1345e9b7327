"""What people change in a transcript. Each change is one entry of the journal, and can be undone.

Every action refers to the segments as they were at `from_revision`, the revision that the person was looking at. All of
them raise, besides what their own docstrings list:
    NotReady: there is no transcript yet.
    SegmentChanged, ChangedMeanwhile: somebody changed the same segment or speaker since; nothing was done.
    InvalidChange: the change is not possible; the message says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from django.contrib.auth.models import User

from tasks_app.actions.audit import record_on_anothers
from tasks_app.actions.retime import ask_to_retime
from tasks_app.actions.webhook_events import tell_corrected
from tasks_app.errors import InvalidChange, NotReady
from tasks_app.models import AuditAction, Change, Segment, Speaker, Task, Transcript
from tasks_app.pipeline.text.words import UNSPACED
from tasks_app.pipeline.transcript import Word
from tasks_app.progress.broadcast import broadcast_change
from tasks_app.transcripts import words as timing
from tasks_app.transcripts.again import choose as choose_between
from tasks_app.transcripts.changes import (
    Draft,
    change,
    current,
    recognised_last,
    restore,
    take_back,
    to_undo_and_redo,
)
from tasks_app.transcripts.rows import free_label, segment_row, words_of

MAX_TEXT = 10_000  # characters of one segment
MAX_NAME = 100  # characters of a speaker's
SHORTEST = 0.02  # seconds

Kind = Change.Kind


def change_text(task: Task, actor: User, from_revision: int, texts: Mapping[int, str]) -> Change:
    """Set new texts for segments, given by their identifiers: one that was corrected, or all in which something was
    replaced. Unchanged words keep their times.
    """
    with _change(task, Kind.TEXT, actor, from_revision) as draft:
        segments = draft.segments(texts)
        new = []
        for segment, text in zip(segments, map(_text, texts.values()), strict=True):
            words = timing.retimed(words_of(segment), text, segment.start, segment.end)
            new.append(segment_row(segment.start, segment.end, text, segment.speaker, words))
        _replace(draft, segments, new)
        return draft.change


def split(task: Task, actor: User, from_revision: int, segment_id: int, at: int) -> Change:
    """Split a segment in two before character `at` of its text. The second one starts when its first word does; without
    word times, the time is divided in proportion to the number of characters.
    """
    with _change(task, Kind.SPLIT, actor, from_revision) as draft:
        segment = draft.segment(segment_id)
        first, second = segment.text[: max(at, 0)].strip(), segment.text[max(at, 0) :].strip()
        if not first or not second:
            raise InvalidChange(user_message="There is text on one side only. Put the cursor between two words.")
        before, after = timing.split(words_of(segment), segment.text, at)
        middle = segment.start + (segment.end - segment.start) * len(first) / (len(first) + len(second))
        ends, starts = (before[-1].end, after[0].start) if before and after else (middle, middle)
        _replace(
            draft,
            [segment],
            [
                segment_row(segment.start, ends, first, segment.speaker, before),
                segment_row(starts, segment.end, second, segment.speaker, after),
            ],
        )
        return draft.change


def join(task: Task, actor: User, from_revision: int, first_id: int, second_id: int) -> Change:
    """Join two consecutive segments; the result has the first one's speaker."""
    with _change(task, Kind.JOIN, actor, from_revision) as draft:
        first, second = draft.segment(first_id), draft.segment(second_id)
        between = current(draft.transcript.segments.filter(start__gt=first.start, start__lt=second.start))
        if (first.start, first.pk) >= (second.start, second.pk) or between.exists():
            raise InvalidChange(user_message="Only segments that follow each other can be joined.")
        spaced = not (UNSPACED.search(first.text[-1:]) and UNSPACED.match(second.text))
        words = [words_of(first), words_of(second)]
        if all(words):
            words[1][0].spaced = spaced
        joined = segment_row(
            first.start,
            max(first.end, second.end),
            first.text + " " * spaced + second.text,
            first.speaker,
            words[0] + words[1] if all(words) else [],
        )
        _replace(draft, [first, second], [joined])
        return draft.change


def change_times(task: Task, actor: User, from_revision: int, segment_id: int, start: float, end: float) -> Change:
    """Set a segment's start and end, in seconds. Words outside them are moved to the nearer end."""
    with _change(task, Kind.TIMES, actor, from_revision) as draft:
        segment = draft.segment(segment_id)
        start, end = round(start, 3), round(end, 3)
        if not 0 <= start <= end - SHORTEST or (task.duration and end > task.duration + 1):
            raise InvalidChange(user_message="A segment must end after it starts, and lie within the recording.")
        words = [_inside(word, start, end) for word in words_of(segment)]
        _replace(draft, [segment], [segment_row(start, end, segment.text, segment.speaker, words, segment.scores)])
        return draft.change


def change_speaker(
    task: Task, actor: User, from_revision: int, segment_ids: Sequence[int], label: str | None
) -> Change:
    """Set the speaker of segments: one of the transcript's speakers, or None for somebody without a label so far."""
    with _change(task, Kind.SPEAKER, actor, from_revision) as draft:
        if label is None:
            label = free_label(draft.transcript.speakers.values_list("label", flat=True))
            draft.open([Speaker(label=label)])
        elif not current(draft.transcript.speakers.all()).filter(label=label).exists():
            raise InvalidChange(user_message="There is no such speaker in this transcript.")
        segments = draft.segments(segment_ids)
        new = [
            segment_row(segment.start, segment.end, segment.text, label, words_of(segment), segment.scores)
            for segment in segments
        ]
        _replace(draft, segments, new)
        return draft.change


def name_speaker(task: Task, actor: User, from_revision: int, label: str, name: str) -> Change:
    """Name a speaker throughout the transcript; an empty name removes it."""
    name = " ".join(name.split())
    if len(name) > MAX_NAME:
        raise InvalidChange(user_message=f"A name has at most {MAX_NAME} characters.")
    with _change(task, Kind.NAME, actor, from_revision) as draft:
        speaker = draft.speaker(label)
        draft.close([speaker])
        draft.open([Speaker(label=label, name=name, same_as=speaker.same_as)])
        return draft.change


def same_speaker(task: Task, actor: User, from_revision: int, label: str, as_label: str) -> Change:
    """Merge two speakers: everything `label` says is then said by `as_label`."""
    with _change(task, Kind.SAME_SPEAKER, actor, from_revision) as draft:
        speaker, other = draft.speaker(label), draft.speaker(as_label)
        seen = {label}
        while other.label not in seen and other.same_as:
            seen.add(other.label)
            other = draft.speaker(other.same_as)
        if other.label in seen:
            raise InvalidChange(user_message="These two are already the same speaker.")
        draft.close([speaker])
        draft.open([Speaker(label=label, name=speaker.name, same_as=other.label)])
        return draft.change


def delete_segments(task: Task, actor: User, from_revision: int, segment_ids: Sequence[int]) -> Change:
    """Delete segments from the transcript."""
    with _change(task, Kind.DELETE, actor, from_revision) as draft:
        draft.close(draft.segments(segment_ids))
        return draft.change


def choose(task: Task, actor: User, from_revision: int, alternatives: Sequence[int], *, take: bool) -> Change:
    """Between a person's words and what was recognised anew in their place, an alternative: take it, or leave theirs.

    Raises ChangedMeanwhile if somebody has chosen since.
    """
    with _change(task, Kind.CHOSEN, actor, from_revision) as draft:
        choose_between(draft, alternatives, take=take)
        return draft.change


def undo(task: Task, actor: User, revision: int) -> Change:
    """Undo the change that made `revision`. Undoing an undo redoes the change.

    Raises ChangedMeanwhile if later changes build on it; those must be undone first.
    """
    undone = Change.objects.filter(transcript=task.pk, revision=revision).first()
    if undone is None or undone.revision == 1:
        raise InvalidChange(user_message="There is no such change to undo.")
    with _change(task, Kind.UNDO, actor, undoes=undone) as draft:
        take_back(draft, undone)
        return draft.change


def undo_last(task: Task, actor: User) -> Change:
    """Undo the actor's last change that stands; other people's are left alone. Raises as `undo` does."""
    return _undo_or_redo(task, actor, 0, "There is nothing of yours to undo.")


def redo_last(task: Task, actor: User) -> Change:
    """Redo what the actor undid last, if they changed nothing since. Raises as `undo` does."""
    return _undo_or_redo(task, actor, 1, "There is nothing to redo.")


def restore_original(task: Task, actor: User) -> Change:
    """Go back to what was last recognised, speakers included. Like every change, it can be undone."""
    with _change(task, Kind.RESTORE, actor) as draft:
        restore(draft, recognised_last(draft.transcript))
        return draft.change


def restore_revision(task: Task, actor: User, revision: int) -> Change:
    """Go back to the transcript as it was at a revision. Like every change, it can be undone."""
    with _change(task, Kind.RESTORE, actor) as draft:
        if not 1 <= revision < draft.revision:
            raise InvalidChange(user_message="There is no such state of this transcript.")
        restore(draft, revision)
        return draft.change


@contextmanager
def _change(
    task: Task, kind: Kind, actor: User, from_revision: int | None = None, undoes: Change | None = None
) -> Iterator[Draft]:
    """As `change`; everyone who has the transcript open is told of it, and a worker times words that need it."""
    with change(task, kind, actor, from_revision, undoes) as draft:
        yield draft
        record_on_anothers(AuditAction.CORRECTED, actor, task)
        broadcast_change(task.pk, draft.revision)
        tell_corrected(task, draft.revision)
    if draft.has_estimates:
        ask_to_retime(task)


def _undo_or_redo(task: Task, actor: User, which: int, nothing: str) -> Change:
    transcript = Transcript.objects.filter(task=task).first()
    if transcript is None:
        raise NotReady
    revision = to_undo_and_redo(transcript, actor)[which]
    if revision is None:
        raise InvalidChange(user_message=nothing)
    return undo(task, actor, revision)


def _replace(draft: Draft, old: list[Segment], new: list[Segment]) -> None:
    draft.close(old)
    draft.open(new)


def _text(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise InvalidChange(user_message="The text is empty. To remove a segment, delete it.")
    if len(text) > MAX_TEXT:
        raise InvalidChange(user_message=f"A segment has at most {MAX_TEXT} characters. Split it.")
    return text


def _inside(word: Word, start: float, end: float) -> Word:
    if not (start <= word.start and word.end <= end):
        word.start, word.end = min(max(word.start, start), end), max(min(word.end, end), start)
        word.estimated = True
    return word
