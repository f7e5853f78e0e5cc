"""`hirewire send`: events from NDJSON files through the same door as every other event.

Each batch is one transaction: what was counted as accepted is on disk. Memory is bounded by the batch, not by
the file. Sending a file again is harmless: what is known answers `duplicate`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Self

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from typer.core import TyperCommand

from config.settings import Settings
from connectors.sdk.model import Json
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, settings_of, single, writing
from worker.cli.failures import Code, UsageError
from worker.cli.lines import Line, lines
from worker.cli.operator_name import operator
from worker.cli.output import aside, document, hint, line
from worker.engine.accept import Intake, Receipt
from worker.engine.rows import Acceptance
from worker.intake import build_intake
from worker.storage.store import SqlStore

_BATCH = 100
_LISTED = 1_000  # refusals, and events, that one JSON document lists; all are counted and in the audit
_FEW = 10  # so many events are told one by one at a terminal
_STDIN = "-"
_ONE_A_LINE = "has no event on its first line: give NDJSON, one CloudEvent on each line (`jq -c '.[]' FILE`)"


def command() -> TyperCommand:
    return single(send, "send")


def send(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="NDJSON; - is standard input.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check and store events, one CloudEvent on each line; a worker then carries them on.

    A bad line is refused with its place and reason, and the rest of the file goes on. Exit code 1 when
    something was refused.

    Example: hirewire send events.ndjson
    """
    settings = settings_of(config)
    with ExitStack() as opened, writing(settings) as engine:
        inputs = [opened.enter_context(_opened(name)) for name in files]
        intake = build_intake(settings, SqlStore(engine, settings.engine.shards), signals_of(settings))
        tally = Tally(listing=as_json)
        with _progress(inputs) as progress:
            sender = Sender(intake, settings, tally, progress)
            try:
                for source in inputs:
                    sender.send(source)
            except KeyboardInterrupt:
                _interrupted(tally)
                raise typer.Exit(Code.INTERRUPTED) from None
    _tell(tally, as_json=as_json)
    raise typer.Exit(Code.NOT_WELL if tally.refused else Code.FINE)


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    stream: IO[bytes]
    size: int | None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.name != _STDIN:
            self.stream.close()


def _opened(name: str) -> Input:
    if name == _STDIN:
        return Input(name, sys.stdin.buffer, None)
    try:
        stream = Path(name).open("rb")  # noqa: SIM115 - closed by the Input
        return Input(name, stream, Path(name).stat().st_size)
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from None


@dataclass(slots=True)
class Tally:
    """What became of the lines; `refusals` only where they are to be listed at the end."""

    listing: bool
    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    refusals: list[Json] = field(default_factory=list)
    events: list[dict[str, Json]] = field(default_factory=list)
    last: str = "nothing was sent"

    def note(self, refusal: dict[str, Json]) -> None:
        if self.listing and len(self.refusals) < _LISTED:
            self.refusals.append(refusal)

    def keep(self, event: dict[str, Json]) -> None:
        """A stored event with its correlation id, as long as few enough are kept."""
        if len(self.events) < (_LISTED if self.listing else _FEW):
            self.events.append(event)


class Sender:
    """Sends the lines of inputs in batches; one at a time."""

    def __init__(self, intake: Intake, settings: Settings, tally: Tally, progress: Progress) -> None:
        self._intake = intake
        self._limit = settings.intake.max_event_bytes
        self._tally = tally
        self._progress = progress
        self._actor = operator()

    def send(self, source: Input) -> None:
        task = self._progress.add_task(source.name, total=source.size, counts="")
        found = _events(source, self._limit)
        while batch := list(islice(found, _BATCH)):
            receipts = self._intake.accept([item.raw for item in batch], self._actor)
            for item, receipt in zip(batch, receipts, strict=True):
                self._count(source, item, receipt)
            self._tally.last = f"{source.name} is stored up to line {batch[-1].number}"
            self._show(task, batch[-1].read)

    def _count(self, source: Input, item: Line, receipt: Receipt) -> None:
        match receipt.verdict:
            case Acceptance.NEW:
                self._tally.accepted += 1
                self._keep(source, item, receipt)
            case Acceptance.DUPLICATE:
                self._tally.duplicates += 1
                self._keep(source, item, receipt)
            case Acceptance.REFUSED:
                self._tally.refused += 1
                self._refuse(source, item, receipt)

    def _keep(self, source: Input, item: Line, receipt: Receipt) -> None:
        place: dict[str, Json] = {"file": source.name, "line": item.number, "event": receipt.event_id}
        said: dict[str, Json] = {"verdict": receipt.verdict.value, "correlation": receipt.correlation}
        self._tally.keep({**place, **said})

    def _refuse(self, source: Input, item: Line, receipt: Receipt) -> None:
        refusal = receipt.refusal
        pointer, reason = (refusal.pointer, refusal.reason) if refusal else ("", "")
        if item.too_long:
            reason = f"is longer than the limit of {self._limit} bytes"
        self._tally.note(
            {
                "file": source.name,
                "line": item.number,
                "event": receipt.event_id,
                "pointer": pointer,
                "reason": reason,
            }
        )
        if not self._tally.listing:
            event = f" ({receipt.event_id})" if receipt.event_id else ""
            place = pointer or "the whole event"
            line(f"refused  {source.name}:{item.number}{event}  {place}: {reason}")

    def _show(self, task: TaskID, read: int) -> None:
        counts = f"{self._tally.accepted} accepted, {self._tally.refused} refused"
        self._progress.update(task, completed=read, counts=counts)


def _events(source: Input, limit: int) -> Iterator[Line]:
    """The lines; refuses a whole file that is JSON but not NDJSON before anything of it is sent."""
    for place, item in enumerate(lines(source.stream, limit)):
        if place == 0 and (item.raw.startswith(b"[") or item.raw == b"{"):
            raise UsageError(f"{source.name} {_ONE_A_LINE}")
        yield item


def _progress(inputs: Sequence[Input]) -> Progress:
    """On standard error, and only if that is a terminal."""
    shown = aside()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=shown, disable=not shown.is_terminal or not inputs, transient=True)


def _interrupted(tally: Tally) -> None:
    hint(f"stopped: {tally.last}; {_counts(tally)}. Sending the same again is harmless.")


def _counts(tally: Tally) -> str:
    return f"{tally.accepted} accepted, {tally.duplicates} duplicates, {tally.refused} refused"


def _tell(tally: Tally, *, as_json: bool) -> None:
    stored = tally.accepted + tally.duplicates
    if not as_json:
        for event in tally.events if stored <= _FEW else ():
            line(f"{event['verdict']}  {event['event']}  correlation {event['correlation']}")
        line(_counts(tally))
        return
    document(
        {
            "accepted": tally.accepted,
            "duplicates": tally.duplicates,
            "refused": tally.refused,
            "refusals": tally.refusals,
            "refusals_left_out": tally.refused - len(tally.refusals),
            "events": [*tally.events],
            "events_left_out": stored - len(tally.events),
        }
    )
