"""A transcript in OpenAI's shapes: pure functions.

Fields that OpenAI does not have (`speaker` on words and segments, `probability` on words) stand beside its own;
its clients keep what they do not know.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator
from typing import Any

from tasks_app.errors import InvalidOptions, TooMuch
from tasks_app.pipeline.errors import TranscriptionError, UnknownLanguage, UnknownModel
from tasks_app.pipeline.languages import LANGUAGES
from tasks_app.pipeline.text.words import UNSPACED
from tasks_app.pipeline.transcript import Segment, Transcript

SEEK_PER_SECOND = 100
"""Whisper counts places in a recording by frames of 10 ms."""
_PARAMS: dict[type[TranscriptionError], str] = {UnknownLanguage: "language", UnknownModel: "model"}
NO_LOGPROBS = (
    "The words of a part of this text could not be timed, so the probabilities of its tokens are not known. "
    "response_format=verbose_json has those of each segment (avg_logprob) where they are."
)


def text_of(segments: list[Segment]) -> str:
    return joined(segment.text for segment in segments)


def joined(texts: Iterator[str] | list[str]) -> str:
    """Texts in one line; with a space between unless the script has none."""
    whole = ""
    for text in texts:
        whole += gap(whole, text) + text.strip()
    return whole


def gap(before: str, text: str) -> str:
    text = text.strip()
    if not before or not text or (UNSPACED.match(before[-1]) and UNSPACED.match(text)):
        return ""
    return " "


def plain(transcript: Transcript, *, logprobs: bool) -> dict[str, Any]:
    """`response_format=json`."""
    answer = {
        "text": text_of(transcript.segments),
        "languages": [{"code": transcript.language}],
        "usage": usage(transcript),
    }
    return answer | _logprobs(transcript) if logprobs else answer


def _logprobs(transcript: Transcript) -> dict[str, Any]:
    """Those of every token, or none: a list with holes would be taken for the whole text."""
    by_segment = [segment.scores.logprobs if segment.scores else None for segment in transcript.segments]
    if None in by_segment:
        return {"logprobs": None, "logprobs_missing": NO_LOGPROBS}
    tokens = [(_bytes_of(token), logprob) for each in by_segment for token, logprob in each or ()]
    return {
        "logprobs": [
            {"token": text.decode(errors="replace"), "bytes": list(text), "logprob": logprob}
            for text, logprob in tokens
        ]
    }


def _bytes_of(token: str) -> bytes:
    """What a token of a byte-level vocabulary stands for (Radford et al. 2019): a letter is a byte."""
    return bytes(_BYTES[letter] for letter in token)


_PRINTABLE = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
_OTHERS = sorted({*range(0x100)} - {*_PRINTABLE})
_BYTES = {chr(byte): byte for byte in _PRINTABLE} | {chr(0x100 + place): byte for place, byte in enumerate(_OTHERS)}
"""Bytes that can be printed in Latin-1 are written as they are, the others by the letters from 256 on."""


def verbose(transcript: Transcript, granularities: Collection[str], *, translated: bool) -> dict[str, Any]:
    """`response_format=verbose_json`. The decoder's figures are null where they are not known."""
    answer: dict[str, Any] = {
        "task": "translate" if translated else "transcribe",
        "language": "english" if translated else LANGUAGES.get(transcript.language, transcript.language).lower(),
        "duration": transcript.duration,
        "text": text_of(transcript.segments),
        "usage": usage(transcript),
    }
    if "segment" in granularities:
        answer["segments"] = [_segment(number, segment) for number, segment in enumerate(transcript.segments)]
    if "word" in granularities:
        answer["words"] = [
            {"word": word.text, "start": word.start, "end": word.end, "probability": word.score}
            | ({"speaker": word.speaker} if word.speaker else {})
            for segment in transcript.segments
            for word in segment.words
        ]
    return answer


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    scores = segment.scores
    answer = {
        "id": number,
        "seek": int(segment.start * SEEK_PER_SECOND),
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": scores.tokens if scores else [],
        "temperature": scores.temperature if scores else None,
        "avg_logprob": scores.avg_logprob if scores else None,
        "compression_ratio": scores.compression_ratio if scores else None,
        "no_speech_prob": scores.no_speech_prob if scores else None,
    }
    return answer | {"speaker": segment.speaker} if segment.speaker else answer


def diarized(transcript: Transcript, known: Collection[str] = ()) -> dict[str, Any]:
    """`response_format=diarized_json`; `known`: names of speakers whose voices were sent."""
    return {
        "task": "transcribe",
        "duration": transcript.duration,
        "text": text_of(transcript.segments),
        "segments": diarized_segments(transcript, known),
        "usage": usage(transcript),
    }


def diarized_segments(transcript: Transcript, known: Collection[str]) -> list[dict[str, Any]]:
    """Speakers have their name if that is `known`. Others are A, B and so on, in the order in which they first speak; A
    where nobody is told apart.
    """
    others = [speaker for speaker in transcript.speakers if speaker not in known]
    shown = {name: name for name in known} | {speaker: _letters(place) for place, speaker in enumerate(others)}
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": segment.start,
            "end": segment.end,
            "text": segment.text,
            "speaker": shown.get(segment.speaker or "", "A"),
        }
        for number, segment in enumerate(transcript.segments)
    ]


def usage(transcript: Transcript) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(transcript.duration)}


def delta_event(text: str) -> dict[str, Any]:
    return {"type": "transcript.text.delta", "delta": text}


def last_events(
    transcript: Transcript, sent: str, known: Collection[str] | None, *, logprobs: bool
) -> Iterator[dict[str, Any]]:
    """What follows at the end on the deltas, which made the text `sent`; with segments of speakers, of whom some may be
    `known`, unless that is None.
    """
    text = text_of(transcript.segments)
    if rest := unsent(text, sent):
        yield delta_event(rest)
    if known is not None:
        yield from diarized_segments(transcript, known)
    done = {
        "type": "transcript.text.done",
        "text": text,
        "languages": [{"code": transcript.language}],
        "usage": usage(transcript),
    }
    yield done | _logprobs(transcript) if logprobs else done


def unsent(text: str, sent: str) -> str:
    """What of `text` comes behind `sent`, white space aside; nothing if it does not begin so."""
    place = 0
    for letter in "".join(sent.split()):
        while place < len(text) and text[place].isspace():
            place += 1
        if place == len(text) or text[place] != letter:
            return ""
        place += 1
    return text[place:]


def error_body(error: TranscriptionError) -> dict[str, Any]:
    """`param` names the field that is wrong, where one is."""
    at_fault = "invalid_request_error" if error.http_status < 500 else "server_error"
    if isinstance(error, TooMuch):
        at_fault = "rate_limit_error"
    named = error.technical_detail if isinstance(error, InvalidOptions) else _PARAMS.get(type(error), "")
    param = named if named.isidentifier() else None
    return {"error": {"message": error.user_message, "type": at_fault, "param": param, "code": error.error_code}}


def model(name: str, *, served_by: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "transcribe", "served_by": served_by}


def encoded(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def event(data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"data: " + encoded(data) + b"\n\n"


def _letters(place: int) -> str:
    """A to Z, then AA."""
    letters = ""
    while place >= 0:
        place, letter = divmod(place, 26)
        letters = chr(ord("A") + letter) + letters
        place -= 1
    return letters
