"""Word times by forced alignment (WhisperX, wav2vec2; Bain et al. 2023): the more exact way, where there is a model of
the language.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks_app.pipeline.audio.sound import SAMPLE_RATE, to_float
from tasks_app.pipeline.audio.vad import Span, joined
from tasks_app.pipeline.text.chunk import ChunkText
from tasks_app.pipeline.text.word_times import in_order, place
from tasks_app.pipeline.text.words import Piece, timed_words
from tasks_app.pipeline.weights.model_store import ModelStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

ALIGN_MODEL_BYTES = 400_000_000


def choose_aligner(store: ModelStore, language: str) -> tuple[Any, dict[str, Any]] | None:
    """The forced aligner for `language`, or None where there is none or it cannot be loaded: then cross-attention has
    the times.
    """
    try:
        return forced_alignment_model(store, language)
    except Exception:
        logger.exception("The alignment model for %s could not be loaded", language)
        return None


def forced_alignment_model(store: ModelStore, language: str) -> tuple[Any, dict[str, Any]] | None:
    """WhisperX's alignment model for `language` where it is on this machine or may be fetched, else None."""
    if not store.allow_download and not _on_this_machine(store.directory, language):
        return None
    return store.keep(f"align {language}", ALIGN_MODEL_BYTES, lambda: _load(store, language))


def _load(store: ModelStore, language: str) -> tuple[Any, dict[str, Any]] | None:
    from whisperx import alignment

    split_no_sentences(alignment)
    folder = store.directory / f"align-{language}"
    name = str(folder) if folder.is_dir() else None
    try:
        return alignment.load_align_model(language, store.device, name, model_cache_only=not store.allow_download)
    except (ValueError, OSError):
        # No model of this language exists, or it could not be downloaded: cross-attention has times for every language.
        return None


def split_no_sentences(alignment: Any) -> None:
    """Keep `whisperx.alignment` from splitting sentences: it would fetch nltk's punkt from the network, and `segments`
    splits them for both ways alike.
    """
    alignment.nltk_load = lambda resource: _WholeText()


class _WholeText:
    """A sentence splitter, as nltk has them, that leaves the text whole."""

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))]


def _on_this_machine(directory: Path, language: str) -> bool:
    """Whether WhisperX would find its model for `language` without the network; importing WhisperX to ask costs
    seconds.
    """
    if (directory / f"align-{language}").is_dir():
        return True
    from huggingface_hub.constants import HF_HUB_CACHE

    hub = Path(HF_HUB_CACHE)
    torch_home = os.environ.get("TORCH_HOME", Path.home() / ".cache/torch")
    torch_hub = Path(torch_home) / "hub/checkpoints"
    if not any(torch_hub.glob("wav2vec2*")) and not any(hub.glob("models--*wav2vec2*")):
        return False
    from whisperx.alignment import DEFAULT_ALIGN_MODELS_HF, DEFAULT_ALIGN_MODELS_TORCH

    if language in DEFAULT_ALIGN_MODELS_HF:
        repository = DEFAULT_ALIGN_MODELS_HF[language].replace("/", "--")
        return any(hub.glob(f"models--{repository}/snapshots/*/config.json"))
    if language in DEFAULT_ALIGN_MODELS_TORCH:
        import torchaudio

        bundle = getattr(torchaudio.pipelines, DEFAULT_ALIGN_MODELS_TORCH[language])
        return (torch_hub / Path(bundle._path).name).is_file()
    return False


def forced_words(
    chunk: ChunkText,
    pieces: list[Span],
    samples: NDArray[np.int16],
    aligner: tuple[Any, dict[str, Any]],
    device: str,
) -> None:
    """Give `chunk` its words, timed by forced alignment of its text with `pieces` of `samples` (16 kHz).

    Their probabilities stay those of the decoder.
    """
    from whisperx.alignment import align

    model, metadata = aligner
    sound = to_float(joined(samples, pieces))
    length = len(sound) / SAMPLE_RATE
    spoken = {"text": chunk.text, "start": 0.0, "end": length}
    found = align([spoken], model, metadata, sound, device)["word_segments"]
    words = timed_words(_as_pieces(chunk.text, found, length))
    for word in words:
        word.start, word.end = place(pieces, word.start, word.end)
    if [word.text for word in words] == [word.text for word in chunk.words]:
        for word, before in zip(words, chunk.words, strict=True):
            word.score, word.decoded = before.score, before.decoded
    chunk.words = in_order(words, chunk.start / SAMPLE_RATE, chunk.end / SAMPLE_RATE)


def _as_pieces(text: str, found: list[dict[str, Any]], length: float) -> list[Piece]:
    """The parts of `text` that WhisperX timed, in order, with times from their neighbours where it found none."""
    pieces: list[Piece] = []
    previous, done = 0.0, 0
    for i, part in enumerate(found):
        following = next((other["start"] for other in found[i:] if "start" in other), length)
        start = max(part.get("start", previous), previous)
        end = max(part.get("end", following), start)
        after = text.index(part["word"], done) + len(part["word"])
        pieces.append(Piece(text[done:after], start, end, [part["score"]] if "score" in part else []))
        previous, done = start, after
    return pieces
