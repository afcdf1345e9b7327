from django.core.management.base import BaseCommand, CommandParser
from django.template.defaultfilters import filesizeformat

from tasks_app import retention
from tasks_app.progress.broadcast import flush


class Command(BaseCommand):
    help = "Remove what has expired (see KEEP_RECORDINGS_DAYS, KEEP_TRANSCRIPTS_DAYS) and files that no task owns."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="list what would be removed, without removing it")

    def handle(self, *, dry_run: bool, **options: object) -> None:
        count, size = 0, 0
        for removal in retention.clean_up(dry_run=dry_run):
            self.stdout.write(f"{removal.kind}: {removal.name} ({filesizeformat(removal.size)})")
            count, size = count + 1, size + removal.size
        flush()
        self.stdout.write(f"{'Would remove' if dry_run else 'Removed'} {count}, {filesizeformat(size)}")
