"""How long the rest of a run takes, from the work that is left and the speed that was measured."""

from __future__ import annotations

import time


class Speeds:
    """Seconds of computing for a second of sound, by (stage, model), as measured in this process.

    New measurements count as much as all older ones together, so that the estimate follows a machine whose load
    changes.
    """

    def __init__(self) -> None:
        self._cost: dict[tuple[str, str], float] = {}

    def record(self, stage: str, model: str, work: float, elapsed: float) -> None:
        """`work` seconds of sound took `elapsed` seconds of wall-clock time."""
        if work <= 0:
            return
        cost = elapsed / work
        self._cost[stage, model] = (self._cost.get((stage, model), cost) + cost) / 2

    def cost(self, stage: str, model: str) -> float | None:
        return self._cost.get((stage, model))


class TimeLeft:
    """The time left of one run. `work` maps each stage that will run to its seconds of sound."""

    # Of a stage that was never measured on this machine: its cost as a share of transcription's.
    UNMEASURED_SHARE = {"aligning": 0.5, "diarizing": 0.7, "assigning": 0.0}

    def __init__(self, speeds: Speeds, model: str, work: dict[str, float]) -> None:
        self._speeds = speeds
        self._model = model
        self._work = work
        self._done: dict[str, float] = {}
        self._entered = time.monotonic()

    def enter(self, stage: str, done: float = 0.0) -> None:
        """`stage` begins; a fraction `done` of it was finished by an earlier attempt."""
        self._stage = stage
        self._started_with = done
        self._entered = time.monotonic()

    def leave(self) -> None:
        work = self._work.pop(self._stage, 0.0) * (1 - self._started_with)
        self._speeds.record(self._stage, self._model, work, time.monotonic() - self._entered)

    def seconds(self, fraction: float) -> float | None:
        """Seconds until the run is finished, `fraction` of the present stage being done; None before there is a
        measure.
        """
        elapsed = time.monotonic() - self._entered
        work = self._work.get(self._stage, 0.0)
        here = self._speeds.cost(self._stage, self._model)
        measured = work * (fraction - self._started_with)
        if measured > 0:
            running = elapsed / measured
            # The run at hand says more the longer it runs; at its start the past is the better witness.
            here = running if here is None else here + (running - here) * min(1.0, 2 * fraction)
        if here is None:
            return None
        transcribing = here if self._stage == "transcribing" else self._speeds.cost("transcribing", self._model) or here
        left = here * work * (1 - fraction)
        for stage, amount in self._work.items():
            if stage != self._stage:
                cost = self._speeds.cost(stage, self._model)
                left += amount * (self.UNMEASURED_SHARE.get(stage, 1.0) * transcribing if cost is None else cost)
        return left
