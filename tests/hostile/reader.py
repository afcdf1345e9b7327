"""Opens files as upload and worker do, in a separate process, and reports the result of each.

    python -m tests.hostile.reader CANARY

reads paths as JSON strings, one a line, and answers each with a line of JSON: the fields of Reading.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from tasks_app.pipeline.audio import probing, sound
from tasks_app.pipeline.errors import TranscriptionError

from .specimen import SOUND

LIMITS = probing.Limits(max_duration=60, max_decode_seconds=6)
PROBE_SECONDS = 6


@dataclass(frozen=True, slots=True)
class Reading:
    """`probed` and `decoded`: SOUND, the code of an error of ours, or how another one reads. Times in seconds.

    `peak_memory`: the most memory the reading process ever held, in bytes. `canary_heard`: whether the recording that
    nobody asked for is in the samples.
    """

    probed: str
    decoded: str
    detail: str
    expected_errors_only: bool
    probe_seconds: float
    decode_seconds: float
    duration: float
    canary_heard: bool
    peak_memory: int
    open_files: int


def read(path: Path, canary: np.ndarray) -> Reading:
    probed, probe_detail, probe_seconds, _ = _attempt(lambda: probing.probe(path, LIMITS))
    decoded, detail, decode_seconds, samples = _attempt(lambda: sound.decode(path, LIMITS))
    return Reading(
        probed,
        decoded,
        f"{probe_detail}\n{detail}",
        all(outcome.replace("_", "").isupper() for outcome in (probed, decoded)),
        probe_seconds,
        decode_seconds,
        0.0 if samples is None else len(samples) / sound.SAMPLE_RATE,
        samples is not None and contains(samples, canary),
        peak_memory(),
        len(list(Path("/proc/self/fd").iterdir())),
    )


def peak_memory() -> int:
    """Bytes. From the kernel's own count: `ru_maxrss` begins with that of the process which started this one."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _attempt(call: Callable[[], object]) -> tuple[str, str, float, object]:
    start = time.monotonic()
    outcome, detail, result = SOUND, "", None
    try:
        result = call()
    except TranscriptionError as error:
        outcome, detail = error.error_code, f"{error} {error.user_message}"
    except Exception as error:
        outcome, detail = f"{type(error).__name__}: {error}", str(error)
    return outcome, detail, time.monotonic() - start, result


def contains(samples: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether `wanted` is heard in `samples`, at any volume: a correlation of more than 0.5 at some lag."""
    if len(samples) < len(wanted):
        return False
    long, short = samples.astype(np.float64), wanted / np.linalg.norm(wanted.astype(np.float64))
    size = 1 << (len(long) + len(short)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)
    energy = np.cumsum(np.concatenate([[0.0], long**2]))
    lags = len(long) - len(short) + 1
    norms = np.sqrt(np.maximum(energy[len(short) :] - energy[:lags], 1.0))
    return bool((correlation[:lags] / norms).max() > 0.5)


def main() -> None:
    probing.PROBE_SECONDS = PROBE_SECONDS
    heard = sound.decode(sys.argv[1])
    canary = heard[len(heard) // 4 :][: sound.SAMPLE_RATE // 2]
    for line in sys.stdin:
        print(json.dumps(asdict(read(Path(json.loads(line)), canary))), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
