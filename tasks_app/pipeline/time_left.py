"""How long the rest of a run takes, from the work that is left and the speed that was measured."""

from __future__ import annotations

import time

# Cost of a stage not yet measured in this process, as a share of transcription's.
UNMEASURED_SHARE = {"aligning": 1.0, "diarizing": 0.6}


class Speeds:
    """Seconds of computing for a second of sound, by stage and model, as measured in this process.

    A new measurement counts as much as all older ones together: the estimate must follow changes in the machine's
    load.
    """

    def __init__(self) -> None:
        self._costs: dict[tuple[str, str], float] = {}

    def record(self, stage: str, model: str, work: float, elapsed: float) -> None:
        """`work` seconds of sound took `elapsed` seconds of wall-clock time."""
        if work > 0:
            new = elapsed / work
            old = self._costs.get((stage, model), new)
            self._costs[stage, model] = (old + new) / 2

    def cost(self, stage: str, model: str) -> float | None:
        return self._costs.get((stage, model))


class TimeLeft:
    """The time left of one run with `model`. Stages that were not planned are taken to cost nothing."""

    def __init__(self, speeds: Speeds, model: str) -> None:
        self._speeds = speeds
        self._model = model
        self._work: dict[str, float] = {}
        self._stage = ""
        self._done_before = 0.0
        self._entered = 0.0

    def plan(self, stage: str, work: float) -> None:
        """`stage` has `work` seconds of sound to go through."""
        self._work[stage] = work

    def enter(self, stage: str, done: float = 0.0) -> None:
        """`stage` begins; an earlier attempt had finished the fraction `done` of it."""
        self._stage, self._done_before, self._entered = stage, done, time.monotonic()

    def leave(self) -> None:
        """The present stage is finished: its speed is kept for the runs to come."""
        work = self._work.pop(self._stage, 0.0) * (1 - self._done_before)
        self._speeds.record(self._stage, self._key(self._stage), work, time.monotonic() - self._entered)

    def seconds(self, fraction: float) -> float | None:
        """Seconds until the run is finished, `fraction` of the present stage being done; None before there is a
        measure.
        """
        here = self._cost_here(fraction)
        transcribing = here if self._stage == "transcribing" else self._cost("transcribing")
        left = 0.0
        for stage, work in self._work.items():
            if stage == self._stage:
                cost, work = here, work * (1 - fraction)
            else:
                cost = self._cost(stage)
                if cost is None and transcribing is not None:
                    cost = UNMEASURED_SHARE[stage] * transcribing
            if cost is None:
                return None
            left += cost * work
        return left

    def _cost_here(self, fraction: float) -> float | None:
        known = self._cost(self._stage)
        done = self._work.get(self._stage, 0.0) * (fraction - self._done_before)
        if done <= 0:
            return known
        running = (time.monotonic() - self._entered) / done
        # The longer this run lasts, the more its own speed counts; at the start, that of earlier runs counts more.
        return running if known is None else known + (running - known) * min(1.0, 2 * fraction)

    def _cost(self, stage: str) -> float | None:
        return self._speeds.cost(stage, self._key(stage))

    def _key(self, stage: str) -> str:
        """Only transcription's speed depends on the model."""
        return self._model if stage == "transcribing" else ""
