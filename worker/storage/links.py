"""Rows of accounts as an operator links and unlinks them; see `worker.engine.link_ports`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from worker.domain.account import Account
from worker.engine.errors import BusyError
from worker.engine.fold import NORMAL
from worker.engine.link_ports import AtHand
from worker.storage.aliases import ids_of
from worker.storage.codec import account_state, held_state, read_account, read_identity
from worker.storage.tables import account, identity
from worker.storage.upsert import insert_missing


class LinkRows:
    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self._shards = shards

    def find(self, target_id: int, subject: str) -> AtHand | None:
        person = self._connection.execute(_who(subject)).first()
        if person is None:
            return None
        row = self._connection.execute(_of(person.id, target_id)).first()
        if row is None:
            return AtHand(Account(0, person.id, target_id), read_identity(person), leased=False, decided=0)
        return _at_hand(row, person)

    def take(self, target_id: int, subject: str) -> AtHand | None:
        """The person is locked, too: nobody makes them another one meanwhile."""
        person = self._connection.execute(_who(subject).with_for_update(key_share=True)).first()
        if person is None:
            return None
        if person.merged_into is not None:
            raise BusyError("somebody was merged with somebody else just now")
        self._make([person.id], target_id)
        return _at_hand(self._connection.execute(_of(person.id, target_id).with_for_update()).one(), person)

    def take_all(self, target_id: int, people: Collection[int]) -> dict[int, AtHand]:
        """First all of the people are locked, then all of their accounts: each in the order of rows."""
        chosen = identity.c.id.in_(sorted(people)), identity.c.merged_into.is_(None)
        query = sa.select(identity).where(*chosen).order_by(identity.c.id)
        found = {row.id: row for row in self._connection.execute(query.with_for_update(key_share=True))}
        self._make([*found], target_id)
        theirs = sa.select(account).where(account.c.target_id == target_id, account.c.identity_id.in_(found))
        rows = self._connection.execute(theirs.order_by(account.c.id).with_for_update())
        return {row.identity_id: _at_hand(row, found[row.identity_id]) for row in rows}

    def _make(self, people: Sequence[int], target_id: int) -> None:
        """Before the lock: a fold that makes the same row locks the person first, too."""
        fresh: list[dict[str, Any]] = [
            {
                "identity_id": identity_id,
                "target_id": target_id,
                "shard": identity_id % self._shards,
                "applied_revision": 0,
                "priority": NORMAL,
                "state": {},
            }
            for identity_id in people
        ]
        insert_missing(self._connection, account, fresh, ["identity_id", "target_id"])

    def owner(self, target_id: int, remote_id: str) -> str | None:
        linked = sa.and_(account.c.target_id == target_id, account.c.remote_id == remote_id)
        query = sa.select(identity.c.subject).join(account, account.c.identity_id == identity.c.id)
        found: str | None = self._connection.scalar(query.where(linked))
        return found

    def write(self, state: Account, now: float) -> bool:
        free = sa.and_(account.c.id == state.id, account.c.lease_token.is_(None))
        values = {
            "remote_id": state.remote_id,
            "state": account_state(state),
            "held": held_state(state.held),
            "doubt_at": None,
            "due_at": now,
        }
        try:
            with self._connection.begin_nested():  # of two who link one account at once, one is told so
                self._connection.execute(sa.update(account).where(free).values(values))
        except sa.exc.IntegrityError:
            return False
        return True


def _who(subject: str) -> sa.Select[Any]:
    return sa.select(identity).where(identity.c.id.in_(ids_of([subject])))


def _of(identity_id: int, target_id: int) -> sa.Select[Any]:
    ours = sa.and_(account.c.target_id == target_id, account.c.identity_id == identity_id)
    return sa.select(account).where(ours)


def _at_hand(row: Any, person: Any) -> AtHand:  # noqa: ANN401 - rows
    leased = row.lease_token is not None
    return AtHand(read_account(row), read_identity(person), leased=leased, decided=row.decided or 0)
