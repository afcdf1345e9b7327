"""When each caption is shown: long enough to be read, and none over another.

Where the words of a cue are spoken faster than they can be read, the cue stays into the pause that follows; if that is
too short, it comes up to `LEAD` early, and otherwise the cues after it begin later, by up to `LAG`, until a pause lets
them catch up. Only where people speak fast for so long that captions would lag further behind is a cue shown for less
than the time it takes to read: nothing that was said is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil

from tasks_app.exports.captions import LONGEST, Cue, with_next
from tasks_app.exports.options import ExportOptions

GAP = 80
"""Milliseconds between two cues, two pictures of a film: the eye sees that the text has changed."""
SHOWN = 833
"""The least time that a cue is shown where there is time (Netflix: five sixths of a second), in milliseconds."""
HURRIED = 500
"""The same where those after it would have to wait for it."""
SHORTEST = 200
"""The least time that a cue is shown at all. WebVTT forbids cues of no length."""
LEAD, LAG = 500, 2500
"""How much sooner or later than its words a cue may begin, in milliseconds."""
SHORT_PAUSE = 1000
"""Pauses that `close_gaps` closes, in milliseconds."""


def timed(cues: Iterable[Cue], options: ExportOptions) -> Iterator[Cue]:
    """`cues` with the times at which they are shown, none overlapping the next; theirs are those of their words, and in
    order of the starts.
    """
    before: Cue | None = None
    for cue, after in with_next(cues):
        reading = ceil(1000 * cue.columns / options.reading_speed)
        needed = max(SHOWN, reading)
        free = before.end + GAP if before else 0
        spoken, begin = cue.start, max(cue.start, free)
        latest = after.start - GAP if after else max(cue.end, begin + needed)
        if begin + needed > latest:
            begin = min(begin, max(free, spoken - LEAD, latest - needed))
        end = max(
            min(latest, max(cue.end, begin + needed)),
            min(latest + LAG, begin + max(HURRIED, reading)),
            begin + SHORTEST,
        )
        cue.start, cue.end = begin, min(end, begin + LONGEST)
        if before:
            if options.close_gaps and cue.start - before.end < SHORT_PAUSE:
                before.end = max(before.end, min(cue.start - GAP, before.start + LONGEST))
            yield before
        before = cue
    if before:
        yield before
