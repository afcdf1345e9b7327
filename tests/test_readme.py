"""The README says of every setting what the code says."""

import re
import tomllib

from tasks_app import VERSION
from tests.conftest import REPOSITORY
from transcribe_site import env


def test_the_settings_table_is_complete_and_true() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    rows = re.findall(r"^\| `([A-Z_]+)`( \*)? \| (.*?) \| (.*?) \|$", readme, re.MULTILINE)
    shown = {name: (default.strip("`"), meaning) for name, _, default, meaning in rows}
    # VAR_DIR and the database are the tests' own here, but are shown by what they are for everybody.
    assert shown == {setting.name: (setting.default, setting.meaning) for setting in env.SETTINGS.values()}
    # A star stands at those that may be changed while the service runs.
    assert {name for name, star, *_ in rows if star} == env.CHANGEABLE.keys()


def test_the_program_says_its_version() -> None:
    assert tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"] == VERSION
