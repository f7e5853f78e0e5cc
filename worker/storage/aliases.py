"""Whose an HR key is: the person's who has it now, or by an alias the person's who had it before.

An alias wins over the row of an identity that was merged into another one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from worker.storage.tables import identity, identity_alias


def aliases(connection: sa.Connection, subjects: Collection[str]) -> dict[str, int]:
    """Subject to the identity's row, for those that are aliases."""
    if not subjects:
        return {}
    query = sa.select(identity_alias.c.subject, identity_alias.c.identity_id)
    rows = connection.execute(query.where(identity_alias.c.subject.in_(sorted(subjects))))
    return {row.subject: row.identity_id for row in rows}


def ids_of(subjects: Collection[str]) -> sa.CompoundSelect[Any]:
    """The identities that these subjects mean."""
    named = sorted(set(subjects))
    own = sa.select(identity.c.id).where(identity.c.subject.in_(named), identity.c.merged_into.is_(None))
    return own.union_all(sa.select(identity_alias.c.identity_id).where(identity_alias.c.subject.in_(named)))


def keys_of(connection: sa.Connection, subject: str) -> list[str]:
    """Every subject whose events reach the person whom this one means; itself in any case."""
    ids = list(connection.scalars(ids_of([subject])))
    now = sa.select(identity.c.subject).where(identity.c.id.in_(ids))
    before = sa.select(identity_alias.c.subject).where(identity_alias.c.identity_id.in_(ids))
    return sorted({subject, *connection.scalars(now.union_all(before))})


def merged_rows(row: int) -> sa.Select[Any]:
    """The identities that were merged into this one; each of them left an alias."""
    left = sa.select(identity_alias.c.subject).where(identity_alias.c.identity_id == row)
    return sa.select(identity.c.id).where(identity.c.subject.in_(left), identity.c.merged_into == row)
