"""How long a task will still take."""

from __future__ import annotations

import pytest

from tasks_app.pipeline import time_left
from tasks_app.pipeline.time_left import Speeds, TimeLeft


class TestTimeLeft:
    @pytest.fixture
    def clock(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(time_left.time, "monotonic", lambda: now[0])
        return now

    def test_the_first_run_extrapolates_from_itself(self, clock):
        left = TimeLeft(Speeds(), "base")
        left.plan("transcribing", 300)
        left.enter("transcribing")
        assert left.seconds(0.0) is None
        clock[0] += 10
        assert left.seconds(0.25) == pytest.approx(30)

    def test_later_runs_know_from_the_start_and_for_all_stages(self, clock):
        speeds = Speeds()
        speeds.record("transcribing", "base", work=100, elapsed=10)
        speeds.record("diarizing", "", work=100, elapsed=5)
        left = TimeLeft(speeds, "base")
        left.plan("transcribing", 300)
        left.plan("diarizing", 300)
        left.enter("transcribing")
        assert left.seconds(0.0) == pytest.approx(45)
        clock[0] += 30
        left.leave()
        left.enter("diarizing")
        clock[0] += 7.5
        assert left.seconds(0.5) == pytest.approx(7.5)

    def test_work_of_an_earlier_attempt_is_not_counted_as_speed(self, clock):
        left = TimeLeft(Speeds(), "base")
        left.plan("transcribing", 100)
        left.enter("transcribing", done=0.5)
        clock[0] += 10
        assert left.seconds(0.75) == pytest.approx(10)
