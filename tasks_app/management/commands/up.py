"""`manage.py up`: the whole service with one command."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import TextIO
from urllib.parse import urlencode

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from tasks_app.actions import first_account

START_SECONDS = 60


class Command(BaseCommand):
    help = "Bring the database up to date, then run broker, web, worker and scheduler until Ctrl-C."

    def handle(self, **options: object) -> None:
        with (settings.VAR_DIR / "lock").open("a+") as lock:
            self._take(lock)
            self._check_port()
            call_command("migrate", verbosity=0)
            self._run(lock)

    def _take(self, lock: TextIO) -> None:
        """Hold the lock, which is held until everything that this process started has ended."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            if _is_alive(lock.read()):
                raise CommandError("The service is running already, with the same data. Stop it first.") from None
            self.stdout.write("An earlier start was killed and left its processes behind. They are stopped first.")
            supervisor = int((settings.VAR_DIR / "supervisord.pid").read_text())
            os.kill(supervisor, signal.SIGTERM)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()

    def _check_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.HOST, settings.PORT))
            except OSError as error:
                raise CommandError(
                    f"Cannot listen on {settings.HOST}:{settings.PORT} ({error.strerror}). "
                    "Choose another port: make run PORT=8001"
                ) from None

    def _run(self, lock: TextIO) -> None:
        variables = {
            "PYTHON": sys.executable,
            "VAR_DIR": str(settings.VAR_DIR),
            "WORKERS": str(settings.WORKERS),
            "EMBEDDED_BROKER": str(settings.BROKER_IS_EMBEDDED).lower(),
        }
        configuration = settings.BASE_DIR / "supervisord.conf"
        supervisor = subprocess.Popen(  # noqa: S603  our own program, our own arguments
            [sys.executable, "-m", "supervisor.supervisord", "-c", configuration],
            env={**os.environ, **variables},
            pass_fds=[lock.fileno()],
            start_new_session=True,  # Ctrl-C only reaches this process, which passes it on once
        )

        def stop(*_: object) -> None:
            supervisor.terminate()

        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, stop)
        try:
            self._announce(supervisor)
        except CommandError:
            supervisor.terminate()
            supervisor.wait()
            raise
        status = supervisor.wait()
        self.stdout.write("Stopped.")
        sys.exit(max(status, 0))

    def _announce(self, supervisor: subprocess.Popen) -> None:
        """Print the address as soon as the service answers there."""
        host = "localhost" if settings.HOST in ("127.0.0.1", "0.0.0.0", "::") else settings.HOST  # noqa: S104
        address = f"http://{host}:{settings.PORT}/"
        deadline = time.monotonic() + START_SECONDS
        while supervisor.poll() is None:
            try:
                urllib.request.urlopen(address + "health", timeout=1).close()  # noqa: S310  our own address
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise CommandError(f"The service does not answer at {address}; see the lines above.") from None
                time.sleep(0.2)
        else:
            return
        code = first_account.setup_code()
        if code:
            link = f"{address}setup/?{urlencode({'code': code})}"
            self.stdout.write(f"\n  Ready. Create the first account: {link}\n")
        else:
            self.stdout.write(f"\n  Ready: {address}\n")
        self.stdout.write("  Ctrl-C stops it.\n\n")
        self.stdout.flush()


def _is_alive(process: str) -> bool:
    """Whether there is a process of this number; so it is assumed where there is no number."""
    try:
        os.kill(int(process), 0)
    except ValueError:
        return True
    except ProcessLookupError:
        return False
    return True
