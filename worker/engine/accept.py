"""Accept: events are checked, stored and acknowledged. The only door into Hirewire.

Promise: a receipt `accepted` or `duplicate` is given only after the event is on disk; a refusal
names the place and is audited; one bad event never sinks the rest of its batch. Safe to call again
with the same events. Signals are hints: when the broker is away, accepting goes on.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

from connectors.sdk.model import Json
from worker.domain.event import Event, Extract, SourceRules, as_object, read_event, source_uri
from worker.domain.strict_json import Limits, Refusal, RefusedError, check, parse
from worker.engine import gaps
from worker.engine.again import whole
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Acceptance, Arrival, Entry, RefusedBody

STREAM = "intake"
SAME_ID = Refusal("/id", "was used before for an event with another body")


@dataclass(frozen=True, slots=True)
class Reader:
    """How one source's events are read. `counted`: its `sequence` has no gaps, unless something was lost."""

    name: str
    rules: SourceRules
    extract: Extract
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one event. `event_id` is None where it could not be read.

    `correlation` is the id that its requests will carry; a duplicate answers with the first one's.
    """

    verdict: Acceptance
    event_id: str | None = None
    refusal: Refusal | None = None
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event as a sender's request held it. `raw` is what was sent of it, for the audit's digest.

    With a `refusal` it is none: it was refused while the request was taken apart.
    """

    raw: bytes
    body: Json = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    raw: bytes
    correlation: str
    event: Event | None = None
    event_id: str | None = None
    refusal: Refusal | None = None


Keeping: TypeAlias = Callable[[Transaction, Sequence[_Read], Sequence[Receipt]], None]
"""What is written beside the events, in their transaction."""


class Intake:
    """`sources` maps the CloudEvents `source` to its reader."""

    def __init__(
        self,
        store: Store,
        signals: Signals,
        sources: Mapping[str, Reader],
        limits: Limits,
        future_tolerance_s: float,
    ) -> None:
        self._store = store
        self._signals = signals
        self._sources = sources
        self._limits = limits
        self._tolerance_s = future_tolerance_s

    def accept(self, raws: Sequence[bytes], actor: str, only: frozenset[str] | None = None) -> list[Receipt]:
        """One receipt for each raw event, in order. `only` names the sources that may speak here."""
        reads = [self._read(raw, only) for raw in raws]
        receipts = whole(lambda: self._keep(reads, actor, _keep_nothing))
        self._signal(receipts)
        return receipts

    def deliver(self, parcels: Sequence[Parcel], source: str) -> list[Receipt]:
        """As `accept`, from the sender that proved to be this source: it speaks for nobody else.

        The first bytes of what is refused are kept for a while.
        """
        reads = [self._opened(parcel, source) for parcel in parcels]
        receipts = whole(lambda: self._keep(reads, f"source:{source}", partial(_keep_refused, source)))
        self._signal(receipts)
        return receipts

    def review(self, parcel: Parcel, source: str) -> Event:
        """The event that `deliver` would store; nothing is. Raises RefusedError."""
        if parcel.refusal is not None:
            raise RefusedError(parcel.refusal)
        return self._event(as_object(parcel.body), frozenset({source}))

    def _signal(self, receipts: Sequence[Receipt]) -> None:
        if any(receipt.verdict is Acceptance.NEW for receipt in receipts):
            self._signals.fold()

    def read(self, raw: bytes) -> Event:
        """The event as it would be stored; nothing is. Raises RefusedError."""
        return self._event(as_object(parse(raw, self._limits)), None)

    def _event(self, body: Mapping[str, Json], only: frozenset[str] | None) -> Event:
        reader = self._reader(source_uri(body), only)
        return read_event(body, reader.name, reader.rules, reader.extract)

    def _keep(self, reads: Sequence[_Read], actor: str, also: Keeping) -> list[Receipt]:
        with self._store.begin() as tx:
            receipts = _as_first(tx, reads, self._store_all(tx, reads))
            also(tx, reads, receipts)
            self._count(tx, reads, receipts)
            for read, receipt in zip(reads, receipts, strict=True):
                tx.audit(_entry(read, receipt, actor))
        return receipts

    def _count(self, tx: Transaction, reads: Sequence[_Read], receipts: Sequence[Receipt]) -> None:
        counted = {reader.name for reader in self._sources.values() if reader.counted}
        came = zip(reads, receipts, strict=True)
        new = (read.event for read, receipt in came if receipt.verdict is Acceptance.NEW)
        gaps.note(tx, [event for event in new if event is not None and event.source in counted])

    def _read(self, raw: bytes, only: frozenset[str] | None) -> _Read:
        correlation = uuid.uuid4().hex
        event_id: str | None = None
        try:
            body = as_object(parse(raw, self._limits))
            event_id = _id_of(body)
            event = self._event(body, only)
        except RefusedError as error:
            return _Read(raw, correlation, event_id=event_id, refusal=error.refusal)
        return _Read(raw, correlation, event, event.id)

    def _opened(self, parcel: Parcel, source: str) -> _Read:
        correlation = uuid.uuid4().hex
        try:
            event = self.review(parcel, source)
        except RefusedError as error:
            return _Read(parcel.raw, correlation, event_id=self._said(parcel), refusal=error.refusal)
        return _Read(parcel.raw, correlation, event, event.id)

    def _said(self, parcel: Parcel) -> str | None:
        """The id of a refused event. One that no database holds as text counts as none."""
        said = _id_of(parcel.body) if isinstance(parcel.body, dict) else None
        return None if any(check(said, self._limits)) else said

    def _reader(self, uri: str, only: frozenset[str] | None) -> Reader:
        reader = self._sources.get(uri)
        if reader is None:
            raise RefusedError(Refusal("/source", "is not a configured source"))
        if only is not None and reader.name not in only:
            raise RefusedError(Refusal("/source", "may not send events this way"))
        return reader

    def _store_all(self, tx: Transaction, reads: Sequence[_Read]) -> list[Receipt]:
        arrivals = {
            place: Arrival(read.event, read.correlation, tx.now, self._fold_at(read.event, tx.now))
            for place, read in enumerate(reads)
            if read.event is not None
        }
        verdicts = dict(zip(arrivals, tx.events.store(list(arrivals.values())), strict=True))
        return [_receipt(read, verdicts.get(place)) for place, read in enumerate(reads)]

    def _fold_at(self, event: Event, now: float) -> float:
        """An event from further ahead than clocks drift is kept until its time comes."""
        return event.time if event.time > now + self._tolerance_s else now


