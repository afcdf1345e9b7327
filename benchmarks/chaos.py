"""Whatever dies on the way, nothing that was accepted is lost: the fault bench.

    .venv/bin/python -m benchmarks.chaos [--database both] [--tasks 60] [--kills 80] [--restarts 10] [--seed 1] [--keep]
        [--victims worker scheduler broker] [--sigkill]

Starts the real processes on an empty state: broker, web, two workers, scheduler; each is started again when it ends. An
undisturbed run of every recording with every set of options says what is right. Then three people upload short
recordings of real speech through the web, spread over time, and until all their tasks have ended, processes are killed
at random with SIGKILL and SIGTERM: workers most, the broker once with its data file removed. Now and then PostgreSQL is
restarted. Once the disk of the media folder is full. A client sends a recording again, under another name, only where
no answer or a refusal came. Meanwhile sockets follow the tasks, as open pages do, and each person has a webhook.

The exit status is 1 if a task was lost, was there twice, or has not the transcript of the undisturbed run; if an
attempt was counted although its worker lived; if a socket did not know of an end after 35 s; and if a webhook was not
told of one, or not with its signature.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import chaos_verdict
from benchmarks.chaos_clients import Client, Request, Uploads, requests
from benchmarks.chaos_processes import Database, Processes, SmallDisk, free_port
from benchmarks.chaos_watch import Watchers
from benchmarks.chaos_webhooks import Receiver
from benchmarks.recordings import machine

WORKERS = 2
PEOPLE = ("ann", "ben", "cem")
VICTIMS = {"worker": 50, "web": 18, "scheduler": 14, "broker": 18}  # weights
SIGNALS = {signal.SIGKILL: 60, signal.SIGTERM: 40}
LIMIT_SECONDS = 3600
LOOK_SECONDS = 0.25
SOCKETS = 20
"""So many that follow a task, and as many that follow all tasks of one person."""


class Watch:
    """Looks at the tasks' rows, and at how long one stays as it is."""

    def __init__(self) -> None:
        self._seen: dict[Any, tuple[Any, float]] = {}
        self.longest = {"queued": 0.0, "processing": 0.0}

    def look(self) -> bool:
        """Whether every task there is has ended."""
        from tasks_app.models import Task
        from tasks_app.patience import patiently

        rows = patiently(lambda: list(Task.objects.values_list("pk", "status", "sequence")))
        now = time.monotonic()
        for pk, status, sequence in rows:
            before, since = self._seen.get(pk, (None, now))
            if before != (status, sequence):
                self._seen[pk] = ((status, sequence), now)
            elif status in self.longest:
                self.longest[status] = max(self.longest[status], now - since)
        return all(status not in self.longest for _, status, _ in rows)

    def until_ended(self, all_sent: threading.Event) -> bool:
        """Wait for the end of every task, also of those yet to be sent. False if the limit was reached before."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            complete = all_sent.is_set()  # asked before the look, which then sees all that was sent
            if self.look() and complete:
                return True
            time.sleep(LOOK_SECONDS)
        return False


class Killer(threading.Thread):
    """Kills at random, each time after a pause in which work can get on, until it is stopped.

    A worker is left in peace until it has been ready for about as long as one task takes, so that the pace is one at
    which a chunk can be finished in three attempts, however long a start takes on this machine; one in four is killed
    without that, which may be during its start.
    """

    def __init__(
        self,
        processes: Processes,
        wanted: int,
        task_seconds: float,
        seed: int,
        victims: dict[str, int],
        signals: dict[signal.Signals, int],
        database: Database | None = None,
        restarts: int = 0,
    ) -> None:
        super().__init__(name="killer", daemon=True)
        self._random = random.Random(seed)  # noqa: S311  nothing secret
        self._victims, self._signals = victims, signals
        self._processes, self._task_seconds = processes, task_seconds
        self._database, self._restarts = database, restarts
        self.restarts = 0
        self._stopped = threading.Event()
        self.wanted = wanted
        self.kills = 0
        self.enough = threading.Event()

    def run(self) -> None:
        chance = self._random
        while not self._stopped.wait(self._task_seconds * chance.uniform(0.2, 0.6)):
            [name] = chance.choices(list(self._victims), self._victims.values())
            [signum] = chance.choices(list(self._signals), self._signals.values())
            if self.kills == self.wanted // 2 and "broker" in self._victims:
                self._processes.kill("broker", signal.SIGKILL, forget=True)
            elif name == "worker":
                name = f"worker-{chance.randrange(WORKERS)}"
                if chance.random() < 0.75:
                    self._wait_for_work(name, self._task_seconds * chance.uniform(0.2, 2.0))
                self._processes.kill(name, signum)
            else:
                self._processes.kill(name, signum)
            self.kills += 1
            if self._database and self.restarts < self._restarts * min(self.kills / self.wanted, 1):
                self._database.restart()
                self.restarts += 1
            if self.kills >= self.wanted:
                self.enough.set()

    def _wait_for_work(self, worker: str, seconds: float) -> None:
        while not self._processes.parts[worker].is_ready:
            if self._stopped.wait(LOOK_SECONDS):
                return
        self._stopped.wait(seconds)

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def undisturbed(client: Client, wanted: list[Request]) -> dict[str, chaos_verdict.Texts]:
    """The right transcript of each request, by its name."""
    from tasks_app.models import Task

    uploads, all_sent = Uploads(), threading.Event()
    for request in wanted:
        uploads.send(client, request, "undisturbed", answers=1)
    all_sent.set()
    assert len(uploads.accepted) == len(wanted), uploads
    assert Watch().until_ended(all_sent)
    tasks = {task.name: task for task in Task.objects.all()}
    right = {}
    for request in wanted:
        task = tasks[f"undisturbed_1_{request.name}"]
        assert task.status == "completed", (task.name, task.error_code, task.technical_detail)
        assert not task.warnings, (task.name, task.warnings)
        right[request.name] = chaos_verdict.texts(task)
        assert right[request.name], f"{task.name}: no text"
    return right


class Sender(threading.Thread):
    """Sends the recordings, spread over the kills, and in the middle some more while the disk is full."""

    def __init__(
        self, clients: list[Client], wanted: list[Request], tasks: int, killer: Killer, disk: SmallDisk, seed: int
    ) -> None:
        super().__init__(name="sender", daemon=True)
        self._clients, self._wanted, self._tasks, self._killer, self._disk = clients, wanted, tasks, killer, disk
        self._random = random.Random(seed)  # noqa: S311  nothing secret
        self.uploads = Uploads()
        self.while_full = Uploads()
        self.all_sent = threading.Event()

    def run(self) -> None:
        for number in range(self._tasks):
            while self._killer.kills < 0.9 * self._killer.wanted * number / self._tasks:
                time.sleep(LOOK_SECONDS)
            if number == self._tasks // 2 and self._disk.mounted:
                with self._disk.full():
                    for client in self._clients:
                        self.while_full.send(client, self._random.choice(self._wanted), "full", answers=1)
            client = self._clients[number % len(self._clients)]
            self.uploads.send(client, self._random.choice(self._wanted), f"{number:03}")
        self._killer.enough.wait()
        self.all_sent.set()


def bench(asked: argparse.Namespace, var: Path, database: Database | None) -> bool:
    """One run on the database that the environment names (SQLite, if not `database`); whether all is well."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    from tasks_app.actions.webhooks import make_webhook
    from tasks_app.models import WebhookEvent

    with ExitStack() as stack:
        disk = SmallDisk(
            settings.MEDIA_ROOT, megabytes=64 + 2 * asked.tasks
        )  # before `migrate` makes this folder ready
        stack.callback(disk.close)
        call_command("migrate", verbosity=0)
        chaos_verdict.keep_every_part()
        for username in PEOPLE:
            get_user_model().objects.create_user(username, password=username)
        (var / "recordings").mkdir()
        wanted = requests(var / "recordings")
        processes = Processes(var, WORKERS)
        stack.callback(processes.close)
        start_seconds = processes.wait_for_workers()
        clients = [Client(settings.PORT, username) for username in PEOPLE]
        began = time.monotonic()
        right = undisturbed(clients[0], wanted)
        task_seconds = WORKERS * (time.monotonic() - began) / len(wanted)
        print(f"{machine()}; workers start in {start_seconds:.0f} s, an undisturbed task takes {task_seconds:.1f} s")

        began = time.monotonic()
        victims = dict.fromkeys(asked.victims, 1) if asked.victims else VICTIMS
        signals = {signal.SIGKILL: 1} if asked.sigkill else SIGNALS
        killer = Killer(processes, asked.kills, task_seconds, asked.seed, victims, signals, database, asked.restarts)
        sender = Sender(clients, wanted, asked.tasks, killer, disk, asked.seed)
        receiver = Receiver()
        stack.callback(receiver.close)
        for person in get_user_model().objects.filter(username__in=PEOPLE):
            _, receiver.secrets[person.username] = make_webhook(person, receiver.url_of(person.username), WebhookEvent)
        sessions = {username: client.session for username, client in zip(PEOPLE, clients, strict=True)}
        watchers = Watchers(settings.PORT, sessions, SOCKETS)
        watch = Watch()
        watchers.start()
        killer.start()
        sender.start()
        in_time = watch.until_ended(sender.all_sent)
        killer.stop()
        seconds = time.monotonic() - began

        print(f"kills                        {killer.kills} in {seconds:.0f} s{'' if in_time else ', LIMIT REACHED'}")
        for (kind, how), count in sorted(processes.kills.items()):
            print(f"  {kind:<10}{how:<34}{count:>4}")
        if database:
            print(f"restarts of the database     {killer.restarts}")
        all_knew = watchers.tell(chaos_verdict.ends())
        all_told = receiver.tell(chaos_verdict.events())
        processes.close()
        full = sender.while_full
        answers = dict(full.refusals + Counter({"201": len(full.accepted)})) if disk.mounted else "no right to mount"
        print(f"answers while the disk was full   {answers}")
        well = chaos_verdict.tell(sender.uploads + full, right, processes.lived_on)
        print(
            f"longest unchanged row        queued {watch.longest['queued']:.1f} s, processing "
            f"{watch.longest['processing']:.1f} s"
        )
        for words in ("database is locked", "Traceback"):
            print(f"in the logs, {words!r:<21} {dict(processes.count_in_logs(words)) or 0}")
        for last, count in processes.tracebacks().most_common():
            print(f"  {count:>3} {last}")
    return well and in_time and all_knew and all_told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--kills", type=int, default=80, help="at least so many")
    parser.add_argument("--restarts", type=int, default=10, help="of PostgreSQL")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs, also if all is well")
    parser.add_argument("--victims", nargs="+", choices=VICTIMS, help="these alone, each as often")
    parser.add_argument("--sigkill", action="store_true", help="no SIGTERM")
    asked = parser.parse_args()
    if asked.database == "both":
        own = [sys.executable, "-m", "benchmarks.chaos", "--tasks", str(asked.tasks), "--kills", str(asked.kills)]
        own += ["--restarts", str(asked.restarts), "--seed", str(asked.seed)]
        own += [*(["--sigkill"] if asked.sigkill else []), *(["--victims", *asked.victims] if asked.victims else [])]
        own += ["--database"]
        sys.exit(max(subprocess.run([*own, database]).returncode for database in ("sqlite", "postgresql")))

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started and mounted goes first
    var = Path(tempfile.mkdtemp(prefix="transcribe-chaos-"))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "transcribe_site.settings",
        "VAR_DIR": str(var),
        "PORT": str(free_port()),
        "DEFAULT_MODEL": "tiny.en",
        "LOG_LEVEL": "INFO",
        "ALLOW_PRIVATE_WEBHOOKS": "yes",
    }
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    with ExitStack() as stack:
        database = None
        if asked.database == "postgresql":
            database = Database(tempfile.mkdtemp(prefix="transcribe-postgresql-"))
            stack.callback(database.close)
            os.environ["DATABASE_URL"] = database.url
        print(f"{asked.database}, {asked.tasks} tasks, {len(PEOPLE)} people, {WORKERS} workers, seed {asked.seed}")
        well = bench(asked, var, database)
    if well and not asked.keep:
        shutil.rmtree(var)
    else:
        print(f"The logs are in {var}/logs.")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
