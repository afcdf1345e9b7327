"""A recording, from wherever it comes, as a file on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.base import ContentFile

from tasks_app.intake.local import local_file
from tasks_app.pipeline.errors import NotAudio


def test_a_file_without_a_path_has_one_for_as_long_as_it_is_needed() -> None:
    with local_file(ContentFile(b"sound", name="a.wav")) as (path, file):
        assert path.parent == settings.FILE_UPLOAD_TEMP_DIR
        assert path.read_bytes() == file.read() == b"sound"
    assert not path.exists()


def test_a_pipe_is_refused_without_blocking(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAudio), local_file(tmp_path / "pipe"):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(NotAudio), local_file(tmp_path / "link"):
        pass
