"""A sealed audit for tests: records, keys, a checkpoint file, and a look at all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from worker.engine.rows import Entry
from worker.storage import tables
from worker.storage.anchoring import Report, audited
from worker.storage.audit import GENESIS, chained
from worker.storage.checkpoints import Checkpoint, Kind
from worker.storage.clock import clock
from worker.storage.seal import Ledger, Sealer
from worker.storage.signing import Keys, new_key, read_public, read_signer
from worker.storage.store import SqlStore
from worker.storage.verify import in_short_reads

EVERY_S = 60.0
LATE_S = 150.0  # more than two intervals
STREAM = "target:awx"
audit, head = tables.audit, tables.audit_head


def made_keys() -> Keys:
    private, public = new_key()
    return Keys(read_signer(private), read_public(public))


def but_public(keys: Keys) -> Keys:
    return Keys(None, keys.trusted)


class Sealed:
    """An installation with a checkpoint file. `keys` may be replaced, as an operator replaces files."""

    def __init__(self, store: SqlStore, engine: sa.Engine, path: Path, keys: Keys) -> None:
        self.store, self.engine, self.path, self.keys = store, engine, path, keys
        self.sealer = Sealer(store, Ledger(path, lambda: self.keys), EVERY_S)

    def append(self, count: int, stream: str = STREAM) -> None:
        with self.store.begin() as tx:
            for n in range(count):
                tx.audit(Entry(stream, "account:patch:applied", "hirewire", {"n": n}, identity_id=n + 1))

    def begin(self) -> Checkpoint:
        return self.sealer.begin(Kind.BASELINE, {"by": "mia", "why": "first"})

    def seal(self) -> Checkpoint | None:
        return self.sealer.seal()

    def look(self, later_s: float = 0.0, keys: Keys | None = None) -> Report:
        """What verification says so many seconds from now."""
        with self.engine.connect() as connection:
            now = clock(connection) + later_s
        trusted = but_public(self.keys) if keys is None else keys
        return audited(in_short_reads(self.engine), self.path, trusted, lambda: now, EVERY_S)

    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines()

    def tamper(self, change: Callable[[sa.Connection], object]) -> None:
        """As one can who owns the database: without its triggers."""
        unguarded(self.engine)
        with self.engine.begin() as connection:
            change(connection)


def thrice_sealed(store: SqlStore, engine: sa.Engine, path: Path) -> Sealed:
    """Two streams, three checkpoints after the first: of 4, 8 and 12 records of `STREAM`."""
    found = Sealed(store, engine, path, made_keys())
    found.begin()
    for _ in range(3):
        found.append(4)
        found.append(1, "intake")
        found.seal()
    return found


def unguarded(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("ALTER TABLE audit DISABLE TRIGGER USER"))
            return
        for name in ("audit_no_update", "audit_no_delete", "audit_no_replace"):
            connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {name}"))


def cut(size: int, stream: str = STREAM) -> Callable[[sa.Connection], object]:
    """Take the tail away, and have the head agree."""

    def change(connection: sa.Connection) -> None:
        connection.execute(sa.delete(audit).where(audit.c.stream == stream, audit.c.seq > size))
        last = sa.select(audit.c.hash).where(audit.c.stream == stream, audit.c.seq == size)
        values = {"seq": size, "hash": connection.execute(last).scalar() or GENESIS}
        connection.execute(sa.update(head).where(head.c.stream == stream).values(values))

    return change


def rechain(first: int, stream: str = STREAM) -> Callable[[sa.Connection], object]:
    """Change one record's text and make the chain anew from there, head included."""

    def change(connection: sa.Connection) -> None:
        rows = connection.execute(
            sa.select(audit).where(audit.c.stream == stream, audit.c.seq >= first).order_by(audit.c.seq)
        ).all()
        prev = rows[0].prev_hash
        for row in rows:
            text = f'{row.text[:-1]},"zz":1}}' if row.seq == first else row.text
            new = {"text": text, "prev_hash": prev, "hash": chained(prev, text)}
            connection.execute(sa.update(audit).where(audit.c.id == row.id).values(new))
            prev = new["hash"]
        connection.execute(sa.update(head).where(head.c.stream == stream).values(hash=prev))

    return change
