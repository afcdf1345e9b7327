"""A bench on new, empty databases, each with a broker of its own."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


def on_each(
    databases: str, bench: Callable[..., Iterator[Any]], *arguments: Any, **environment: str
) -> Iterator[tuple[str, Iterator[Any]]]:
    """For "sqlite", "postgresql" or "both": the name of each, and what `bench(*arguments)` yields there, in a process
    of its own with Django set up and all migrations applied. `bench` stands at the top of its module."""
    for name in ("sqlite", "postgresql") if databases == "both" else (databases,):
        with tempfile.TemporaryDirectory() as var:
            os.environ.update(environment, VAR_DIR=var)
            if name == "postgresql":
                from tests import postgresql

                os.environ["DATABASE_URL"] = postgresql.start()
            broker = subprocess.Popen([sys.executable, "manage.py", "broker"], cwd=Path(__file__).parent.parent)
            context = multiprocessing.get_context("spawn")
            results = context.Queue()
            process = context.Process(target=_put, args=(results, bench, arguments))
            process.start()
            try:
                yield name, iter(results.get, None)
            finally:
                process.join()
                broker.terminate()
                broker.wait()
                os.environ.pop("DATABASE_URL", None)


def _put(results: Any, bench: Callable[..., Iterator[Any]], arguments: tuple[Any, ...]) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "transcribe_site.settings"
    try:
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        for found in bench(*arguments):
            results.put(found)
    finally:  # also where it failed: somebody waits for the end
        results.put(None)
