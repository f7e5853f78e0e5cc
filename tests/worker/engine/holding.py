"""Between an engine and its target: holds the answer to a run's request back until it is let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from tests.fixtures.targets import ReferenceTarget

_PATIENCE_S = 60.0
_HOP = {"connection", "content-length", "date", "host", "server", "transfer-encoding"}


class Holding(ReferenceTarget):
    """The target, as whoever asks it through here sees it. `came`: the target answered the run."""

    def __init__(self, target: ReferenceTarget, port: int) -> None:
        super().__init__(target.style, port)
        self.behind = target
        self.came = threading.Event()
        self.let_go = threading.Event()


@contextmanager
def holding(target: ReferenceTarget) -> Iterator[Holding]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    door = Holding(target, server.server_port)
    server.door = door  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield door
    finally:
        door.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass_on(self) -> None:
        door: Holding = self.server.door  # type: ignore[attr-defined]
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        url = f"{door.behind.base_url}{self.path}"
        answer = requests.request(self.command, url, headers=headers, data=body, timeout=_PATIENCE_S)
        if (self.headers.get("X-Correlation-ID") or "").startswith("run-"):
            door.came.set()
            door.let_go.wait(_PATIENCE_S)
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_PATCH = do_POST = _pass_on  # noqa: N815 - the library's names

    def log_message(self, *args: object) -> None:
        """Nothing is said."""
