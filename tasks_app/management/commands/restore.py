from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks_app.backups import BackupError, restore


class Command(BaseCommand):
    help = "Put a backup into an installation in which there is nothing yet, and which does not run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="what `manage.py backup` made")

    def handle(self, *, folder: Path, **options: object) -> None:
        try:
            count = restore(folder)
        except (BackupError, OSError) as error:
            raise CommandError(f"Nothing was restored: {error}") from None
        self.stdout.write(f"Restored, with {count} files of recordings. Tasks that ran at that time go on.")
