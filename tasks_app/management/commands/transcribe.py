"""`manage.py transcribe FILE…`: the pipeline without server, database or broker."""

import argparse
import errno
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tasks_app.actions.take_in import check_options
from tasks_app.errors import InternalError, InvalidOptions
from tasks_app.exports import FORMATS, Document, ExportOptions, Format
from tasks_app.exports.options import LIMITS
from tasks_app.options import TranscriptionOptions, hints_of
from tasks_app.pipeline import runner
from tasks_app.pipeline.audio import probing
from tasks_app.pipeline.errors import NoSoundTrack, NotAudio, PlaylistFile, TranscriptionError
from tasks_app.pipeline.observer import Observer
from tasks_app.pipeline.plain import known_fields
from tasks_app.pipeline.speakers.channels import AUTO, CHOICES
from tasks_app.pipeline_setup import model_store
from tasks_app.progress.stages import STAGE_PERCENTAGES

logger = logging.getLogger(__name__)

NO_RECORDING = (NotAudio, NoSoundTrack, PlaylistFile)
"""Errors of files in a folder of recordings that are not recordings."""

TRANSCRIPTS = tuple(f".{name}" for name in FORMATS)

WRONG_CALL = 2  # exit status, as argparse uses it


@dataclass(frozen=True)
class Wanted:
    """What is asked of the pipeline, and how its result is written."""

    asked: TranscriptionOptions
    format: Format
    written: ExportOptions


@dataclass(frozen=True)
class Source:
    """A recording to transcribe; `folder` is the one it was found in, None if the file itself was named."""

    path: Path
    folder: Path | None = None


def sources(paths: list[Path]) -> tuple[list[Source], list[OSError]]:
    """The recordings that `paths` name, those in folders in the order of their names, each once; and what could not
    be looked into.

    Within folders, hidden files and files with a transcript's extension are skipped; links to folders are not followed.
    """
    unreadable: list[OSError] = []

    def walk(folder: Path) -> Iterator[Source]:
        for place, folders, files in os.walk(folder, onerror=unreadable.append):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                if not name.startswith(".") and not name.lower().endswith(TRANSCRIPTS):
                    yield Source(Path(place, name), folder)

    found: dict[Path, Source] = {}
    for path in paths:
        for source in walk(path) if path.is_dir() else [Source(path)]:
            found.setdefault(source.path.resolve(), source)
    return list(found.values()), unreadable


def targets(recordings: list[Source], folder: Path | None, extension: str) -> list[Path]:
    """Where the transcript of each recording goes: beside it, or in `folder` as it lies in the folder it was found in.

    `talk.mp3` becomes `talk.txt`; `talk.mp3.txt` where that could be another's; and where even that could, it goes to
    its place below the recordings' common folder. No two are the same, and none is a recording.
    """
    paths = [source.path.resolve() for source in recordings]
    shared = os.path.commonpath([path.parent for path in paths]) if paths else ""
    choices = []
    for source, path in zip(recordings, paths, strict=True):
        if folder is None:
            bases = [source.path]
        else:
            within = source.path.relative_to(source.folder) if source.folder else Path(source.path.name)
            bases = [folder / within, folder / path.relative_to(shared)]
        longer = [base.with_name(base.name + extension) for base in bases]
        choices.append([bases[0].with_name(bases[0].stem + extension), *longer])

    def place(path: Path) -> str:
        return str(path.resolve()).casefold()  # some file systems do not tell upper from lower case

    taken = Counter(place(path) for path in paths)
    taken.update(name for choice in choices for name in {place(target) for target in choice})
    return [next((target for target in choice if taken[place(target)] == 1), choice[-1]) for choice in choices]


def check_writable(target: Path) -> None:
    """Raise PermissionError if `target` cannot be written, before time is spent on transcribing."""
    place = next(
        path for path in (target.absolute(), *target.absolute().parents) if path.exists() and not path.is_file()
    )
    if not os.access(place, os.W_OK):
        raise PermissionError(errno.EACCES, f"Cannot write to {place}")


def write_whole(target: Path, pieces: Iterable[bytes]) -> None:
    """Write a file atomically, creating its folder if necessary."""
    if target.exists() and not target.is_file():  # a pipe or a device: write to it, do not replace it
        with target.open("wb") as file:
            file.writelines(pieces)
        return
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".transcribe-{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.writelines(pieces)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def described(error: Exception) -> str:
    """An error in one line."""
    if isinstance(error, TranscriptionError):
        return f"{error.user_message} ({error.error_code})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{InternalError.user_message} ({InternalError.error_code}: {type(error).__name__}: {error})"


