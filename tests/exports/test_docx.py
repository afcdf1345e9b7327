"""Word documents, read by python-docx and as the XML that they are."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from lxml import etree

from tasks_app.exports import FORMATS, Document, ExportOptions
from tasks_app.pipeline.transcript import Segment, Transcript
from tests.exports.test_exports_golden import CJK, HOSTILE, SPEAKERS, TRANSCRIPTS


def made(transcript: Transcript, **options: Any) -> bytes:
    return b"".join(FORMATS["docx"].export(Document.of(transcript, "Meeting <1>"), ExportOptions(**options)))


def paragraphs(transcript: Transcript, **options: Any) -> list[tuple[str, str]]:
    word = docx.Document(io.BytesIO(made(transcript, **options)))
    return [(paragraph.style.name, paragraph.text) for paragraph in word.paragraphs]


def test_speakers_are_headings() -> None:
    assert paragraphs(SPEAKERS) == [
        ("Title", "Meeting <1>"),
        ("Heading 1", "SPEAKER_00"),
        ("Normal", "Hello, Bob. We waited and then it came."),
        ("Heading 1", "SPEAKER_01"),
        ("Normal", "Really?"),
        ("Normal", "Somebody else spoke."),
    ]


def test_times_and_names_are_as_asked() -> None:
    assert paragraphs(SPEAKERS, speakers=False, times=True)[1:3] == [
        ("Normal", "0:00  Hello, Bob. We waited and then it came."),
        ("Normal", "0:11  Really?"),
    ]


def test_title_and_language_are_set() -> None:
    word = docx.Document(io.BytesIO(made(CJK)))
    assert (word.core_properties.title, word.core_properties.language) == ("Meeting <1>", "ja")
    language = word.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    assert (language.get(qn("w:val")), language.get(qn("w:eastAsia"))) == ("ja", "ja")


def test_arabic_runs_from_right_to_left() -> None:
    word = docx.Document(io.BytesIO(made(Transcript("ar", 2.0, [Segment(0, 2, "مرحبا")]))))
    assert word.paragraphs[-1]._p.pPr.find(qn("w:bidi")) is not None


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_every_part_is_xml_that_can_be_read(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(made(TRANSCRIPTS[name]))) as archive:
        assert archive.testzip() is None
        for part in archive.namelist():
            if part.endswith((".xml", ".rels")):
                etree.fromstring(archive.read(part))


def test_hostile_texts_are_shown_as_they_are() -> None:
    assert ("Normal", "<script>alert('x & y')</script> --> end") in paragraphs(HOSTILE)
