"""`manage.py models`: list the Whisper models, and download them."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tasks_app.pipeline.weights import tuning
from tasks_app.pipeline.weights.catalogue import HUB, cached, fetched, known_models
from tasks_app.pipeline.weights.model_store import available_cores
from tasks_app.queueing.heartbeats import loaded


class Command(BaseCommand):
    help = "List the Whisper models and the workers that have them loaded; download them from the Hugging Face hub."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fetch", metavar="NAME", help="download this model from the hub to make it available")

    def handle(self, *, fetch: str | None, **options: object) -> None:
        if fetch:
            self._fetch(fetch)
        else:
            self._list()

    def _list(self) -> None:
        by_worker = loaded()
        setups = tuning.kept(settings.VAR_DIR, available_cores(), settings.COMPUTE_TYPE)
        row = "{:<18}{:>10}  {:<14}{:<14}{:<36}{}"
        self.stdout.write(row.format("name", "size", "languages", "state", "how it is run on a CPU", "loaded by"))
        for model in known_models(settings.MODEL_DIR):
            workers = [worker for worker, names in (by_worker or {}).items() if f"whisper {model.name}" in names]
            size = f"{model.size_bytes / 1e6:,.0f} MB"
            setup = "" if model.state == "downloadable" else str(setups.get(model.name, "not tuned; rules"))
            line = row.format(model.name, size, model.languages, model.state, setup, ", ".join(workers))
            self.stdout.write(line.rstrip())
        if by_worker is None:
            self.stdout.write("Which worker has loaded what is unknown: the broker cannot be reached.")

    def _fetch(self, name: str) -> None:
        if name not in HUB:
            raise CommandError(f"{name} cannot be fetched. These can: {', '.join(HUB)}.")
        repository, size = HUB[name]
        if cached(repository):
            self.stdout.write(f"{name} is already on this machine.")
            return
        with tqdm(total=size, desc=name, unit="B", unit_scale=True) as bar:

            def tick(fraction: float) -> None:
                bar.n = int(fraction * size)
                bar.refresh()

            try:
                fetched(name, settings.HF_TOKEN, tick)
            except Exception as error:  # the hub's client raises many kinds
                raise CommandError(f"{name} could not be fetched ({type(error).__name__}: {error})") from None
            tick(1.0)
        self.stdout.write(f"{name} is now on this machine.")
