"""The journal of a transcript's changes, for people to read."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any, NamedTuple

from tasks_app.models import Change, Segment, Speaker, Task, Transcript
from tasks_app.transcripts.changes import at_revision
from tasks_app.transcripts.rows import names_of

ENTRIES = 30  # in one portion
SHOWN = 3  # segments of a change
WHOLE = (Change.Kind.RECOGNISED, Change.Kind.KEPT, Change.Kind.RESTORE)
"""Kinds that change everything, of which no segments are shown."""


def entries(task: Task, before: int | None = None) -> list[dict[str, Any]]:
    """Entries of the journal, newest first, at most `ENTRIES`; of each, the first segments `before` and `after` it, and
    how many it changed. That words were timed again is no news to anybody.
    """
    changes = Change.objects.filter(transcript=task.pk).exclude(kind=Change.Kind.RETIMED)
    changes = changes.select_related("actor", "undoes").order_by("-revision")
    if before is not None:
        changes = changes.filter(revision__lt=before)
    return [_entry(change) for change in changes[:ENTRIES]]


def _entry(change: Change) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "revision": change.revision,
        "kind": change.kind,
        "what": change.get_kind_display(),
        "who": change.actor.get_username() if change.actor else None,
        "at": change.created_at,
        "undoes": change.undoes.revision if change.undoes else None,
        "before": [],
        "after": [],
        "segments": 0,
        "speakers": [],
    }
    if change.kind in WHOLE:
        return entry
    segments = Segment.objects.filter(transcript=change.transcript_id).defer("words", "scores")
    closed, opened = segments.filter(until=change.revision), segments.filter(since=change.revision)
    speakers = Speaker.objects.filter(transcript=change.transcript_id, since=change.revision)
    return entry | {
        "before": [_line(row) for row in closed[:SHOWN]],
        "after": [_line(row) for row in opened[:SHOWN]],
        "segments": max(closed.count(), opened.count()),
        "speakers": [{"label": row.label, "name": row.name, "same_as": row.same_as} for row in speakers[:SHOWN]],
    }


def _line(row: Segment) -> dict[str, Any]:
    return {"start": row.start, "end": row.end, "text": row.text, "speaker": row.speaker}


class Piece(NamedTuple):
    """Part of a text: `kind` is same, gone or new."""

    kind: str
    text: str


class Difference(NamedTuple):
    """A stretch, from `start` seconds, that differs in two states; its lines are a speaker and pieces of text each."""

    start: float
    before: list[tuple[str, list[Piece]]]
    after: list[tuple[str, list[Piece]]]


def differences(transcript: Transcript, earlier: int, later: int | None, most: int) -> tuple[list[Difference], int]:
    """Where two states of a transcript differ, at most `most` places, and how many places there are in all."""
    names = [names_of(at_revision(transcript.speakers.all(), revision)) for revision in (earlier, later)]
    rows = [_unequal(transcript, earlier, later), _unequal(transcript, later, earlier)]
    groups = _overlapping(*rows)
    return [_difference(before, after, *names) for before, after in groups[:most]], len(groups)


def _unequal(transcript: Transcript, revision: int | None, other: int | None) -> list[Segment]:
    """The segments at a revision that are not part of the other state."""
    rows = at_revision(transcript.segments.all(), revision).defer("words", "scores")
    kept = at_revision(transcript.segments.all(), other).values_list("pk", "copy_of")
    firsts = {copy_of or pk for pk, copy_of in kept}
    return [row for row in rows if row.first not in firsts]


def _overlapping(before: list[Segment], after: list[Segment]) -> list[tuple[list[Segment], list[Segment]]]:
    """Segments of both states, grouped by what lies at the same time."""
    groups: list[tuple[list[Segment], list[Segment]]] = []
    end = -1.0
    for row, side in sorted([(row, 0) for row in before] + [(row, 1) for row in after], key=lambda one: one[0].start):
        if row.start >= end or not groups:
            groups.append(([], []))
        groups[-1][side].append(row)
        end = max(end, row.end)
    return groups


def _difference(
    before: list[Segment], after: list[Segment], names_before: dict[str, str], names_after: dict[str, str]
) -> Difference:
    old, new = [row.text.split() for row in before], [row.text.split() for row in after]
    words = [word for line in old for word in line], [word for line in new for word in line]
    gone, added = set(range(len(words[0]))), set(range(len(words[1])))
    for block in SequenceMatcher(None, *words, autojunk=False).get_matching_blocks():
        gone -= set(range(block.a, block.a + block.size))
        added -= set(range(block.b, block.b + block.size))
    return Difference(
        min(row.start for row in before + after),
        _marked(before, old, gone, "gone", names_before),
        _marked(after, new, added, "new", names_after),
    )


def _marked(
    rows: list[Segment], lines: list[list[str]], marked: set[int], kind: str, names: dict[str, str]
) -> list[tuple[str, list[Piece]]]:
    found, place = [], 0
    for row, words in zip(rows, lines, strict=True):
        pieces: list[Piece] = []
        for word in words:
            this = kind if place in marked else "same"
            if pieces and pieces[-1].kind == this:
                pieces[-1] = Piece(this, f"{pieces[-1].text} {word}")
            else:
                pieces.append(Piece(this, word))
            place += 1
        found.append((names.get(row.speaker, row.speaker), pieces))
    return found
