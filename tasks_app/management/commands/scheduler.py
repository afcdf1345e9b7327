import signal
import threading

from django.core.management.base import BaseCommand

from tasks_app.worker import scheduler


class Command(BaseCommand):
    help = "Run the periodic jobs (reconcile, clean up) until told to stop."

    def handle(self, **options: object) -> None:
        stop = threading.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: stop.set())
        scheduler.run(stop)
