"""Views for OpenAI's clients."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.calls import begin
from tasks_app.api.auth import with_key
from tasks_app.api.files import BEGINNINGS, PLAIN, as_file
from tasks_app.api.openai import answers
from tasks_app.api.openai.requests import Asked, model_for, read
from tasks_app.api.waiting import answer, stream
from tasks_app.intake.bodies import takes_recordings
from tasks_app.models import KeyScope, Task
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.pipeline.transcript import Transcript
from tasks_app.pipeline_setup import offered_models

PAID_NAMES = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-transcribe-diarize",
)
"""Names that clients have built in."""
PLAIN_FILES = {"text": "txt", "srt": "srt", "vtt": "vtt"}
"""Formats that are not JSON, and the files that they are like."""


@takes_recordings
@require_POST
@never_cache
@with_key(KeyScope.WRITE)
def transcriptions(request: HttpRequest) -> HttpResponseBase:
    """`POST /v1/audio/transcriptions`"""
    return _serve(request, translate=False)


@takes_recordings
@require_POST
@never_cache
@with_key(KeyScope.WRITE)
def translations(request: HttpRequest) -> HttpResponseBase:
    """`POST /v1/audio/translations`: to English."""
    return _serve(request, translate=True)


@require_safe
@never_cache
@with_key(KeyScope.READ)
def models(request: HttpRequest, key: str = "") -> HttpResponse:
    """`GET /v1/models`: the models that there are, and the names that they serve."""
    names = [*(model.name for model in offered_models()), *settings.MODEL_ALIASES, *PAID_NAMES]
    listed = [answers.model(name, served_by=model_for(name)) for name in dict.fromkeys(names)]
    return JsonResponse({"object": "list", "data": listed})


@require_safe
@never_cache
@with_key(KeyScope.READ)
def model(request: HttpRequest, name: str) -> HttpResponse:
    """`GET /v1/models/{name}`: every name is served."""
    return JsonResponse(answers.model(name, served_by=model_for(name)))


def _serve(request: HttpRequest, *, translate: bool) -> HttpResponseBase:
    asked = read(request, translate=translate)
    task = begin(logged_in_user(request), asked.recording, asked.options, asked.name, asked.voices)
    if asked.stream and asked.response_format in ("json", "text", "diarized_json"):
        content, media_type = _events(task, asked), "text/event-stream"
    else:
        content, media_type = _whole(task, asked)
    close_old_connections()  # while the answer waits, it needs none
    return StreamingHttpResponse(
        content, content_type=media_type, headers={"X-Task-Id": str(task.pk), "X-Accel-Buffering": "no"}
    )


def _whole(task: Task, asked: Asked) -> tuple[AsyncIterator[bytes], str]:
    """The answer and its media type."""
    if asked.response_format in PLAIN_FILES:
        name = PLAIN_FILES[asked.response_format]
        beginning, padding = BEGINNINGS[name]

        def write_file(transcript: Transcript) -> bytes:
            if asked.response_format == "text":
                return f"{answers.text_of(transcript.segments)}\n".encode(errors="replace")
            return as_file(transcript, name)

        return answer(task.pk, write_file, None, first=beginning, padding=padding), PLAIN

    def write(transcript: Transcript) -> bytes:
        return answers.encoded(_shaped(transcript, asked))

    return answer(task.pk, write, _failed, first=b" ", padding=b" "), "application/json"


def _shaped(transcript: Transcript, asked: Asked) -> dict[str, Any]:
    if asked.response_format == "verbose_json":
        return answers.verbose(transcript, asked.granularities, translated=asked.options.translate)
    if asked.response_format == "diarized_json":
        return answers.diarized(transcript, asked.options.known_speakers)
    return answers.plain(transcript, logprobs=asked.options.logprobs)


def _failed(error: TranscriptionError) -> bytes:
    return answers.encoded(answers.error_body(error))


def _events(task: Task, asked: Asked) -> AsyncIterator[bytes]:
    sent: list[str] = []

    def delta(text: str) -> bytes:
        text = answers.gap("".join(sent[-1:]), text) + text.strip()
        sent.append(text)
        return answers.event(answers.delta_event(text))

    def done(transcript: Transcript) -> bytes:
        known = asked.options.known_speakers if asked.response_format == "diarized_json" else None
        events = answers.last_events(transcript, "".join(sent), known, logprobs=asked.options.logprobs)
        return b"".join(map(answers.event, events)) + b"data: [DONE]\n\n"

    return stream(task.pk, delta, done, lambda error: answers.event(answers.error_body(error)), padding=b":\n\n")
