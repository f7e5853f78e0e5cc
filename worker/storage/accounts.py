"""Rows of accounts: the work items. `due_at` says when; a lease says whose.

A leased row's `due_at` is the end of its lease, so that an account whose worker died becomes due by
itself. Only the holder of the token writes a leased row; fold leaves it alone and settle looks
whether the identity moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.account import Account
from worker.domain.decisions import Decided
from worker.domain.identity import Identity
from worker.engine.rows import Claim, Due, Lease, Progress
from worker.storage.aliases import ids_of
from worker.storage.codec import account_state, held_state, read_account, read_identity
from worker.storage.decisions import unheeded
from worker.storage.tables import Time, account, identity, target
from worker.storage.upsert import insert_missing


class AccountRows:
    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self._shards = shards

    def make_due(self, due: Sequence[Due], target_ids: Sequence[int], now: float) -> None:
        if not due or not target_ids:
            return
        missing = [self._fresh(item, target_id) for item in due for target_id in sorted(target_ids)]
        insert_missing(self._connection, account, missing, ["identity_id", "target_id"])
        ids = [item.identity_id for item in due]
        lock = sa.select(account.c.id).where(account.c.identity_id.in_(ids)).order_by(account.c.id)
        self._connection.execute(lock.with_for_update())
        statement = (
            sa.update(account)
            .where(account.c.identity_id == sa.bindparam("who"))
            .values(
                due_at=sa.case((account.c.lease_token.is_(None), now), else_=account.c.due_at),
                priority=sa.case(
                    (account.c.priority < sa.bindparam("rank"), account.c.priority),
                    else_=sa.bindparam("rank"),
                ),
                pending_since=sa.case(
                    (account.c.pending_since < sa.bindparam("since"), account.c.pending_since),
                    else_=sa.bindparam("since"),
                ),
            )
        )
        values = [{"who": item.identity_id, "rank": item.priority, "since": item.since} for item in due]
        self._connection.execute(statement, values)

    def _fresh(self, item: Due, target_id: int) -> dict[str, Any]:
        return {
            "identity_id": item.identity_id,
            "target_id": target_id,
            "shard": item.identity_id % self._shards,
            "applied_revision": 0,
            "priority": item.priority,
            "state": {},
        }

    def due_targets(self, shard: int, now: float) -> set[int]:
        due = sa.select(account.c.target_id).distinct()
        return set(self._connection.scalars(due.where(account.c.shard == shard, account.c.due_at <= now)))

    def claim(self, shard: int, target_id: int, limit: int, lease: Lease) -> list[Claim]:
        due = (
            sa.select(account.c.id)
            .where(account.c.target_id == target_id, account.c.shard == shard, account.c.due_at <= lease.now)
            .where(account.c.lease_token.is_(None))
            .order_by(account.c.priority, account.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
            .prefix_with("MATERIALIZED", dialect="postgresql")
        )
        statement = (
            sa.update(account)
            .where(account.c.id.in_(sa.select(due.c.id)))
            .values(lease_token=lease.token, due_at=lease.until)
            .returning(account)
        )
        rows = self._connection.execute(statement).all()
        people = self._identities([row.identity_id for row in rows])
        decided = unheeded(self._connection, rows)
        claims = [claim_of(row, people[row.identity_id], lease, decided.get(row.id, ())) for row in rows]
        return sorted(claims, key=lambda claim: claim.account.id)

    def _identities(self, ids: Sequence[int]) -> dict[int, Any]:
        if not ids:
            return {}
        rows = self._connection.execute(sa.select(identity).where(identity.c.id.in_(ids)))
        return {row.id: row for row in rows}

    def has_suspect(self, shard: int, target_ids: Sequence[int], now: float) -> bool:
        here = sa.and_(account.c.shard == shard, account.c.target_id.in_(target_ids))
        query = sa.select(account.c.id).where(here, *_is_suspect(now)).limit(1)
        return self._connection.execute(query).first() is not None

    def claim_suspect(self, shard: int, target_id: int, lease: Lease) -> Claim | None:
        here = sa.and_(account.c.target_id == target_id, account.c.shard == shard)
        query = sa.select(account).where(here, *_is_suspect(lease.now)).limit(1)
        # Who fell alone before waits behind those who only fell beside others: in a storm of kills from
        # outside it would else be the first again each time, and be blamed for them.
        query = query.order_by(account.c.alone, account.c.priority, account.c.due_at)
        left = self._connection.execute(query.with_for_update(skip_locked=True)).first()
        if left is None:
            return None
        found = read_account(left)
        counted = replace(found, crashes=found.crashes + 1) if left.alone else found
        taken = {"lease_token": lease.token, "due_at": lease.until, "alone": True}
        statement = sa.update(account).where(account.c.id == left.id)
        statement = statement.values(**taken, state=account_state(counted)).returning(account)
        row = self._connection.execute(statement).one()
        person = self._identities([row.identity_id])[row.identity_id]
        claim = claim_of(row, person, lease, unheeded(self._connection, [row]).get(row.id, ()))
        return replace(claim, fell_alone=bool(left.alone))

    def give_back(self, token: str, now: float) -> None:
        ours = account.c.lease_token == token
        self._connection.execute(sa.select(account.c.id).where(ours).order_by(account.c.id).with_for_update())
        freed = {"lease_token": None, "due_at": now, "alone": False}
        self._connection.execute(sa.update(account).where(ours).values(**freed))

    def lock_owned(self, ids: Sequence[int], token: str) -> set[int]:
        query = sa.select(account.c.id, account.c.lease_token).where(account.c.id.in_(ids))
        rows = self._connection.execute(query.order_by(account.c.id).with_for_update())
        return {row.id for row in rows if row.lease_token == token}

    def save(self, progress: Sequence[Progress], token: str) -> None:
        kept = [_values(item, token) for item in progress if item.settled is None]
        settled = [_settled(item, token) for item in progress if item.settled is not None]
        if kept:
            self._connection.execute(_WRITE, kept)
        if settled:
            self._connection.execute(_SETTLE, settled)

    def renew(self, token: str, until: float) -> None:
        """Lock in order first: fold locks the same rows, and the order is the same for both."""
        ours = account.c.lease_token == token
        self._connection.execute(sa.select(account.c.id).where(ours).order_by(account.c.id).with_for_update())
        self._connection.execute(sa.update(account).where(ours).values(due_at=until))

    def owners(self, target_id: int, remote_ids: Sequence[str]) -> dict[str, int]:
        if not remote_ids:
            return {}
        query = sa.select(account.c.remote_id, account.c.id).where(
            account.c.target_id == target_id, account.c.remote_id.in_(remote_ids)
        )
        return {row.remote_id: row.id for row in self._connection.execute(query)}

    def count(self, target_id: int) -> int:
        linked = account.c.remote_id.is_not(None)
        query = sa.select(sa.func.count()).where(account.c.target_id == target_id, linked)
        return int(self._connection.execute(query).scalar_one())

    def require_read(
        self,
        selection: Mapping[str, Json],
        after: int,
        limit: int,
        now: float,
        run_id: int | None = None,
    ) -> list[int]:
        chosen = sa.select(account.c.id).where(account.c.id > after, *conditions(selection))
        # The clock was read before these rows were locked, and a claim may have come in between: the
        # end of its lease is later than the claim whatever the clocks say.
        expected_back = sa.case((account.c.lease_token.is_not(None), account.c.due_at), else_=now)
        page = chosen.order_by(account.c.id).limit(limit).with_for_update().cte("page")
        statement = (
            sa.update(account)
            .where(account.c.id.in_(sa.select(page.c.id)))
            .values(
                verify_at=sa.case((expected_back > now, expected_back), else_=now),
                verify_run=run_id,
                due_at=sa.case((account.c.lease_token.is_(None), now), else_=account.c.due_at),
            )
            .returning(account.c.id)
        )
        return sorted(self._connection.scalars(statement))

    def lock_of(self, target_id: int, subject: str) -> tuple[Account, Identity] | None:
        whose = account.c.identity_id.in_(ids_of([subject]))
        query = sa.select(account).where(account.c.target_id == target_id, whose)
        row = self._connection.execute(query.with_for_update()).first()
        if row is None:
            return None
        return read_account(row), read_identity(self._identities([row.identity_id])[row.identity_id])

    def decided(self, account_id: int, decision: int, now: float) -> None:
        """As `require_read`: a leased one is looked at again when its lease is over or given back."""
        leased = account.c.lease_token.is_not(None)
        read_at = sa.case((sa.and_(leased, account.c.due_at > now), account.c.due_at), else_=now)
        statement = sa.update(account).where(account.c.id == account_id)
        self._connection.execute(
            statement.values(
                decided=decision, verify_at=read_at, due_at=sa.case((leased, account.c.due_at), else_=now)
            )
        )

    def page(self, selection: Mapping[str, Json], after: int, limit: int) -> list[tuple[Account, Identity]]:
        query = sa.select(account).where(account.c.id > after, *conditions(selection))
        rows = self._connection.execute(query.order_by(account.c.id).limit(limit)).all()
        people = self._identities([row.identity_id for row in rows])
        return [(read_account(row), read_identity(people[row.identity_id])) for row in rows]

    def take_up(  # noqa: PLR0913 - a page of a target, and who asks
        self, target_id: int, fingerprint: str, after: int, limit: int, now: float, run_id: int
    ) -> list[int]:
        """A leased one is asked for a read: its lease's end is what makes it due again."""
        leased = account.c.lease_token.is_not(None)
        waiting = sa.and_(account.c.pending_since.is_not(None), account.c.due_at.is_(None))
        another = account.c.mapping_hash.is_distinct_from(fingerprint)
        chosen = sa.select(account.c.id).where(
            account.c.target_id == target_id, account.c.id > after, sa.or_(another, waiting, leased)
        )
        page = chosen.order_by(account.c.id).limit(limit).with_for_update().cte("page")
        read_at = sa.case((sa.and_(leased, account.c.due_at > now), account.c.due_at), else_=now)
        reads = sa.or_(leased, account.c.remote_id.is_(None))
        statement = (
            sa.update(account)
            .where(account.c.id.in_(sa.select(page.c.id)))
            .values(
                verify_at=sa.case((reads, read_at), else_=account.c.verify_at),
                verify_run=run_id,
                due_at=sa.case((leased, account.c.due_at), else_=now),
            )
            .returning(account.c.id)
        )
        return sorted(self._connection.scalars(statement))


