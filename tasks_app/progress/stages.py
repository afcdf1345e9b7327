"""The overall percentage at which each stage begins and ends."""

from __future__ import annotations

from tasks_app.models import TaskProgressStage

# Percentage at which each of the pipeline's stages begins and ends, and the stage shown to people.
STAGE_PERCENTAGES: dict[str, tuple[TaskProgressStage, int, int]] = {
    "transcribing": (TaskProgressStage.TRANSCRIBING, 10, 40),
    "aligning": (TaskProgressStage.ALIGNING, 40, 60),
    "diarizing": (TaskProgressStage.DIARIZING, 60, 80),
    "assigning": (TaskProgressStage.DIARIZING, 80, 100),
}
