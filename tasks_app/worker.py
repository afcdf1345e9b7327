"""The RQ worker: one process that imports and loads once, and keeps its models warm from task to task."""

from __future__ import annotations

import contextlib
import logging
from types import FrameType

import django_rq
from django.conf import settings
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import SimpleWorker

from . import jobs
from .engine import model_store

logger = logging.getLogger(__name__)


class TranscriptionWorker(SimpleWorker):
    """Works in its own process instead of forking one for every job, which would lose the loaded models."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """The first signal: finish the chunk in hand, give the task back, and end. A second one ends at once."""
        jobs.stop_requested.set()
        with contextlib.suppress(RedisError):  # stopping must not depend on the broker
            super().request_stop(signum, frame)


def work() -> None:
    """Load the default model, then work until told to stop."""
    model_store().preload(settings.DEFAULT_MODEL)
    logger.info("The worker is ready")
    queue = django_rq.get_queue(settings.TASK_QUEUE)
    # The broker may be started later, or be away for a while.
    Retry(ConstantBackoff(0.5), retries=-1).call_with_retry(queue.connection.ping, lambda error: None)
    TranscriptionWorker([queue], connection=queue.connection).work(logging_level="WARNING")
