"""Rows of targets and their slots: who may send, how fast, and whether at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from worker.engine.rows import Lease, Slot, TargetState
from worker.storage.tables import account, alarm, revocation, slot, target
from worker.storage.upsert import insert_missing


class TargetRows:
    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self._shards = shards

    def register(self, slots: Mapping[str, int], shards: int) -> None:
        fresh = [{"name": name, "state": "active"} for name in sorted(slots)]
        insert_missing(self._connection, target, fresh, ["name"])
        rows = self._connection.execute(sa.select(target.c.id, target.c.name))
        places = [
            {"target_id": row.id, "n": n, "leased_until": 0.0, "next_send_at": 0.0}
            for row in rows
            for n in range(slots.get(row.name, 0))
        ]
        insert_missing(self._connection, slot, places, ["target_id", "n"])
        home = account.c.identity_id % shards
        self._connection.execute(sa.update(account).where(account.c.shard != home).values(shard=home))

    def all(self) -> list[TargetState]:
        return [_state(row) for row in self._connection.execute(sa.select(target).order_by(target.c.id))]

    def lock(self, target_id: int) -> TargetState:
        query = sa.select(target).where(target.c.id == target_id)
        query = query.with_for_update(key_share=True)  # new accounts may still refer to the row
        return _state(self._connection.execute(query).one())

    def close_gate(self, target_id: int, until: float) -> None:
        earlier = sa.or_(target.c.gate_until.is_(None), target.c.gate_until < until)
        self._set(target_id, {"gate_until": until}, earlier)

    def pause(self, target_id: int, reason: str, by: str, probe_at: float | None) -> None:
        self._set(target_id, {"state": "paused", "reason": reason, "paused_by": by, "probe_at": probe_at})

    def resume(self, target_id: int) -> None:
        values: dict[str, Any] = {
            "state": "active",
            "reason": None,
            "paused_by": None,
            "probe_at": None,
        }
        self._set(target_id, values)

    def announce(self, target_id: int, fingerprint: str, run_id: int | None) -> None:
        self._set(target_id, {"fingerprint": fingerprint, "mapping_run": run_id})

    def end_mapping_run(self, target_id: int, run_id: int) -> None:
        self._set(target_id, {"mapping_run": None}, target.c.mapping_run == run_id)

    def enrolled(self, target_id: int, now: float) -> None:
        self._set(target_id, {"enrolled_at": now})

    def count_pause(self, target_id: int, kind: str) -> int:
        again = sa.case((target.c.pause_kind == kind, target.c.pauses + 1), else_=1)
        one = sa.update(target).where(target.c.id == target_id).values(pauses=again, pause_kind=kind)
        return int(self._connection.execute(one.returning(target.c.pauses)).scalar_one())

    def forget_pauses(self, target_id: int) -> None:
        self._set(target_id, {"pauses": 0, "pause_kind": None})

    def set_probe(self, target_id: int, probe_at: float) -> None:
        self._set(target_id, {"probe_at": probe_at})

    def _set(self, target_id: int, values: dict[str, Any], *only: sa.ColumnElement[bool]) -> None:
        self._connection.execute(sa.update(target).where(target.c.id == target_id, *only).values(values))

    def revocations(self, target_id: int, since: float, but: int) -> int:
        query = sa.select(sa.func.count(revocation.c.account_id.distinct())).where(
            revocation.c.target_id == target_id, revocation.c.at > since, revocation.c.account_id != but
        )
        return int(self._connection.execute(query).scalar_one())

    def add_revocation(self, target_id: int, account_id: int, at: float) -> None:
        row = {"target_id": target_id, "account_id": account_id, "at": at}
        self._connection.execute(sa.insert(revocation), [row])

    def take_slots(self, target_id: int, want: int, most: int, lease: Lease) -> list[Slot]:
        free = (
            sa.select(slot.c.n)
            .where(slot.c.target_id == target_id, slot.c.n < most, slot.c.leased_until < lease.now)
            .order_by(slot.c.n)
            .limit(want)
            .with_for_update(skip_locked=True)
            .cte("free")
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
        statement = (
            sa.update(slot)
            .where(slot.c.target_id == target_id, slot.c.n.in_(sa.select(free.c.n)))
            .values(owner=lease.token, leased_until=lease.until)
            .returning(slot.c.n, slot.c.next_send_at)
        )
        return sorted(
            (Slot(row.n, row.next_send_at) for row in self._connection.execute(statement)), key=_place
        )

    def renew_slots(self, owner: str, until: float) -> None:
        self._connection.execute(sa.update(slot).where(slot.c.owner == owner).values(leased_until=until))

    def give_back(self, target_id: int, owner: str, slots: Sequence[Slot]) -> None:
        if not slots:
            return
        statement = (
            sa.update(slot)
            .where(slot.c.target_id == target_id, slot.c.n == sa.bindparam("place"), slot.c.owner == owner)
            .values(owner=None, leased_until=0.0, next_send_at=sa.bindparam("after"))
        )
        values = [{"place": item.n, "after": item.next_send_at} for item in slots]
        self._connection.execute(statement, values)

    def free_slots(self, owner: str) -> None:
        ours = sa.update(slot).where(slot.c.owner == owner)
        self._connection.execute(ours.values(owner=None, leased_until=0.0))

    def due_shards(self, target_ids: Sequence[int], now: float) -> set[int]:
        """One look for each shard, which ends at the first row: a backlog is not counted."""
        open_gate = sa.or_(target.c.gate_until.is_(None), target.c.gate_until <= now)
        free = sa.exists().where(slot.c.target_id == target.c.id, slot.c.leased_until < now)
        here = sa.and_(account.c.target_id == target.c.id, account.c.shard == sa.bindparam("here"))
        due = sa.exists().where(here, account.c.due_at <= now)
        able = sa.and_(target.c.id.in_(target_ids), target.c.state == "active", open_gate)
        query = sa.select(target.c.id).where(able, free, due).limit(1)
        return {n for n in range(self._shards) if self._connection.execute(query, {"here": n}).first()}

    def overdue(self, target_ids: Sequence[int], before: float, now: float) -> set[int]:
        late = sa.exists().where(account.c.target_id == target.c.id, account.c.due_at <= before)
        open_gate = sa.or_(target.c.gate_until.is_(None), target.c.gate_until <= now)
        query = sa.select(target.c.id).where(
            target.c.id.in_(target_ids), target.c.state == "active", open_gate, late
        )
        return set(self._connection.scalars(query))

    def open_alarms(self, kind: str) -> set[int]:
        query = sa.select(alarm.c.target_id).where(alarm.c.kind == kind, alarm.c.cleared_at.is_(None))
        return {found for found in self._connection.scalars(query) if found is not None}

    def raise_alarm(self, kind: str, target_id: int | None, message: str, now: float) -> None:
        if target_id is not None:
            self.lock(target_id)  # of two workers that raise it at once, the second sees the first's
        open_one = sa.select(alarm.c.id).where(_open(kind, target_id))
        if self._connection.execute(open_one).first() is None:
            row = {"kind": kind, "target_id": target_id, "message": message, "raised_at": now}
            self._connection.execute(sa.insert(alarm), [row])

    def expire_alarms(self, kind: str, before: float, now: float) -> None:
        old = sa.and_(alarm.c.kind == kind, alarm.c.cleared_at.is_(None), alarm.c.raised_at < before)
        self._connection.execute(sa.update(alarm).where(old).values(cleared_at=now))

    def clear_alarm(self, kind: str, target_id: int | None, now: float) -> None:
        self._connection.execute(sa.update(alarm).where(_open(kind, target_id)).values(cleared_at=now))


def _place(item: Slot) -> int:
    return item.n


def _open(kind: str, target_id: int | None) -> sa.ColumnElement[bool]:
    return sa.and_(
        alarm.c.kind == kind,
        alarm.c.target_id.is_not_distinct_from(target_id),
        alarm.c.cleared_at.is_(None),
    )


def _state(row: Any) -> TargetState:  # noqa: ANN401 - a row
    return TargetState(
        id=row.id,
        name=row.name,
        paused=row.state == "paused",
        reason=row.reason,
        paused_by=row.paused_by,
        gate_until=row.gate_until or 0.0,
        probe_at=row.probe_at,
        pauses=row.pauses,
        pause_kind=row.pause_kind,
        fingerprint=row.fingerprint,
        mapping_run=row.mapping_run,
    )
