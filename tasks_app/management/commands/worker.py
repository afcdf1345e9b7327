from django.core.management.base import BaseCommand

from tasks_app.worker.process import work


class Command(BaseCommand):
    help = "Transcribe queued tasks until told to stop."

    def handle(self, **options: object) -> None:
        work()
