"""Changing a transcript: some rows are closed and others opened, under the next revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from tasks_app.errors import ChangedMeanwhile, NotReady, SegmentChanged
from tasks_app.models import Alternative, Change, Segment, Speaker, Task, Transcript

R = TypeVar("R", Segment, Speaker, Alternative)
BATCH = 500  # rows per statement; SQLite has a limit of some thousands


class Draft:
    """A change in progress."""

    def __init__(self, transcript: Transcript, change: Change) -> None:
        self.transcript = transcript
        self.change = change
        self.revision = change.revision
        self.has_estimates = False
        """Whether words were opened whose times nobody has heard."""

    def segment(self, segment_id: int) -> Segment:
        """The segment to be changed.

        Raises:
            SegmentChanged: somebody changed it after `from_revision`.
        """
        return self.segments([segment_id])[0]

    def segments(self, segment_ids: Iterable[int]) -> list[Segment]:
        """The segments to be changed, in the order given, each once. Raises as `segment` does.

        One that is there as a copy, for instance because its words were timed again, is still what the person saw.
        """
        wanted = list(dict.fromkeys(segment_ids))
        found: dict[int, Segment] = {}
        for start in range(0, len(wanted), BATCH):
            found |= self.transcript.segments.in_bulk(wanted[start : start + BATCH])
        rows = {}
        for segment_id in wanted:
            segment = found.get(segment_id)
            row = segment and newest_copy(segment)
            if segment is None or row is None or row.until is not None or segment.since > self.change.from_revision:
                if segment and row:
                    segment.until = row.until  # what the person saw was there until then
                raise SegmentChanged(yours=segment, theirs=replacing(segment) if segment else [])
            rows[row.pk] = row
        if len(rows) < len(wanted):
            raise ChangedMeanwhile
        return list(rows.values())

    def speaker(self, label: str) -> Speaker:
        """The speaker with this label.

        Raises:
            ChangedMeanwhile: somebody changed it after `from_revision`.
        """
        speaker = current(self.transcript.speakers.all()).filter(label=label).first()
        if speaker is None or speaker.since > self.change.from_revision:
            raise ChangedMeanwhile
        return speaker

    def close(self, rows: Iterable[R]) -> None:
        """Close rows at this revision."""
        for batch, model in _batches(rows):
            model.objects.filter(pk__in=[row.pk for row in batch]).update(until=self.revision)

    def open(self, rows: Iterable[R]) -> None:
        """Open new rows at this revision."""
        rows = list(rows)
        for row in rows:
            row.transcript, row.since, row.until = self.transcript, self.revision, None
            self.has_estimates |= isinstance(row, Segment) and has_estimates(row)
        for batch, model in _batches(rows):
            model.objects.bulk_create(batch)

    def open_again(self, rows: Iterable[R]) -> None:
        """Open copies of closed rows."""
        self.open(_copy(row) for row in rows)


@contextmanager
def change(
    task: Task,
    kind: Change.Kind,
    actor: User | None,
    from_revision: int | None = None,
    undoes: Change | None = None,
) -> Iterator[Draft]:
    """Make a change in one transaction, and write it into the journal.

    `from_revision`: the revision that the person was looking at; None for the newest.

    Raises:
        NotReady: there is no transcript yet.
    """
    with transaction.atomic():
        # Two people may change the transcript at once: the second waits here, then sees the first one's change.
        transcript = Transcript.objects.select_for_update().filter(task=task).first()
        if transcript is None:
            raise NotReady
        before = transcript.revision if from_revision is None else from_revision
        transcript.revision += 1
        transcript.save(update_fields=["revision"])
        record = Change.objects.create(
            transcript=transcript,
            revision=transcript.revision,
            from_revision=before,
            kind=kind,
            actor=actor,
            undoes=undoes,
        )
        yield Draft(transcript, record)


def current(rows: QuerySet[R]) -> QuerySet[R]:
    return rows.filter(until=None)


def at_revision(rows: QuerySet[R], revision: int | None) -> QuerySet[R]:
    """The rows of the transcript at a revision; the newest if None."""
    if revision is None:
        return current(rows)
    return rows.filter(Q(until=None) | Q(until__gt=revision), since__lte=revision)


def has_estimates(segment: Segment) -> bool:
    return any(word.get("estimated") for word in segment.words)


def newest_copy(segment: Segment) -> Segment:
    """The same text as it is now, or was last; the segment itself where it stands."""
    if segment.until is None:
        return segment
    same = segment.transcript.segments.filter(Q(pk=segment.first) | Q(copy_of=segment.first))
    return same.latest("since")


def replacing(segment: Segment) -> list[Segment]:
    """The current segments that have replaced a changed one; none if it was deleted."""
    found, ahead = [], [segment]
    while ahead:
        row = ahead.pop()
        if row.until is None:
            found.append(row)
        else:
            following = row.transcript.segments.filter(since=row.until, start__lt=row.end, end__gt=row.start)
            ahead += [other for other in following if other.pk != row.pk]
    return sorted(set(found), key=lambda row: (row.start, row.pk))


def take_back(draft: Draft, undone: Change) -> None:
    """Reopen what a change closed, and close what it opened.

    Raises:
        ChangedMeanwhile: later changes build on this one.
    """
    _take_back(draft, draft.transcript.segments.all(), undone.revision)
    _take_back(draft, draft.transcript.speakers.all(), undone.revision)
    _take_back(draft, draft.transcript.alternatives.all(), undone.revision)


def recognised_last(transcript: Transcript) -> int:
    """The revision of the latest recognition."""
    return transcript.changes.filter(kind=Change.Kind.RECOGNISED).latest("revision").revision


def to_undo_and_redo(transcript: Transcript, actor: User) -> tuple[int | None, int | None]:
    """The revisions of the actor's last change that stands, and of their last undoing that nothing followed."""
    done: list[int] = []
    undone: list[int] = []
    undoing: set[int] = set()
    journal = transcript.changes.filter(actor=actor, revision__gt=1)
    for revision, kind, undoes in journal.values_list("revision", "kind", "undoes__revision"):
        if kind != Change.Kind.UNDO:
            done.append(revision)
            undone.clear()
            continue
        if undoes in undoing:  # undoing an undo: it is done again
            out, into = undone, done
        else:
            out, into = done, undone
            undoing.add(revision)
        if undoes in out:
            out.remove(undoes)
        into.append(revision)
    return (done[-1] if done else None), (undone[-1] if undone else None)