def _export_options(file_format: Format, given: dict[str, Any]) -> ExportOptions:
    """The options that the command was given.

    Raises:
        InvalidOptions: one is out of bounds, or the format has no such thing.
    """
    options = ExportOptions(**known_fields(ExportOptions, given))
    useless = [name for name in options.changed() if name not in file_format.options]
    if useless:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in useless)
        raise InvalidOptions(user_message=f"{flags}: {file_format.name} has no such thing.")
    return options


class Bar(Observer):
    """A progress bar on a terminal: stage, percentage, time left, and `name`."""

    def __init__(self, name: str = "") -> None:
        self._name = name
        self._bar = tqdm(total=100, bar_format="{desc:<24}{percentage:3.0f}% |{bar}| {postfix}", leave=False)

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        shown, start, end = STAGE_PERCENTAGES[stage]
        self._bar.n = max(self._bar.n, int(start + (end - start) * fraction))
        self._bar.set_description(str(shown.label), refresh=False)
        left = "" if eta_seconds is None else f"about {tqdm.format_interval(round(eta_seconds))} left"
        self._bar.set_postfix_str("; ".join(filter(None, [left, self._name])))

    def close(self) -> None:
        self._bar.close()


class Command(BaseCommand):
    _called_from_command_line: bool  # Django's own, which its stubs leave out

    help = (
        "Transcribe recordings right away, without server, database or broker. The transcript of one file goes to "
        "the terminal. Those of several files, and of the recordings in folders, are written beside them (talk.txt for "
        "talk.mp3; talk.mp3.txt if there is a talk.wav as well) or into the folder given with -o; their paths are "
        "printed. Existing transcripts are kept. Hidden files, transcripts and files that are not recordings are "
        "skipped in folders. A recording that fails does not stop the others; the exit status is then 1."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "paths",
            nargs="+",
            type=Path,
            metavar="FILE",
            help="recording (audio, or video with sound), or folder of recordings",
        )
        parser.add_argument("--format", choices=list(FORMATS), default="txt", help="what to write (%(default)s)")
        self._add_export_options(parser)
        parser.add_argument("--model", default=settings.DEFAULT_MODEL, help="Whisper model (%(default)s)")
        parser.add_argument("--language", help="code of the language spoken, or several (detected if not given)")
        parser.add_argument("--translate", action="store_true", help="translate to English")
        parser.add_argument(
            "--diarize", action=argparse.BooleanOptionalAction, default=True, help="tell speakers apart"
        )
        parser.add_argument(
            "--track", type=int, metavar="N", help="sound track, from 1 (the usual one, or the first with speech)"
        )
        parser.add_argument(
            "--channels",
            choices=CHOICES,
            default=AUTO,
            help="split: transcribe each channel separately, as one speaker; mix: all together; auto: split if there "
            "is one person on each (%(default)s)",
        )
        parser.add_argument(
            "--hints", default="", metavar="NAMES", help="names and terms that occur, separated by commas"
        )
        parser.add_argument("--min-speakers", type=int, metavar="N")
        parser.add_argument("--max-speakers", type=int, metavar="N")
        parser.add_argument(
            "-o",
            "--output",
            metavar="FILE",
            help="write to this file; with several recordings, to this folder, which is created if necessary",
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="also transcribe recordings that have a transcript, and replace it"
        )

    def _add_export_options(self, parser: CommandParser) -> None:
        usual = ExportOptions()

        def add(name: str, help: str) -> None:
            value = getattr(usual, name)
            flag = "--" + name.replace("_", "-")
            if isinstance(value, bool):
                parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=value, help=help)
            else:
                least, most = LIMITS[name]
                parser.add_argument(
                    flag, type=int, default=value, metavar="N", help=f"{help}, {least} to {most} (%(default)s)"
                )

        add("speakers", "write the names of speakers")
        add("times", "write the times of paragraphs, in docx, txt and md")
        add("line_length", "of captions: characters a line")
        add("lines", "of captions: lines at once")
        add("reading_speed", "of captions: characters a second")
        add("close_gaps", "of captions: stay through short pauses")
        add("word_marks", "in vtt: mark when each word begins")

    def handle(self, *, paths: list[Path], format: str, output: str | None, overwrite: bool, **options: Any) -> None:
        try:
            wanted = TranscriptionOptions(
                model=options["model"],
                language=options["language"],
                translate=options["translate"],
                diarize=options["diarize"],
                min_speakers=options["min_speakers"],
                max_speakers=options["max_speakers"],
                track=options["track"],
                channels=options["channels"],
                hints=hints_of(options["hints"]),
            )
            how = Wanted(check_options(wanted), FORMATS[format], _export_options(FORMATS[format], options))
        except TranscriptionError as error:
            raise CommandError(described(error), returncode=WRONG_CALL) from None
        several = len(paths) > 1 or paths[0].is_dir()
        to = Path(output) if output else None
        if self._called_from_command_line and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            # Ctrl-C ends the process at once; Python's own handler would wait for the model's native code to return.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        if several or (to and (to.is_dir() or str(output).endswith(os.sep))):
            self._transcribe_each(paths, to, overwrite, how)
        else:
            self._transcribe_one(paths[0], to, how)

    def _transcribe_one(self, path: Path, target: Path | None, how: Wanted) -> None:
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        if target and not target.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {target.absolute().parent}.", returncode=WRONG_CALL)
        if target and target.exists() and target.samefile(path):
            raise CommandError(f"{target} is the recording itself.", returncode=WRONG_CALL)
        if not target and not how.format.is_text:
            raise CommandError(f"{how.format.name} is not for a terminal; name a file with -o.", returncode=WRONG_CALL)
        try:
            self._transcribe(path, target, how)
        except (TranscriptionError, OSError) as error:
            raise CommandError(described(error)) from None

    def _transcribe_each(self, paths: list[Path], folder: Path | None, overwrite: bool, how: Wanted) -> None:
        if folder and folder.exists() and not folder.is_dir():
            raise CommandError(f"{folder} is a file; several transcripts need a folder.", returncode=WRONG_CALL)
        found, unreadable = sources(paths)
        if not found and not unreadable:
            self.stderr.write(f"No recordings in {', '.join(map(str, paths))}.", self.style.NOTICE)
        recordings = list(self._without_strays(found))
        failed = []
        for error in unreadable:
            self.stderr.write(f"{error.filename}: {described(error)}")
            failed.append(error.filename)
        places = targets(recordings, folder, f".{how.format.name}")
        for number, (source, target) in enumerate(zip(recordings, places, strict=True), 1):
            path = source.path
            if target.exists() and not overwrite:
                self.stderr.write(f"{path}: {target} is kept (--overwrite replaces it).", self.style.NOTICE)
                continue
            try:
                self._transcribe(path, target, how, f"{path}: ", f"{path.name}, {number} of {len(places)}")
            except Exception as error:
                if source.folder and isinstance(error, NO_RECORDING):
                    self._leave_out(path, error)
                    continue
                if not isinstance(error, TranscriptionError | OSError):
                    logger.exception("%s failed", path)
                self.stderr.write(f"{path}: {described(error)}")
                failed.append(str(path))
            else:
                self.stdout.write(str(target))
                self.stdout.flush()
        if failed:
            raise CommandError(f"{len(failed)} of {len(found) + len(unreadable)} failed: {', '.join(failed)}")

    def _without_strays(self, found: list[Source]) -> Iterator[Source]:
        """`found` without files that are not recordings and whose name differs from another's only in its extension:
        the slides of a talk must not change the name of its transcript. Others are checked in their turn.
        """
        names = Counter(source.path.with_suffix("") for source in found)
        for source in found:
            if source.folder and names[source.path.with_suffix("")] > 1:
                try:
                    probing.probe(source.path.resolve(), _limits())
                except NO_RECORDING as error:
                    self._leave_out(source.path, error)
                    continue
                except (TranscriptionError, OSError):
                    pass  # reported when it is its turn
            yield source

    def _leave_out(self, path: Path, error: TranscriptionError) -> None:
        self.stderr.write(f"{path}: skipped, not a recording ({error.error_code}).", self.style.NOTICE)

    def _transcribe(self, path: Path, target: Path | None, how: Wanted, prefix: str = "", name: str = "") -> None:
        """Write the transcript to `target`, or to the terminal. Messages begin with `prefix`, the bar shows `name`."""
        if target:
            check_writable(target)
        bar = Bar(name) if sys.stderr.isatty() else None
        try:
            # A link named on the command line is followed; the pipeline itself refuses links.
            transcript = runner.run(
                path.resolve(), store=model_store(), observer=bar, limits=_limits(), **how.asked.to_dict()
            )
        finally:
            if bar:
                bar.close()
        for warning in transcript.warnings:
            detail = ": ".join(filter(None, [warning.error_code, warning.technical_detail]))
            self.stderr.write(f"{prefix}{warning.user_message} ({detail})", self.style.WARNING)
        if not transcript.segments:
            self.stderr.write(f"{prefix}No speech was found.", self.style.WARNING)
        pieces = how.format.export(Document.of(transcript, path.stem), how.written)
        if target:
            write_whole(target, pieces)
        else:
            self.stdout.write(b"".join(pieces).decode(), ending="")


def _limits() -> probing.Limits:
    """The environment's: this works without a database, where others may be kept."""
    return probing.Limits(settings.MAX_DURATION_MINUTES * 60, settings.MAX_DECODE_SECONDS)
