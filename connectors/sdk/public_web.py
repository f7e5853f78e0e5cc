"""Fetching a picture from a public https address that somebody else named.

One request, without any credential, cookie, proxy or redirect; the host is resolved once and the connection
goes to that very address, while TLS still checks the host's name. At most `MAX_BYTES` are read, within
`deadline_s` once connected. Safe from many threads; opens nothing until asked; keeps no connection.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import urllib3
import urllib3.exceptions
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connectionpool import HTTPSConnectionPool

from connectors.sdk.contract import Timeouts
from connectors.sdk.deadline import Guard
from connectors.sdk.public_address import AddressError, Resolver, public_address
from connectors.sdk.transport import GuardedHTTPSConnection, guarded
from connectors.sdk.version import user_agent

MAX_BYTES: Final = 5 * 1024 * 1024
PIECE: Final = 65536  # bytes read at once
HTTPS_PORT: Final = 443
IMAGE_TYPES: Final = frozenset({"image/jpeg", "image/jpg", "image/png"})


class FetchError(Exception):
    """Nothing was fetched. The message says why, without path and query of the address."""


@dataclass(frozen=True, slots=True)
class _Peer:
    """Where the connection goes, whatever the name says meanwhile."""

    address: str
    port: int


class _Pool(HTTPSConnectionPool):
    ConnectionCls = GuardedHTTPSConnection


class PublicWeb:
    """`hosts` are the only ones asked; empty: any. `resolve` decides which addresses may be connected to."""

    def __init__(
        self,
        timeouts: Timeouts = Timeouts(),  # noqa: B008  # frozen
        hosts: Collection[str] = (),
        resolve: Resolver = public_address,
        ca_bundle: str | None = None,
    ) -> None:
        self._timeouts = timeouts
        self._hosts = frozenset(host.lower() for host in hosts)
        self._resolve = resolve
        self._ca_bundle = ca_bundle

    def check(self, url: str) -> None:
        """Whether this address would be asked at all. Sends nothing. Raises `FetchError`."""
        self._parts(url)

    def fetch(self, url: str) -> bytes:
        """The picture's bytes as they came. Raises `FetchError`."""
        parts = self._parts(url)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
        try:
            address = self._resolve(host, port)
        except AddressError as error:
            raise FetchError(str(error)) from None
        return self._fetch(parts, host, _Peer(address, port))

    def _fetch(self, parts: SplitResult, host: str, peer: _Peer) -> bytes:
        guard = Guard(self._timeouts.deadline_s)
        content, trouble = b"", None
        try:
            with guarded(guard), self._pool(host, peer) as pool:
                content = self._read(pool, parts)
        except FetchError as error:
            trouble = str(error)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            trouble = f"{host} gave no whole answer ({type(error).__name__})"
        if guard.expired:  # its socket was shut: what was read may look whole
            trouble = f"{host} gave no whole answer within {self._timeouts.deadline_s:.3g} s"
        if trouble is not None:
            raise FetchError(trouble)
        return content

    def _parts(self, url: str) -> SplitResult:
        parts = _split(url)
        host = (parts.hostname or "").lower()
        if parts.scheme != "https" or not host:
            raise FetchError("only an https:// address is fetched")
        if parts.username is not None or parts.password is not None:
            raise FetchError("an address with a user name or a password is not fetched")
        if self._hosts and host not in self._hosts:
            raise FetchError(f"{host} is not among options.picture_hosts")
        return parts

    def _pool(self, host: str, peer: _Peer) -> HTTPSConnectionPool:
        return _Pool(
            peer.address,
            peer.port,
            maxsize=1,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self._ca_bundle or DEFAULT_CA_BUNDLE_PATH,
            server_hostname=host,
        )

    def _read(self, pool: HTTPSConnectionPool, parts: SplitResult) -> bytes:
        headers = {
            "Host": parts.netloc,
            "User-Agent": user_agent(),
            "Accept": "image/jpeg, image/png",
            "Accept-Encoding": "identity",
        }
        response = pool.urlopen(
            "GET",
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            headers=headers,
            retries=False,
            redirect=False,
            timeout=urllib3.Timeout(connect=self._timeouts.connect_s, read=self._timeouts.read_s),
            preload_content=False,
            decode_content=False,
        )
        try:
            _check_head(response)
            return _body(response)
        finally:
            response.close()


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_or_error = parts.port
    except ValueError:
        raise FetchError("this is no address") from None
    if (
        port_or_error == 0
        or not url.isascii()
        or any(char.isspace() or not char.isprintable() for char in url)
    ):
        raise FetchError("the address holds what no address may hold")
    return parts


def _check_head(response: urllib3.BaseHTTPResponse) -> None:
    if response.status != 200:  # noqa: PLR2004  # a redirect, an error, a part: none of them a picture
        raise FetchError(f"status {response.status} instead of a picture; redirects are not followed")
    kind = response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind not in IMAGE_TYPES:
        raise FetchError(f"{kind or 'an unnamed type'} is neither image/jpeg nor image/png")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise FetchError("the picture is packed; only plain content is read")
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:12]) > MAX_BYTES:
        raise FetchError(f"the picture is larger than {MAX_BYTES} bytes")


def _body(response: urllib3.BaseHTTPResponse) -> bytes:
    """Read to its end in pieces: only an empty piece makes urllib3 compare with the length that was told."""
    content = bytearray()
    while piece := response.read(PIECE, decode_content=False):
        content += piece
        if len(content) > MAX_BYTES:
            raise FetchError(f"the picture is larger than {MAX_BYTES} bytes")
    return bytes(content)
