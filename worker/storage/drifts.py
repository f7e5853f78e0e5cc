"""Rows of reconciliations: whom a run has met in a listing, and what it found different."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Change
from worker.domain.drift import Cause
from worker.engine.reconcile_ports import Changed, Drift, Linked
from worker.engine.rows import OVER, Run
from worker.storage.codec import read_account, read_identity
from worker.storage.runs import read_run
from worker.storage.tables import account, drift, identity, listed, run
from worker.storage.upsert import insert_missing

RECONCILE = "reconcile"


class DriftRows:
    """See `worker.engine.reconcile_ports.Drifts`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def meet(self, run_id: int, remote_ids: Sequence[str]) -> set[str]:
        rows = [{"run_id": run_id, "remote_id": remote_id} for remote_id in remote_ids]
        unique, wanted = ["run_id", "remote_id"], [listed.c.remote_id]
        return {row.remote_id for row in insert_missing(self._connection, listed, rows, unique, wanted)}

    def met(self, run_id: int, target_id: int) -> int:
        query = sa.select(sa.func.count()).select_from(account).where(account.c.target_id == target_id)
        return int(self._connection.execute(query.where(_is_met(run_id))).scalar_one())

    def linked(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, Linked]:
        named = account.c.remote_id.in_(list(remote_ids))
        found = self._linked(sa.select(account).where(account.c.target_id == target_id, named))
        return {str(one.account.remote_id): one for one in found}

    def unmet(self, run_id: int, target_id: int, after: int, limit: int) -> list[Linked]:
        here = sa.and_(account.c.target_id == target_id, account.c.remote_id.is_not(None))
        query = sa.select(account).where(here, account.c.id > after, ~_is_met(run_id))
        return self._linked(query.order_by(account.c.id).limit(limit))

    def _linked(self, query: sa.Select[Any]) -> list[Linked]:
        rows = self._connection.execute(query).all()
        whose = sa.select(identity).where(identity.c.id.in_([row.identity_id for row in rows]))
        people = {row.id: row for row in self._connection.execute(whose)} if rows else {}
        return [
            Linked(read_account(row), read_identity(people[row.identity_id]), row.lease_token is not None)
            for row in rows
        ]

    def add(self, run_id: int, rows: Sequence[Drift]) -> None:
        if rows:
            self._connection.execute(sa.insert(drift), [_values(run_id, row) for row in rows])

    def to_mend(self, run_id: int, after: int, limit: int) -> dict[int, float]:
        query = (
            sa.select(drift.c.account_id, sa.func.min(drift.c.asked_at).label("asked_at"))
            .where(drift.c.run_id == run_id, drift.c.mends, drift.c.account_id > after)
            .group_by(drift.c.account_id)
            .order_by(drift.c.account_id)
            .limit(limit)
        )
        return {row.account_id: row.asked_at for row in self._connection.execute(query)}

    def changed(self, run_id: int, after: int) -> Changed | None:
        of_run = sa.and_(drift.c.run_id == run_id, drift.c.cause == Cause.CHANGED.value)
        following = sa.select(sa.func.min(drift.c.account_id)).where(of_run, drift.c.account_id > after)
        query = sa.select(drift.c.account_id, drift.c.remote_id, drift.c.field, drift.c.observed)
        chosen = query.where(of_run, drift.c.account_id == following.scalar_subquery())
        rows = self._connection.execute(chosen).all()
        observed = {row.field: row.observed for row in rows}
        return Changed(rows[0].account_id, rows[0].remote_id, observed) if rows else None

    def tell(self, run_id: int, account_id: int, by: Mapping[str, Change]) -> None:
        for field, change in by.items():
            one = sa.and_(drift.c.run_id == run_id, drift.c.account_id == account_id, drift.c.field == field)
            told = sa.update(drift).where(one).values(changed_by=change.by, changed_at=change.at)
            self._connection.execute(told)

    def require_read(self, listed: Mapping[int, float], now: float, run_id: int) -> list[int]:
        still = sa.and_(account.c.lease_token.is_(None), account.c.due_at.is_(None))
        quiet = sa.and_(still, account.c.pending_since.is_(None), account.c.doubt_at.is_(None))
        query = sa.select(account).where(account.c.id.in_(list(listed)), quiet).order_by(account.c.id)
        rows = self._connection.execute(query.with_for_update())
        ids = [row.id for row in rows if read_account(row).observed_at < listed[row.id]]
        asked = sa.update(account).where(account.c.id.in_(ids))
        self._connection.execute(asked.values(verify_at=now, verify_run=run_id, due_at=now))
        return ids

    def forget(self, run_id: int) -> None:
        over = sa.select(run.c.id).where(run.c.state.in_(OVER))
        gone = sa.or_(listed.c.run_id == run_id, listed.c.run_id.in_(over))
        self._connection.execute(sa.delete(listed).where(gone))

    def running(self, target: str) -> list[Run]:
        query = sa.select(run).where(run.c.kind == RECONCILE, run.c.state.not_in(OVER)).order_by(run.c.id)
        runs = [read_run(row) for row in self._connection.execute(query)]
        return [one for one in runs if one.selection.get("targets") == [target]]

    def has_slot(self, scheduled: str) -> bool:
        query = sa.select(run.c.id).where(run.c.scheduled == scheduled)
        return self._connection.execute(query).first() is not None


def _is_met(run_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(listed.c.run_id == run_id, listed.c.remote_id == account.c.remote_id)


def _values(run_id: int, row: Drift) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "remote_id": row.remote_id,
        "account_id": row.account_id,
        "subject": row.subject,
        "field": row.field,
        "cause": row.cause.value,
        "wanted": row.wanted,
        "observed": row.observed,
        "mends": row.mends,
        "asked_at": row.asked_at,
    }
