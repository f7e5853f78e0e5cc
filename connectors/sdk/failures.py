"""Which failure an exception of the HTTP stack stands for, in plain words. Pure.

Exception texts are not passed on: they hold addresses with people's names in the query.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator

import urllib3.exceptions as u3

from connectors.sdk.answers import Failure


def failure_of(error: BaseException, *, sent: bool) -> tuple[Failure, str]:
    """`sent`: whether a byte of the request may have left."""
    chain = tuple(_chain(error))
    if sent:
        return Failure.LOST, _lost_words(chain)
    untrusted = next((cause for cause in chain if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if untrusted is not None:
        return Failure.TLS, f"the certificate is not trusted: {untrusted.verify_message}"
    tls = next((cause for cause in chain if isinstance(cause, ssl.SSLError)), None)
    if tls is not None:
        return Failure.TLS, f"the TLS handshake failed ({tls.reason})"
    if type(error) in {OSError, FileNotFoundError}:
        return Failure.TLS, "the file of trusted certificates cannot be read"
    return Failure.UNSENT, _unsent_words(chain)


def _unsent_words(chain: tuple[BaseException, ...]) -> str:
    """urllib3 counts a refused connection among its timeouts, so the plainer causes come first."""
    if _any_of(chain, socket.gaierror, u3.NameResolutionError):
        return "the host name does not resolve"
    if _any_of(chain, ConnectionRefusedError):
        return "connection refused"
    if _any_of(chain, TimeoutError, u3.TimeoutError):
        return "no connection in time"
    return "no connection"


def _lost_words(chain: tuple[BaseException, ...]) -> str:
    if _any_of(chain, TimeoutError, u3.ReadTimeoutError):
        return "no answer in time"
    if _any_of(chain, u3.IncompleteRead, http.client.IncompleteRead):
        return "the answer was cut"
    if _any_of(chain, ConnectionError):
        return "the connection was closed before the answer was complete"
    return "the answer could not be read"


def _any_of(chain: tuple[BaseException, ...], *kinds: type[BaseException]) -> bool:
    return any(isinstance(cause, kinds) for cause in chain)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps; urllib3 keeps causes in `reason` and in its arguments."""
    todo, seen = [error], set[int]()
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = (*current.args, getattr(current, "reason", None), current.__cause__, current.__context__)
        todo.extend(item for item in inner if isinstance(item, BaseException))
