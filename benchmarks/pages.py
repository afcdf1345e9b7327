"""What the page of a long transcript costs: how soon there is text, how it scrolls, how typing feels.

    .venv/bin/python -m benchmarks.pages [--hours 1 10] [--rounds 3]

Starts the web server with an empty state of its own, writes a transcript of 1,000 segments and 10,000 words an hour
into its database, and opens its page in Chromium. It measures, in milliseconds since the navigation began: the first
text on the page, and when all of it is there and can be corrected; then the longest task of the main thread while the
page scrolls from top to end, the time from key to next frame while 60 keys are typed, and the longest task then; and
the memory of the tab (JavaScript and DOM) and of the web process. Medians of the rounds, each in a new tab.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from benchmarks.recordings import machine

REPOSITORY = Path(__file__).resolve().parent.parent
WORDS = (
    "the of and to in that was it for he is with as his on be at by had not are but from have they which one you were"
)
KEYS = 60
WATCH = """() => {
  window.longest = 0;
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) window.longest = Math.max(window.longest, task.duration);
  }).observe({ type: "longtask" });
}"""
SCROLL = """async () => {
  window.longest = 0;
  const step = innerHeight * 0.9;
  for (let y = 0; y < document.documentElement.scrollHeight; y += step) {
    scrollTo(0, y);
    await new Promise(requestAnimationFrame);
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  return window.longest;
}"""
TYPING = """() => {
  window.longest = 0;
  window.keys = [];
  document.addEventListener("keydown", () => {
    const start = performance.now();
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.keys.push(performance.now() - start);
      channel.port2.postMessage(0);
    });
  }, { capture: true });
}"""


def write_transcript(owner: Any, hours: float, name: str = "Long meeting.wav") -> Any:
    """A completed task with 1,000 segments of 10 words an hour, by four speakers, one word in twelve doubtful."""
    from tasks_app.models import Change, Segment, Speaker, Task, TaskProgressStage, TaskStatus, Transcript

    chance = random.Random(4)  # noqa: S311
    task = Task.objects.create(
        owner=owner,
        name=name,
        media="none",
        duration=hours * 3600,
        status=TaskStatus.COMPLETED,
        progress_stage=TaskProgressStage.COMPLETE,
        progress_percentage=100,
        language="en",
        options={"model": "base"},
    )
    transcript = Transcript.objects.create(task=task, revision=1)
    Change.objects.create(transcript=transcript, revision=1, from_revision=0, kind=Change.Kind.RECOGNISED)
    speakers = [f"SPEAKER_{number:02}" for number in range(4)]
    Speaker.objects.bulk_create(
        Speaker(transcript=transcript, since=1, label=label, recognised=True) for label in speakers
    )
    rows, speaker = [], speakers[0]
    for number in range(round(1000 * hours)):
        if chance.random() < 0.3:
            speaker = chance.choice(speakers)
        start = number * 3.6
        texts = chance.choices(WORDS.split(), k=10)
        texts = [texts[0].capitalize(), *texts[1:-1], texts[-1] + "."]
        words = [
            {
                "text": text,
                "start": round(start + place * 0.33, 2),
                "end": round(start + place * 0.33 + 0.3, 2),
                "score": round(chance.uniform(0.2, 0.49) if chance.random() < 1 / 12 else chance.uniform(0.6, 1), 3),
                "speaker": speaker,
            }
            for place, text in enumerate(texts)
        ]
        text = " ".join(texts)
        rows.append(
            Segment(
                transcript=transcript,
                since=1,
                start=start,
                end=start + 3.4,
                text=text,
                speaker=speaker,
                words=words,
                recognised=True,
            )
        )
    Segment.objects.bulk_create(rows, batch_size=500)
    return task


def median(values: list[float]) -> float:
    return statistics.median(values)


class Server:
    """Broker and web process with a state of their own, and somebody who is logged in."""

    def __init__(self, var: str) -> None:
        import django

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        os.environ |= {"VAR_DIR": var, "PORT": str(self.port), "DJANGO_SETTINGS_MODULE": "transcribe_site.settings"}
        django.setup()

        from django.contrib.auth.models import User
        from django.core.management import call_command
        from django.test import Client

        call_command("migrate", verbosity=0)
        self.user = User.objects.create_user("ada", password="correct horse battery")  # noqa: S106
        client = Client()
        client.force_login(self.user)
        self.session = client.cookies["sessionid"].value
        self.processes = [self._start("broker"), self._start("web")]
        self.address = f"http://localhost:{self.port}"
        while True:
            try:
                urllib.request.urlopen(f"{self.address}/health").close()  # noqa: S310
                break
            except urllib.error.URLError:
                assert self.processes[1].poll() is None

    def _start(self, command: str) -> subprocess.Popen:
        return subprocess.Popen([sys.executable, "manage.py", command], cwd=REPOSITORY)

    def stop(self) -> None:
        for process in self.processes:
            process.terminate()
            process.wait()

    @property
    def megabytes(self) -> float:
        return psutil.Process(self.processes[1].pid).memory_info().rss / 1e6


def measure(context: Any, server: Server, address: str) -> list[float]:
    page = context.new_page()
    page.add_init_script(f"({WATCH})()")
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#transcript[data-ready]", timeout=120_000)
    ready = page.evaluate("performance.now()")
    text = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert page.locator("#lines .line").count() >= 1000
    scrolling = page.evaluate(SCROLL)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    page.wait_for_timeout(500)
    middle = page.evaluate(
        "() => [...document.querySelectorAll('.line')].findIndex((row) => row.getBoundingClientRect().top > 300)"
    )
    page.locator(".line p").nth(middle).click()
    page.evaluate(TYPING)
    for _ in range(KEYS):
        page.keyboard.press("x", delay=0)
        page.wait_for_timeout(30)
    while page.evaluate("window.keys.length") < KEYS:
        page.wait_for_timeout(20)
    keys = sorted(page.evaluate("window.keys"))
    typing = page.evaluate("window.longest")
    page.wait_for_selector("#saved[data-state=saved]")
    memory = context.new_cdp_session(page).send("Runtime.getHeapUsage")["usedSize"] / 1e6
    tab = (
        max((process.memory_info().rss for process in psutil.process_iter() if _is_renderer(process)), default=0) / 1e6
    )
    page.close()
    return [text, ready, scrolling, median(keys), keys[int(0.95 * len(keys))], typing, memory, tab, server.megabytes]


def _is_renderer(process: psutil.Process) -> bool:
    try:
        return "--type=renderer" in process.cmdline()
    except psutil.Error:
        return False


COLUMNS = ["text", "ready", "scrolling", "key", "key 95 %", "typing", "heap MB", "tab MB", "web MB"]


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, nargs="+", default=[1, 10])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as var:
        server = Server(var)
        try:
            tasks = {hours: write_transcript(server.user, hours) for hours in asked.hours}
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                context = browser.new_context(viewport={"width": 1280, "height": 900})
                context.add_cookies([{"name": "sessionid", "value": server.session, "url": server.address}])
                print(f"{machine()}; milliseconds, medians of {asked.rounds}")
                print(f"{'hours':>6}" + "".join(f"{name:>11}" for name in COLUMNS))
                for hours, task in tasks.items():
                    rounds = [
                        measure(context, server, f"{server.address}/tasks/{task.pk}/") for _ in range(asked.rounds)
                    ]
                    print(
                        f"{hours:>6g}" + "".join(f"{median(list(each)):>11.0f}" for each in zip(*rounds, strict=True))
                    )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
