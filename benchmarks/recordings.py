"""Recordings with references that the benchmarks share."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass
from pathlib import Path

from tasks_app.pipeline.weights.model_store import available_cores

SHARED = Path(__file__).resolve().parents[2] / "shared/audio"


@dataclass(frozen=True)
class Recording:
    """`text`: what is said, in `language`. `turns`: start, duration (seconds), speaker. `starts`: start, first word of
    utterances.
    """

    name: str
    path: Path
    text: str | None = None
    language: str = "en"
    turns: tuple[tuple[float, float, str], ...] = ()
    starts: tuple[tuple[float, str], ...] = ()


def _package_folder(package: str) -> Path:
    specification = importlib.util.find_spec(package)
    assert specification and specification.submodule_search_locations, f"{package} is not installed"
    return Path(specification.submodule_search_locations[0])


def _turns(rttm: Path, uri: str) -> tuple[tuple[float, float, str], ...]:
    rows = [line.split() for line in rttm.read_text().splitlines() if line.strip()]
    return tuple((float(row[3]), float(row[4]), row[7]) for row in rows if row[1] == uri)


def recordings(shared: Path = SHARED) -> list[Recording]:
    """Those inside installed packages, and those in the folder `shared` where it is there."""
    sample = _package_folder("pyannote.audio") / "sample"
    utterances = [line.split(maxsplit=5) for line in (sample / "sample.stm").read_text().splitlines() if line.strip()]
    found = [
        Recording(
            "telephone",
            sample / "sample.wav",
            " ".join(row[5] for row in utterances),
            turns=_turns(sample / "sample.rttm", "sample"),
            starts=tuple((float(row[3]), row[5].split()[0]) for row in utterances),
        )
    ]
    synthetic = _package_folder("pytest_audioeval") / "samples/audio"
    found += [
        Recording(f"synthetic {path.stem}", path, path.with_suffix(".txt").read_text(), path.parent.name)
        for path in sorted(synthetic.glob("*/*.wav"))
    ]
    if (shared / "transcripts.txt").is_file():
        for line in (shared / "transcripts.txt").read_text().splitlines():
            if line.strip():
                name, text = line.split(maxsplit=1)
                found.append(Recording(name, shared / f"{name}.wav", text))
        kennedy = "ask not what your country can do for you, ask what you can do for your country."
        found.append(Recording("jfk", shared / "jfk.flac", f"And so, my fellow Americans, {kennedy}"))
        for name in ("ami-dev00", "ami-dev01"):
            found.append(Recording(name, shared / f"{name}.wav", turns=_turns(shared / "ami-dev.rttm", name)))
    return found


def machine() -> str:
    """One line that says what the figures were measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    flags = next((line for line in lines if line.startswith("flags")), "")
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else "no AVX2"
    return f"{model}, {available_cores()} cores, {vectors}, {platform.system()}, Python {platform.python_version()}"
