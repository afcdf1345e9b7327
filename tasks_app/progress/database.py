"""What sockets and waiting calls ask the database, on a few threads that keep their connections.

Channels has one thread for it and opens a connection for every question. A thousand clients that come back in the same
moment would wait for it longer than a handshake may take.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

from tasks_app.patience import DATABASE_AWAY

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 2  # so that one long question does not hold up all others; Python runs one at a time anyway
_threads = ThreadPoolExecutor(THREADS, "sockets")


async def ask(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `question`, which only reads, on one of the threads.

    Raises:
        OperationalError, InterfaceError: the database is away.
    """

    def on_kept_connection() -> T:
        try:
            return question(*args, **kwargs)
        except DATABASE_AWAY:  # the database closed the connection since the last question, or is away
            connection.close()
            return question(*args, **kwargs)

    return await sync_to_async(on_kept_connection, thread_sensitive=False, executor=_threads)()
