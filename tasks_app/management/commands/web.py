from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from tasks_app import web_server


class Command(BaseCommand):
    help = "Serve pages and WebSockets until told to stop."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fd", help="number of an open socket to listen on, instead of HOST and PORT")

    def handle(self, *, fd: str | None, **options: object) -> None:
        if fd:
            web_server.serve("--fd", fd)
        else:
            web_server.serve(*web_server.listen_on(settings.HOST, settings.PORT))
