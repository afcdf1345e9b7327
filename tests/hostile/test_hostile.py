"""Any file quickly leads to samples or a clear error, and nothing else is touched."""

from __future__ import annotations

import stat
from pathlib import Path

import av
import pytest

from .conftest import SECRET, Laboratory
from .corpus import ALL
from .reader import LIMITS, PROBE_SECONDS, Reading
from .recordings import NO_FILE, READABLE, UNREADABLE, encoded, recorded, speech
from .specimen import SOUND, Specimen

STARTING = 5  # seconds that starting and ending the processes may take on a busy machine
MOST_GROWTH = 100 << 20


def test_it_is_the_same_file_every_time(specimen: Specimen, laboratory: Laboratory, tmp_path: Path) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    for path in files:
        recorded.cache_clear()
        specimen.lay(path, laboratory.around)
    if not all(stat.S_ISREG(path.lstat().st_mode) for path in files):
        pytest.skip("it is no file")
    assert files[0].read_bytes() == files[1].read_bytes()


def test_it_ends_in_samples_or_a_clear_error(reading: Reading) -> None:
    assert reading.expected_errors_only, (reading.probed, reading.decoded)


def test_it_ends_as_it_should(specimen: Specimen, reading: Reading) -> None:
    if specimen.outcomes is None:
        pytest.skip("samples and an error are both right")
    assert reading.decoded in specimen.outcomes


def test_what_can_be_read_is_not_refused_at_upload(reading: Reading) -> None:
    assert reading.decoded != SOUND or reading.probed == SOUND


def test_it_takes_no_longer_than_its_limits(reading: Reading) -> None:
    assert reading.probe_seconds < PROBE_SECONDS + STARTING
    # Where nothing could be decoded, probing the file says why.
    assert reading.decode_seconds < LIMITS.max_decode_seconds + PROBE_SECONDS + STARTING


def test_it_gives_no_more_sound_than_allowed(reading: Reading) -> None:
    assert reading.duration <= LIMITS.max_duration


def test_the_process_that_reads_it_does_not_grow(laboratory: Laboratory, reading: Reading) -> None:
    assert reading.peak_memory - laboratory.first.peak_memory < MOST_GROWTH


def test_no_file_of_the_process_stays_open(laboratory: Laboratory, reading: Reading) -> None:
    assert reading.open_files == laboratory.first.open_files


def test_no_other_recording_is_heard(reading: Reading) -> None:
    assert not reading.canary_heard


def test_the_error_tells_nothing_of_other_files_and_no_path(laboratory: Laboratory, reading: Reading) -> None:
    assert SECRET not in reading.detail
    assert str(laboratory.folder) not in reading.detail


def test_no_network_connection_is_made(laboratory: Laboratory, reading: Reading) -> None:
    assert not laboratory.was_called()


def test_the_corpus_has_at_least_400_files() -> None:
    assert len({str(specimen) for specimen in ALL}) >= 400


def test_no_container_that_pyav_writes_is_forgotten() -> None:
    known = NO_FILE | {entry.split()[0] for entry in READABLE + UNREADABLE}
    assert {name for name in av.formats_available - known if writes_sound(name)} == set()


def writes_sound(container: str) -> bool:
    try:
        return bool(encoded(speech(), container))
    except (av.error.FFmpegError, ValueError, TypeError):
        return False
