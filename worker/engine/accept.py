"""Accept: events are checked, stored and acknowledged. The only door into Hirewire.

Promise: a receipt `accepted` or `duplicate` is given only after the event is on disk; a refusal
names the place and is audited; one bad event never sinks the rest of its batch. Safe to call again
with the same events. Signals are hints: when the broker is away, accepting goes on.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.event import Event, Extract, SourceRules, as_object, read_event, source_uri
from worker.domain.strict_json import Limits, Refusal, RefusedError, parse
from worker.engine.again import whole
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.rows import Acceptance, Arrival, Entry

STREAM = "intake"
_SAME_ID = Refusal("/id", "was used before for an event with another body")


@dataclass(frozen=True, slots=True)
class Reader:
    """How one source's events are read."""

    name: str
    rules: SourceRules
    extract: Extract


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
class _Read:
    raw: bytes
    correlation: str
    event: Event | None = None
    event_id: str | None = None
    refusal: Refusal | None = None


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
        receipts = whole(lambda: self._keep(reads, actor))
        if any(receipt.verdict is Acceptance.NEW for receipt in receipts):
            self._signals.fold()
        return receipts

    def _keep(self, reads: Sequence[_Read], actor: str) -> list[Receipt]:
        with self._store.begin() as tx:
            receipts = _as_first(tx, reads, self._store_all(tx, reads))
            for read, receipt in zip(reads, receipts, strict=True):
                tx.audit(_entry(read, receipt, actor))
        return receipts

    def _read(self, raw: bytes, only: frozenset[str] | None) -> _Read:
        correlation = uuid.uuid4().hex
        event_id: str | None = None
        try:
            body = as_object(parse(raw, self._limits))
            event_id = _id_of(body)
            reader = self._reader(source_uri(body), only)
            event = read_event(body, reader.name, reader.rules, reader.extract)
        except RefusedError as error:
            return _Read(raw, correlation, event_id=event_id, refusal=error.refusal)
        return _Read(raw, correlation, event, event.id)

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


def _id_of(body: Mapping[str, Json]) -> str | None:
    value = body.get("id")
    return value if isinstance(value, str) else None


def _receipt(read: _Read, verdict: Acceptance | None) -> Receipt:
    if verdict is None:
        return Receipt(Acceptance.REFUSED, read.event_id, read.refusal, read.correlation)
    refusal = _SAME_ID if verdict is Acceptance.REFUSED else None
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
