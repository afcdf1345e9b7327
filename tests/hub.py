"""A local Hugging Face hub with one model: what the real client requests, over real HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REPOSITORY = "Systran/faster-whisper-tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Serves the files of `folder` as REPOSITORY. The weights stop half-way until `go_on` is set."""

    def __init__(self, folder: Path, url: str) -> None:
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.url = url
        self.go_on = threading.Event()
        self.gave_up = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(send_body=False)

    def do_GET(self) -> None:
        self._answer(send_body=True)

    def _answer(self, *, send_body: bool) -> None:
        name = self.path.rpartition("/")[2]
        if self.path == f"/api/models/{REPOSITORY}/revision/main":
            siblings = [{"rfilename": name} for name in self.hub.files]
            body = json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": siblings}).encode()
        elif self.path == f"/{REPOSITORY}/resolve/{COMMIT}/{name}" and name in self.hub.files:
            body = self.hub.files[name]
        else:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if send_body:
            half = len(body) // 2 if name == "model.bin" else 0
            self.wfile.write(body[:half])
            self.wfile.flush()
            if half and not self.hub.go_on.wait(60):
                self.hub.gave_up.set()
            self.wfile.write(body[half:])

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[Hub]:
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.hub = Hub(folder, f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield handler.hub
        finally:
            handler.hub.go_on.set()
            for thread in threading.enumerate():
                if thread.name == "fetch":  # a download that was given up
                    thread.join()
            server.shutdown()
