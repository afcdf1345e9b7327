"""Storing a recognised transcript, and keeping what people corrected in an earlier one.

A recording may be recognised again: another attempt, another number of speakers. Where a person has changed something,
their segments stay, surrounded by the newly recognised words. Names follow the voices, not the labels, which may be
assigned differently each time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from tasks_app.models import Change, Segment, Speaker, Task
from tasks_app.models import Transcript as TranscriptRow
from tasks_app.pipeline.transcript import StageWarning, Transcript
from tasks_app.transcripts.changes import Draft, change, current, recognised_last
from tasks_app.transcripts.rows import free_label, recognised_rows, segment_row, words_of
from tasks_app.transcripts.stretches import Interval, Place, cut_out, without

NOT_KEPT = "CORRECTION_NOT_KEPT"


def write_recognised(task: Task, transcript: Transcript) -> list[StageWarning]:
    """Store `transcript` as the task's. Returns warnings about corrections that could not be kept."""
    row, is_new = TranscriptRow.objects.get_or_create(task=task)
    corrections = None if is_new else Corrections.of(row)
    rows = recognised_rows(transcript.segments)
    with change(task, Change.Kind.RECOGNISED, None) as draft:
        draft.close(current(row.segments.all()))
        draft.close(current(row.speakers.all()))
        draft.close(current(row.alternatives.all()))
        draft.open(rows)
        draft.open(
            Speaker(label=label, name=transcript.names.get(label, ""), recognised=True) for label in transcript.speakers
        )
    if corrections is None or not corrections:
        return []
    with change(task, Change.Kind.KEPT, None) as draft:
        return _Keeping(corrections, rows, draft).keep()


@dataclass
class Corrections:
    """What people changed: `segments` as they left them, `deleted` stretches (seconds), and `speakers` as they named
    them. Nothing recognised replaces those segments or stretches. `before`: what had been recognised earlier.
    """

    segments: list[Segment]
    deleted: list[Interval]
    speakers: list[Speaker]
    before: list[Segment]

    @classmethod
    def of(cls, transcript: TranscriptRow) -> Corrections:
        recognised = transcript.segments.filter(since=recognised_last(transcript), recognised=True)
        before = list(recognised)
        now = list(current(transcript.segments.all()))
        standing = {row.first for row in now}
        untouched = [(row.start, row.end) for row in now if row.recognised]
        deleted = [(row.start, row.end) for row in before if row.pk not in standing]
        rows = current(transcript.speakers.filter(recognised=False))
        speakers = [row for row in rows if row.name or row.same_as]
        return cls([row for row in now if not row.recognised], without(deleted, untouched), speakers, before)

    def __bool__(self) -> bool:
        return bool(self.segments or self.deleted or self.speakers)


class _Keeping:
    """Merges corrections into the newly recognised `rows`."""

    def __init__(self, corrections: Corrections, rows: list[Segment], draft: Draft) -> None:
        self._old = corrections
        self._rows = rows
        self._draft = draft
        self._voices = _same_voices(corrections.before, rows)
        self._labels = {row.speaker for row in rows if row.speaker}

    def keep(self) -> list[StageWarning]:
        places = [Place(row.start, row.end) for row in self._old.segments]
        cut = cut_out(self._rows, places + [Place(start, end) for start, end in self._old.deleted])
        kept = [self._anew(segment) for segment in self._old.segments]
        self._draft.close(row for row, _ in cut)
        self._draft.open([part for _, left in cut for part in left] + kept)
        return list(self._keep_names({row.speaker for row in kept if row.speaker}))

    def _anew(self, segment: Segment) -> Segment:
        """The segment as a person left it, with the newly found speaker unless the person had chosen one."""
        before = _speaker_of(segment, self._old.before)
        if segment.speaker == before:
            label = _speaker_of(segment, self._rows) or self._voices.get(segment.speaker, "")
        else:
            label = self._label_for(segment.speaker)
        return segment_row(segment.start, segment.end, segment.text, label, words_of(segment))

    def _label_for(self, label: str) -> str:
        """The new label of the speaker who had `label`; an unused one if the voice was not found again."""
        if label and label not in self._voices:
            self._voices[label] = free_label(self._labels)
            self._labels.add(self._voices[label])
            self._draft.open([Speaker(label=self._voices[label])])
        return self._voices.get(label, "")

    def _keep_names(self, in_use: set[str]) -> Iterator[StageWarning]:
        changed: dict[str, Speaker] = {}
        for old in self._old.speakers:
            label = self._voices.get(old.label)
            if label is None or (label in changed and old.name):
                if old.name:
                    yield StageWarning(
                        "correcting",
                        NOT_KEPT,
                        f"The name “{old.name}” was not kept: this voice is not one of the speakers found now.",
                    )
                continue
            same_as = self._voices.get(old.same_as, "")
            changed[label] = Speaker(label=label, name=old.name, same_as=same_as if same_as != label else "")
        self._draft.close(current(self._draft.transcript.speakers.filter(label__in=changed)))
        self._draft.open(changed.values())


def _same_voices(before: Sequence[Segment], after: Sequence[Segment]) -> dict[str, str]:
    """Maps labels of `before` to those of `after` that speak most at the same time."""
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
    for one, other in overlapping(before, after):
        if one.speaker and other.speaker:
            seconds[one.speaker, other.speaker] += min(one.end, other.end) - max(one.start, other.start)
    return {label: other for (label, other), _ in sorted(seconds.items(), key=lambda item: item[1])}


def overlapping(before: Sequence[Segment], after: Sequence[Segment]) -> Iterator[tuple[Segment, Segment]]:
    """Pairs of segments that overlap in time; both lists are ordered by start."""
    first = 0
    for one in before:
        while first < len(after) and after[first].end <= one.start:
            first += 1
        for other in islice(after, first, None):
            if other.start >= one.end:
                break
            if other.end > one.start:
                yield one, other


def _speaker_of(segment: Segment, rows: Iterable[Segment]) -> str:
    """The label that speaks most during a segment; empty if there is none."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for row in rows:
        seconds[row.speaker] += max(0.0, min(row.end, segment.end) - max(row.start, segment.start))
    label, most = max(seconds.items(), key=lambda item: item[1], default=("", 0.0))
    return label if most else ""
