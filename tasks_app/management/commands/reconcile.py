from django.core.management.base import BaseCommand

from tasks_app.progress.broadcast import flush
from tasks_app.worker import scheduler


class Command(BaseCommand):
    help = "Put back the tasks of lost workers and send the wake-ups that the broker lost; the scheduler does it too."

    def handle(self, **options: object) -> None:
        reclaimed, woken = scheduler.reconcile()
        flush()
        self.stdout.write(f"{reclaimed} tasks of lost workers, {woken} wake-ups that were missing")
