"""The whole service, as `make run` starts it, and a real browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import AbstractUser
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


Look = Callable[[Page], list[str]]

expect.set_options(timeout=30_000)  # milliseconds; a busy machine must not fail tests


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="left out: there is no chromium on this machine"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Service:
    """`manage.py up` in a process of its own, with its own empty state."""

    var: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        of_the_tests = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL"}
        environment = {name: value for name, value in os.environ.items() if name not in of_the_tests}
        environment |= {"VAR_DIR": str(self.var), "PORT": str(self.port), "LOG_LEVEL": "DEBUG"} | self.settings
        self._ready, self._worker_ready = threading.Event(), threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-u", "manage.py", "up"],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._ready.wait(120), "".join(self.lines)

    def wait_for_worker(self) -> None:
        assert self._worker_ready.wait(180), "".join(self.lines)

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line)
            if "Ready" in line:
                self._ready.set()
            if "The worker is ready" in line:
                self._worker_ready.set()

    def stop(self) -> int:
        """Ctrl-C; the exit status."""
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(30)
        self._reader.join(5)
        return status

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def setup_link(self) -> str:
        return re.search(r"http://\S+/setup/\?code=\S+", self.output)[0]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    var = tempfile.mkdtemp(prefix="transcribe-e2e-")
    service = Service(Path(var))
    service.start()
    yield service
    if service.process.poll() is None:
        service.stop()
    shutil.rmtree(var, ignore_errors=True)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Not for the whole session: while Playwright's loop runs in this thread, Django refuses to use the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def database_beside_the_browser() -> Iterator[None]:
    """Playwright's loop runs in this thread; Django would take that for asynchronous code of ours."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


def log_in(context: BrowserContext, user: AbstractUser) -> None:
    client = Client()
    client.force_login(user)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "domain": "127.0.0.1", "path": "/"}])


@pytest.fixture
def somebodys(chromium: Browser, daphne: int) -> Iterator[Callable[..., BrowserContext]]:
    """A browser in which somebody is logged in, on the tests' database: `somebodys(user, port)`."""
    contexts: list[BrowserContext] = []

    def browser_of(user: AbstractUser | None, port: int = daphne) -> BrowserContext:
        context = chromium.new_context(base_url=f"http://127.0.0.1:{port}", viewport={"width": 1280, "height": 900})
        context.set_default_timeout(30_000)
        if user is not None:
            log_in(context, user)
        contexts.append(context)
        return context

    yield browser_of
    for context in contexts:
        context.close()


@pytest.fixture
def context(chromium: Browser, service: Service) -> Iterator[BrowserContext]:
    context = chromium.new_context(base_url=service.address, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def violations(request: pytest.FixtureRequest) -> Look:
    """What axe finds on a page, dark on a telephone and light on a desk, with `--full` at every width in both; and at
    which widths it has to be scrolled sideways."""
    all_looks = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390, 320)]
    looks = all_looks if request.config.getoption("--full") else [("light", 1280), ("dark", 390)]

    def violations_of(page: Page) -> list[str]:
        found = []
        for scheme, width in all_looks:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.append(f"{scheme}, {width} px: the page is wider than the window")
            if (scheme, width) in looks:
                for violation in Axe().run(page).response["violations"]:
                    places = [node["html"][:150] for node in violation["nodes"]]
                    found.append(f"{scheme}, {width} px: {violation['id']}: {violation['help']}: {places}")
        return found

    return violations_of
