"""Names that are told beforehand: how many are spelt right with and without, and whether other texts stay as they are.

    python -m benchmarks.hints [--model base] [--audio FOLDER]

The sentences are spoken by espeak-ng, which must be installed; `--audio` adds recordings of people in which none of the
names is said (FLAC or WAV).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tasks_app.pipeline.audio.sound import decode
from tasks_app.pipeline.audio.speech import find_speech
from tasks_app.pipeline.text.hints import letters_of
from tasks_app.pipeline.text.transcribe import Transcriber
from tasks_app.pipeline.weights.model_store import ModelStore

NAMED = {
    "Kowalczyk": "I spoke with Mister Kowalczyk about the contract on Tuesday.",
    "Zyrtec": "The doctor told her to take Zyrtec once a day.",
    "Nguyen": "Please send the invoice to Mister Nguyen before Friday.",
    "Szczepanski": "Our new manager is called Szczepanski and she starts in May.",
    "Xarelto": "He has been taking Xarelto since his operation.",
    "Kubernetes": "We moved the whole service to Kubernetes last summer.",
    "Grafana": "You can see the numbers in Grafana every morning.",
    "Ashwagandha": "My sister drinks tea with Ashwagandha in the evening.",
    "Siobhan": "I will ask Siobhan to call you back tomorrow.",
    "Ozempic": "The price of Ozempic went up again this year.",
    "Wojciech": "The report was written by Wojciech and his team.",
    "Tchoupitoulas": "They live on Tchoupitoulas street near the river.",
    "Eliquis": "She takes Eliquis for her heart every morning.",
    "Humira": "The nurse gave him Humira on Monday.",
    "Valkey": "All jobs are kept in Valkey until a worker is free.",
    "Ankylosaurus": "The children wanted to see the Ankylosaurus in the museum.",
    "Thibodeaux": "Miss Thibodeaux will open the meeting at nine.",
    "Pseudoephedrine": "This medicine contains Pseudoephedrine and should be taken with water.",
    "Quetzalcoatl": "The temple of Quetzalcoatl was closed in the afternoon.",
    "Worcestershire": "Add some Worcestershire sauce to the meat.",
    "Oyelaran": "Professor Oyelaran gave a lecture on language.",
    "Brzezinski": "The book by Brzezinski is on the second shelf.",
    "Lisinopril": "My father takes Lisinopril for his blood pressure.",
    "Terraform": "The network is described in Terraform files.",
    "Anaximander": "We read a text by Anaximander in the first week.",
    "Krzysztof": "I met Krzysztof at the station in Warsaw.",
    "Djokovic": "The match against Djokovic lasted four hours.",
    "Metoprolol": "The pharmacy had no Metoprolol left yesterday.",
    "Acme Zentrix": "We signed with Acme Zentrix for three years.",
    "Pembrolizumab": "The patient was given Pembrolizumab every three weeks.",
    "Feuerbach": "The letter from Feuerbach arrived too late.",
    "Okonkwo": "The office of Doctor Okonkwo is on the third floor.",
}


def spoken(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name.replace(' ', '-')}.wav"
    subprocess.run(["espeak-ng", "-v", "en-us", "-s", "150", "-w", path, text], check=True)
    return path


def transcribed(path: Path, store: ModelStore, model: str, hints: list[str]) -> str:
    sound = decode(path.resolve())
    speech, chunks = find_speech(sound, store.threads)
    transcriber = Transcriber(
        sound, speech, chunks, store=store, model=model, language="en", translate=False, hints=hints
    )
    return " ".join(text.text for text in transcriber.run(word_times=True, cancelled=lambda: False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="base")
    parser.add_argument("--audio", type=Path, metavar="FOLDER", help="recordings in which none of the names is said")
    asked = parser.parse_args()
    if not shutil.which("espeak-ng"):
        sys.exit("espeak-ng, which speaks the sentences, is not installed.")
    names = list(NAMED)
    with tempfile.TemporaryDirectory() as folder:
        store = ModelStore(Path(folder) / "models")
        wrong = mended = spoiled = changed = others = 0
        seconds = {"without": 0.0, "with": 0.0}
        recordings = [(name, spoken(Path(folder), name, text)) for name, text in NAMED.items()]
        recordings += (
            [("", path) for path in sorted(asked.audio.iterdir()) if path.suffix in (".wav", ".flac")]
            if (asked.audio)
            else []
        )
        for name, path in recordings:
            begun = time.monotonic()
            plain = transcribed(path, store, asked.model, [])
            seconds["without"] += time.monotonic() - begun
            if name:
                begun = time.monotonic()
                told = transcribed(path, store, asked.model, names)
                seconds["with"] += time.monotonic() - begun
                was, now = letters_of(name) in letters_of(plain), letters_of(name) in letters_of(told)
                wrong += not was
                mended += now and not was
                spoiled += was and not now
                print(f"{name}: {plain!r} -> {told!r}" if told != plain else f"{name}: {plain!r} stays", flush=True)
            others += 1
            other = transcribed(path, store, asked.model, [other for other in names if other != name])
            changed += other != plain
            if other != plain:
                print(f"changed without being said: {plain!r} -> {other!r}", flush=True)
    print(
        f"{asked.model}: of {len(NAMED)} names {wrong} are misspelt without hints, {mended} of them right with them."
        f" {spoiled} are spoiled. {changed} of {others} texts change by hints that are not said in them."
        f" {seconds['with'] / seconds['without']:.2f} times the time."
    )


if __name__ == "__main__":
    main()
