"""Three people who upload recordings, and what they were told."""

from __future__ import annotations

import time
import wave
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import httpx


@dataclass(frozen=True)
class Request:
    """A recording and what is asked for it; `name` is unique."""

    name: str
    path: Path
    options: dict[str, str]


def requests(folder: Path) -> list[Request]:
    """Real speech of 10 to 30 s: pieces of a telephone conversation, and short sentences joined."""
    from tasks_app.pipeline.audio.sound import SAMPLE_RATE, decode

    package = find_spec("pyannote.audio")
    telephone = decode(Path(package.submodule_search_locations[0]) / "sample/sample.wav")

    def write(name: str, sound: bytes) -> Path:
        path = folder / f"{name}.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes(sound)
        return path

    def piece(start: int, end: int) -> Path:
        return write(f"telephone-{start}-{end}", telephone[start * SAMPLE_RATE : end * SAMPLE_RATE].tobytes())

    def sentences(language: str) -> Path:
        clips = sorted((files("pytest_audioeval") / f"samples/audio/{language}").glob("*.wav"))
        pause = bytes(SAMPLE_RATE)  # half a second
        return write(language, 2 * b"".join(decode(Path(clip)).tobytes() + pause for clip in clips))

    alone = {"diarize": "no"}
    tiny, base, speakers = {"model": "tiny.en", **alone}, {"model": "base", **alone}, {"diarize": "on"}
    asked = [
        (piece(0, 10), tiny),
        (piece(0, 20), tiny),
        (piece(0, 30), tiny),
        (piece(8, 23), tiny),
        (piece(12, 30), tiny),
        (sentences("en"), tiny),
        (piece(0, 30), tiny | speakers),
        (piece(5, 25), tiny | speakers),
        (sentences("fr"), base),
        (piece(0, 20), base | speakers),
    ]
    return [Request("-".join([path.stem, *options.values()]), path, options) for path, options in asked]


class Client:
    """One person's browser."""

    def __init__(self, port: int, username: str) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self._http.get("/login/").raise_for_status()
        credentials = {"username": username, "password": username, "csrfmiddlewaretoken": self._token}
        assert self._http.post("/login/", data=credentials).status_code == 302, "nobody could log in"

    @property
    def _token(self) -> str:
        return self._http.cookies["csrftoken"]

    @property
    def session(self) -> str:
        return self._http.cookies["sessionid"]

    def upload(self, name: str, request: Request) -> tuple[int, str]:
        """The status, and the error's code if it was refused. Raises httpx.TransportError: no answer came."""
        with request.path.open("rb") as file:
            answer = self._http.post(
                "/tasks",
                data=request.options,
                files={"files": (name, file)},
                headers={"X-CSRFToken": self._token},
            )
        if answer.is_success:
            return answer.status_code, ""
        if answer.status_code == 500:  # the database may have gone away after it took the recording in
            raise httpx.RemoteProtocolError("An answer that does not tell what became of the recording")
        if answer.headers["content-type"] == "application/json":
            return answer.status_code, answer.json()["error"]["code"]
        return answer.status_code, ""


@dataclass
class Uploads:
    """What clients were told; names of files, each sent once."""

    accepted: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    def send(self, client: Client, request: Request, number: str, answers: int = 1000) -> None:
        """Until it is accepted, or has been answered `answers` times."""
        attempt = 0
        while answers:
            attempt += 1
            name = f"{number}_{attempt}_{request.name}"
            try:
                status, code = client.upload(name, request)
            except httpx.TransportError:
                self.unanswered.append(name)
            else:
                answers -= 1
                if status == 201:
                    self.accepted.append(name)
                    return
                self.refused.append(name)
                self.refusals[f"{status} {code}".strip()] += 1
            time.sleep(0.3)

    def __add__(self, other: Uploads) -> Uploads:
        return Uploads(
            self.accepted + other.accepted,
            self.unanswered + other.unanswered,
            self.refused + other.refused,
            self.refusals + other.refusals,
        )
