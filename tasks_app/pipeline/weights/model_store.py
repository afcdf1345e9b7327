"""Loads models and keeps them in memory.

One `ModelStore` lives as long as its worker process and keeps models warm from task to task.
"""

from __future__ import annotations

import gc
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.errors import Cancelled, GpuOutOfMemory, ModelUnavailable
from tasks_app.pipeline.time_left import Speeds
from tasks_app.pipeline.weights.catalogue import BUNDLED, HUB, WEIGHTS, Tick, cached, fetched, known_models, unpacked
from tasks_app.pipeline.weights.tuning import Setup, by_rules, use_vectors

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

MEGABYTE = 1_000_000


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class ModelStore:
    """Finds, checks, loads and keeps models. Not for use from several threads at once.

    `directory` holds what is joined, unpacked or put there by hand. `device`: "auto", "cpu" or "cuda"; `compute_type`:
    a CTranslate2 type or "auto" (int8 on a CPU, float16 on a GPU). `threads`: CPU threads to use, all cores if None.
    `memory_budget`: bytes of weights kept loaded; the least recently used go first. `setups`: how models are run on the
    CPU where that was measured; others by rules.
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
        setups: Mapping[str, Setup] = MappingProxyType({}),
    ) -> None:
        self.directory = Path(directory)
        self.allow_download = allow_download
        self.hf_token = hf_token
        self.threads = threads or available_cores()
        self.memory_budget = memory_budget
        self._setups = setups
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
        """The best type that this device supports, as CTranslate2 names it."""
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

    def resolve(self, name: str, tick: Tick = lambda fraction: None) -> Path:
        """The folder with model `name`, joined, fetched and checked as need be.

        While it is fetched, `tick(fraction)` is called, and may raise Cancelled to stop waiting for it.

        Raises ModelUnavailable, whose message names the available models.
        """
        if name in BUNDLED:
            return unpacked(name, self.directory)
        # A name is one folder below `directory`: never a path that leads out of it.
        if (
            name
            and Path(name).name == name
            and not name.startswith(".")
            and (self.directory / name / WEIGHTS).is_file()
        ):
            return self.directory / name
        if name in HUB:
            here = cached(HUB[name][0])
            if here:
                return here
            if self.allow_download:
                try:
                    return fetched(name, self.hf_token, tick)
                except Cancelled:
                    raise
                except Exception as error:  # the hub's client raises many kinds; all mean that it is unavailable
                    raise self._unavailable(name, type(error).__name__) from error
        raise self._unavailable(name, "it is not on this machine")

    def whisper(self, name: str) -> WhisperModel:
        """Model `name`, ready. On a CPU it holds as many replicas as its setup says, sharing one set of weights."""
        use_vectors(self.setup(name).vectors)
        path = self.resolve(name)
        size = (path / WEIGHTS).stat().st_size
        return self.keep(f"whisper {name}", size, lambda: self._load_whisper(path, self.compute_type, self.setup(name)))

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
        return self.keep(
            key, (path / WEIGHTS).stat().st_size // 2, lambda: self._load_whisper(path, small, self.setup(name))
        )

    def _load_whisper(self, path: Path, compute_type: str, setup: Setup) -> WhisperModel:
        from faster_whisper import WhisperModel
        from threadpoolctl import threadpool_limits

        # For the process: NumPy's threads, when done, keep spinning for more work and take the replicas' cores.
        threadpool_limits(1, "blas")
        return WhisperModel(
            str(path),
            device=self.device,
            compute_type=compute_type,
            num_workers=setup.replicas,
            cpu_threads=setup.threads,
            local_files_only=True,
        )

    def setup(self, name: str) -> Setup:
        """The setup for model `name` on this machine."""
        measured = self._setups.get(name) if self.device == "cpu" else None
        return measured or by_rules(self.device, self.threads)

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

    def _unavailable(self, name: str, reason: str) -> ModelUnavailable:
        available = [
            model.name
            for model in known_models(self.directory)
            if model.name != name and (self.allow_download or model.state != "downloadable")
        ]
        names = ", ".join(available)
        return ModelUnavailable(
            f"{name}: {reason}; available: {names}",
            user_message=f"The model “{name}” is not on this machine and could not be downloaded. Available: {names}.",
        )
