"""`/asr` and `/detect-language`, as whisper-asr-webservice has them: for Bazarr, Speakr and others that speak to it.

What is asked stands in the query, and names that are not known there are ignored.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from typing import cast

from django.core.files import File
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tasks_app.actions.access import logged_in_user
from tasks_app.actions.calls import begin
from tasks_app.api.auth import with_key
from tasks_app.api.files import BEGINNINGS, PLAIN, as_file
from tasks_app.api.openai.answers import encoded, text_of
from tasks_app.api.openai.requests import Fields, language_code, model_for, names_in
from tasks_app.api.waiting import answer
from tasks_app.errors import InvalidOptions
from tasks_app.intake.bodies import takes_recordings
from tasks_app.intake.names import display_name
from tasks_app.intake.room import needing_room
from tasks_app.models import KeyScope
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.pipeline.languages import LANGUAGES
from tasks_app.pipeline.transcript import Transcript

OUTPUTS = (*BEGINNINGS, "json")
RATE, SAMPLE_BYTES = 16_000, 2
"""Of sound without a header, which is mono."""
DETECTION_PIECES, DETECTION_SECONDS = 6, 10
"""Places all over a recording at which its language is heard, and the length of each; titles often have no speech."""


@takes_recordings
@require_POST
@never_cache
@with_key(KeyScope.WRITE)
def transcribe(request: HttpRequest, key: str = "") -> HttpResponseBase:
    """`POST /asr`"""
    fields = _fields(request)
    output = fields.one("output", "txt")
    if output not in OUTPUTS:
        raise InvalidOptions("output", user_message=f"output is one of {', '.join(OUTPUTS)}.")
    speakers = fields.switch("diarize") or fields.switch("enable_diarization")
    asked = {
        "translate": "yes" if fields.one("task") == "translate" else "no",
        "language": language_code(fields.one("language")),
        "diarize": "yes" if speakers else "no",
        "hints": ",".join([*names_in(fields.one("hotwords")), *names_in(fields.one("initial_prompt"))]),
        **{name: fields.one(name) for name in ("min_speakers", "max_speakers") if fields.one(name)},
    }
    with_words = fields.switch("word_timestamps")

    def write(transcript: Transcript) -> bytes:
        return _json(transcript, with_words=with_words) if output == "json" else as_file(transcript, output)

    response = _answer(request, fields, asked, write, _sound(request, fields), output)
    response["Asr-Engine"] = "transcribe"
    name = display_name(fields.one("video_file", "transcript"))
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{output}")
    return response


@takes_recordings
@require_POST
@never_cache
@with_key(KeyScope.WRITE)
def detect_language(request: HttpRequest, key: str = "") -> HttpResponseBase:
    """`POST /detect-language`: of sound without a header, some pieces are heard; of a file, all of it."""
    fields = _fields(request)
    sound = _sound(request, fields, pieces=True)
    return _answer(request, fields, {"diarize": "no"}, _language, sound, "json")


def _answer(
    request: HttpRequest,
    fields: Fields,
    asked: dict[str, str],
    write: Callable[[Transcript], bytes],
    sound: File,
    output: str,
) -> StreamingHttpResponse:
    options = TranscriptionOptions.from_fields({"model": model_for(fields.one("model")), **asked})
    name = display_name(fields.one("video_file") or sound.name or "")
    task = begin(logged_in_user(request), sound, options, name)
    close_old_connections()  # while the answer waits, it needs none
    if output == "json":
        content, media_type = answer(task.pk, write, _failed, first=b" ", padding=b" "), "application/json"
    else:
        first, padding = BEGINNINGS[output]
        content, media_type = answer(task.pk, write, None, first=first, padding=padding), PLAIN
    return StreamingHttpResponse(content, content_type=media_type)


def _fields(request: HttpRequest) -> Fields:
    lists = [*request.POST.lists(), *request.GET.lists()]
    return Fields((name, str(value)) for name, values in lists for value in values)


def _sound(request: HttpRequest, fields: Fields, *, pieces: bool = False) -> File:
    sounds = request.FILES.getlist("audio_file")
    if len(sounds) != 1:
        raise InvalidOptions("audio_file", user_message="Send one recording, in the field `audio_file`.")
    [sound] = sounds
    beginning = sound.read(4)
    sound.seek(0)
    if fields.one("encode", "true").lower() in ("true", "1") or beginning == b"RIFF":
        return sound
    samples = _places(sound) if pieces else sound.chunks()
    return _with_header(samples, sound.name or "")


def _with_header(samples: Iterator[bytes], name: str) -> File:
    """16-bit samples in the byte order of WAV, as the WAV file that they lack a header to be."""
    file = TemporaryUploadedFile(name, "audio/wav", 0, None)
    with needing_room(), wave.open(cast(str, file.file), "wb") as wav:  # which takes open files, too
        wav.setparams((1, SAMPLE_BYTES, RATE, 0, "NONE", ""))
        for piece in samples:
            wav.writeframesraw(piece)
    file.flush()
    file.size = file.tell()
    file.seek(0)
    return file


def _places(sound: File) -> Iterator[bytes]:
    """Pieces from all over the sound; all of it if it is short."""
    length = DETECTION_SECONDS * RATE * SAMPLE_BYTES
    if sound.size <= DETECTION_PIECES * length:
        yield from sound.chunks()
        return
    for place in range(DETECTION_PIECES):
        start = (sound.size - length) * place // (DETECTION_PIECES - 1)
        sound.seek(start - start % SAMPLE_BYTES)
        yield sound.read(length)


def _language(transcript: Transcript) -> bytes:
    code = transcript.language
    detected = {"detected_language": LANGUAGES.get(code, code).lower(), "language_code": code}
    return encoded({**detected, "confidence": transcript.language_probability})


def _json(transcript: Transcript, *, with_words: bool) -> bytes:
    segments = []
    for number, segment in enumerate(transcript.segments):
        data = {"id": number, "start": segment.start, "end": segment.end, "text": segment.text}
        if segment.speaker:
            data["speaker"] = segment.speaker
        if with_words:
            data["words"] = [
                {"word": word.text, "start": word.start, "end": word.end, "score": word.score} for word in segment.words
            ]
        segments.append(data)
    return encoded({"text": text_of(transcript.segments), "language": transcript.language, "segments": segments})


def _failed(error: TranscriptionError) -> bytes:
    return encoded({"error": {"code": error.error_code, "message": error.user_message}})
