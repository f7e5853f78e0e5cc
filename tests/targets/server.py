"""The threaded HTTP server of a target: real Django behind faults that happen on the wire.

Every request is read whole, then its scripted fault is taken. Where the effect is to happen the
application really runs, into a buffer; what reaches the client is decided afterwards. One thread
for each connection; HTTP/1.1 with keep-alive; stops without waiting for connections.
"""

from __future__ import annotations

import io
import socketserver
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

from django.core.servers.basehttp import ServerHandler, ThreadedWSGIServer, WSGIRequestHandler

from tests.targets import wire
from tests.targets.behaviour import Turn
from tests.targets.control import PREFIX, Control
from tests.targets.faults import FaultPlan
from tests.targets.journal import Journal
from tests.targets.style import World


class TargetServer(ThreadedWSGIServer):
    """Binds on construction; `server_port` is the real port where 0 was asked for."""

    request_queue_size = 128

    def __init__(self, port: int, application: Any, world: World) -> None:
        super().__init__(("127.0.0.1", port), TargetHandler)
        self.set_app(application)
        self.world = world
        self.plan = FaultPlan()
        self.journal = Journal()
        self.epoch = 0  # counts resets: what was started before one must not act after it
        self.stopping = threading.Event()
        self.control = Control(self)

    def server_bind(self) -> None:
        """Without the reverse look-up of the standard library, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        host, port = self.server_address[:2]
        self.server_name, self.server_port = str(host), int(port)
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours; everything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class TargetHandler(WSGIRequestHandler):
    server: TargetServer
    disable_nagle_algorithm = True  # else about 50 ms an answer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.parse_request():
            return
        self.body = wire.read_body(self.rfile, self.headers)
        self.address = urlsplit(self.path)
        if self.address.path.startswith(PREFIX):
            self.connection.sendall(self.server.control.answer(self.command, self.address.path, self.body))
            self.close_connection = True
            return
        Turn(self).play()

    def run_application(self) -> bytes:
        """The application's own answer, as bytes. May be called once a request."""
        raw = io.BytesIO()
        handler = ServerHandler(io.BytesIO(self.body), raw, self.get_stderr(), self._environ())
        handler.request_handler = self
        handler.run(self.server.get_app())
        return raw.getvalue()

    def _environ(self) -> dict[str, Any]:
        environ = dict(self.get_environ())
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(self.body))
        environ["CONTENT_TYPE"] = self.headers.get("Content-Type", "")  # wsgiref would invent one
        return environ

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """The journal is the log."""
