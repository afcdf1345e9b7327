"""Converting between database rows and a `Transcript`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from tasks_app.errors import NotReady
from tasks_app.models import Segment, Speaker, Task
from tasks_app.models import Transcript as TranscriptRow
from tasks_app.pipeline.transcript import Scores, StageWarning, Transcript, Word
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.transcripts.changes import at_revision


def transcript_of(task: Task, *, words: bool = True, scores: bool = False, revision: int | None = None) -> Transcript:
    """The transcript with people's changes and names of speakers; as of `revision` if given.

    Words and scores, which take much memory, are only read on request. For a task that ended without a transcript, it
    is the text recognised until then.

    Raises:
        NotReady: there is no text yet.
    """
    row = TranscriptRow.objects.filter(task=task).first()
    whole = Transcript(
        language=task.language,
        duration=task.duration or 0.0,
        language_probability=task.language_probability,
        warnings=[StageWarning.from_dict(warning) for warning in task.warnings],
    )
    if row is not None:
        whole.revision = revision or row.revision
        unread = [name for name, wanted in (("words", words), ("scores", scores)) if not wanted]
        names = names_of(at_revision(row.speakers.all(), revision))
        whole.segments = [
            TranscriptSegment(
                start=segment.start,
                end=segment.end,
                text=segment.text,
                speaker=names.get(segment.speaker, segment.speaker) or None,
                words=[_named(word, names) for word in words_of(segment)] if words else [],
                scores=Scores.from_dict(segment.scores) if scores and segment.scores else None,
            )
            for segment in at_revision(row.segments.all(), revision).defer(*unread)
        ]
    elif task.has_ended:
        whole.segments = [TranscriptSegment(live.start, live.end, live.text) for live in task.live_segments.all()]
    if not whole.segments and row is None:
        raise NotReady
    return whole


def names_of(speakers: Iterable[Speaker]) -> dict[str, str]:
    """The name shown for each label: the speaker's, or that of the speaker they were merged into."""
    by_label = {speaker.label: speaker for speaker in speakers}
    return {label: str(by_label[shown_label(by_label, label)]) for label in by_label}


def shown_label(by_label: Mapping[str, Speaker], label: str) -> str:
    """The label of the speaker into whom this one was merged, or its own."""
    while by_label[label].same_as in by_label:
        label = by_label[label].same_as
    return label


def words_of(segment: Segment) -> list[Word]:
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


def recognised_rows(transcript: Transcript) -> list[Segment]:
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
        for segment in transcript.segments
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
