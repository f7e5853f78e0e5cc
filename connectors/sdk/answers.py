"""One raw answer as the wire gave it, and how its parts are read. Pure, imports no HTTP library."""

from __future__ import annotations

import datetime as dt
import enum
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NoReturn, cast

from connectors.sdk.model import Exchange, Json
from connectors.sdk.text import one_line

RETRY_AFTER_CAP_S = 6 * 3600.0
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


class Failure(enum.Enum):
    """Why no complete answer came back."""

    UNSENT = "unsent"  # refused, DNS, connect timeout: provably not one byte of the request left
    CREDENTIAL = "credential"  # our own secret could not be read: nothing was sent
    TLS = "tls"  # the handshake failed: nothing was sent
    LOST = "lost"  # timeout, reset, cut body, deadline: it may have been applied
    OVERSIZE = "oversize"  # the body was longer than we read


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` has its names in lower case. `received_at` is the local clock in epoch seconds."""

    exchange: Exchange
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: Failure | None = None
    detail: str = ""
    received_at: float = 0.0


class NotJsonError(ValueError):
    """The body is not one JSON text as RFC 8259 has it."""


def json_of(body: bytes) -> Json:
    """The parsed body; NaN and Infinity are no JSON. Raises `NotJsonError`."""
    try:
        return cast("Json", json.loads(body, parse_constant=_no_constant))
    except (ValueError, RecursionError) as error:
        raise NotJsonError(type(error).__name__) from error


def is_html(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip()[:1] == b"<"


def title_of(answer: Answer) -> str:
    """What an HTML page calls itself, as a person would look it up."""
    found = _TITLE.search(answer.body[:65536])
    title = one_line(found.group(1).decode("utf-8", "replace"), 100) if found else ""
    return f"an HTML page ({title})" if title else "an HTML page"


def retry_after_s(answer: Answer) -> float | None:
    """Seconds from `Retry-After` (RFC 9110, 10.2.3), capped at 6 h; None where absent or unreadable.

    A date is measured against the server's own `Date`, so a wrong clock on either side does no harm.
    """
    text = answer.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_CAP_S)
    until = _moment(text)
    if until is None:
        return None
    now = _moment(answer.headers.get("date", ""))
    base = answer.received_at if now is None else now
    return min(max(until - base, 0.0), RETRY_AFTER_CAP_S)


def message_of(value: Json) -> str:
    """DRF's messages in one line: text, lists and objects, however deeply nested."""
    return one_line("; ".join(_messages(value)))


def _messages(value: Json) -> list[str]:
    match value:
        case str():
            return [value] if value else []
        case list():
            return [text for item in value for text in _messages(item)]
        case dict():
            return [f"{key}: {text}" for key, item in value.items() for text in _messages(item)]
        case None:
            return []
        case _:
            return [json.dumps(value)]


def _moment(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)).timestamp()


def _no_constant(name: str) -> NoReturn:
    raise NotJsonError(name)
