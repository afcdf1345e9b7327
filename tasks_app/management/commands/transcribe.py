"""`manage.py transcribe FILE`: the pipeline without server, database or broker."""

import argparse
import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tasks_app.engine import limits, model_store, offered_models
from tasks_app.exports import FORMATS
from tasks_app.options import TranscriptionOptions
from tasks_app.pipeline import runner
from tasks_app.pipeline.errors import TranscriptionError
from tasks_app.pipeline.observer import Observer
from tasks_app.progress import STAGE_PERCENTAGES


class Bar(Observer):
    """A progress bar on a terminal: stage, percentage, time left."""

    def __init__(self) -> None:
        self._bar = tqdm(total=100, bar_format="{desc:<24}{percentage:3.0f}% |{bar}| {postfix}", leave=False)

    def progress(self, stage: str, fraction: float, *, eta_seconds: float | None = None, message: str = "") -> None:
        told, start, end = STAGE_PERCENTAGES[stage]
        self._bar.n = max(self._bar.n, int(start + (end - start) * fraction))
        self._bar.set_description(str(told.label), refresh=False)
        left = "" if eta_seconds is None else f"about {tqdm.format_interval(round(eta_seconds))} left"
        self._bar.set_postfix_str(left)

    def close(self) -> None:
        self._bar.close()


class Command(BaseCommand):
    help = "Transcribe one recording here and now, without server, database or broker."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="recording: audio, or video with sound")
        parser.add_argument("--format", choices=list(FORMATS), default="txt", help="what to write (%(default)s)")
        parser.add_argument("--model", default=settings.DEFAULT_MODEL, help="Whisper model (%(default)s)")
        parser.add_argument("--language", help="code of the language spoken, or several (detected if not given)")
        parser.add_argument("--translate", action="store_true", help="translate to English")
        parser.add_argument(
            "--diarize", action=argparse.BooleanOptionalAction, default=True, help="tell speakers apart"
        )
        parser.add_argument("--min-speakers", type=int, metavar="N")
        parser.add_argument("--max-speakers", type=int, metavar="N")
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write here instead of to the terminal")

    def handle(self, *, file: Path, format: str, output: Path | None, **options: object) -> None:
        if not file.is_file():
            raise CommandError(f"There is no file {file}.")
        if output and not output.absolute().parent.is_dir():
            raise CommandError(f"There is no folder {output.absolute().parent}.")
        bar = Bar() if sys.stderr.isatty() else None
        try:
            asked = TranscriptionOptions(
                model=options["model"],
                language=options["language"],
                translate=options["translate"],
                diarize=options["diarize"],
                min_speakers=options["min_speakers"],
                max_speakers=options["max_speakers"],
            ).check([model.name for model in offered_models()])
            transcript = runner.run(file, store=model_store(), observer=bar, limits=limits(), **asked.to_dict())
        except TranscriptionError as error:
            raise CommandError(f"{error.user_message} ({error.error_code})") from None
        finally:
            if bar:
                bar.close()
        for warning in transcript.warnings:
            self.stderr.write(f"{warning.user_message} ({warning.error_code}: {warning.technical_detail})")
        text = FORMATS[format].export(transcript)
        if output:
            output.write_text(text, encoding="utf-8", newline="")
        else:
            self.stdout.write(text, ending="")
