"""A small real program for a stack: `python -m tests.stack.program NAME`. Notes its start and its stop.

Each line of `journal` in the state folder is `start NAME PID` or `stop NAME broker=up|down`. A `sidecar` and
`api` also serve HTTP, on the port that is the second argument or that the variable of this name holds.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from worker.stack import broker


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Quiet."""


def note(line: str) -> None:
    with (Path(os.environ["HIREWIRE_STATE_DIR"]) / "journal").open("a") as journal:
        journal.write(line + "\n")


def broker_state() -> str:
    socket = Path(os.environ["HIREWIRE_BROKER__URL"].removeprefix("redis+socket://"))
    return "up" if broker.answers(socket) else "down"


def main(name: str, port: str | None) -> None:
    # blocked before the start is noted: whoever reads the journal may send the signal at once
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    if port is not None:
        server = HTTPServer(("127.0.0.1", int(os.environ.get(port, port))), Hello)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    note(f"start {name} {os.getpid()}")
    signal.sigwait({signal.SIGTERM})
    note(f"stop {name} broker={broker_state()}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
