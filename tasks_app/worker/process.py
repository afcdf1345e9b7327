"""The RQ worker: one process that imports and loads once, and keeps its models warm from task to task."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from types import FrameType
from typing import Any

import django_rq
from django.conf import settings
from django.db import connections
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, StopRequested
from rq.job import Job
from rq.worker import WorkerStatus

from tasks_app.actions.drain import begin_anew
from tasks_app.current_settings import current
from tasks_app.patience import patiently
from tasks_app.pipeline.runner import preload
from tasks_app.pipeline_setup import model_store
from tasks_app.progress.broadcast import flush
from tasks_app.queueing.heartbeats import report_alive, say_goodbye, worker_name
from tasks_app.worker import run_task
from tasks_app.worker.observer import stop_requested

logger = logging.getLogger(__name__)

STOP_SECONDS = 7
"""How long the current chunk may take once the worker was told to stop; supervisord kills it after 12 s."""
REPORT_SECONDS = 5
CONNECTION_SECONDS = 60
"""How long a connection to the database is kept, from one task to the next."""


class TranscriptionWorker(SimpleWorker):
    """Runs jobs in this process instead of forking for each, which would lose the loaded models."""

    max_connection_wait_time = 2.0  # seconds between two attempts to reach the broker

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """First signal: finish the current chunk, release the task, and exit. Second signal: exit at once.

        Stopping does not depend on the broker.
        """
        if stop_requested.is_set():
            os._exit(1)
        stop_requested.set()
        self._stop_requested = True
        timer = threading.Timer(STOP_SECONDS, run_task.release_and_exit)
        timer.daemon = True
        timer.start()
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def execute_job(self, job: Job, queue: Queue) -> None:
        try:
            super().execute_job(job, queue)
        except StopRequested:
            raise
        except Exception as error:  # the task is done or was not started; only RQ's bookkeeping failed
            logger.warning("The broker went away during a task: %s", error)
            raise StopRequested from None

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """No traceback where the broker went away, or came back without the job: `execute_job` tells of it."""
        if not isinstance(exc_info[1], (RedisError, InvalidJobOperation)):
            super().handle_exception(job, *exc_info)


def _report() -> None:
    """Report regularly what this worker has loaded and does."""
    store, started = model_store(), time.time()
    while True:
        with contextlib.suppress(RedisError, OSError):
            report_alive(
                worker_name(), store.loaded, device=store.device, task=run_task.current_task(), started=started
            )
        if stop_requested.wait(REPORT_SECONDS):
            return


def work() -> None:
    """Load the default model, then work until told to stop; the process ends with it."""
    connections.settings["default"]["CONN_MAX_AGE"] = CONNECTION_SECONDS
    patiently(lambda: begin_anew(worker_name()), stop_requested)
    preload(model_store(), current("DEFAULT_MODEL"))
    threading.Thread(target=_report, name="heartbeat", daemon=True).start()
    logger.info("The worker is ready")
    queue = django_rq.get_queue(settings.TASK_QUEUE)
    while not stop_requested.is_set():
        # RQ's loop ends if the broker goes away during a task. Wait for it: exiting would lose the loaded models.
        with contextlib.suppress(StopRequested):
            Retry(ConstantBackoff(0.5), retries=-1).call_with_retry(queue.connection.ping, lambda error: None)
            try:
                TranscriptionWorker([queue], connection=queue.connection).work(logging_level="WARNING")
            except RedisError as error:
                logger.warning("The broker went away: %s", error)
            stop_requested.wait(0.5)
    flush(timeout=1)
    with contextlib.suppress(RedisError, OSError):
        say_goodbye(worker_name())
    connections.close_all()
    logging.shutdown()
    os._exit(0)  # a regular exit would spend seconds on unloading torch
