"""The recording with which a person can try the service: half a minute of two people on the telephone."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from django.contrib.auth.models import User

from tasks_app.actions.take_in import take_in
from tasks_app.current_settings import current
from tasks_app.errors import FileMissing
from tasks_app.models import Task
from tasks_app.options import TranscriptionOptions

NAME = "Example: a telephone call.wav"


def example_recording() -> Path | None:
    """It comes with pyannote.audio, which is not imported for it; None if that is not installed."""
    package = find_spec("pyannote.audio")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder) / "sample/sample.wav"
        if path.is_file():
            return path
    return None


def take_in_example(owner: User) -> Task:
    """Queue the example, with the options that an upload has by default.

    Raises:
        FileMissing: there is none.
        TooMuch, StorageFull, StorageAway: as `take_in`.
    """
    recording = example_recording()
    if recording is None:
        raise FileMissing(user_message="There is no example here. Upload a recording of your own.")
    return take_in(owner, recording, TranscriptionOptions.from_fields({"model": current("DEFAULT_MODEL")}), name=NAME)
