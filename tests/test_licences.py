"""`docs/licences.md` names every requirement, with the licence that its package states."""

from __future__ import annotations

import re
from importlib import metadata

from tasks_app.pipeline.weights.catalogue import BUNDLED
from tests.conftest import REPOSITORY

DOCUMENT = (REPOSITORY / "docs/licences.md").read_text()


def _required() -> set[str]:
    texts = [
        (REPOSITORY / name).read_text() for name in ("requirements.txt", "requirements-dev.txt", "requirements-uv.txt")
    ]
    return {name for text in texts for name in re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)}


def _shown() -> dict[str, str]:
    """Package to licence, from the tables of packages: whose rows begin with its name."""
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.*?) \|", DOCUMENT, re.MULTILINE))


def _stated(package: metadata.PackageMetadata) -> str:
    """The licence as the package's metadata say it: the expression, the field if it is one line, the classifiers."""
    field = (package.get("License") or "").strip()
    if "\n" in field or field == "UNKNOWN":
        field = ""
    classifiers = [line for line in package.get_all("Classifier") or [] if line.startswith("License :: ")]
    named = ", ".join(line.rsplit(" :: ", 1)[1] for line in classifiers)
    return package.get("License-Expression") or field or named or "not stated"


def test_every_requirement_is_named_and_nothing_else() -> None:
    assert _shown().keys() == _required()


def test_licences_are_those_that_the_installed_packages_state() -> None:
    """What is for other platforms is not installed here; versions for other Pythons may say it in other words."""
    stated = {
        package.name.lower().replace("_", "-").replace(".", "-"): _stated(package.metadata)
        for package in metadata.distributions()
    }
    wrong = {
        name: stated[name]
        for name, shown in _shown().items()
        if name in stated and stated[name] not in shown.split("; ")
    }
    assert wrong == {}


def test_every_bundled_whisper_model_is_named() -> None:
    assert [name for name in BUNDLED if f"Whisper {name}" not in DOCUMENT] == []
