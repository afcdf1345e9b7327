"""Only `tasks_app.media` accesses stored files, which allows other storage than the local disk."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

MEDIA = REPOSITORY / "tasks_app" / "media"
MODULES = [path for path in (REPOSITORY / "tasks_app").rglob("*.py") if MEDIA not in path.parents]
OF_A_FILE = {"chunks", "close", "delete", "file", "open", "path", "read", "save", "seek", "size", "storage", "url"}
"""What a model's file offers, besides its name."""
STORAGES = {"MEDIA_ROOT", "default_storage", "storages"}


def accesses(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Attribute(attr="media") | ast.Name(id="media"), attr=name):
                if name in OF_A_FILE:
                    yield f"{node.lineno}: media.{name}"
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name) if name in STORAGES:
                yield f"{node.lineno}: {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_other_module_reaches_stored_files(module: Path) -> None:
    assert list(accesses(module.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "task.media.path",
        "self.task.media.storage.exists(name)",
        "media = task.media\nmedia.open()",
        "os.fwalk(settings.MEDIA_ROOT)",
        "from django.conf.settings import MEDIA_ROOT as root",
        "from django.core.files.storage import default_storage",
    ],
)
def test_an_access_is_found(source: str) -> None:
    assert list(accesses(source))


def test_using_only_the_name_is_allowed() -> None:
    assert not list(accesses("rows.filter(media=task.media.name)"))
