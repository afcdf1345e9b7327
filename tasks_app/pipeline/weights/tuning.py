"""Setups for running a model on this machine: measured by `manage.py tune`, or by rules.

How many chunks are best decoded together, by how many replicas and with which vector unit, is a property of the
processor. What was measured is kept in a JSON file, for the processor, its cores, CTranslate2 and the compute type that
it was measured with.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

FILE = "tuning.json"
PROCESSOR = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Setup:
    """`batch`: chunks decoded together by one replica: the weights are read once for all of them; `replicas`: how many
    there are, each of `threads` threads; `vectors`: CTranslate2's name of the vector unit, empty for what it chooses.
    """

    batch: int
    replicas: int
    threads: int
    vectors: str = ""

    def __str__(self) -> str:
        vectors = f", {self.vectors}" if self.vectors else ""
        return f"{self.batch} together, {self.replicas} x {self.threads} threads{vectors}"


def by_rules(device: str, cores: int) -> Setup:
    """The default without a measurement: large batches on a GPU, single-threaded replicas on a CPU."""
    if device == "cuda":
        return Setup(batch=16, replicas=1, threads=cores)
    # AMX multiplies so fast that a second chunk gains nothing more by sharing the weights.
    batch = 2 if _has("amx_int8") else 6
    replicas = min(cores, 8)
    return Setup(batch, replicas, cores // replicas, vector_units()[-1])


def vector_units() -> list[str]:
    """The available ones, the default of the rules last; an empty name if there is no choice.

    CTranslate2 does not go beyond AVX2 by default. Processors that have VBMI2 (Intel since Ice Lake, AMD since Zen 4)
    keep their clock with AVX-512; older ones lower it.
    """
    if not _has("avx512f"):
        return [""]
    return ["AVX2", "AVX512"] if _has("avx512_vbmi2") else ["AVX512", ""]


def kept(folder: Path, cores: int, compute_type: str) -> dict[str, Setup]:
    """The measured setup of each model on this machine; empty if the file cannot be read."""
    found = _read(folder / FILE).get(_machine(cores, compute_type))
    setups = {}
    for model, values in found.items() if isinstance(found, dict) else ():
        try:
            setups[model] = Setup(**{field.name: values[field.name] for field in fields(Setup)})
        except (KeyError, TypeError):
            continue
    return {model: setup for model, setup in setups.items() if _possible(setup)}


def keep(folder: Path, cores: int, compute_type: str, model: str, setup: Setup) -> None:
    """Store the measured setup of a model, beside those of others."""
    everything = _read(folder / FILE)
    here = _machine(cores, compute_type)
    others = everything.get(here)
    everything[here] = {**(others if isinstance(others, dict) else {}), model: asdict(setup)}
    part = folder / f"{FILE}.part"
    part.write_text(json.dumps(everything, indent=1))
    part.replace(folder / FILE)


def processor() -> str:
    """The processor's model name."""
    for line in _processor_lines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def use_vectors(unit: str) -> None:
    """Have CTranslate2 use this vector unit unless the environment names one; call before its first model is loaded."""
    if unit:
        os.environ.setdefault("CT2_FORCE_CPU_ISA", unit)


def _possible(setup: Setup) -> bool:
    numbers = (setup.batch, setup.replicas, setup.threads)
    return all(type(n) is int and n >= 1 for n in numbers) and setup.vectors in ("", *vector_units())


def _machine(cores: int, compute_type: str) -> str:
    return f"{processor()}, {cores} cores, CTranslate2 {version('ctranslate2')}, {compute_type}"


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _has(flag: str) -> bool:
    return any(flag in line.split() for line in _processor_lines() if line.startswith("flags"))


def _processor_lines() -> list[str]:
    return PROCESSOR.read_text().splitlines() if PROCESSOR.is_file() else []
