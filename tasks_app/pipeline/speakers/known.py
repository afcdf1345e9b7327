"""Whose voices the speakers of a recording are, by short recordings of people who are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tasks_app.pipeline.audio.probing import Limits
from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode
from tasks_app.pipeline.errors import InputError
from tasks_app.pipeline.speakers.assign import Turn
from tasks_app.pipeline.speakers.diarize import PIECE_SECONDS, WINDOW_SECONDS, Piece, in_telephone_band, voice_models
from tasks_app.pipeline.transcript import StageWarning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tasks_app.pipeline.weights.model_store import ModelStore

SAME_PERSON = 0.70
"""Least cosine similarity of two voices, each the mean of its pieces' embeddings, that are one person's. Between five
readers up to 0.67 was measured in clear sound and in noise of 10 dB, and up to 0.75 (19 of 20: 0.68) where the
recording is as from a telephone; of one reader at least 0.80, 0.73 and 0.68 with references of 5 s, and 0.73, 0.66 and
0.62 with those of 2 s. So references that are short or noisy miss somebody rather than find somebody else."""
MOST_PIECES = 60
"""Pieces of a speaker's speech that are compared, from all over it; more do not change the mean."""
NOT_USABLE = "REFERENCE_NOT_USABLE"


@dataclass(frozen=True, slots=True)
class KnownSpeaker:
    """A person, and the file of a short recording of their voice alone."""

    name: str
    reference: Path


def recognise(
    samples: NDArray[np.int16], turns: Sequence[Turn], known: Sequence[KnownSpeaker], store: ModelStore, limits: Limits
) -> tuple[dict[str, str], list[StageWarning]]:
    """The names of those speakers of `turns` whose voice is that of somebody known, by their labels, and a warning of
    each reference in which no voice is heard. `samples`: int16, shape (n,), 16 kHz, in whose seconds the turns are.

    Two speakers may be one person: one voice is sometimes found as two.
    """
    import numpy as np

    heard: list[tuple[NDArray[np.int16], list[Piece]]] = []
    names, warnings = [], []
    for person in known:
        try:
            sound = decode(person.reference, limits)[: int(WINDOW_SECONDS * SAMPLE_RATE)]
            [pieces] = voice_models(store).segment(sound, 1)
        except InputError:
            pieces = []
        if pieces:
            heard.append((sound, pieces))
            names.append(person.name)
        else:
            message = f"No voice is heard in the reference of {person.name}, who is not among the speakers therefore."
            warnings.append(StageWarning("assigning", NOT_USABLE, message))
    labels = sorted({turn.speaker for turn in turns})
    if not (names and labels):
        return {}, warnings
    heard += [(samples, _pieces(turn for turn in turns if turn.speaker == label)) for label in labels]
    # Where one of them has nothing above 4,000 Hz, only what is below that can be compared.
    telephone = any(in_telephone_band(sound, pieces) for sound, pieces in heard)
    voices = np.stack([_voice(sound, pieces, store, telephone) for sound, pieces in heard])
    similarity = voices[len(names) :] @ voices[: len(names)].T
    found = {
        label: names[int(row.argmax())]
        for label, row in zip(labels, similarity, strict=True)
        if row.max() >= SAME_PERSON
    }
    return found, warnings


def _pieces(turns: Iterable[Turn]) -> list[Piece]:
    """Pieces of somebody's speech, MOST_PIECES at most."""
    pieces = []
    for turn in turns:
        count = max(1, round((turn.end - turn.start) / PIECE_SECONDS))
        length = (turn.end - turn.start) / count
        pieces += [Piece(turn.start + i * length, turn.start + (i + 1) * length, 0, 0) for i in range(count)]
    return pieces[:: -(-len(pieces) // MOST_PIECES)]


def _voice(sound: NDArray[np.int16], pieces: list[Piece], store: ModelStore, telephone: bool) -> NDArray[np.float32]:
    """The mean of the embeddings of pieces of a voice, of length 1, shape (192,)."""
    import numpy as np

    embeddings = np.stack(list(voice_models(store).embed(sound, pieces, telephone)))
    mean = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).mean(axis=0)
    return mean / np.linalg.norm(mean)
