"""A transcript as rows of the database: the one place that reads and writes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tasks_app.errors import NotReady
from tasks_app.models import Segment, Speaker, Task, TaskStatus
from tasks_app.pipeline.transcript import Scores, StageWarning, Transcript, Word
from tasks_app.pipeline.transcript import Segment as TranscriptSegment


def transcript_of(task: Task, *, scores: bool = False) -> Transcript:
    """The transcript, with speakers by the names people gave them; with the
    decoder's scores, which take up much memory, only if `scores` asks for them.

    Raises:
        NotReady: there is no text yet.
    """
    rows = task.segments.select_related("speaker")
    segments = list(rows if scores else rows.defer("scores"))
    if task.status != TaskStatus.COMPLETED and not (task.has_ended and segments):
        raise NotReady
    names = {speaker.label: str(speaker) for speaker in task.speakers.all()}

    def word(data: dict[str, Any]) -> Word:
        return Word.from_dict({**data, "speaker": names.get(data.get("speaker") or "")})

    return Transcript(
        language=task.language,
        duration=task.duration or 0.0,
        language_probability=task.language_probability,
        warnings=[StageWarning.from_dict(warning) for warning in task.warnings],
        segments=[
            TranscriptSegment(
                start=row.start,
                end=row.end,
                text=row.text,
                speaker=str(row.speaker) if row.speaker else None,
                words=[word(data) for data in row.words],
                scores=Scores.from_dict(row.scores) if scores and row.scores else None,
            )
            for row in segments
        ],
    )


def write_transcript(task: Task, transcript: Transcript) -> None:
    """Replace the rows of the task's transcript, keeping the names people gave to speakers."""
    task.segments.all().delete()
    task.speakers.exclude(label__in=transcript.speakers).delete()
    speakers = {label: Speaker.objects.get_or_create(task=task, label=label)[0] for label in transcript.speakers}
    Segment.objects.bulk_create(
        Segment(
            task=task,
            index=index,
            start=segment.start,
            end=segment.end,
            text=segment.text,
            speaker=speakers.get(segment.speaker or ""),
            words=[
                {"text": w.text, "start": w.start, "end": w.end, "score": w.score, "speaker": w.speaker}
                for w in segment.words
            ],
            scores=asdict(segment.scores) if segment.scores else {},
        )
        for index, segment in enumerate(transcript.segments)
    )
