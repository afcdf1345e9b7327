"""Transcripts as files: pure functions from a `Document` to pieces of a file, one module per format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tasks_app.exports import csv_, docx_, json_, md, srt, tsv, txt, vtt
from tasks_app.exports.document import Document
from tasks_app.exports.options import CAPTIONS, ExportOptions

__all__ = ["FORMATS", "Document", "ExportOptions", "Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: `name`, which is its extension, `label` for people, `media_type` for HTTP. `options`: the names of
    those that it heeds. `words` and `scores`: whether it needs the words and the decoder's scores of segments.
    """

    name: str
    label: str
    media_type: str
    _export: Callable[[Document, ExportOptions], Iterator[str] | Iterator[bytes]]
    options: frozenset[str]
    words: bool = False
    scores: bool = False

    def export(self, document: Document, options: ExportOptions | None = None) -> Iterator[bytes]:
        """The file in pieces, text in UTF-8; segments are read as the pieces are."""
        for piece in self._export(document, options or ExportOptions()):
            yield piece.encode() if isinstance(piece, str) else piece

    @property
    def is_text(self) -> bool:
        return self.media_type.endswith(("charset=utf-8", "json"))


_TEXT = frozenset({"speakers", "times", "original"})
_TABLE = frozenset({"speakers", "original"})

FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format(
            "docx",
            "Word",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            docx_.export,
            _TEXT,
        ),
        Format("txt", "Text", "text/plain; charset=utf-8", txt.export, _TEXT),
        Format("md", "Markdown", "text/markdown; charset=utf-8", md.export, _TEXT),
        Format("srt", "SubRip", "application/x-subrip; charset=utf-8", srt.export, CAPTIONS, words=True),
        Format("vtt", "WebVTT", "text/vtt; charset=utf-8", vtt.export, CAPTIONS | {"word_marks"}, words=True),
        Format("csv", "Spreadsheet", "text/csv; charset=utf-8", csv_.export, _TABLE),
        Format("tsv", "Tab-separated", "text/tab-separated-values; charset=utf-8", tsv.export, _TABLE),
        Format("json", "JSON", "application/json", json_.export, frozenset({"original"}), words=True, scores=True),
    )
}
