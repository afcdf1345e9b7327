"""Warnings about what was not transcribed: other sound tracks, and damaged or missing parts of the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from tasks_app.pipeline.audio.probing import AudioInfo, Track
from tasks_app.pipeline.transcript import StageWarning, clock

STAGE = "decoding"
MOST_PLACES = 10
APART = 5.0
"""Seconds. Decoder errors closer together than this are about one damaged place."""
EDGE = 0.5
"""Seconds at the beginning and the end in which decoder errors are ignored: files are cut there, and have tags."""
NEAR_THE_END = 2.0
"""Seconds before the end of a truncated file; errors after that are part of the truncation."""
MOST_CLAIMED = (1 << 31) - 8192
LONGEST_PAGE = 27 + 255 + 255 * 255

Place = tuple[float, float]
"""Start and end, in seconds."""


def other_tracks(info: AudioInfo, heard: int, silent: Collection[int]) -> Iterator[StageWarning]:
    """A warning if the file has sound tracks besides number `heard`; no speech was found in those of `silent`."""
    others = [number for number in range(1, len(info.tracks) + 1) if number != heard]
    names = "; ".join(
        f"{number}{_described(info.tracks[number - 1])}{', no speech found' * (number in silent)}" for number in others
    )
    yield StageWarning(
        STAGE,
        "OTHER_TRACKS",
        f"The file has {len(info.tracks)} sound tracks. This is track {heard}{_described(info.tracks[heard - 1])}. "
        f"Not transcribed: track {names}. To transcribe another one, upload the file again and choose its number.",
    )


def _described(track: Track) -> str:
    facts = [track.language, f"“{track.title}”" if track.title else "", _channels(track.channels)]
    if track.duration is not None:
        facts.append(clock(track.duration))
    known = ", ".join(fact for fact in facts if fact)
    return f" ({known})" if known else ""


def _channels(count: int) -> str:
    return {0: "", 1: "mono", 2: "stereo"}.get(count, f"{count} channels")


def damages(places: list[Place], seconds: float) -> list[Place]:
    """The places of decoder errors, merged if close together; `seconds`: the length of what was read."""
    joined: list[Place] = []
    for start, end in sorted(places):
        if end < EDGE or start > seconds - EDGE:
            continue
        if joined and start - joined[-1][1] < APART:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def damaged(places: list[Place]) -> Iterator[StageWarning]:
    for start, end in places[:MOST_PLACES]:
        more = len(places) - MOST_PLACES
        also = f" The same goes for {more} more places." if more > 0 and (start, end) == places[MOST_PLACES - 1] else ""
        yield StageWarning(
            STAGE,
            "DAMAGED_FILE",
            f"The file is damaged at about {_span(start, end)}. Words may be missing there.{also}",
            start=start,
            end=end,
        )


def incomplete(read: float, whole: float | None) -> Iterator[StageWarning]:
    """`read`: seconds that could be read; `whole`: seconds there should be, if known."""
    if whole is None:
        message = f"The file ends unexpectedly at {clock(read)}. The rest is missing."
    else:
        message = f"The file should last {clock(whole)}, but {clock(read)} could be read: it is incomplete or damaged."
    yield StageWarning(STAGE, "INCOMPLETE_FILE", f"{message} Copy it again from its source.", start=read, end=whole)


def clock_jumps(place: float, seconds: float) -> Iterator[StageWarning]:
    yield StageWarning(
        STAGE,
        "CLOCK_JUMPS",
        f"At {clock(place)} the clock of the file jumps by {clock(seconds)}, more than a recording may last. "
        "This was treated as an error: times continue from there without the jump.",
        start=place,
        end=place,
    )


def fewer_channels(there: int, declared: int) -> Iterator[StageWarning]:
    if there < declared:
        message = f"The file says that it has {declared} channels; {there} could be read."
        yield StageWarning(STAGE, "CHANNELS_MISSING", message)


def too_many_channels(there: int, most: int) -> StageWarning:
    message = f"The {there} channels were mixed: at most {most} can be transcribed separately."
    return StageWarning(STAGE, "TOO_MANY_CHANNELS", message)


def share_there(path: Path) -> float | None:
    """The fraction of its bytes present in a file shorter than its header says; None if it is not shorter.

    RIFF (WAV, AVI), RF64, Sony Wave64 and IFF (AIFF) say so. A program that wrote to a pipe could not know: it left a
    number that is near the largest possible, or none.
    """
    with path.open("rb") as file:
        head = file.read(40)
        there = file.seek(0, 2)
    match head[:4]:
        case b"RIFF" if head[8:12] in (b"WAVE", b"AVI "):
            claimed = 8 + int.from_bytes(head[4:8], "little")
        case b"FORM":
            claimed = 8 + int.from_bytes(head[4:8], "big")
        case b"RF64":
            claimed = 8 + int.from_bytes(head[20:28], "little")
        case b"riff":
            claimed = int.from_bytes(head[16:24], "little")
        case _:
            return None
    return there / claimed if 1.01 * there < claimed < MOST_CLAIMED else None


def last_page_is_cut(path: Path) -> bool:
    """Whether a file of Ogg pages (RFC 3533, section 6) ends within one."""
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(0, file.seek(0, 2) - LONGEST_PAGE))
        end = file.read()
    page = end[end.rfind(b"OggS") :]
    return len(page) < 27 or len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]])


def _span(start: float, end: float) -> str:
    return clock(start) if clock(start) == clock(end) else f"{clock(start)} to {clock(end)}"
