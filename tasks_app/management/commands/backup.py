from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks_app.backups import BackupError, back_up
from tasks_app.errors import StorageAway


class Command(BaseCommand):
    help = "Copy the database, the recordings and the kept SECRET_KEY into a folder. The service may run meanwhile."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="an empty folder, or one that is made")

    def handle(self, *, folder: Path, **options: object) -> None:
        try:
            count = back_up(folder)
        except StorageAway as error:
            raise CommandError(f"There is no backup: {error.user_message}") from None
        except (BackupError, OSError) as error:
            raise CommandError(f"There is no backup: {error}") from None
        self.stdout.write(f"The backup is in {folder.absolute()}, with {count} files of recordings.")
