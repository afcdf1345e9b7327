"""A transcript as plain data for its page: in portions, and what changed in it since a revision."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from tasks_app.errors import InvalidChange, NotReady
from tasks_app.models import Segment, Speaker, Task, Transcript
from tasks_app.transcripts.changes import current
from tasks_app.transcripts.rows import names_of, shown_label

MOST = 1000  # segments in one portion
MOST_WITHOUT_WORDS = 2500
WITHOUT_WORDS = ("id", "start", "end", "text", "speaker")
COLOURS = 6


def portion(task: Task, after: int | None = None, count: int = MOST, *, words: bool = True) -> dict[str, Any]:
    """`count` current segments, from the beginning or after the one with the identifier `after`, which may have been
    replaced since; with the speakers, with the first portion what people may choose between, and the revision that all
    this belongs to. `more`: others follow.

    What changes between two portions is part of `changed_since` the first one's revision.

    Raises:
        NotReady: there is no transcript yet.
        InvalidChange: there is no segment `after`.
    """
    transcript = _transcript(task)
    rows = current(transcript.segments.all())
    if after is not None:
        last = transcript.segments.filter(pk=after).only("start").first()
        if last is None:
            raise InvalidChange(user_message="There is no such segment in this transcript.")
        rows = rows.filter(Q(start__gt=last.start) | Q(pk__gt=after), start__gte=last.start)
    count = min(max(count, 1), MOST if words else MOST_WITHOUT_WORDS)
    if words:
        found = [segment_data(row) for row in rows.defer("scores")[: count + 1]]
    else:
        found = [dict(row) for row in rows.values(*WITHOUT_WORDS)[: count + 1]]  # three times as quick
    return {
        "revision": transcript.revision,
        "speakers": speakers_data(current(transcript.speakers.all())),
        "segments": found[:count],
        "alternatives": alternatives_data(transcript) if after is None else [],
        "more": len(found) > count,
    }


def changed_since(task: Task, revision: int) -> dict[str, Any]:
    """What changed after a revision: the segments that were `closed` (identifiers), including those that came and went
    since, and those that are new; all speakers, and all that people may choose between.

    Raises:
        NotReady: there is no transcript yet.
    """
    transcript = _transcript(task)
    closed = transcript.segments.filter(until__gt=revision)
    new = current(transcript.segments.filter(since__gt=revision))
    return {
        "revision": transcript.revision,
        "speakers": speakers_data(current(transcript.speakers.all())),
        "closed": list(closed.order_by("pk").values_list("pk", flat=True)),
        "segments": [segment_data(row) for row in new.defer("scores")],
        "alternatives": alternatives_data(transcript),
    }


def speakers_of(task: Task) -> dict[str, Any]:
    """All speakers, and the revision that they belong to. Raises NotReady if there is no transcript yet."""
    transcript = _transcript(task)
    return {"revision": transcript.revision, "speakers": speakers_data(current(transcript.speakers.all()))}


def segment_data(segment: Segment, *, words: bool = True) -> dict[str, Any]:
    """`words`: of each, text, start, end, score, whether its times are estimated, whether a space stands before it."""
    data: dict[str, Any] = {name: getattr(segment, name) for name in WITHOUT_WORDS}
    if words:
        data["words"] = [
            [
                word["text"],
                word["start"],
                word["end"],
                None if word["score"] is None else round(word["score"], 2),
                int(word.get("estimated", False)),
                int(word.get("spaced", True)),
            ]
            for word in segment.words
        ]
    return data


def alternatives_data(transcript: Transcript) -> list[dict[str, Any]]:
    """What was recognised anew where people's words stand. Of each, without a text only the speaker is in question."""
    rows = current(transcript.alternatives.all()).values(*WITHOUT_WORDS)
    return [dict(row) for row in rows]


def speakers_data(speakers: Iterable[Speaker]) -> list[dict[str, Any]]:
    """Each with the name and the colour (from 1) to be shown. One merged into another, `same_as`, has that one's."""
    by_label = {speaker.label: speaker for speaker in speakers}
    names = names_of(by_label.values())
    shown = {label: shown_label(by_label, label) for label in by_label}
    colours = {label: 1 + place % COLOURS for place, label in enumerate(dict.fromkeys(shown.values()))}
    return [
        {"label": label, "name": names[label], "colour": colours[shown[label]], "same_as": shown[label]}
        for label in by_label
    ]


def _transcript(task: Task) -> Transcript:
    transcript = Transcript.objects.filter(task=task).first()
    if transcript is None:
        raise NotReady
    return transcript
