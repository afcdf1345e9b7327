"""Whether the installation is ready to transcribe, part by part, each with a reason in words."""

from __future__ import annotations

import functools
import logging
import shutil
from collections.abc import Callable
from typing import NamedTuple

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from redis.exceptions import RedisError

from tasks_app.current_settings import current
from tasks_app.media import folder
from tasks_app.pipeline_setup import offered_models
from tasks_app.progress.broadcast import reaches_channel_layer
from tasks_app.queueing import heartbeats
from tasks_app.queueing.broker import client
from tasks_app.wording import file_size

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """`reason`: what is found, and if it is not well what to do; it names no path, host or password."""

    name: str
    is_well: bool
    reason: str


def parts() -> list[Part]:
    """Every part of the installation. Takes a few seconds at most, however they fail."""
    return [_looked_at(name, look) for name, look in _PARTS.items()]


def _looked_at(name: str, look: Callable[[], tuple[bool, str]]) -> Part:
    try:
        return Part(name, *look())
    except Error as error:
        logger.warning("Health: %s: %s", name, type(error).__name__)
        connection.close()
        return Part(name, False, "The database cannot be reached. Check that it runs, and DATABASE_URL.")


def _database() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True, "It answers."


@functools.cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def _migrations() -> tuple[bool, str]:
    missing = len(_known_migrations() - MigrationRecorder(connection).applied_migrations().keys())
    if missing:
        return False, f"{missing} of them are not applied to the database. Run “manage.py migrate”."
    return True, "All are applied."


def _broker() -> tuple[bool, str]:
    try:
        client().ping()
    except (RedisError, OSError):
        return False, "It cannot be reached. Check that it runs, and REDIS_URL; tasks wait in the database meanwhile."
    return True, "It answers."


def _channel_layer() -> tuple[bool, str]:
    if reaches_channel_layer():
        return True, "It takes frames."
    return False, "Frames cannot be sent: pages update by polling meanwhile. Check the broker."


def _recordings() -> tuple[bool, str]:
    if not folder.is_there():
        return False, "The folder of recordings is not there. Mount it; uploads are refused and tasks wait meanwhile."
    if not folder.is_writable():
        return False, "The folder of recordings cannot be written to. Check its owner and permissions."
    return True, "The folder is there, and can be written to."


def _workers() -> tuple[bool, str]:
    by_worker = heartbeats.loaded()
    if by_worker is None:
        return False, "Not known while the broker cannot be reached."
    ready = sum(bool(models) for models in by_worker.values())
    if not by_worker:
        return False, "No worker gives a sign of life. Start one: “manage.py worker”, or restart the service."
    if not ready:
        return False, "No worker has loaded a model yet. This takes some seconds after the start."
    return True, f"{ready} alive, with a model loaded."


def _scheduler() -> tuple[bool, str]:
    alive = heartbeats.scheduler_is_alive()
    if alive is None:
        return False, "Not known while the broker cannot be reached."
    if not alive:
        return False, "It has finished no round lately: tasks of lost workers wait. Start it: “manage.py scheduler”."
    return True, "It finished a round lately."


def _disk() -> tuple[bool, str]:
    free = shutil.disk_usage(settings.VAR_DIR).free
    if free < settings.MIN_FREE_MB * 1_000_000:
        return False, f"Only {file_size(free)} are free: uploads are refused. Make room, or lower MIN_FREE_MB."
    return True, f"{file_size(free)} are free."


_PARTS: dict[str, Callable[[], tuple[bool, str]]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "channel_layer": _channel_layer,
    "recordings": _recordings,
    "workers": _workers,
    "scheduler": _scheduler,
    "disk": _disk,
}


def lacking() -> list[str]:
    """What this installation could have and does not, each with what to do about it."""
    lacks = []
    if not settings.HTTPS and settings.HOST not in ("127.0.0.1", "localhost", "::1"):
        lacks.append("The service is open to a network without HTTPS. Put a proxy before it, and set HTTPS=yes.")
    if settings.DEBUG:
        lacks.append("Debug pages are shown to everybody. Set DEBUG=no.")
    if current("DEFAULT_MODEL") not in {model.name for model in offered_models()}:
        lacks.append("The default model is not on this machine. Fetch it with “manage.py models --fetch”.")
    if not settings.HF_TOKEN:
        lacks.append("Speakers are told apart without pyannote. A Hugging Face token (HF_TOKEN) would add it.")
    if not current("KEEP_RECORDINGS_DAYS") and not current("KEEP_TRANSCRIPTS_DAYS"):
        lacks.append("Everything is kept for ever. KEEP_RECORDINGS_DAYS and KEEP_TRANSCRIPTS_DAYS would limit it.")
    return lacks
