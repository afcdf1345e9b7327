"""Word times, two ways.

Forced alignment (WhisperX, wav2vec2; Bain et al. 2023) is the more exact but needs a model of the language.
Cross-attention (Whisper's own heads and dynamic time warping, as in openai/whisper `timing.py`) is there for every
language.
"""

from __future__ import annotations

import bisect
import math
import os
from itertools import groupby, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .audio import SAMPLE_RATE, to_float
from .guards import spoken_seconds
from .transcript import Decoded, Word
from .vad import Span, joined
from .words import Piece, ends_clause, ends_sentence, timed_words

if TYPE_CHECKING:
    import ctranslate2
    import numpy as np
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer
    from numpy.typing import NDArray

    from .chunk import ChunkText
    from .decoder import Decoding
    from .model_store import ModelStore

ATTENTION_LAG = {"tiny.en": 0.1}
"""Seconds by which a model's attention comes to a word after it has begun, in the median of 337 words whose times are
known, because a synthesiser spoke them; 0.06 s too early with `base`."""
ALIGN_MODEL_BYTES = 400_000_000
SNAP_SECONDS = 0.6
LEAST_PROBABILITY_OF_TOKEN = 1e-9  # whose logarithm is taken
SHORTEST_SECONDS = 0.04
"""A word takes no less: two of the frames that cross-attention is told by."""
LONGEST_SECONDS = 1.5


def attention_words(
    model: WhisperModel,
    tokenizer: Tokenizer,
    tokens: list[int],
    encoded: ctranslate2.StorageView,
    pieces: list[Span],
    lag: float = 0.0,
    decoding: Decoding | None = None,
) -> list[Word]:
    """The words of a chunk with times from Whisper's cross-attention, in order.

    `tokens`: its text; `encoded`: the encoder's output for it alone; `pieces`: the parts of the recording that it is
    made of, one behind the other; `lag`: seconds by which the model's attention comes late; `decoding`: what the
    decoder said of the text, if it is known.
    """
    import numpy as np

    if not tokens:
        return []
    frames = round(sum(piece.seconds for piece in pieces) * model.frames_per_second)
    start = [*(decoding.prompt if decoding else []), *tokenizer.sot_sequence]
    [result] = model.model.align(encoded, start, [tokens], [frames], median_filter_width=7)
    token, frame = np.array(result.alignments).T
    # The frame at which the path comes to each token, and to the end of text.
    begins = (frame[np.diff(token, prepend=-1) > 0] / model.tokens_per_second - lag).clip(0)
    probabilities = np.array(result.text_token_probs)
    log_probabilities = np.log(probabilities.clip(LEAST_PROBABILITY_OF_TOKEN))
    if decoding:
        # All of the decoder's sum, with the end of text, which it counts as one token more, is shared out evenly.
        all_of_it = decoding.average_log_probability * (len(tokens) + 1)
        log_probabilities += (all_of_it - log_probabilities.sum()) / len(tokens)
        log_probabilities *= len(tokens) / (len(tokens) + 1)
    texts, groups = tokenizer.split_tokens_on_unicode(tokens)
    spoken, first = [], 0
    for text, group in zip(texts, groups, strict=True):
        after = first + len(group)
        decoded = None
        if decoding:
            share = float(log_probabilities[first:after].sum())
            decoded = Decoded(group, share, round(decoding.no_speech_probability, 4))
        scores = probabilities[first:after].tolist()
        spoken.append(Piece(text, float(begins[first]), float(begins[after]), scores, decoded))
        first = after
    words = timed_words(spoken)
    for word in words:
        word.start, word.end = place(pieces, word.start, word.end)
    return words


def place(pieces: list[Span], start: float, end: float) -> tuple[float, float]:
    """Where in the recording a word lies that is spoken from `start` to `end` seconds of `pieces` joined: all of it in
    the piece that holds most of it.
    """
    offset, most, placed = 0.0, -math.inf, (start, end)
    for piece in pieces:
        until = offset + piece.seconds
        held = min(end, until) - max(start, offset)
        if held > most:
            shift = piece.start / SAMPLE_RATE - offset
            most, placed = held, (min(max(start, offset), until) + shift, min(max(end, offset), until) + shift)
        offset = until
    return round(placed[0], 3), round(placed[1], 3)


def snap_to_speech(words: list[Word], speech: list[tuple[float, float]]) -> list[Word]:
    """`words` with the silence around them taken away: attention may begin in the pause before a word, or come late.

    `speech`: start and end of stretches of speech in seconds, in order. Of the words that lie in a stretch for the most
    part, the first begins where it does, unless that is more than SNAP_SECONDS earlier, and the last ends with it at
    the latest.
    """
    for (onset, end), spoken in groupby(words, lambda word: _stretch_of(word, speech)):
        if onset == end:
            continue
        within = list(spoken)
        if within[0].start - onset <= SNAP_SECONDS:
            within[0].start = round(onset, 3)
        within[-1].end = round(min(within[-1].end, end), 3)
    return words


def past_hesitations(words: list[Word], speech: list[tuple[float, float]]) -> list[Word]:
    """`words` of which those that begin a sentence stand beside what follows, not in an "um" long before it.

    Whisper writes no hesitations, and attention puts the next word there. So where a sentence's first word is alone in
    its stretch of speech and others without a word lie between it and the next word, it belongs in the last of those.
    `speech`: start and end of stretches of speech in seconds, in order.
    """
    begins = True
    for word, following in pairwise(words):
        if begins and not ends_clause(word.text) and not ends_sentence(word.text):
            stretch, after = _stretch_of(word, speech), _stretch_of(following, speech)
            between = [other for other in speech if stretch[1] < other[0] and other[1] < after[0]]
            if between and stretch != after:
                word.start, word.end = (round(seconds, 3) for seconds in between[-1])
        begins = ends_sentence(word.text)
    return words


def in_order(words: list[Word], since: float, until: float) -> list[Word]:
    """`words` one after another from `since` to `until` seconds, none of no length, longer than it can be spoken, or
    reaching into the next. Attention often gives no time at all to short words, and to others what comes behind them.
    """
    shortest = min(SHORTEST_SECONDS, (until - since) / max(len(words), 1))
    for word in words:
        word.start = since = max(word.start, since)
        since += shortest
    for word in reversed(words):
        word.start = round(min(word.start, until - shortest), 3)
        longest = max(LONGEST_SECONDS, spoken_seconds(word.text))
        word.end = round(min(max(word.end, word.start + shortest), word.start + longest, until), 3)
        until = word.start
    return words


def _stretch_of(word: Word, speech: list[tuple[float, float]]) -> tuple[float, float]:
    """The stretch that holds most of the word; (0, 0) if none holds any of it."""
    first = bisect.bisect_left(speech, word.start, key=lambda stretch: stretch[1])
    after = bisect.bisect_right(speech, word.end, key=lambda stretch: stretch[0])
    return max(speech[first:after], key=lambda s: min(s[1], word.end) - max(s[0], word.start), default=(0.0, 0.0))


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
        # No model of this language exists, or it could not be fetched: the other way has times for every language.
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

    How probable they are the decoder alone knows: that stays.
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
