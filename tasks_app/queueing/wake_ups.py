"""The queue of tasks that wait for a worker. It only carries hints: the database says what is queued."""

from __future__ import annotations

import logging
from uuid import UUID, uuid4

import django_rq
from django.conf import settings
from redis.exceptions import RedisError
from rq import Queue
from rq.job import Job

logger = logging.getLogger(__name__)

JOB = "tasks_app.worker.run_task.run_task"


def _queue() -> Queue:
    return django_rq.get_queue(settings.TASK_QUEUE)


def enqueue(task_id: UUID, *, at_front: bool = False) -> bool:
    """Ask for a worker for the task; asking twice is harmless. False if the broker cannot be reached."""
    try:
        queue = _queue()
        if _jobs_of(task_id, queue):
            return True
        # Each job has an identifier of its own: RQ removes what is stored of a job once it ended, which must not be
        # the next one of a task that was given back to the queue during it.
        job_id = f"{task_id}_{uuid4().hex}"
        queue.enqueue(JOB, str(task_id), job_id=job_id, at_front=at_front, result_ttl=0, failure_ttl=0)
    except (RedisError, OSError) as error:
        logger.warning("The broker cannot be reached; task %s waits in the database: %s", task_id, type(error).__name__)
        return False
    return True


def waiting() -> set[UUID] | None:
    """Tasks that the queue holds a job for; None if the broker cannot be reached."""
    try:
        return {_task_of(job_id) for job_id in _queue().get_job_ids()}
    except (RedisError, OSError):
        return None


def forget(task_id: UUID) -> None:
    """Take the task's job out of the queue, if there is one."""
    try:
        queue = _queue()
        for job_id in _jobs_of(task_id, queue):
            Job.fetch(job_id, connection=queue.connection).delete()
    except Exception as error:  # the job is a hint: a worker that gets it finds nothing to claim
        logger.debug("No job of task %s was removed: %s", task_id, type(error).__name__)


def _task_of(job_id: str) -> UUID:
    return UUID(job_id.partition("_")[0])


def _jobs_of(task_id: UUID, queue: Queue) -> list[str]:
    return [job_id for job_id in queue.get_job_ids() if _task_of(job_id) == task_id]
