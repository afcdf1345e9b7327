"""`manage.py tune`: measure how a model runs fastest on this machine; workers use the result from their next start."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tasks_app.pipeline.errors import ModelUnavailable
from tasks_app.pipeline.weights import tuning
from tasks_app.pipeline_setup import model_store


class Command(BaseCommand):
    help = "Measure how a Whisper model runs fastest on this processor. Takes minutes; best while the machine is idle."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", default=settings.DEFAULT_MODEL, help=f"{settings.DEFAULT_MODEL} unless given")

    def handle(self, *, model: str, **options: object) -> None:
        from tasks_app.pipeline.text.tune import best_of, measured

        store = model_store()
        if store.device != "cpu":
            raise CommandError("Models run on a GPU here; there is nothing to tune.")
        try:
            store.resolve(model)
        except ModelUnavailable as error:
            raise CommandError(error.user_message) from None
        self.stdout.write(f"{model} on {tuning.processor()}, {store.threads} cores\n")
        row = "{:>8} {:>9} {:>8}  {:<8} {:>8}"
        self.stdout.write(row.format("batch", "replicas", "threads", "vectors", "seconds"))
        tried = []
        for setup, seconds in measured(model, settings.MODEL_DIR, store.threads, settings.COMPUTE_TYPE):
            tried.append((setup, seconds))
            values = (setup.batch, setup.replicas, setup.threads, setup.vectors or "default")
            self.stdout.write(row.format(*values, f"{seconds:.2f}"))
        best = best_of(tried)
        tuning.keep(settings.VAR_DIR, store.threads, settings.COMPUTE_TYPE, model, best)
        self.stdout.write(f"Chosen: {best}. Workers use it from their next start.")
