"""`/asr` and `/detect-language`, as clients of whisper-asr-webservice call them."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tasks_app.media.files import local_copy
from tasks_app.models import Task
from tests.api.openai.conftest import do_the_work, key, threads
from tests.conftest import web_server

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["key", "threads"]  # fixtures


@pytest.fixture(scope="module")
def server(broker, django_db_setup) -> Iterator[int]:
    with web_server(KEY_IN_PATH="yes") as port:
        yield port


@pytest.fixture
def call(server: int, key: str, queue, threads: ThreadPoolExecutor):
    """As a program that cannot send a header."""

    def call(address: str, sound: bytes):
        url = f"http://127.0.0.1:{server}/key/{key}/{address}"
        return threads.submit(httpx.post, url, files={"audio_file": sound}, timeout=60)

    return call


def test_bazarr(call) -> None:
    address = "asr?task=transcribe&language=en&output=srt&encode=false&video_file=/films/Film.mkv"
    answer = call(address, bytes(32_000 * 2))  # 16 kHz, 16 bits, mono, and no header
    task = do_the_work()
    assert (task.name, task.transcription_options.language) == ("Film.mkv", "en")
    assert answer.result().text.startswith("1\n00:00:00,000 --> 00:00:01,471\n")
    assert answer.result().headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.result().headers["Asr-Engine"]


def test_bazarr_asks_for_the_language(call) -> None:
    answer = call("detect-language?encode=false&video_file=Film.mkv", bytes(32_000 * 600))
    task = do_the_work()
    with local_copy(task) as path, wave.open(str(path)) as wav:
        assert wav.getnframes() / wav.getframerate() == 60
    assert answer.result().json() == {"detected_language": "english", "language_code": "en", "confidence": None}


def test_speakr(call, short_speech: Path) -> None:
    query = "encode=true&task=transcribe&output=json&diarize=true&enable_diarization=true&max_speakers=3"
    unknown = "return_speaker_embeddings=true&hotwords=Acme&model=whatever"
    answer = call(f"asr?{query}&{unknown}", short_speech.read_bytes())
    options = do_the_work().transcription_options
    assert (options.diarize, options.max_speakers, options.hints) == (True, 3, ("Acme",))
    told = answer.result().json()
    assert (told["text"], told["language"]) == ("Hello there. Ça va?", "en")
    assert told["segments"][0] == {
        "id": 0,
        "start": 0.1,
        "end": 1.0,
        "text": "Hello there.",
        "speaker": "SPEAKER_01",
    }


def test_speakr_asks_for_the_models(server: int, key: str, queue) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server}/key/{key}/v1/models")
    assert "whisper-1" in [model["id"] for model in answer.json()["data"]]


@pytest.mark.parametrize(
    ("output", "beginning"), [("txt", "SPEAKER_01: Hello"), ("vtt", "WEBVTT\n"), ("tsv", "start\tend\ttext")]
)
def test_other_outputs(call, short_speech: Path, output: str, beginning: str) -> None:
    answer = call(f"asr?output={output}", short_speech.read_bytes())
    do_the_work()
    assert answer.result().text.startswith(beginning)


def test_a_hostile_name(call, short_speech: Path) -> None:
    answer = call("asr?video_file=/a/%0d%0aX-Evil:%20yes%22%00%e2%80%ae.mkv", short_speech.read_bytes())
    do_the_work()
    assert answer.result().status_code == 200
    assert "X-Evil" not in answer.result().headers


def test_an_output_that_is_not_there(call, short_speech: Path) -> None:
    answer = call("asr?output=pdf", short_speech.read_bytes()).result()
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_OPTIONS")


def test_a_key_is_needed(server: int, queue, short_speech: Path) -> None:
    sound = io.BytesIO(short_speech.read_bytes())
    answer = httpx.post(f"http://127.0.0.1:{server}/asr", files={"audio_file": sound})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "INVALID_API_KEY")


def test_elsewhere_a_key_in_the_address_is_none(daphne: int, key: str, queue, short_speech: Path) -> None:
    answer = httpx.post(f"http://127.0.0.1:{daphne}/key/{key}/asr", files={"audio_file": short_speech.read_bytes()})
    assert answer.status_code == 401
    assert not Task.objects.exists()
