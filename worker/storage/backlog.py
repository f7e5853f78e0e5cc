"""How many events wait to be folded, looked up cheaply: counting ends where it is enough."""

from __future__ import annotations

import sqlalchemy as sa

from worker.storage.clock import clock
from worker.storage.tables import event


def unfolded(connection: sa.Connection, most: int) -> int:
    """Events whose time has come and that no fold has taken; `most` stands for that many and more."""
    due = sa.select(event.c.id).where(event.c.fold_at <= clock(connection)).limit(most).subquery()
    return connection.scalar(sa.select(sa.func.count()).select_from(due)) or 0
