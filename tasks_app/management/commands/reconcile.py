from django.core.management.base import BaseCommand

from tasks_app.worker import scheduler


class Command(BaseCommand):
    help = "Put back the tasks of lost workers and the queued tasks that the queue forgot; the scheduler does it too."

    def handle(self, **options: object) -> None:
        reclaimed, requeued = scheduler.reconcile()
        self.stdout.write(f"{reclaimed} tasks of lost workers, {requeued} forgotten tasks")