def _is_suspect(now: float) -> tuple[sa.ColumnElement[bool], ...]:
    """Nobody renewed its lease: the worker died, or lost its database for as long."""
    return account.c.lease_token.is_not(None), account.c.due_at <= now


def conditions(selection: Mapping[str, Json]) -> list[sa.ColumnElement[bool]]:
    """`targets`: names; `subjects`: HR keys; `accounts`: rows; `held`: true. An absent key selects all."""
    conditions: list[sa.ColumnElement[bool]] = []
    targets, subjects = selection.get("targets"), selection.get("subjects")
    if isinstance(targets, list):
        named = sa.select(target.c.id).where(target.c.name.in_(targets))
        conditions.append(account.c.target_id.in_(named))
    if isinstance(subjects, list):
        conditions.append(account.c.identity_id.in_(ids_of([*map(str, subjects)])))
    rows = selection.get("accounts")
    if isinstance(rows, list):
        conditions.append(account.c.id.in_(rows))
    if selection.get("held") is True:
        conditions.append(account.c.held.is_not(None))
    return conditions


def claim_of(row: Any, person: Any, lease: Lease, decided: Sequence[Decided]) -> Claim:  # noqa: ANN401 - rows
    found = read_account(row)
    crashed = found.doubt is not None and not found.must_read
    asked = found.must_read or crashed or row.verify_at is not None
    return Claim(
        replace(found, must_read=asked),
        read_identity(person),
        row.pending_since,
        lease.now,
        crashed=crashed,
        run=row.verify_run,
        decided=tuple(decided),
    )


