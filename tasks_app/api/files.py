"""A transcript as a file, for the answers to programs, and for downloads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePath

from django.http import HttpRequest, HttpResponseBase
from django.utils.http import content_disposition_header

from tasks_app.api.streaming import streamed
from tasks_app.errors import NotFound, NotReady
from tasks_app.exports import FORMATS, Document, ExportOptions, Format
from tasks_app.exports.archive import archive
from tasks_app.intake.names import display_name
from tasks_app.models import Task
from tasks_app.pipeline.transcript import Transcript
from tasks_app.transcripts.rows import read_in_pieces

PLAIN = "text/plain; charset=utf-8"
BEGINNINGS = {"txt": (b"", b"\n"), "srt": (b"", b"\n"), "vtt": (b"WEBVTT", b" "), "tsv": (b"start", b"")}
"""How a file begins, and what may follow on that any number of times, to keep a connection while the rest is made."""


def as_file(transcript: Transcript, name: str) -> bytes:
    """The file behind its beginning; `name`: one of BEGINNINGS."""
    return b"".join(FORMATS[name].export(Document.of(transcript))).removeprefix(BEGINNINGS[name][0])


def transcript_as_file(
    request: HttpRequest, task: Task, file_format: Format, options: ExportOptions
) -> HttpResponseBase:
    """The transcript as a download. Raises NotReady if there is none yet."""
    document = _document(task, file_format, options)
    name = _file_name(task.name, file_format.name)
    return streamed(
        request,
        file_format.export(document, options),
        file_format.media_type,
        {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)},
    )


def transcripts_as_archive(
    request: HttpRequest, tasks: Iterable[Task], file_format: Format, name: str
) -> HttpResponseBase:
    """The transcripts of many tasks as one download, a ZIP archive that is called `name`. Those that have no text are
    left out, and listed in it.
    """
    return streamed(
        request,
        archive(_files(tasks, file_format)),
        "application/zip",
        {"Content-Disposition": content_disposition_header(as_attachment=True, filename=name)},
    )


def _files(tasks: Iterable[Task], file_format: Format) -> Iterator[tuple[str, Iterable[bytes]]]:
    names: Counter[str] = Counter()
    without = []
    for task in tasks:
        try:
            document = _document(task, file_format, ExportOptions())
        except NotReady:
            without.append(task.name)
            continue
        name = _file_name(task.name, file_format.name)
        names[name.lower()] += 1  # as file systems that do not tell capitals apart see it
        if (count := names[name.lower()]) > 1:
            name = f"{count}/{name}"
        yield name, file_format.export(document, ExportOptions())
    if without:
        yield "without text.txt", (f"{name}\n".encode() for name in without)


def _document(task: Task, file_format: Format, options: ExportOptions) -> Document:
    """Raises NotReady if there is none yet."""
    head, segments = read_in_pieces(task, words=file_format.words, scores=file_format.scores, original=options.original)
    return Document(PurePath(display_name(task.name)).stem, head, segments)


def format_of(name: str) -> Format:
    """Raises NotFound if there is none."""
    if name not in FORMATS:
        raise NotFound
    return FORMATS[name]


def _file_name(recording: str, extension: str) -> str:
    """The recording's name with another extension, without characters that some file systems or shells reject."""
    stem = PurePath(display_name(recording)).stem
    plain = "".join("_" if character in '<>:"/\\|?*' else character for character in stem).strip(". ")
    return f"{plain[:100] or 'transcript'}.{extension}"
