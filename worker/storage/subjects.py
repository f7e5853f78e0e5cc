"""Rows of people who get another HR key, or who turn out to be somebody known; see
`worker.engine.subject_ports`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from worker.domain.account import Account
from worker.engine.errors import BusyError
from worker.engine.fold import NORMAL
from worker.engine.subject_ports import Bearer, Pair
from worker.storage.aliases import aliases, merged_rows
from worker.storage.codec import account_state, held_state, read_account, read_identity
from worker.storage.tables import (
    account,
    decision,
    event,
    identity,
    identity_alias,
    identity_name,
    target,
    unique_value,
)
from worker.storage.upsert import insert_missing


class SubjectRows:
    def __init__(self, connection: sa.Connection, shards: int) -> None:
        self._connection = connection
        self._shards = shards

    def take(self, subjects: Sequence[str]) -> Mapping[str, Bearer]:
        known = aliases(self._connection, subjects)
        own = [subject for subject in subjects if subject not in known]
        meant = sa.or_(identity.c.subject.in_(own), identity.c.id.in_(known.values()))
        query = sa.select(identity).where(meant).order_by(identity.c.id).with_for_update(key_share=True)
        rows = [row for row in self._connection.execute(query) if row.merged_into is None]
        found = {row.id: Bearer(row.id, read_identity(row)) for row in rows}
        by_name = {bearer.identity.subject: bearer for bearer in found.values()}
        by_alias = {name: found[row] for name, row in known.items() if row in found}
        return {name: one for name, one in {**by_name, **by_alias}.items() if name in subjects}

    def rename(self, bearer: Bearer, subject: str, by: str, now: float) -> None:
        again = sa.and_(identity_alias.c.subject == subject, identity_alias.c.identity_id == bearer.row)
        self._connection.execute(sa.delete(identity_alias).where(again))
        statement = sa.update(identity).where(identity.c.id == bearer.row)
        try:
            with self._connection.begin_nested():
                self._connection.execute(statement.values(subject=subject))
        except sa.exc.IntegrityError:
            raise BusyError("an event spoke of the new subject just now") from None
        self._alias(bearer.identity.subject, bearer.row, by, now)

    def _alias(self, subject: str, row: int, by: str, now: float) -> None:
        values = {"subject": subject, "identity_id": row, "by": by, "at": now}
        self._connection.execute(sa.insert(identity_alias).values(values))

    def pairs(self, into: Bearer, gone: Bearer) -> list[Pair]:
        both = account.c.identity_id.in_((into.row, gone.row))
        query = sa.select(account).where(both).order_by(account.c.id).with_for_update()
        rows = {(row.identity_id, row.target_id): row for row in self._connection.execute(query)}
        names = {row.id: row.name for row in self._connection.execute(sa.select(target.c.id, target.c.name))}
        places = sorted(place for person, place in rows if person == gone.row)
        return [
            _pair(names[place], rows.get((into.row, place)), rows[gone.row, place], into) for place in places
        ]

    def make(self, into: Bearer, gone: Bearer) -> None:
        query = sa.select(account.c.target_id).where(account.c.identity_id == gone.row)
        fresh: list[dict[str, Any]] = [
            {
                "identity_id": into.row,
                "target_id": place,
                "shard": into.row % self._shards,
                "applied_revision": 0,
                "priority": NORMAL,
                "state": {},
            }
            for place in sorted(self._connection.scalars(query))
        ]
        insert_missing(self._connection, account, fresh, ["identity_id", "target_id"])

    def write(self, state: Account) -> None:
        free = sa.and_(account.c.id == state.id, account.c.lease_token.is_(None))
        self._connection.execute(sa.delete(unique_value).where(unique_value.c.account_id == state.id))
        self._connection.execute(
            sa.update(account)
            .where(free)
            .values(
                remote_id=state.remote_id,
                applied_revision=state.applied_revision,
                state=account_state(state),
                held=held_state(state.held),
                mapping_hash=state.mapping_hash,
                doubt_at=None,
            )
        )

    def retire(self, gone: Bearer, into: Bearer, by: str, now: float) -> None:
        self._drop_accounts(gone)
        self._hand_over_names(gone, into)
        self._hand_over_events(gone, into)
        before = identity_alias.c.identity_id == gone.row
        follow = sa.update(identity).where(identity.c.id.in_(merged_rows(gone.row)))
        self._connection.execute(follow.values(merged_into=into.row))
        self._connection.execute(sa.update(identity_alias).where(before).values(identity_id=into.row))
        self._alias(gone.identity.subject, into.row, by, now)
        over = sa.update(identity).where(identity.c.id == gone.row)
        self._connection.execute(over.values(merged_into=into.row, wake_at=None))

    def _drop_accounts(self, gone: Bearer) -> None:
        """With what was decided about them, which the audit keeps."""
        query = sa.select(account.c.id).where(account.c.identity_id == gone.row)
        numbers = sorted(self._connection.scalars(query))
        for table in (unique_value, decision):
            self._connection.execute(sa.delete(table).where(table.c.account_id.in_(numbers)))
        self._connection.execute(sa.delete(account).where(account.c.id.in_(numbers)))

    def _hand_over_names(self, gone: Bearer, into: Bearer) -> None:
        """Whoever gets one of them next must not be given the person's account."""
        query = sa.select(identity_name).where(identity_name.c.identity_id == gone.row)
        fresh = [
            {"attribute": row.attribute, "name": row.name, "identity_id": into.row}
            for row in self._connection.execute(query)
        ]
        insert_missing(self._connection, identity_name, fresh, ["attribute", "name", "identity_id"])

    def _hand_over_events(self, gone: Bearer, into: Bearer) -> None:
        """What they brought about came with the revision that the merge made."""
        made = sa.case((event.c.revision.is_not(None), into.identity.revision))
        theirs = sa.update(event).where(event.c.identity_id == gone.row)
        self._connection.execute(theirs.values(identity_id=into.row, revision=made))


def _pair(name: str, ours: Any, theirs: Any, into: Bearer) -> Pair:  # noqa: ANN401 - rows
    gone = read_account(theirs)
    mine = read_account(ours) if ours is not None else Account(0, into.row, gone.target_id)
    rows = [row for row in (ours, theirs) if row is not None]
    return Pair(
        name,
        mine,
        gone,
        into_leased=ours is not None and ours.lease_token is not None,
        gone_leased=theirs.lease_token is not None,
        decided=max(row.decided or 0 for row in rows),
    )
