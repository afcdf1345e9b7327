"""The page of a task names all modules that its script imports, so that none waits for another one to be read."""

import re
from pathlib import Path

from django.template.loader import render_to_string

import tasks_app

STATIC = Path(tasks_app.__file__).parent / "static/tasks_app"


def imported_by(module: str, known: set[str]) -> set[str]:
    for other in re.findall(r'from "\./([^"]+)"', (STATIC / module).read_text()):
        if other not in known:
            known |= {other} | imported_by(other, known | {other})
    return known


def test_all_that_is_imported_is_named_and_nothing_else() -> None:
    named = re.findall(r'rel="modulepreload" href="[^"]*/([^/"]+)"', render_to_string("tasks_app/_task_modules.html"))
    assert sorted(named) == sorted(imported_by("task.js", set()))
