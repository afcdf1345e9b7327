"""Word documents (Office Open XML, ISO/IEC 29500).

python-docx makes the document with its styles, settings and properties; the paragraphs are then written into it as they
come, for a tree of ten hours of speech would take hundreds of megabytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from xml.sax.saxutils import escape  # which parses nothing

from tasks_app.exports.archive import Sink
from tasks_app.exports.clean import one_line
from tasks_app.exports.document import Document
from tasks_app.exports.options import ExportOptions
from tasks_app.exports.paragraphs import Paragraph, paragraphs
from tasks_app.wording import clock

_BODY = "word/document.xml"
_PLACE = "The paragraphs stand here"
_TIME_STYLE = "Time"
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ps", "sd", "ur", "yi"})


def export(document: Document, options: ExportOptions) -> Iterator[bytes]:
    """The title, and paragraphs; where another speaker begins, the name as a heading. With `times`, paragraphs begin
    with theirs. The language of the text is set, for spelling and for screen readers.
    """
    rtl = document.head.language in _RIGHT_TO_LEFT
    template = zipfile.ZipFile(io.BytesIO(_template(one_line(document.title), document.head.language, rtl)))
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in template.namelist():
            if name != _BODY:
                archive.writestr(name, template.read(name))
        before, after = template.read(_BODY).decode().split(f"<w:p><w:r><w:t>{_PLACE}</w:t></w:r></w:p>")
        with archive.open(_BODY, "w") as body:
            body.write(before.encode())
            for paragraph in paragraphs(document):
                body.write(_written(paragraph, options, rtl).encode())
                yield sink.taken()
            body.write(after.encode())
    yield sink.taken()


def _written(paragraph: Paragraph, options: ExportOptions, rtl: bool) -> str:
    heading = ""
    if options.speakers and paragraph.turn and paragraph.speaker:
        heading = _paragraph(_run(paragraph.speaker, rtl), rtl, style="Heading1")
    time = f"{clock(max(paragraph.start, 0))}  " if options.times else ""
    return heading + _paragraph((time and _run(time, rtl, style=_TIME_STYLE)) + _run(paragraph.text, rtl), rtl)


def _paragraph(runs: str, rtl: bool, style: str = "") -> str:
    properties = f'<w:pStyle w:val="{style}"/>' * bool(style) + "<w:bidi/>" * rtl
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def _run(text: str, rtl: bool, style: str = "") -> str:
    properties = f'<w:rStyle w:val="{style}"/>' * bool(style) + "<w:rtl/>" * rtl
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _template(title: str, language: str, rtl: bool) -> bytes:
    """A document with a title, and one paragraph in the place of all others."""
    import docx
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Mm, RGBColor

    word = docx.Document()
    properties = word.core_properties
    properties.title, properties.language = title[:255], language
    properties.author = properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None)
    (section,) = word.sections
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    tongue = word.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    for attribute in ("w:val", "w:eastAsia", *["w:bidi"] * rtl):
        tongue.set(qn(attribute), language)
    time = word.styles.add_style(_TIME_STYLE, WD_STYLE_TYPE.CHARACTER)
    time.font.color.rgb = RGBColor(0x59, 0x59, 0x59)
    if title:
        word.add_heading(title, level=0)
    word.add_paragraph(_PLACE)
    made = io.BytesIO()
    word.save(made)
    return made.getvalue()