def _values(item: Progress, token: str) -> dict[str, Any]:
    return {
        "row": item.account.id,
        "token": token,
        "remote": item.account.remote_id,
        "revision": item.account.applied_revision,
        "what": account_state(item.account),
        "holds": held_state(item.account.held),
        "unsure": item.account.doubt.at if item.account.doubt is not None else None,
        "mapping": item.account.mapping_hash,
    }


def _settled(item: Progress, token: str) -> dict[str, Any]:
    settled = item.settled
    if settled is None:
        raise AssertionError("only settled progress comes here")
    return {
        **_values(item, token),
        "claimed": settled.claimed_at,
        "when": settled.due_at,
        "since": settled.pending_since,
        "rank": settled.priority,
    }


_OURS = sa.and_(account.c.id == sa.bindparam("row"), account.c.lease_token == sa.bindparam("token"))
_STATE: dict[str, Any] = {
    "remote_id": sa.bindparam("remote"),
    "applied_revision": sa.bindparam("revision"),
    "state": sa.bindparam("what"),
    "held": sa.bindparam("holds"),
    "doubt_at": sa.bindparam("unsure", type_=Time),
    "mapping_hash": sa.bindparam("mapping"),
}
_WRITE = sa.update(account).where(_OURS).values(_STATE)
_CLAIMED: sa.BindParameter[float] = sa.bindparam("claimed", type_=Time)
_RANK: sa.BindParameter[int] = sa.bindparam("rank", type_=sa.SmallInteger())
_SINCE: sa.BindParameter[float] = sa.bindparam("since", type_=Time)
_ASKED_SINCE = account.c.verify_at > _CLAIMED
_SETTLE = (
    sa.update(account)
    .where(_OURS)
    .values(
        {
            **_STATE,
            "due_at": sa.case((_ASKED_SINCE, _CLAIMED), else_=sa.bindparam("when", type_=Time)),
            "verify_at": sa.case((_ASKED_SINCE, _CLAIMED), else_=sa.null()),
            "verify_run": sa.case((_ASKED_SINCE, account.c.verify_run), else_=sa.null()),
            "pending_since": sa.case(
                (_RANK.is_(None), sa.func.coalesce(_SINCE, account.c.pending_since)), else_=_SINCE
            ),
            "priority": sa.func.coalesce(_RANK, account.c.priority),
            "lease_token": None,
            "alone": sa.false(),
        }
    )
)
