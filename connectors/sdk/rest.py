"""The HTTP client of every connector: requests below one base URL in, raw answers out.

Never: a redirect followed, the environment's proxies or netrc used, TLS unverified, a write repeated
that may have arrived, more than 4 MiB read, an exception for anything a target does, a credential in
a log, repr or answer. Safe from many threads; opens nothing in its constructor. Every exchange ends
within `deadline_s` once connected; name resolution is bounded by the system's resolver only.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

import requests
from requests.hooks import default_hooks
from requests.structures import CaseInsensitiveDict

from connectors.sdk.answers import Answer, Failure
from connectors.sdk.auth import Authorization, CredentialError, read_authorization
from connectors.sdk.contract import ConnectorConfig
from connectors.sdk.form import FilePart, form_of
from connectors.sdk.model import Exchange, Record
from connectors.sdk.retry import brought_nothing, never_left, retried
from connectors.sdk.urls import base_of, below, root_of
from connectors.sdk.version import user_agent
from connectors.sdk.wire import Wire

JSON: Final = "application/json"
HEADER_SAFE: Final = re.compile(r"[!-~]{1,200}")

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Set around a call, sent as `X-Request-ID`; left out unless 1-200 printable ASCII characters."""

correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
"""Set around a call, sent as `X-Correlation-ID` by the same rule: what the request is done for."""

write_until: ContextVar[float | None] = ContextVar("write_until", default=None)
"""Set around a call: a write that might last beyond this moment (`time.monotonic()`) is not sent."""


class RestClient:
    """`request_id_header` is where the target tells its own id of a request.

    `own_request_id` makes the id to send there, for a target that takes one: then it is known also of a
    request that nobody answered.
    """

    def __init__(
        self,
        config: ConnectorConfig,
        request_id_header: str = "X-Request-ID",
        own_request_id: Callable[[], str] | None = None,
    ) -> None:
        if config.verify is False:
            raise ValueError(f"{config.name}: TLS verification cannot be turned off")
        self.base_url = base_of(config.base_url)
        self._root = root_of(self.base_url)
        self._prefix = urlsplit(self.base_url).path
        self._source = config.credential
        self._deadline_s = config.timeouts.deadline_s
        self._wire = Wire(config.timeouts, config.pool_size, verify=config.verify)
        self._request_id_header = request_id_header
        self._own_request_id = own_request_id
        self._headers = CaseInsensitiveDict({"Accept": "application/json", "User-Agent": user_agent()})
        self._authorization: Authorization | None = None
        self._scheme: str | None = None

    def __repr__(self) -> str:
        return f"RestClient(base_url={self.base_url!r})"

    @property
    def username(self) -> str | None:
        """Whose password was sent last; None for a token, which does not say whose it is."""
        return self._authorization.username if self._authorization else None

    @property
    def scheme(self) -> str | None:
        """How a credential was sent last: bearer, token or basic. Known also after it was refused."""
        return self._scheme

    @property
    def session(self) -> object | None:
        """Another object whenever the credential was read anew; None until it was. Shows nothing of it."""
        return self._authorization

    def refresh(self) -> None:
        """Forget the credential: the next request reads it again from its source. A 401 does so itself."""
        self._authorization = None

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        """One read of a path below the base URL, repeated only while nothing came back."""
        target = self._prefix + path + (f"?{urlencode(query)}" if query else "")
        return retried(
            lambda left: self._exchange("GET", target, None, left), brought_nothing, self._deadline_s
        )

    def options(self, path: str) -> Answer:
        """What may be done at a path (a safe method, RFC 9110, 9.2.1), repeated as a read is."""
        target = self._prefix + path
        return retried(
            lambda left: self._exchange("OPTIONS", target, None, left), brought_nothing, self._deadline_s
        )

    def patch(self, path: str, changes: Record) -> Answer:
        """One write, sent again only while it provably never left. `changes` are encoded values."""
        body = json.dumps(changes, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        return self._write("PATCH", path, body, JSON)

    def post(self, path: str, values: Record) -> Answer:
        """One creation, sent again only while it provably never left. `values` are encoded values."""
        body = json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        return self._write("POST", path, body, JSON)

    def delete(self, path: str) -> Answer:
        """One deletion, sent again only while it provably never left."""
        return self._write("DELETE", path, None, JSON)

    def patch_form(self, path: str, changes: Record, files: Mapping[str, FilePart]) -> Answer:
        """One write as `patch`, as a form with files. Raises `ValueError` for what no form can say."""
        body, content_type = form_of(changes, files)
        return self._write("PATCH", path, body, content_type)

    def unsent(self, method: str, path: str) -> Exchange:
        """The exchange that a check before the send kept from happening."""
        return Exchange(method, self._prefix + path)

    def follow(self, page: Exchange, link: str) -> str:
        """The path below the base URL that `link` on `page` leads to. Raises `ForeignOriginError`."""
        return below(self.base_url, page.path, link)

    def _write(self, method: str, path: str, body: bytes | None, content_type: str) -> Answer:
        target = self._prefix + path
        until = write_until.get()
        if until is not None and time.monotonic() + self._deadline_s > until:
            detail = "it was too late to send: our lease on the account was about to end"
            return Answer(Exchange(method, target), failure=Failure.UNSENT, detail=detail)
        return retried(
            lambda left: self._exchange(method, target, body, left, content_type),
            never_left,
            self._deadline_s,
        )

    def _exchange(
        self, method: str, target: str, body: bytes | None, left_s: float, content_type: str = JSON
    ) -> Answer:
        started = time.monotonic()
        try:
            authorization = self._authorized()
        except CredentialError as error:
            return Answer(Exchange(method, target), failure=Failure.CREDENTIAL, detail=str(error))
        request = self._prepared(method, target, body, authorization, content_type)
        ours = self._own_request_id() if self._own_request_id is not None else None
        if ours is not None:
            request.headers[self._request_id_header] = ours
        received = self._wire.send(request, left_s)
        status, content = received.status, received.body
        if status is not None and status >= HTTPStatus.BAD_REQUEST:
            content = authorization.hidden_in(content)
            if status == HTTPStatus.UNAUTHORIZED:
                self.refresh()
        known_by = received.headers.get(self._request_id_header) or ours
        exchange = Exchange(method, target, status, time.monotonic() - started, known_by)
        return Answer(exchange, received.headers, content, received.failure, received.detail, time.time())

    def _authorized(self) -> Authorization:
        current = self._authorization
        if current is None:
            current = self._authorization = read_authorization(self._source)
            self._scheme = current.header.partition(" ")[0].lower()
        return current

    def _prepared(
        self,
        method: str,
        target: str,
        body: bytes | None,
        authorization: Authorization,
        content_type: str,
    ) -> requests.PreparedRequest:
        """What `requests` would build, without asking the environment and without building it anew."""
        headers = self._headers.copy()
        headers["Authorization"] = authorization.header
        for name, said in (("X-Request-ID", request_id.get()), ("X-Correlation-ID", correlation.get())):
            if said is not None and HEADER_SAFE.fullmatch(said):
                headers[name] = said
        if body is not None:
            headers["Content-Type"] = content_type
            headers["Content-Length"] = str(len(body))
        request = requests.PreparedRequest()
        request.method, request.url, request.headers = method, self._root + target, headers
        request.body, request.hooks = body, default_hooks()
        return request
