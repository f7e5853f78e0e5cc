"""The HTTP side of a server in memory: one account, the list, the token's owner; JSON only."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.sdk.auth import read_authorization
from connectors.sdk.contract import Credential
from connectors.sdk.model import Json, Record
from connectors.sdk.testing.memory_rules import InvalidError

Row = dict[str, Json]
LARGEST = 1024 * 1024


class Rows(Protocol):
    """What lies behind."""

    accounts: ClassVar[str]
    account: ClassVar[str]
    owner: ClassVar[str]

    def credential(self) -> Credential: ...
    def listing(self, rows: list[Row], query: Mapping[str, str], url: str) -> Json: ...
    def shown(self, row: Row) -> Json: ...
    def all(self, query: Mapping[str, str]) -> list[Row]: ...
    def one(self, remote_id: str) -> Row | None: ...
    def of_token(self) -> str: ...
    def change(self, remote_id: str, values: Record) -> Row | None: ...
    def make(self, values: Record) -> Row: ...
    def remove(self, remote_id: str) -> bool: ...


class Refusal(Exception):  # noqa: N818  # an answer like any other
    """An answer that is no success."""

    def __init__(self, status: HTTPStatus, body: Json, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


class Listener:
    """Listens on loopback from its making until `close`."""

    def __init__(self, rows: Rows) -> None:
        handler = type("Handler", (_Handler,), {"rows": rows})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    rows: ClassVar[Rows]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  # the base class's signature
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer()

    do_PATCH = do_POST = do_DELETE = do_PUT = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  # as the base class asks

    def _answer(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST))
        try:
            self._authorise()
            status, said = self._routed(body)
            self._send(status, said, {})
        except InvalidError as error:
            self._send(HTTPStatus.BAD_REQUEST, {name: [text] for name, text in error.fields.items()}, {})
        except Refusal as refusal:
            self._send(refusal.status, refusal.body, refusal.headers)

    def _authorise(self) -> None:
        if self.headers.get("Authorization") != read_authorization(self.rows.credential).header:
            detail: Json = {"detail": "Authentication credentials were not provided or are wrong."}
            raise Refusal(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": "Bearer"})

    def _routed(self, body: bytes) -> tuple[HTTPStatus, Json]:
        parts = urlsplit(self.path)
        if parts.path == self.rows.owner:
            self._allowed("GET", "PATCH")
            return self._one(self.rows.of_token(), body)
        if parts.path == self.rows.accounts:
            return self._list(dict(parse_qsl(parts.query)), parts.path, body)
        before, _, after = self.rows.account.partition("{id}")
        if parts.path.startswith(before) and parts.path.endswith(after):
            return self._one(unquote(parts.path[len(before) : len(parts.path) - len(after)]), body)
        raise _nobody()

    def _list(self, query: dict[str, str], path: str, body: bytes) -> tuple[HTTPStatus, Json]:
        self._allowed("GET", "POST")
        if self.command == "POST":
            return HTTPStatus.CREATED, self.rows.shown(self.rows.make(self._values(body)))
        url = f"http://{self.headers.get('Host')}{path}"
        return HTTPStatus.OK, self.rows.listing(self.rows.all(query), query, url)

    def _one(self, remote_id: str, body: bytes) -> tuple[HTTPStatus, Json]:
        self._allowed("GET", "PATCH", "DELETE")
        if self.command == "DELETE":
            if self.rows.remove(remote_id):
                return HTTPStatus.NO_CONTENT, None
            raise _nobody()
        row = (
            self.rows.change(remote_id, self._values(body))
            if self.command == "PATCH"
            else self.rows.one(remote_id)
        )
        if row is None:
            raise _nobody()
        return HTTPStatus.OK, self.rows.shown(row)

    def _allowed(self, *methods: str) -> None:
        if self.command not in methods:
            detail: Json = {"detail": f'Method "{self.command}" not allowed.'}
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"Allow": ", ".join(methods)})

    def _values(self, body: bytes) -> Record:
        if "application/json" not in self.headers.get("Content-Type", ""):
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"detail": "Send application/json."})
        try:
            values = json.loads(body)
        except ValueError:
            raise Refusal(HTTPStatus.BAD_REQUEST, {"detail": "JSON parse error."}) from None
        if not isinstance(values, dict):
            raise Refusal(HTTPStatus.BAD_REQUEST, {"detail": "An object is expected."})
        return values

    def _send(self, status: HTTPStatus, said: Json, headers: Mapping[str, str]) -> None:
        content = b"" if status is HTTPStatus.NO_CONTENT else json.dumps(said).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status is not HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content if self.command != "HEAD" else b"")


def _nobody() -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, {"detail": "There is no such thing here."})
