"""The sealer: appends checkpoints to a file outside the database, so that a rewritten audit is found.

It goes on only where the database still holds what the last line says, and only behind a line with a
signature of ours where there is a key: it never covers up a change. What it refuses becomes an alarm.
Any number may run: one has the lease, and heads are read under the file's lock, so sizes never go back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from connectors.sdk.model import Json
from worker.engine.rows import Lease
from worker.storage.audit import stamp
from worker.storage.checkpoint_file import Tail, locked
from worker.storage.checkpoints import (
    Checkpoint,
    CheckpointError,
    Head,
    Kind,
    Seal,
    as_facts,
    compose,
    seal_of,
    written,
)
from worker.storage.floors import newest_floors
from worker.storage.heartbeats import Mark
from worker.storage.signing import Keys
from worker.storage.store import SqlStore

log = structlog.get_logger(__name__)

LEASE = "sealer"
ALARM = "audit_unsealed"
_LEASE_S = 60.0
_SHARE = 0.5  # of the interval: two beats make one checkpoint, and a slow clock loses none


class SealError(Exception):
    """No checkpoint can be written; the message says why and the way out."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where checkpoints go. `keys` reads the files anew: a key is changed without a restart."""

    path: Path
    keys: Callable[[], Keys]

    @contextmanager
    def open(self) -> Iterator[tuple[Tail, Keys]]:
        """Ours alone. What the file or a key refuses is a SealError."""
        try:
            keys = self.keys()
        except ValueError as error:
            raise SealError(f"the key {error}") from None
        try:
            with locked(self.path) as tail:
                yield tail, keys
        except CheckpointError as error:
            raise SealError(f"the last line of {self.path} {error}: keep the file and move it away") from None
        except OSError as error:
            raise SealError(f"{self.path} cannot be written: {error.strerror or error}") from None


class Sealer:
    def __init__(self, store: SqlStore, ledger: Ledger, every_s: float) -> None:
        self._store = store
        self._ledger = ledger
        self._every_s = every_s

    def run(self) -> None:
        """Once for each interval, however many call. A failure is an alarm until a seal succeeds."""
        token = uuid.uuid4().hex
        with self._store.begin() as tx:
            now = tx.now
            if not tx.leases.take(LEASE, Lease(token, now, now + _LEASE_S)):
                return
        try:
            self.seal()
        except SealError as error:
            self._failed(token, str(error))
        else:
            self._done(token)

    def _failed(self, token: str, why: str) -> None:
        log.error("seal_failed", reason=why)
        with self._store.begin() as tx:
            tx.targets.raise_alarm(ALARM, None, f"the audit is not sealed: {why}", tx.now)
            tx.leases.give_back(LEASE, token)

    def _done(self, token: str) -> None:
        """Keep the lease for a part of the interval: the other beat's message comes to nothing."""
        with self._store.begin() as tx:
            tx.targets.clear_alarm(ALARM, None, tx.now)
            tx.mark(Mark.SEALED)
            tx.leases.keep(LEASE, Lease(token, tx.now, tx.now + self._every_s * _SHARE))

    def seal(self) -> Checkpoint | None:
        """Append a checkpoint; None where nothing was added since the last. Raises SealError."""
        with self._ledger.open() as (tail, keys):
            _require_ours(tail.last, keys)
            at, heads = self._heads(tail.last)
            if tail.last is not None and tail.last.streams == heads:
                return None
            if not heads:
                return None
            return _appended(tail, keys, compose(tail.last, Kind.CHECKPOINT, at, heads, {}))

    def _heads(self, last: Checkpoint | None) -> tuple[str, Mapping[str, Head]]:
        with self._store.begin() as tx:
            departed = tx.chains.departed(last.streams) if last else []
            at, heads = stamp(tx.now), tx.chains.heads()
        if last is not None and departed:
            raise SealError(
                f"{', '.join(departed)} is not what checkpoint {last.number} of {last.at} sealed: see "
                "`hirewire audit verify`; if the database was set back, run `hirewire restore`"
            )
        return at, heads

    def vouch(self, floors: Mapping[str, Head], facts: Mapping[str, Json]) -> Checkpoint:
        """An operator's line: an archive has what is below these floors. As `seal` else. Raises SealError."""
        with self._ledger.open() as (tail, keys):
            _require_ours(tail.last, keys)
            at, heads = self._heads(tail.last)
            told: dict[str, Json] = {**facts, "floors": as_facts(floors)}
            return _appended(tail, keys, compose(tail.last, Kind.ARCHIVED, at, heads, told))

    def require_ready(self) -> None:
        """Raises SealError where `begin` could not write."""
        with self._ledger.open() as (tail, keys):
            _require_signer(tail.last, keys)

    def begin(self, kind: Kind, facts: Mapping[str, Json]) -> Checkpoint:
        """An operator's line: the audit counts from here, whatever the line before said. Raises SealError."""
        with self._ledger.open() as (tail, keys):
            _require_signer(tail.last, keys)
            with self._store.begin() as tx:
                at, heads = stamp(tx.now), tx.chains.heads()
                floors = as_facts(newest_floors(tx.floors.all()))
            before = as_facts(tail.last.streams) if tail.last is not None else {}
            told: dict[str, Json] = {**facts, "before": before, **({"floors": floors} if floors else {})}
            done = _appended(tail, keys, compose(tail.last, kind, at, heads, told))
        with self._store.begin() as tx:
            tx.targets.clear_alarm(ALARM, None, tx.now)
        return done


def _require_signer(last: Checkpoint | None, keys: Keys) -> None:
    """A file that was signed stays signed."""
    if keys.signer is None and last is not None and last.is_signed:
        raise SealError("the checkpoints are signed and there is no key: set audit.signing_key_file")


def _require_ours(last: Checkpoint | None, keys: Keys) -> None:
    """With a key nothing is begun, and nothing strange continued, but by an operator."""
    _require_signer(last, keys)
    if keys.signer is None:
        return
    if last is None:
        raise SealError("there are no checkpoints: begin them by `hirewire audit baseline --why TEXT`")
    seal = seal_of(last, keys)
    if seal is not Seal.GOOD:
        raise SealError(
            f"checkpoint {last.number} {seal.value}: if you know why, `hirewire audit baseline --why TEXT`"
        )


def _appended(tail: Tail, keys: Keys, body: Mapping[str, Json]) -> Checkpoint:
    tail.append(written(body, keys.signer))
    if tail.last is None:
        raise AssertionError("a line was appended")
    return tail.last
