"""What a GPU without enough memory does, told by an encoder that refuses as CTranslate2 does."""

from __future__ import annotations

import pytest

from tasks_app.pipeline.errors import GpuOutOfMemory
from tasks_app.pipeline.transcribe import Transcriber
from tasks_app.pipeline.vad import Span


@pytest.fixture
def transcriber(telephone, store):
    chunks = [Span(6 * 16_000, 11 * 16_000), Span(11 * 16_000, 18 * 16_000), Span(18 * 16_000, 24 * 16_000)]
    return Transcriber(telephone, chunks, store=store, model="tiny.en", language="en", translate=False), chunks


def refuse_more_than(count, transcriber, monkeypatch):
    model = transcriber._model
    encode = type(model).encode
    asked = []

    def limited(features):
        asked.append(len(features))
        if len(features) > count:
            raise RuntimeError("CUDA failed with error out of memory")
        return encode(model, features)

    monkeypatch.setattr(model, "encode", limited)
    return asked


def test_half_the_batch_is_tried(transcriber, monkeypatch):
    transcriber, chunks = transcriber
    asked = refuse_more_than(1, transcriber, monkeypatch)
    texts = transcriber._transcribe(chunks, word_times=True)
    assert asked[:3] == [3, 2, 1]
    assert [(text.start, text.end) for text in texts] == [(chunk.start, chunk.end) for chunk in chunks]
    assert "New Jersey" in texts[1].text
    assert all(text.words for text in texts)


def test_the_end_of_the_road_has_a_name(transcriber, monkeypatch):
    transcriber, chunks = transcriber
    refuse_more_than(0, transcriber, monkeypatch)
    with pytest.raises(GpuOutOfMemory):
        transcriber._transcribe(chunks, word_times=True)
