"""Rows of imports: staged events in the order of the file, imported files, who was absent."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from worker.domain.identity import Identity
from worker.engine.import_ports import Snapshot, Staged
from worker.engine.rows import OVER, Run
from worker.storage.codec import read_identity
from worker.storage.runs import read_run
from worker.storage.tables import absence, identity, identity_alias, run, snapshot, staged_event
from worker.storage.upsert import insert_missing


class StagedRows:
    """See `worker.engine.import_ports.StagedEvents`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, run_id: int, rows: Sequence[Staged]) -> set[int]:
        if not rows:
            return set()
        insert = postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(staged_event).on_conflict_do_nothing()
        self._connection.execute(statement, [_values(run_id, row) for row in rows])
        numbers = [row.n for row in rows]
        here = (staged_event.c.run_id == run_id, staged_event.c.n.between(min(numbers), max(numbers)))
        return set(self._connection.scalars(sa.select(staged_event.c.n).where(*here)))

    def count(self, run_id: int) -> tuple[int, int]:
        rows = sa.func.count(staged_event.c.body)
        people = sa.func.count(staged_event.c.subject.distinct())
        query = sa.select(rows, people).where(staged_event.c.run_id == run_id, staged_event.c.n > 0)
        found = self._connection.execute(query).one()
        return int(found[0]), int(found[1])

    def subjects(self, run_id: int, after: str, limit: int) -> list[str]:
        said = (staged_event.c.run_id == run_id, staged_event.c.body.is_not(None))
        query = sa.select(staged_event.c.subject).distinct().where(*said, staged_event.c.subject > after)
        return list(self._connection.scalars(query.order_by(staged_event.c.subject).limit(limit)))

    def of(self, run_id: int, subjects: Sequence[str]) -> list[Staged]:
        about = (staged_event.c.run_id == run_id, staged_event.c.subject.in_(subjects))
        query = sa.select(staged_event).where(*about, staged_event.c.body.is_not(None))
        return [_staged(row) for row in self._connection.execute(query.order_by(staged_event.c.n))]

    def page(self, run_id: int, limit: int) -> list[Staged]:
        query = sa.select(staged_event).where(staged_event.c.run_id == run_id)
        return [
            _staged(row) for row in self._connection.execute(query.order_by(staged_event.c.n).limit(limit))
        ]

    def drop(self, run_id: int, upto: int) -> int:
        done = (staged_event.c.run_id == run_id, staged_event.c.n <= upto)
        return int(self._connection.execute(sa.delete(staged_event).where(*done)).rowcount)

    def forget(self, run_id: int) -> None:
        self._connection.execute(sa.delete(staged_event).where(staged_event.c.run_id == run_id))

    def unnamed(self, run_id: int, after: int, limit: int) -> dict[int, Identity]:
        here = staged_event.c.run_id == run_id
        itself = sa.exists().where(here, staged_event.c.subject == identity.c.subject)
        before = sa.exists().where(
            here,
            staged_event.c.subject == identity_alias.c.subject,
            identity_alias.c.identity_id == identity.c.id,
        )
        query = sa.select(identity).where(
            identity.c.id > after, identity.c.merged_into.is_(None), ~itself, ~before
        )
        rows = self._connection.execute(query.order_by(identity.c.id).limit(limit))
        return {row.id: read_identity(row) for row in rows}

    def open_runs(self) -> list[Run]:
        query = sa.select(run).where(run.c.kind == "import", run.c.state.not_in(OVER)).order_by(run.c.id)
        return [read_run(row) for row in self._connection.execute(query)]


class SnapshotRows:
    """See `worker.engine.import_ports.Snapshots`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def last(self, source: str) -> Snapshot | None:
        return self._newest(snapshot.c.source == source, snapshot.c.people > 0)

    def last_complete(self, source: str) -> Snapshot | None:
        return self._newest(snapshot.c.source == source, snapshot.c.complete)

    def of_digest(self, source: str, digest: str) -> Snapshot | None:
        return self._newest(snapshot.c.source == source, snapshot.c.digest == digest)

    def _newest(self, *where: sa.ColumnElement[bool]) -> Snapshot | None:
        query = sa.select(snapshot).where(*where).order_by(snapshot.c.id.desc()).limit(1)
        row = self._connection.execute(query).first()
        if row is None:
            return None
        return Snapshot(row.run_id, row.source, row.digest, row.as_of, row.people, row.complete)

    def record(self, kept: Snapshot, now: float) -> None:
        values = {
            "run_id": kept.run_id,
            "source": kept.source,
            "digest": kept.digest,
            "as_of": kept.as_of,
            "people": kept.people,
            "complete": kept.complete,
            "at": now,
        }
        self._connection.execute(sa.insert(snapshot), [values])

    def absent(self, source: str, subjects: Sequence[str]) -> set[str]:
        query = sa.select(absence.c.subject).where(
            absence.c.source == source, absence.c.subject.in_(subjects)
        )
        return set(self._connection.scalars(query))

    def note(self, source: str, run_id: int, absent: AbstractSet[str], present: AbstractSet[str]) -> None:
        fresh = [{"source": source, "subject": name, "run_id": run_id} for name in sorted(absent)]
        insert_missing(self._connection, absence, fresh, ["source", "subject"])
        there = sa.and_(absence.c.source == source, absence.c.subject.in_(_and_as_now_called(present)))
        self._connection.execute(sa.delete(absence).where(there))


def _and_as_now_called(subjects: AbstractSet[str]) -> sa.CompoundSelect[Any]:
    """The subjects, and what people are called now who had one of these numbers before."""
    names = sorted(subjects)
    now_called = sa.select(identity.c.subject).join(
        identity_alias, identity_alias.c.identity_id == identity.c.id
    )
    itself = sa.select(identity.c.subject).where(identity.c.subject.in_(names))
    return sa.union(itself, now_called.where(identity_alias.c.subject.in_(names)))


def _values(run_id: int, row: Staged) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "n": row.n,
        "subject": row.subject,
        "event_id": row.event_id,
        "body": row.body,
    }


def _staged(row: Any) -> Staged:  # noqa: ANN401 - a row
    return Staged(row.n, row.subject, row.event_id, row.body)
