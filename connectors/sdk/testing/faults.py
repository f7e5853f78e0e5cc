"""The ways in which the tap can answer wrongly. Each is a function of the turn it spoils.

`effect` says whether the request reaches the reference server before the client hears the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from connectors.sdk.model import Json
from connectors.sdk.testing.exchange import JSON_TYPE, Answer
from connectors.sdk.testing.tap import Fault, Turn

NONE: Mapping[str, str] = MappingProxyType({})
PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
TRICKLE_S = 0.02  # between two bytes
TRICKLED = 300  # bytes: a client without a deadline fails its check and does not hang


def says(
    status: int,
    body: Json | bytes = b"",
    headers: Mapping[str, str] = NONE,
    *,
    kind: str = JSON_TYPE,
    effect: bool = False,
) -> Fault:
    """An answer that is not the server's; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(status, {"Content-Type": kind, **headers}, content)

    def fault(turn: Turn) -> None:
        if effect:
            turn.forward()
        turn.answer(answer)

    return fault


def html(status: int = 200, headers: Mapping[str, str] = NONE, *, effect: bool = False) -> Fault:
    """A page for people instead of JSON."""
    return says(status, PAGE, headers, kind="text/html; charset=utf-8", effect=effect)


def redirects(to: str, status: int = 302) -> Fault:
    return says(status, b"", {"Location": to})


def restated(status: int) -> Fault:
    """The server's own answer under another status."""
    return rewrites(lambda answer: replace(answer, status=status))


def rewrites(change: Callable[[Answer], Answer]) -> Fault:
    """The server's own answer, changed; the request has its effect."""

    def fault(turn: Turn) -> None:
        turn.answer(change(turn.forward()))

    return fault


def rewrites_json(change: Callable[[dict[str, Json]], Json]) -> Fault:
    """The server's own JSON object, changed where the status is 2xx."""

    def changed(answer: Answer) -> Answer:
        body = answer.json()
        if not answer.ok or not isinstance(body, dict):
            return answer
        return replace(answer, body=json.dumps(change(body)).encode())

    return rewrites(changed)


def hangs(*, effect: bool) -> Fault:
    """Nothing is ever answered."""

    def fault(turn: Turn) -> None:
        if effect:
            turn.forward()
        turn.wait()

    return fault


def resets(*, effect: bool) -> Fault:
    """The connection ends with RST instead of an answer."""

    def fault(turn: Turn) -> None:
        if effect:
            turn.forward()
        turn.reset()

    return fault


def cut_head(turn: Turn) -> None:
    """The server's answer ends inside its headers."""
    raw = turn.forward().raw()
    turn.send(raw[: raw.index(b"\r\n") + 12])
    turn.close()


def cut_body(turn: Turn) -> None:
    """The server's answer ends in the middle of its body, against its Content-Length."""
    answer = turn.forward()
    turn.send(answer.raw()[: -max(1, len(answer.body) // 2)])
    turn.close()


def cut_chunks(turn: Turn) -> None:
    """The server's answer comes in chunks and ends before the last one."""
    answer = turn.forward()
    half = answer.body[: max(1, len(answer.body) // 2)]
    turn.send(answer.head(framing="Transfer-Encoding: chunked") + f"{len(half):x}\r\n".encode() + half)
    turn.send(b"\r\n")
    turn.close()


def trickled_head(turn: Turn) -> None:
    """A status line, then headers byte by byte: each read is quick, the whole never ends."""
    turn.forward()
    turn.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    turn.trickle(b"a" * TRICKLED, TRICKLE_S)


def trickled_body(turn: Turn) -> None:
    """Whole headers, then the body byte by byte."""
    answer = turn.forward()
    turn.send(answer.head(framing=f"Content-Length: {TRICKLED + len(answer.body)}"))
    turn.trickle(b" " * TRICKLED, TRICKLE_S)


def oversized(turn: Turn) -> None:
    """The server's own JSON behind more white space than anybody should read: 5 MiB."""
    answer = turn.forward()
    turn.answer(replace(answer, body=b" " * (5 * 1024 * 1024) + answer.body))