def _keep_nothing(tx: Transaction, reads: Sequence[_Read], receipts: Sequence[Receipt]) -> None: ...


def _keep_refused(source: str, tx: Transaction, reads: Sequence[_Read], receipts: Sequence[Receipt]) -> None:
    refused = [
        RefusedBody(source, receipt.event_id, receipt.refusal, read.raw, tx.now)
        for read, receipt in zip(reads, receipts, strict=True)
        if receipt.refusal is not None
    ]
    tx.refused.keep(refused)


def _id_of(body: Mapping[str, Json]) -> str | None:
    value = body.get("id")
    return value if isinstance(value, str) else None


def _receipt(read: _Read, verdict: Acceptance | None) -> Receipt:
    if verdict is None:
        return Receipt(Acceptance.REFUSED, read.event_id, read.refusal, read.correlation)
    refusal = SAME_ID if verdict is Acceptance.REFUSED else None
    return Receipt(verdict, read.event_id, refusal, read.correlation)


def _as_first(tx: Transaction, reads: Sequence[_Read], receipts: Sequence[Receipt]) -> list[Receipt]:
    """Duplicates with the correlation id of the event that they repeat."""
    repeated = {
        place: reads[place].event
        for place, receipt in enumerate(receipts)
        if receipt.verdict is Acceptance.DUPLICATE
    }
    events = [event for event in repeated.values() if event is not None]
    first = dict(zip(repeated, tx.events.first_correlations(events), strict=True))
    return [
        replace(receipt, correlation=first.get(place, receipt.correlation))
        for place, receipt in enumerate(receipts)
    ]


def _entry(read: _Read, receipt: Receipt, actor: str) -> Entry:
    facts: dict[str, Json] = {
        "correlation": receipt.correlation,
        "event": receipt.event_id,
        "body_sha256": hashlib.sha256(read.raw).hexdigest(),
    }
    if read.event is not None:
        facts |= {"source": read.event.source, "subject": read.event.subject, "type": read.event.type}
    if receipt.refusal is not None:
        facts |= {"pointer": receipt.refusal.pointer, "reason": receipt.refusal.reason}
    return Entry(STREAM, f"event:accept:{receipt.verdict.value}", actor, facts)
