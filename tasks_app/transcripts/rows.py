"""Converting between database rows and a `Transcript`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from tasks_app.errors import NotReady, TaskNotFound
from tasks_app.models import Alternative, Segment, Speaker, Task
from tasks_app.models import Transcript as TranscriptRow
from tasks_app.pipeline.transcript import Scores, StageWarning, Transcript, Word
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.transcripts.changes import BATCH, at_revision, recognised_last


def transcript_of(task: Task, *, words: bool = True, scores: bool = False, revision: int | None = None) -> Transcript:
    """The transcript with people's changes and names of speakers; as of `revision` if given.

    Words and scores, which take much memory, are only read on request. For a task that ended without a transcript, it
    is the text recognised until then.

    Raises:
        NotReady: there is no text yet.
    """
    whole, segments = read_in_pieces(task, words=words, scores=scores, revision=revision)
    whole.segments = list(segments)
    return whole


def read_in_pieces(
    task: Task, *, words: bool = True, scores: bool = False, revision: int | None = None, original: bool = False
) -> tuple[Transcript, Iterator[TranscriptSegment]]:
    """What `transcript_of` returns, without its segments, and these one by one, so that they are never all in memory.
    `original`: as it was last recognised, before anybody changed it.

    No database connection is needed between two segments. Changes made meanwhile are not seen: rows of a transcript are
    never altered.

    Raises:
        NotReady: there is no text yet.
        TaskNotFound: while segments are read, somebody deletes the task.
    """
    row = TranscriptRow.objects.filter(task=task).first()
    head = Transcript(
        language=task.language,
        duration=task.duration or 0.0,
        language_probability=task.language_probability,
        warnings=[StageWarning.from_dict(warning) for warning in task.warnings],
    )
    if row is None:
        live = task.live_segments.all() if task.has_ended else ()
        segments = [TranscriptSegment(segment.start, segment.end, segment.text) for segment in live]
        if not segments:
            raise NotReady
        return head, iter(segments)
    if original:
        revision = recognised_last(row)
    head.revision = revision or row.revision
    names = names_of(at_revision(row.speakers.all(), revision))
    keys = list(at_revision(row.segments.all(), revision).values_list("pk", flat=True))
    unread = [name for name, wanted in (("words", words), ("scores", scores)) if not wanted]
    return head, (_from_row(segment, names, unread) for segment in _rows(keys, unread))


def _rows(keys: list[int], unread: list[str]) -> Iterator[Segment]:
    for first in range(0, len(keys), BATCH):
        batch = keys[first : first + BATCH]
        rows = Segment.objects.defer(*unread).in_bulk(batch)
        if len(rows) < len(batch):
            raise TaskNotFound
        yield from map(rows.__getitem__, batch)


def _from_row(segment: Segment, names: dict[str, str], unread: Container[str]) -> TranscriptSegment:
    return TranscriptSegment(
        start=segment.start,
        end=segment.end,
        text=segment.text,
        speaker=names.get(segment.speaker, segment.speaker) or None,
        words=[] if "words" in unread else [_named(word, names) for word in words_of(segment)],
        scores=None if "scores" in unread or not segment.scores else Scores.from_dict(segment.scores),
    )


def names_of(speakers: Iterable[Speaker]) -> dict[str, str]:
    """The name shown for each label: the speaker's, or that of the speaker they were merged into."""
    by_label = {speaker.label: speaker for speaker in speakers}
    return {label: str(by_label[shown_label(by_label, label)]) for label in by_label}


def shown_label(by_label: Mapping[str, Speaker], label: str) -> str:
    """The label of the speaker into whom this one was merged, or its own."""
    while by_label[label].same_as in by_label:
        label = by_label[label].same_as
    return label


def words_of(segment: Segment | Alternative) -> list[Word]:
    return [Word.from_dict(word) for word in segment.words]


def segment_row(
    start: float,
    end: float,
    text: str,
    speaker: str | None,
    words: Iterable[Word],
    scores: dict[str, Any] | None = None,
    *,
    recognised: bool = False,
) -> Segment:
    """A row that is not yet part of a transcript. Its words get its speaker, unless it was recognised."""
    return Segment(
        start=start,
        end=end,
        text=text,
        speaker=speaker or "",
        words=[_word_data(word, word.speaker if recognised else speaker) for word in words],
        scores=scores or {},
        recognised=recognised,
    )


def recognised_rows(segments: Iterable[TranscriptSegment]) -> list[Segment]:
    return [
        segment_row(
            segment.start,
            segment.end,
            segment.text,
            segment.speaker,
            segment.words,
            asdict(segment.scores) if segment.scores else None,
            recognised=True,
        )
        for segment in segments
    ]


def _word_data(word: Word, speaker: str | None) -> dict[str, Any]:
    data = {"text": word.text, "start": word.start, "end": word.end, "score": word.score, "speaker": speaker or None}
    if not word.spaced:
        data["spaced"] = False
    if word.estimated:
        data["estimated"] = True
    return data


def _named(word: Word, names: dict[str, str]) -> Word:
    word.speaker = names.get(word.speaker or "", word.speaker)
    return word


def free_label(labels: Iterable[str]) -> str:
    """An unused label like those of diarization."""
    numbers = [int(found[1]) for found in (re.fullmatch(r"SPEAKER_(\d+)", label) for label in labels) if found]
    return f"SPEAKER_{max(numbers, default=-1) + 1:02}"
