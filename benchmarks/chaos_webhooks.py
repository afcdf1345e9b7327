"""A receiver of webhooks for the fault bench: which events came, how often, and with what signature."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

ANSWER_SECONDS = 0.5
"""It takes its time, so that some schedulers are killed between an event and its answer."""
COME_WITHIN = 180.0
"""Seconds after the last task's end: a delivery whose scheduler was killed is due again after two minutes."""
LOOK_SECONDS = 0.2

Event = tuple[str, str]
"""A task's identifier, and what happened to it."""


class Receiver(ThreadingHTTPServer):
    """Runs from its making until it is closed; `secrets` are those of the people, by the path that each has."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secrets: dict[str, str] = {}
        self.times: Counter[str] = Counter()
        """How often each identifier of a delivery came."""
        self.identifiers: defaultdict[Event, set[str]] = defaultdict(set)
        self.unsigned = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=[0.05], name="receiver", daemon=True).start()

    def url_of(self, person: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{person}"

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def tell(self, expected: Iterable[Event]) -> bool:
        """Print what became of the events that were to come; whether all came, as they should.

        Waits until they are all here or ought to be.
        """
        expected = set(expected)
        deadline = time.monotonic() + COME_WITHIN
        while expected - set(self.identifiers) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        with self.lock:
            lost = sorted(expected - set(self.identifiers))
            unknown = sorted(set(self.identifiers) - expected)
            again = sum(count > 1 for count in self.times.values())
            renamed = sorted(event for event, names in self.identifiers.items() if len(names) > 1)
        print(f"events for webhooks          {len(expected)}")
        print(f"  came                       {len(expected) - len(lost)}, of which more than once {again}")
        print(f"  lost                       {len(lost)} {lost or ''}")
        print(f"  of nothing that happened   {len(unknown)} {unknown or ''}")
        print(f"  under two identifiers      {len(renamed)} {renamed or ''}")
        print(f"  with a wrong signature     {self.unsigned}")
        return bool(expected) and not (lost or unknown or renamed or self.unsigned)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            Verifier(self.server.secrets[self.path.strip("/")]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            with self.server.lock:
                self.server.unsigned += 1
            self.send_error(400)
            return
        told = json.loads(body)
        with self.server.lock:
            self.server.times[self.headers["webhook-id"]] += 1
            self.server.identifiers[told["data"]["identifier"], told["type"]].add(self.headers["webhook-id"])
        time.sleep(ANSWER_SECONDS)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass
