"""OpenAI's own Python client, unchanged, against a real web server."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import openai
import pytest
from django.contrib.auth.models import AbstractUser
from openai import OpenAI
from redis import Redis

from tasks_app.actions import attempts
from tasks_app.actions.cancel import cancel
from tasks_app.models import Call, Task
from tasks_app.pipeline.errors import GpuOutOfMemory
from tasks_app.pipeline.transcript import Scores, Segment, Transcript
from tasks_app.progress.emitter import ProgressEmitter
from tests.api.openai.conftest import SAID, TEXT, claimed, do_the_work
from tests.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)


# Formats --------------------------------------------------------------------------------------------------------------


def test_json(call) -> None:
    answer = call()
    do_the_work()
    assert answer.result().text == TEXT
    assert answer.result().usage.seconds == 3


def test_text(call) -> None:
    answer = call(response_format="text")
    do_the_work()
    assert answer.result().strip() == TEXT


def test_srt(call) -> None:
    answer = call(response_format="srt")
    do_the_work()
    assert "00:00:00,000 --> 00:00:01,471\n" in answer.result()


def test_vtt(call) -> None:
    answer = call(response_format="vtt")
    do_the_work()
    assert answer.result().startswith("WEBVTT\n\n")
    assert "00:00:00.100 --> 00:00:01.000" in answer.result()


def test_verbose_json_has_the_decoders_true_figures(call) -> None:
    answer = call(response_format="verbose_json")
    do_the_work()
    verbose = answer.result()
    assert (verbose.language, verbose.duration, verbose.text, verbose.words) == ("english", 2.4, TEXT, None)
    first, second = verbose.segments
    assert (first.id, first.seek, first.start, first.end, first.text) == (0, 10, 0.1, 1.0, "Hello there.")
    assert (first.avg_logprob, first.compression_ratio, first.no_speech_prob) == (-0.25, 0.8, 0.02)
    assert (first.tokens, first.temperature, first.speaker) == ([2425, 456], 0.0, "SPEAKER_01")
    assert (second.avg_logprob, second.tokens) == (None, [])


def test_words(call) -> None:
    answer = call(response_format="verbose_json", timestamp_granularities=["word"])
    do_the_work()
    assert answer.result().segments is None
    first = answer.result().words[0]
    assert (first.word, first.start, first.end, first.probability, first.speaker) == (
        "Hello",
        0.1,
        0.5,
        0.9,
        "SPEAKER_01",
    )


def test_diarized_json(call) -> None:
    answer = call(response_format="diarized_json", model="gpt-4o-transcribe-diarize", chunking_strategy="auto")
    assert do_the_work().transcription_options.diarize
    assert answer.result().text == TEXT
    assert [(segment.speaker, segment.text) for segment in answer.result().segments] == [
        ("A", "Hello there."),
        ("B", "Ça va?"),
    ]


def test_translation(call) -> None:
    answer = call("translations", model="base", response_format="verbose_json")
    assert do_the_work().transcription_options.translate
    assert (answer.result().language, answer.result().text) == ("english", TEXT)


def test_logprobs_have_each_token_with_its_bytes(call) -> None:
    answer = call(include=["logprobs"], response_format="json")
    scores = Scores(-0.2, 0.8, 0.02, [1, 2, 3], logprobs=[("ĠÃ", -0.1), ("§a", -0.3), ("Ġva", -0.2)])
    do_the_work(Transcript("fr", 1.0, [Segment(0.0, 1.0, "ça va", scores=scores)]))
    tokens = answer.result().logprobs
    assert [(token.token, token.logprob) for token in tokens] == [(" \ufffd", -0.1), ("\ufffda", -0.3), (" va", -0.2)]
    assert bytes(int(byte) for token in tokens for byte in token.bytes).decode() == " ça va"


def test_logprobs_stand_at_the_end_of_a_stream(call) -> None:
    events = call(include=["logprobs"], stream=True)
    scores = Scores(-0.2, 0.8, 0.02, [1], logprobs=[("ĠHello", -0.1)])
    do_the_work(Transcript("en", 1.0, [Segment(0.0, 1.0, "Hello", scores=scores)]))
    *_, done = events.result()
    assert [(token.token, token.logprob) for token in done.logprobs] == [(" Hello", -0.1)]


def test_what_is_missing_of_logprobs_is_said(call) -> None:
    answer = call(include=["logprobs"])
    do_the_work()
    assert answer.result().logprobs is None
    assert "avg_logprob" in answer.result().logprobs_missing


# What is asked --------------------------------------------------------------------------------------------------------


def test_options_reach_the_task(call) -> None:
    answer = call(
        model="gpt-4o-transcribe",
        language="en-US",
        prompt="Acme, Zyrtec. This whole sentence is far too long to be any name or any term that somebody said.",
        temperature=0.5,
        keywords=["Kubernetes"],
        extra_body={"diarize": "true", "max_speakers": "2"},
    )
    options = do_the_work().transcription_options
    answer.result()
    assert (options.model, options.language, options.translate) == ("base", "en", False)
    assert (options.diarize, options.max_speakers) == (True, 2)
    assert options.hints[0] == "Kubernetes"
    assert "Acme" in options.hints


def test_json_with_the_sound_in_base64(sdk: OpenAI, threads: ThreadPoolExecutor, short_speech: Path) -> None:
    """As Open WebUI sends it."""
    sound = {"data": base64.b64encode(short_speech.read_bytes()).decode(), "format": "wav"}
    body = {"model": "whisper-1", "language": "en", "input_audio": sound}
    answer = threads.submit(sdk.post, "/audio/transcriptions", body=body, cast_to=object)
    assert do_the_work().name == "recording.wav"
    assert answer.result()["text"] == TEXT


def test_models(sdk: OpenAI) -> None:
    listed = {model.id: model.served_by for model in sdk.models.list()}
    assert (listed["tiny.en"], listed["whisper-1"]) == ("tiny.en", "base")


def test_a_model_that_nobody_knows_is_served_too(sdk: OpenAI) -> None:
    found = sdk.models.retrieve("Systran/faster-whisper-small")
    assert (found.id, found.served_by) == ("Systran/faster-whisper-small", "base")


# Streams --------------------------------------------------------------------------------------------------------------


def test_text_arrives_while_it_is_recognised(sdk: OpenAI, threads: ThreadPoolExecutor, short_speech: Path) -> None:
    events = sdk.audio.transcriptions.create(model="gpt-4o-transcribe", file=short_speech, stream=True)
    task = claimed()
    emitter = ProgressEmitter(task, lease=task.lease)
    emitter.emit_segments(0, [Segment(0.1, 1.0, "Hello there.")])
    first = next(events)
    assert (first.type, first.delta) == ("transcript.text.delta", "Hello there.")
    attempts.complete(task, task.lease, SAID)
    second, last = events
    assert (second.delta, last.type, last.text) == (" Ça va?", "transcript.text.done", TEXT)


def test_segments_with_speakers_end_a_diarized_stream(call) -> None:
    events = call(model="gpt-4o-transcribe-diarize", response_format="diarized_json", stream=True)
    do_the_work()
    delta, first, second, done = events.result()
    assert delta.delta == TEXT
    assert [(segment.type, segment.speaker) for segment in (first, second)] == [
        ("transcript.text.segment", "A"),
        ("transcript.text.segment", "B"),
    ]
    assert done.text == TEXT


def test_a_stream_tells_of_a_failure(call) -> None:
    events = call(stream=True)
    task = claimed()
    attempts.fail(task, GpuOutOfMemory(), lease=task.lease)
    with pytest.raises(openai.APIError, match="graphics processor"):
        list(events.result())


# Errors ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"response_format": "docx"}, "response_format", "INVALID_OPTIONS"),
        ({"temperature": 3}, "temperature", "INVALID_OPTIONS"),
        ({"timestamp_granularities": ["line"]}, "timestamp_granularities", "INVALID_OPTIONS"),
        ({"language": "tlh"}, "language", "UNKNOWN_LANGUAGE"),
        ({"file": ("nothing.wav", b"")}, None, "EMPTY_FILE"),
    ],
)
def test_a_request_that_cannot_be(call, fields: dict, param: str | None, code: str) -> None:
    error = call(**fields).exception()
    assert isinstance(error, openai.BadRequestError)
    assert (error.type, error.param, error.code) == ("invalid_request_error", param, code)


def test_no_recording(call) -> None:
    error = call(file=("letter.txt", b"Dear Sir or Madam")).exception()
    assert (error.status_code, error.code) == (415, "NOT_AUDIO")


def test_a_wrong_key(sdk: OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        sdk.with_options(api_key="sk-something").models.list()


def test_an_address_that_is_not_there(sdk: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        sdk.embeddings.create(model="any", input="text")
    assert refused.value.code == "NOT_FOUND"


def test_a_task_that_fails_is_told_in_the_body(daphne: int, key: str, queue, threads, short_speech: Path) -> None:
    """The headers have gone out by then."""
    answer = threads.submit(post, daphne, key, short_speech)
    task = claimed()
    attempts.fail(task, GpuOutOfMemory(), lease=task.lease)
    assert answer.result().status_code == 200
    assert answer.result().json()["error"]["code"] == "GPU_OUT_OF_MEMORY"


def test_a_plain_file_that_cannot_be_made_is_broken_off(call, owner: AbstractUser) -> None:
    answer = call(response_format="srt")
    cancel(claimed(), owner)
    assert isinstance(answer.exception(), openai.APIConnectionError)


def post(port: int, key: str, recording: Path, **fields: str) -> httpx.Response:
    with recording.open("rb") as file:
        return httpx.post(
            f"http://127.0.0.1:{port}/v1/audio/transcriptions",
            headers={"Authorization": f"Bearer {key}"},
            files={"file": file},
            data=fields,
            timeout=60,
        )


# Waiting --------------------------------------------------------------------------------------------------------------


def test_the_headers_come_at_once(sdk: OpenAI, short_speech: Path) -> None:
    create = sdk.audio.transcriptions.with_streaming_response.create
    with create(model="whisper-1", file=short_speech) as answer:
        assert answer.headers["Content-Type"] == "application/json"
        task = do_the_work()
        assert json.loads(answer.read())["text"] == TEXT
        assert answer.headers["X-Task-Id"] == str(task.pk)


def test_a_task_is_cancelled_when_its_client_goes_away(sdk: OpenAI, short_speech: Path) -> None:
    with sdk.audio.transcriptions.with_streaming_response.create(model="whisper-1", file=short_speech):
        pass
    eventually(lambda: Task.objects.get().status == "cancelled")


def test_a_repeat_gets_the_same_task(call, sdk: OpenAI, short_speech: Path) -> None:
    with sdk.audio.transcriptions.with_streaming_response.create(model="whisper-1", file=short_speech):
        again = call()
        eventually(lambda: Call.objects.get().clients == 2)
    eventually(lambda: Call.objects.get().clients == 1)
    do_the_work()
    assert again.result().text == TEXT


def test_other_options_are_another_task(sdk: OpenAI, short_speech: Path) -> None:
    create = sdk.audio.transcriptions.with_streaming_response.create
    with (
        create(model="whisper-1", file=short_speech),
        create(model="whisper-1", file=short_speech, language="en"),
    ):
        assert Task.objects.count() == 2


# Limits ---------------------------------------------------------------------------------------------------------------


def test_the_sdk_waits_and_tries_again_by_itself(daphne: int, key: str, owner: AbstractUser, queue: Redis) -> None:
    answers: list[tuple[int, str | None]] = []

    def note(answer: httpx.Response) -> None:
        answers.append((answer.status_code, answer.headers.get("Retry-After")))

    queue.set(f"requests:user {owner.pk}", 10**9, ex=1)  # far more than are allowed, for one more second
    with httpx.Client(event_hooks={"response": [note]}) as client:
        assert OpenAI(api_key=key, base_url=f"http://127.0.0.1:{daphne}/v1", http_client=client).models.list().data
    assert answers == [(429, "1"), (200, None)]


def test_without_retries_the_sdk_tells_of_the_limit(sdk: OpenAI, owner: AbstractUser, queue: Redis) -> None:
    queue.set(f"requests:user {owner.pk}", 10**9, ex=60)
    with pytest.raises(openai.RateLimitError) as refused:
        sdk.models.list()
    assert refused.value.code == "TOO_MANY_REQUESTS"
