from django.core.management.base import BaseCommand

from tasks_app.progress.broadcast import flush
from tasks_app.worker import scheduler


class Command(BaseCommand):
    help = "Requeue the tasks of lost workers and resend lost wake-ups, as the scheduler does every few seconds."

    def handle(self, **options: object) -> None:
        reclaimed, woken = scheduler.reconcile()
        flush()
        self.stdout.write(f"{reclaimed} tasks of lost workers, {woken} missing wake-ups")