def restore(draft: Draft, revision: int) -> None:
    """Reopen all rows of the transcript at a revision, and close everything else."""
    _restore(draft, draft.transcript.segments.all(), revision)
    _restore(draft, draft.transcript.speakers.all(), revision)
    _restore(draft, draft.transcript.alternatives.all(), revision)


def _take_back(draft: Draft, rows: QuerySet[R], revision: int) -> None:
    # Without the words, of which ten hours have a hundred thousand.
    opened = {row.first for row in rows.filter(since=revision).only("transcript", "copy_of")}
    closed = list(rows.filter(until=revision))
    now = [row for row in current(rows).only("transcript", "copy_of") if row.first in opened]
    if len(now) < len(opened):
        raise ChangedMeanwhile
    draft.close(now)
    draft.open_again(closed)


def _restore(draft: Draft, rows: QuerySet[R], revision: int) -> None:
    then = {row.first: row for row in at_revision(rows, revision)}
    now = {row.first: row for row in current(rows).only("transcript", "copy_of")}
    draft.close(row for first, row in now.items() if first not in then)
    draft.open_again(row for first, row in then.items() if first not in now)


def _batches(rows: Iterable[R]) -> Iterator[tuple[Sequence[R], type[R]]]:
    rows = list(rows)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH], type(rows[0])


def _copy(row: R) -> R:
    fields = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in ("id", "since", "until", "copy_of")
    }
    return type(row)(**fields, copy_of_id=row.first)
