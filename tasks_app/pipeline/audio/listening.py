"""Listening copies: the sound that was transcribed, in a form that every browser plays and finds places in at once.

They are made of the decoded samples, not of the file: whatever the file's clock does, a place in the copy is the same
place as in the transcript, and only one way leads into untrusted files.
"""

from __future__ import annotations

import contextlib
import resource
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.timing import RATE
from tasks_app.pipeline.errors import CopyFailed, DecodingTimedOut

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BIT_RATE = 64_000
PIECE_SAMPLES = 60 * RATE
ENCODER_BYTES = 2 << 30


def write_copy(
    samples: NDArray[np.int16], path: Path, seconds: float, tick: Callable[[float], None] = lambda fraction: None
) -> None:
    """Encode `samples` (mono, 16 kHz) as AAC in an MP4 at `path`, its index at the front. `tick` is told the fraction
    that is done, and may raise to stop.

    Raises:
        DecodingTimedOut: it took longer than `seconds`.
        CopyFailed: the encoder gave up, for instance because the disk is full.
    """
    import imageio_ffmpeg

    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
        *("-f", "s16le", "-ar", str(RATE), "-ac", "1", "-protocol_whitelist", "pipe,file", "-i", "pipe:0"),
        *("-c:a", "aac", "-b:a", str(BIT_RATE), "-bitexact", "-movflags", "+faststart", "-f", "mp4"),
        f"file:{path.resolve()}",
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdin  # noqa: S101  it is a pipe
        if hasattr(resource, "prlimit"):
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (ENCODER_BYTES, ENCODER_BYTES))
        limit = threading.Timer(seconds, process.kill)
        limit.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it has given up; its status tells
                for start in range(0, len(samples), PIECE_SAMPLES):
                    tick(start / len(samples))
                    process.stdin.write(samples[start : start + PIECE_SAMPLES].tobytes())
            _, complaint = process.communicate()
        finally:
            timed_out = limit.finished.is_set()
            limit.cancel()
            process.kill()
    if timed_out:
        raise DecodingTimedOut("encoding took too long")
    if process.returncode:
        raise CopyFailed(complaint.decode("utf-8", "replace").strip()[-200:])
