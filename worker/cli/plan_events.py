"""Events that a plan is made for: from a file, from standard input, or stored under an id."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import IO

from config.settings import Settings
from worker.cli.broker import NoSignals
from worker.cli.failures import UsageError
from worker.cli.lines import Line, lines
from worker.cli.looking import Look
from worker.domain.strict_json import RefusedError
from worker.engine.accept import Intake
from worker.intake import build_intake
from worker.storage.store import SqlStore
from worker.views.said import Said, refused_line, stored_line

_STDIN = "-"


def events_of(look: Look, name: str, limit: int) -> Said:
    """Of a file at most `limit` lines. Raises UsageError for what is neither a file nor a stored event."""
    if name == _STDIN or Path(name).is_file():
        with _opened(name) as stream:
            return _from_lines(look, name, stream, limit)
    with look.viewer.begin() as view:
        kept, now = view.events_called(name), view.now
    if not kept:
        raise UsageError(f"{name!r} is neither a file nor the id of a stored event")
    said = Said()
    for one in kept:
        said.events.setdefault(one.stored.event.subject, [])
        said.notes += [stored_line(one, now)]
    return said


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == _STDIN:
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as stream:
            yield stream
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from None


def _from_lines(look: Look, name: str, stream: IO[bytes], limit: int) -> Said:
    intake, said = _intake(look), Said()
    found = lines(stream, look.settings.intake.max_event_bytes)
    for item in islice(found, limit):
        _take(intake, look.settings, f"{name}:{item.number}", item, said)
    said.more = next(found, None) is not None
    return said


def _intake(look: Look) -> Intake:
    """For reading only: nothing is stored through an engine for reading."""
    return build_intake(look.settings, SqlStore(look.engine, look.settings.engine.shards), NoSignals())


def _take(intake: Intake, settings: Settings, place: str, item: Line, said: Said) -> None:
    try:
        event = intake.read(item.raw)
    except RefusedError as error:
        refusal = error.refusal
        if item.too_long:
            reason = f"is longer than the limit of {settings.intake.max_event_bytes} bytes"
            refusal = replace(refusal, reason=reason)
        said.refused.append(refused_line(place, refusal))
    else:
        said.events.setdefault(event.subject, []).append(event)
