"""Renewing a worker's lease while it works."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import connection

from tasks_app.actions import attempts
from tasks_app.errors import technical_detail
from tasks_app.models import FollowUp, Task

logger = logging.getLogger(__name__)


class LeaseKeeper(threading.Thread):
    """Renews a lease on a separate thread, even during the pipeline's long calls into native code. `renew` does it for
    what is no task.
    """

    def __init__(self, held: Task | FollowUp, renew: Callable[[UUID, UUID], bool] | None = None) -> None:
        super().__init__(name="lease", daemon=True)
        self.held_id, self.lease, self.renew = held.pk, held.held_lease, renew or attempts.renew_lease
        self._done = threading.Event()

    def run(self) -> None:
        try:
            while not self._done.wait(settings.LEASE_SECONDS / 4):
                try:
                    if not self.renew(self.held_id, self.lease):
                        return
                except Exception as error:  # the database may be back before the lease expires
                    logger.warning("The lease of %s was not renewed: %s", self.held_id, technical_detail(error))
                    connection.close()
        finally:
            connection.close()

    def __enter__(self) -> LeaseKeeper:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._done.set()
        self.join()
