"""What is transcribed or told apart anew, put into a transcript around what people corrected.

Where a person corrected the same, their version stays, and the new one is an `Alternative`, until they choose. What a
person did is read in the journal: rows that such a change opened say where, even when they were replaced since.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from math import inf
from typing import TypeVar

from django.db.models import QuerySet

from tasks_app.errors import ChangedMeanwhile
from tasks_app.models import Alternative, Change, Segment, Speaker
from tasks_app.models import Transcript as TranscriptRow
from tasks_app.pipeline.speakers.assign import Turn, spoken_by
from tasks_app.pipeline.transcript import Segment as TranscriptSegment
from tasks_app.pipeline.transcript import text_of
from tasks_app.transcripts.changes import Draft, current
from tasks_app.transcripts.recognised import overlapping
from tasks_app.transcripts.rows import free_label, recognised_rows, segment_row, shown_label, words_of
from tasks_app.transcripts.stretches import Interval, Place, cut_out, joined, without

Kind = Change.Kind
S = TypeVar("S", Segment, Alternative)
CORRECTING = (Kind.TEXT, Kind.SPLIT, Kind.JOIN, Kind.TIMES)
NEAR = 5.0  # seconds around a stretch, in which somebody speaks who may go on in it
LEAST_DELETED = 0.3  # seconds; what is shorter is a pause beside a deleted segment


def put_transcribed(draft: Draft, found: Sequence[TranscriptSegment], start: float, end: float) -> None:
    """Put `found` in the place of what is said from `start` to `end` seconds. Speakers stay as they were.

    `found` has speakers only if channels were heard apart; these are then given the labels of the same voices.
    """
    transcript = draft.transcript
    near = list(_between(transcript.segments.filter(until=None), start - NEAR, end + NEAR))
    here = [row for row in near if row.start < end and start < row.end]
    apart = any(segment.speaker for segment in found)
    new = recognised_rows(_with_old_labels(draft, found, here) if apart else _with_speakers(found, near))

    corrected = _intervals(_made_by(transcript, CORRECTING, start, end))
    theirs = [row for row in here if not row.recognised and _meets(row, corrected)]
    places = [Place(max(row.start, start), min(row.end, end), row.speaker if apart else "") for row in theirs]
    deleted = list(_deleted(transcript, here, start, end, apart=apart))
    outside = [Place(-inf, start), Place(end, inf)]

    standing = {row.pk for row in theirs}
    gone = cut_out([row for row in here if row.pk not in standing], [Place(start, end)])
    draft.close(row for row, _ in gone)
    draft.open([part for _, left in gone for part in left] + _left_of(new, [*places, *deleted, *outside]))

    draft.close(_between(transcript.alternatives.filter(until=None).exclude(text=""), start, end))
    offered = [_alternative(new, place, row) for place, row in zip(places, theirs, strict=True)]
    draft.open(one for one in [*offered, *(_alternative(new, place) for place in deleted)] if one is not None)


def put_speakers(draft: Draft, turns: list[Turn]) -> None:
    """Give everything said to the speakers of `turns`. Those of whom most is found again keep their labels, and so
    their names.
    """
    transcript = draft.transcript
    rows = list(current(transcript.segments.all()))
    spoken = spoken_by([TranscriptSegment(row.start, row.end, row.text, words_of(row)) for row in rows], turns)
    said = [(row.speaker, part) for row, parts in zip(rows, spoken, strict=True) for part in parts]
    labels = _labels(draft, ((earlier, part.speaker or "", part.end - part.start) for earlier, part in said))
    chosen = [(row.start, row.end, row.speaker) for row in _made_by(transcript, (Kind.SPEAKER,), 0, inf)]
    closed: list[Segment] = []
    opened: list[Segment] = []
    offered: list[Alternative] = []
    in_use: set[str] = set()
    for row, found in zip(rows, spoken, strict=True):
        parts = found if row.recognised else [_whole(row, found)]
        for part in parts:
            part.speaker = labels.get(part.speaker or "", "")
            for word in part.words:
                word.speaker = part.speaker
        speakers = {part.speaker or "" for part in parts}
        in_use |= speakers
        if speakers == {row.speaker}:
            continue
        if _is_chosen(row, chosen):
            in_use.add(row.speaker)
            label = _whole(row, parts).speaker or ""
            if label not in ("", row.speaker):
                offered.append(Alternative(start=row.start, end=row.end, speaker=label))
            continue
        closed.append(row)
        scores = row.scores if len(parts) == 1 else None
        opened += [
            segment_row(part.start, part.end, part.text, part.speaker, part.words, scores, recognised=row.recognised)
            for part in parts
        ]
    draft.close(closed)
    draft.open(opened)
    draft.close(transcript.alternatives.filter(until=None, text=""))
    draft.open(offered)
    _keep_speakers(draft, in_use)


def choose(draft: Draft, alternatives: Collection[int], *, take: bool) -> None:
    """Take what was recognised anew, given by the identifiers of alternatives, or leave what stands.

    Raises:
        ChangedMeanwhile: somebody has chosen since, or the part was done again.
    """
    transcript = draft.transcript
    chosen = list(current(transcript.alternatives.filter(pk__in=alternatives, since__lte=draft.change.from_revision)))
    if not chosen or len(chosen) < len(set(alternatives)):
        raise ChangedMeanwhile
    draft.close(chosen)
    if not take:
        return
    texts = [one for one in chosen if one.text]
    said_by = [one for one in chosen if not one.text]
    rows = list(_between(transcript.segments.filter(until=None), chosen[0].start, max(one.end for one in chosen)))
    left = {row.pk: parts for row, parts in cut_out(rows, [Place(one.start, one.end, one.speaker) for one in texts])}
    opened = [_taken(one, rows) for one in texts]
    closed = []
    for row in rows:
        parts = left.get(row.pk, [row])
        anew = [_said_by(part, said_by) for part in parts]
        if anew != [row]:
            closed.append(row)
            opened += anew
    draft.close(closed)
    draft.open(opened)
    labels = {row.speaker for row in opened if row.speaker}
    missing = labels - set(current(transcript.speakers.all()).values_list("label", flat=True))
    draft.open(Speaker(label=label, recognised=True) for label in sorted(missing))


# Text -----------------------------------------------------------------------------------------------------------------


def _with_speakers(found: Sequence[TranscriptSegment], rows: Iterable[Segment]) -> list[TranscriptSegment]:
    """What was found, said by who is known to speak at the time."""
    turns = [Turn(row.start, row.end, row.speaker) for row in rows if row.speaker]
    said: list[TranscriptSegment] = []
    for segment, parts in zip(found, spoken_by(list(found), turns), strict=True):
        if len(parts) == 1:
            parts[0].scores = segment.scores
        said += parts
    return said


def _with_old_labels(
    draft: Draft, found: Sequence[TranscriptSegment], rows: Sequence[Segment]
) -> list[TranscriptSegment]:
    """What was found, with the labels that the same voices have in `rows`."""
    new = recognised_rows(found)
    together = [(one.speaker, other.speaker, _overlap(one, other)) for one, other in overlapping(rows, new)]
    labels = _labels(draft, together + [("", row.speaker, 0.0) for row in new])
    for segment in found:
        segment.speaker = labels.get(segment.speaker or "", "")
        for word in segment.words:
            word.speaker = segment.speaker
    return list(found)


def _left_of(rows: Sequence[Segment], places: Sequence[Place]) -> list[Segment]:
    cut = {id(row): left for row, left in cut_out(rows, places)}
    return [part for row in rows for part in cut.get(id(row), [row])]


def _alternative(new: Sequence[Segment], place: Place, theirs: Segment | None = None) -> Alternative | None:
    """What of `new` is said in a place where a person's words stand, or where they deleted what was said; None if that
    is nothing, or the same words.
    """
    rows = [row for row in new if place.touches(row)]
    parts = _left_of(rows, [Place(-inf, place.start), Place(place.end, inf)])
    words = [word for part in parts for word in words_of(part)]
    text = text_of(words) if words else " ".join(part.text for part in parts)
    if not text or (theirs and _letters(text) == _letters(_text_in(theirs, place))):
        return None
    speaker = place.speaker if theirs else parts[0].speaker
    said = segment_row(place.start, place.end, text, speaker, words)
    return Alternative(start=said.start, end=said.end, text=text, speaker=speaker, words=said.words)


def _text_in(row: Segment, place: Place) -> str:
    return " ".join(part.text for part in _left_of([row], [Place(-inf, place.start), Place(place.end, inf)]))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _taken(one: Alternative, rows: Sequence[Segment]) -> Segment:
    words = words_of(one)
    start, end = (words[0].start, words[-1].end) if words else (one.start, one.end)
    speaker = one.speaker or _speaker_at(one, rows)
    for word in words:
        word.speaker = speaker or None
    return segment_row(start, end, one.text, speaker, words, recognised=True)


def _speaker_at(place: Alternative, rows: Iterable[Segment]) -> str:
    """Who speaks most in it; empty if that is not known."""
    return max(rows, key=lambda row: _overlap(row, place), default=Segment()).speaker


# Speakers -------------------------------------------------------------------------------------------------------------


def _labels(draft: Draft, together: Iterable[tuple[str, str, float]]) -> dict[str, str]:
    """The labels of new voices. `together`: an earlier label, a new voice, and for how many seconds they are the same.
    A voice gets the label with which it shares most, each label once; others get a new one.
    """
    transcript = draft.transcript
    seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
    voices: dict[str, None] = {}
    for earlier, voice, length in together:
        if voice:
            voices[voice] = None
            if earlier:
                seconds[earlier, voice] += length
    labels: dict[str, str] = {}
    for (earlier, voice), _ in sorted(seconds.items(), key=lambda item: -item[1]):
        if voice not in labels and earlier not in labels.values():
            labels[voice] = earlier
    speakers = {speaker.label: speaker for speaker in current(transcript.speakers.all())}
    for voice, label in labels.items():
        # Of two that a person made one, only the other was found: it is that person all the same.
        shown = shown_label(speakers, label) if label in speakers else label
        if shown not in labels.values():
            labels[voice] = shown
    taken = {*speakers, *transcript.speakers.values_list("label", flat=True), *labels.values()}
    for voice in voices:
        if voice not in labels:
            labels[voice] = free_label(taken)
            taken.add(labels[voice])
            draft.open([Speaker(label=labels[voice], recognised=True)])
    return labels


def _keep_speakers(draft: Draft, in_use: set[str]) -> None:
    """Only the speakers who say something, and those who they are."""
    speakers = {speaker.label: speaker for speaker in current(draft.transcript.speakers.all())}
    needed = set(in_use)
    for label in in_use:
        while (label := speakers[label].same_as if label in speakers else "") in speakers:
            needed.add(label)
    draft.close(speaker for label, speaker in speakers.items() if label not in needed)


def _whole(row: Segment, parts: Sequence[TranscriptSegment]) -> TranscriptSegment:
    """A segment that stays whole, said by who says most of it."""
    most = max(parts, key=lambda part: part.end - part.start)
    return TranscriptSegment(row.start, row.end, row.text, words_of(row), most.speaker)


def _said_by(row: Segment, alternatives: Iterable[Alternative]) -> Segment:
    """The segment as its speaker was found anew, where that is most of it."""
    for one in alternatives:
        if 2 * _overlap(row, one) > row.end - row.start:
            return segment_row(row.start, row.end, row.text, one.speaker, words_of(row), row.scores)
    return row


def _is_chosen(row: Segment, chosen: Iterable[tuple[float, float, str]]) -> bool:
    """Whether it has the speaker whom a person chose for it."""
    return any(
        label == row.speaker and 2 * (min(end, row.end) - max(start, row.start)) > row.end - row.start
        for start, end, label in chosen
    )


# Where people changed something ---------------------------------------------------------------------------------------


def _made_by(transcript: TranscriptRow, kinds: Sequence[str], start: float, end: float) -> Iterable[Segment]:
    """What changes of these kinds made, also where it was replaced since."""
    revisions = transcript.changes.filter(kind__in=kinds).values("revision")
    return _between(transcript.segments.filter(since__in=revisions).defer("words", "scores"), start, end)


def _deleted(
    transcript: TranscriptRow, here: Iterable[Segment], start: float, end: float, *, apart: bool
) -> Iterator[Place]:
    """Where a person deleted what was said, and nothing stands now; with `apart`, of this speaker."""
    revisions = transcript.changes.filter(kind=Kind.DELETE).values("revision")
    gone = list(_between(transcript.segments.filter(until__in=revisions).defer("words", "scores"), start, end))
    for speaker in sorted({row.speaker for row in gone}) if apart else [""]:
        whole = Place(start, end, speaker)
        there = [(max(row.start, start), min(row.end, end)) for row in gone if whole.touches(row)]
        for since, until in joined(without(there, _intervals(row for row in here if whole.touches(row)))):
            if until - since >= LEAST_DELETED:
                yield Place(since, until, speaker)


def _between(rows: QuerySet[S], start: float, end: float) -> QuerySet[S]:
    rows = rows.filter(end__gt=start)
    return rows if end == inf else rows.filter(start__lt=end)


def _intervals(rows: Iterable[Segment]) -> list[Interval]:
    return [(row.start, row.end) for row in rows]


def _meets(row: Segment, intervals: Iterable[Interval]) -> bool:
    return any(start < row.end and row.start < end for start, end in intervals)


def _overlap(one: Segment, other: Segment | Alternative) -> float:
    return min(one.end, other.end) - max(one.start, other.start)
