"""Words whose times nobody has heard, because a person wrote them: a worker times them, and the text stays as it is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from math import inf
from typing import NamedTuple

from tasks_app.actions.follow_ups import ask
from tasks_app.errors import IllegalTransition
from tasks_app.models import Change, FollowUp, Segment, Task
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.pipeline.transcript import Word
from tasks_app.progress.broadcast import broadcast_change
from tasks_app.transcripts.changes import change, current, has_estimates
from tasks_app.transcripts.rows import segment_row, words_of

SETTLED = 1.5
"""Seconds without another change, after which words are timed again."""


def ask_to_retime(task: Task) -> None:
    """Have a worker time the words that a person wrote, a moment after the last change; not if there is nothing to be
    heard any more.
    """
    with suppress(IllegalTransition):  # the task was deleted since
        if task.media.name:
            ask(task, FollowUp.Kind.RETIME, after=SETTLED)


class Unheard(NamedTuple):
    """A segment with words that have no time of their own. Other text ends at `since` and begins at `until` seconds."""

    segment_id: int
    segment: TranscriptSegment
    since: float
    until: float


def to_retime(task: Task) -> list[Unheard]:
    rows = current(Segment.objects.filter(transcript=task.pk))
    times = list(rows.values_list("start", "end"))
    starts = [start for start, _ in times]
    ends = list(accumulate((end for _, end in times), max))
    found = []
    for row in filter(has_estimates, rows.filter(recognised=False).iterator()):
        before, after = bisect_left(starts, row.start) - 1, bisect_right(starts, row.start)
        since = ends[before] if before >= 0 else 0.0
        until = starts[after] if after < len(starts) else inf
        found.append(Unheard(row.pk, TranscriptSegment(row.start, row.end, row.text, words_of(row)), since, until))
    return found


def keep_times(task: Task, found: Mapping[int, Sequence[Word]]) -> None:
    """Give segments their words as they were timed, by identifier. Segments that were changed meanwhile are left alone.

    It is no change of a person's: theirs are undone as if it had not been made.

    Raises:
        NotReady: the transcript is gone.
    """
    with change(task, Change.Kind.RETIMED, None) as draft:
        rows = list(current(draft.transcript.segments.filter(pk__in=found)))
        draft.close(rows)
        draft.open(_timed(row, found[row.pk]) for row in rows)
        broadcast_change(task.pk, draft.revision)


def _timed(row: Segment, words: Sequence[Word]) -> Segment:
    timed = segment_row(row.start, row.end, row.text, row.speaker, words, row.scores)
    timed.copy_of_id = row.first
    return timed
