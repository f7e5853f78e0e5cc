"""The rows as those see them who only look: transactions that the database keeps from writing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.clash import Holders, UniqueValue
from worker.domain.identity import Identity
from worker.engine.rows import Lease, StoredEvent, TargetState
from worker.engine.subject_ports import Alias
from worker.engine.view_ports import AccountLook, Kept, Known, Told
from worker.storage.accounts import AccountRows, claim_of, conditions
from worker.storage.aliases import ids_of, keys_of
from worker.storage.clock import clock
from worker.storage.codec import read_event, read_identity
from worker.storage.decisions import DecisionRows, unheeded
from worker.storage.identities import IdentityRows
from worker.storage.operators import OperatorRows
from worker.storage.tables import account, audit, event, identity, identity_alias, unique_news
from worker.storage.targets import TargetRows
from worker.storage.unique_values import UniqueValueRows

_SHARDS = 1  # nobody is given a shard here


class SqlView:
    """See `worker.engine.view_ports.View`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._accounts = AccountRows(connection, _SHARDS)
        self._targets = TargetRows(connection, _SHARDS)
        self._identities = IdentityRows(connection)
        self._unique_values = UniqueValueRows(connection)
        self.decisions = DecisionRows(connection)
        self.operators = OperatorRows(connection)

    @cached_property
    def now(self) -> float:
        return clock(self._connection)

    def targets(self) -> dict[str, TargetState]:
        return {state.name: state for state in self._targets.all()}

    def person(self, subject: str) -> Known | None:
        query = sa.select(identity).where(identity.c.id.in_(ids_of([subject])))
        row = self._connection.execute(query).first()
        return None if row is None else Known(row.id, read_identity(row), row.wake_at)

    def aliases(self, row: int) -> list[Alias]:
        merged = sa.and_(identity.c.subject == identity_alias.c.subject, identity.c.merged_into == row)
        query = sa.select(identity_alias, identity.c.id.label("was")).outerjoin(identity, merged)
        ours = query.where(identity_alias.c.identity_id == row)
        rows = self._connection.execute(ours.order_by(identity_alias.c.at, identity_alias.c.subject))
        return [Alias(found.subject, found.by, found.at, found.was is not None) for found in rows]

    def accounts(self, selection: Mapping[str, Json], after: int, limit: int) -> list[AccountLook]:
        query = sa.select(account).where(account.c.id > after, *conditions(selection))
        rows = self._connection.execute(query.order_by(account.c.id).limit(limit)).all()
        people = self._people([row.identity_id for row in rows])
        decided = unheeded(self._connection, rows)
        nobody = Lease("", self.now, self.now)
        return [
            AccountLook(
                claim_of(row, people[row.identity_id], nobody, decided.get(row.id, ())),
                row.due_at,
                leased=row.lease_token is not None,
            )
            for row in rows
        ]

    def _people(self, ids: Sequence[int]) -> dict[int, Any]:
        rows = self._connection.execute(sa.select(identity).where(identity.c.id.in_(ids)))
        return {row.id: row for row in rows}

    def waiting(self, subject: str) -> list[StoredEvent]:
        keys = keys_of(self._connection, subject)
        due = sa.and_(event.c.fold_at <= self.now, event.c.subject.in_(keys))
        rows = self._connection.execute(sa.select(event).where(due).order_by(event.c.id))
        return [_stored(row) for row in rows]

    def events_called(self, event_id: str) -> list[Kept]:
        query = sa.select(event).where(event.c.event_id == event_id).order_by(event.c.id)
        return [
            Kept(_stored(row), row.effect, row.revision, row.fold_at)
            for row in self._connection.execute(query)
        ]

    def body_hash(self, source: str, event_id: str) -> str | None:
        named = sa.and_(event.c.source == source, event.c.event_id == event_id)
        return self._connection.scalar(sa.select(event.c.body_hash).where(named))

    def events(self, rows: Iterable[int]) -> dict[int, StoredEvent]:
        found = self._connection.execute(sa.select(event).where(event.c.id.in_(sorted(set(rows)))))
        return {row.id: _stored(row) for row in found}

    def namesakes(self, identity_id: int, target_id: int) -> list[Identity]:
        return self._identities.namesakes(identity_id, target_id)

    def owners(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, int]:
        return self._accounts.owners(target_id, remote_ids)

    def linked(self, target_id: int) -> int:
        return self._accounts.count(target_id)

    def revocations(self, target_id: int, since: float, but: int) -> int:
        return self._targets.revocations(target_id, since, but)

    def holders(self, values: Iterable[UniqueValue]) -> Holders:
        return self._unique_values.holders(values)

    def news(self, account_id: int) -> AbstractSet[UniqueValue]:
        query = sa.select(unique_news).where(unique_news.c.account_id == account_id)
        rows = self._connection.execute(query)
        return {UniqueValue(row.target_id, row.field, row.value_hash) for row in rows}

    def told(self, identity_id: int, stream: str, limit: int) -> list[Told]:
        ours = sa.and_(audit.c.identity_id == identity_id, audit.c.stream == stream)
        query = sa.select(audit.c.at, audit.c.action, audit.c.text).where(ours)
        rows = self._connection.execute(query.order_by(audit.c.id.desc()).limit(limit))
        return [Told(row.at, row.action, json.loads(row.text)) for row in rows]


class SqlViewer:
    """Views over an engine for reading."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[SqlView]:
        """What would write fails, whoever wrote it."""
        with self._engine.connect() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA query_only=ON")
            else:
                connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            yield SqlView(connection)


def _stored(row: Any) -> StoredEvent:  # noqa: ANN401 - a row
    return StoredEvent(row.id, read_event(row), row.accepted_at, row.correlation, row.effect == "aside")
