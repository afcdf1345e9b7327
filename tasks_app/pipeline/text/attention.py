"""Word times from Whisper's cross-attention: its own alignment heads and dynamic time warping, as in openai/whisper
`timing.py`. There for every language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.vad import Span
from tasks_app.pipeline.text.decoding import Decoding
from tasks_app.pipeline.text.word_times import place
from tasks_app.pipeline.text.words import Piece, timed_words
from tasks_app.pipeline.transcript import Decoded, Word

if TYPE_CHECKING:
    import ctranslate2
    from faster_whisper import WhisperModel
    from faster_whisper.tokenizer import Tokenizer

ATTENTION_LAG = {"tiny.en": 0.1}
"""Seconds by which a model's attention comes to a word after it has begun, in the median of 337 words whose times are
known, because a synthesiser spoke them; 0.06 s too early with `base`."""
LEAST_PROBABILITY_OF_TOKEN = 1e-9  # whose logarithm is taken


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
    each = [
        (model.hf_tokenizer.id_to_token(token), round(own, 4))
        for token, own in zip(tokens, log_probabilities.tolist(), strict=True)
    ]
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
            decoded = Decoded(group, share, round(decoding.no_speech_probability, 4), each[first:after])
        scores = probabilities[first:after].tolist()
        spoken.append(Piece(text, float(begins[first]), float(begins[after]), scores, decoded))
        first = after
    words = timed_words(spoken)
    for word in words:
        word.start, word.end = place(pieces, word.start, word.end)
    return words
