"""One request from its fault to its end: whether the application runs, and what the client gets.

A `Turn` belongs to one thread. It keeps the journal's promise: `applied` is true exactly when the
application answered a write with 2xx, whether or not anybody heard it.
"""

from __future__ import annotations

import json
import socket
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

from tests.targets import wire
from tests.targets.faults import NOT_GIVEN, Fault, Kind

if TYPE_CHECKING:
    from tests.targets.server import TargetHandler

READS = frozenset({"GET", "HEAD", "OPTIONS"})
PAGE = b"<!doctype html><html><body><h1>Scripted fault</h1></body></html>"
LOGIN_PAGE = "/login/"
BODILESS = frozenset({204, 304})


class Turn:
    def __init__(self, handler: TargetHandler) -> None:
        self._handler = handler
        self._server = handler.server
        self._epoch = self._server.epoch
        self._entry = self._server.journal.open(
            handler.command,
            handler.address.path,
            handler.address.query,
            self._server.world.owner_of(handler.headers.get("Authorization", "")),
            handler.body,
            handler.headers.get("X-Request-ID"),
        )
        self._entry.correlation = handler.headers.get("X-Correlation-ID")

    def play(self) -> None:
        fault = self._server.plan.take(self._handler.command, self._handler.address.path, self._account)
        if fault is None:
            self._send(self._effect())
            return
        self._entry.fault = fault.word
        try:
            self._misbehave(fault)
        except OSError:  # the client left before we were done: that is what faults are for
            self._handler.close_connection = True

    def _account(self) -> str | None:
        return self._server.world.account_of(self._handler.address.path, self._handler.body)

    def _misbehave(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.STATUS | Kind.HTML | Kind.REDIRECT | Kind.EMPTY:
                self._replace(fault)
            case Kind.DELAY:
                self._delay(fault.seconds)
            case Kind.DROP_BEFORE:
                self._reset()
            case Kind.DROP_AFTER:
                self._effect()
                self._reset()
            case Kind.CUT:
                self._cut(fault)
            case Kind.TRICKLE:
                self._trickle(fault.seconds)
            case Kind.LATE_EFFECT:
                self._late(fault)
            case Kind.HANG:
                self._wait(fault.seconds)
                self._reset()
            case Kind.STALL:
                self._effect()
                self._wait(fault.seconds)
                self._reset()

    def _effect(self) -> bytes:
        raw = self._handler.run_application()
        if 200 <= wire.status_of(raw) < 300 and self._handler.command not in READS:
            self._server.journal.note_applied(self._entry)
        return raw

    def _send(self, raw: bytes) -> None:
        self._entry.status = wire.status_of(raw)
        self._handler.connection.sendall(raw)

    def _replace(self, fault: Fault) -> None:
        if fault.effect:
            self._effect()
        self._handler.close_connection = True
        self._send(canned(fault, self._quoted() if fault.echo else ""))

    def _quoted(self) -> str:
        return str(self._handler.headers.get("Authorization", ""))

    def _delay(self, seconds: float) -> None:
        if self._wait(seconds):
            self._send(self._effect())
        else:
            self._reset()

    def _cut(self, fault: Fault) -> None:
        raw = self._effect()
        self._entry.status = wire.status_of(raw)
        self._handler.connection.sendall(raw[: wire.cut_point(raw, fault.at)])
        self._close()

    def _trickle(self, seconds: float) -> None:
        raw = self._effect()
        self._entry.status = wire.status_of(raw)
        self._handler.close_connection = True
        wire.trickle(self._handler.connection, raw, seconds)

    def _late(self, fault: Fault) -> None:
        hold = fault.seconds / 2 if fault.hold_s is None else fault.hold_s
        self._wait(hold)
        self._reset()
        if self._wait(fault.seconds - hold):
            self._effect()
            self._handler.close_connection = True

    def _wait(self, seconds: float) -> bool:
        """False where the server stops or was reset meanwhile: the turn is over without effect."""
        self._server.stopping.wait(max(0.0, seconds))
        return not self._server.stopping.is_set() and self._epoch == self._server.epoch

    def _reset(self) -> None:
        self._handler.close_connection = True
        wire.reset(self._handler.connection)

    def _close(self) -> None:
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


def canned(fault: Fault, quoted: str = "") -> bytes:
    """The bytes of an answer that did not come from the application."""
    match fault.kind:
        case Kind.HTML:
            status, headers, body = 200, {"Content-Type": "text/html; charset=utf-8"}, PAGE
        case Kind.REDIRECT:
            status, headers, body = 302, {"Location": LOGIN_PAGE}, b""
        case Kind.EMPTY:
            status, headers, body = 200, {"Content-Type": "application/json"}, b""
        case _:
            status, headers, body = (
                500,
                {"Content-Type": "application/json"},
                b'{"detail": "Scripted fault."}',
            )
    if fault.body is not NOT_GIVEN:
        body = fault.body.encode() if isinstance(fault.body, str) else json.dumps(fault.body).encode()
    if quoted:
        body = json.dumps({"detail": f"Scripted fault while handling {quoted}"}).encode()
    status = fault.status or status
    more = {} if fault.retry_at_s is None else {"Retry-After": _date(fault.retry_at_s)}
    return wire.answer(status, {**headers, **fault.headers, **more}, b"" if status in BODILESS else body)


def _date(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)
