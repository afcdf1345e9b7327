"""How true words, speakers and word times are, next to stock WhisperX and faster-whisper's batched pipeline.

    python -m benchmarks.accuracy [--model base --model tiny.en] [--shared FOLDER]

Word error rate after Whisper's normalisation (jiwer): pooled over all English recordings with a text, over alterations
of them, and over those in other languages, the language given (letters for words where a language has no spaces).
Diarization error rate (pyannote.metrics, 0.25 s collar each side), and speakers of joined conversations, as
`benchmarks.conversations` has them alone. Distance of word starts from the begins of
utterances in the reference, for those utterances whose first word was recognised within a second of its place.

Each contender uses the vector unit it chooses by itself. The last bits differ, and with them some words:
`CT2_FORCE_CPU_ISA=AVX2` (or AVX512) gives all of them the same.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import jiwer
import numpy as np

from benchmarks import peers
from benchmarks.alterations import altered
from benchmarks.conversations import speakers_told_apart
from benchmarks.recordings import SHARED, Recording, machine, recordings
from tasks_app.pipeline.audio.sound import decode
from tasks_app.pipeline.runner import run
from tasks_app.pipeline.speakers.diarize import diarize
from tasks_app.pipeline.transcript import Transcript
from tasks_app.pipeline.weights.model_store import ModelStore

WITHOUT_SPACES = ("ja", "zh", "th")

CONTENDERS: dict[str, Callable[[ModelStore, str], peers.Transcribe]] = {
    "WhisperX": lambda store, model: peers.whisperx_stock(store, model, 8),
    "faster-whisper batched": lambda store, model: peers.faster_whisper_batched(store, model, 8),
    "ours": lambda store, model: peers.ours(store, model, word_times=True),
}


def heard_by(contender: str, directory: str, model: str, sounds: list[tuple[np.ndarray, str]]) -> list[str]:
    """The text of each sound, in the language given. For a process of its own, where others have set nothing."""
    warnings.simplefilter("ignore")
    transcribe = CONTENDERS[contender](ModelStore(directory, device="cpu"), model)
    return [transcribe(sound, language) for sound, language in sounds]


def word_errors(directory: str, model: str, spoken: list[Recording], sounds: dict[str, np.ndarray]) -> None:
    from transformers.models.whisper.english_normalizer import BasicTextNormalizer, EnglishTextNormalizer

    normalise_english = EnglishTextNormalizer({})

    def normalise(text: str, language: str) -> str:
        if language == "en":
            return normalise_english(text)
        return BasicTextNormalizer(split_letters=language in WITHOUT_SPACES)(text)

    said = [(sounds[recording.name], recording.text or "", recording.language) for recording in spoken]
    english = [(sound, text) for sound, text, language in said if language == "en"]
    sets = {
        "pooled": [(sound, text, "en") for sound, text in english],
        "telephone alone": [(*english[0], "en")],
        "altered": [(sound, text, "en") for sound, text in altered(english)],
    }
    if not model.endswith(".en"):
        sets["other languages"] = [row for row in said if row[2] != "en"]
    references = {name: [normalise(text, language) or "-" for _, text, language in rows] for name, rows in sets.items()}
    print(f"\n## {model}: word error rate, %\n")
    print("| |" + "".join(f" {name} |" for name in sets) + "\n|" + "---|" * (len(sets) + 1))
    print("| words |" + "".join(f" {sum(len(r.split()) for r in rows)} |" for rows in references.values()))
    asked = [(sound, language) for rows in sets.values() for sound, _, language in rows]
    for contender in CONTENDERS:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            texts = iter(process.submit(heard_by, contender, directory, model, asked).result())
        print(f"| {contender} |", end="")
        for name, rows in sets.items():
            heard = [normalise(next(texts), language) for _, _, language in rows]
            print(f" {100 * jiwer.wer(references[name], heard):.1f} |", end="")
        print(flush=True)


def diarization_error(recording: Recording, turns: list[tuple[float, float, str]], length: float) -> float:
    """`turns`: start, end, speaker."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    reference, hypothesis = Annotation(), Annotation()
    for i, (start, duration, speaker) in enumerate(recording.turns):
        reference[Segment(start, start + duration), i] = speaker
    for i, (start, end, speaker) in enumerate(turns):
        hypothesis[Segment(start, end), i] = speaker
    # pyannote's collar is the sum of both sides.
    return DiarizationErrorRate(collar=0.5)(reference, hypothesis, uem=Timeline([Segment(0, length)]))


def speaker_errors(store: ModelStore, talks: list[Recording], sounds: dict[str, np.ndarray]) -> None:
    print("\n## Diarization error rate\n\n| recording | turns % | speakers found | speakers |\n|---|---|---|---|")
    for recording in talks:
        turns = diarize(sounds[recording.name], store)
        rows = [(turn.start, turn.end, turn.speaker) for turn in turns]
        error = diarization_error(recording, rows, len(sounds[recording.name]) / 16_000)
        found, there = len({turn.speaker for turn in turns}), len({speaker for *_, speaker in recording.turns})
        print(f"| {recording.name} | {100 * error:.1f} | {found} | {there} |", flush=True)


def start_errors(transcript: Transcript, recording: Recording) -> list[float]:
    """Seconds between the begin of each utterance and the start of the word it begins with."""
    words = [word for segment in transcript.segments for word in segment.words]
    errors = []
    for start, first in recording.starts:
        alike = [abs(w.start - start) for w in words if _plain(w.text) == _plain(first) and abs(w.start - start) < 1]
        errors += [min(alike)] if alike else []
    return errors


def _plain(word: str) -> str:
    return word.strip(",.?!").lower()


def main() -> None:
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", action="append", help="base and tiny.en unless given")
    parser.add_argument("--shared", type=Path, default=SHARED, help="a folder with more recordings and references")
    parser.add_argument("--models-directory", default="var/models")
    arguments = parser.parse_args()
    store = ModelStore(arguments.models_directory, device="cpu")
    everything = recordings(arguments.shared)
    sounds = {recording.name: decode(recording.path) for recording in everything}
    print(machine())
    models = arguments.model or ["base", "tiny.en"]
    spoken = [recording for recording in everything if recording.text]
    for model in models:
        word_errors(arguments.models_directory, model, spoken, sounds)
    speaker_errors(store, [recording for recording in everything if recording.turns], sounds)
    speakers_told_apart(store, arguments.shared)
    print("\n## Word starts\n\n| model | utterances found | median s | 90 % within s |\n|---|---|---|---|")
    for model in models:
        for recording in everything:
            if recording.starts:
                transcript = run(recording.path, store=store, model=model, diarize=False)
                errors = start_errors(transcript, recording)
                ninth = np.quantile(errors, 0.9)
                found = f"{len(errors)} of {len(recording.starts)}"
                print(f"| {model} | {found} | {statistics.median(errors):.3f} | {ninth:.3f} |")


if __name__ == "__main__":
    main()
