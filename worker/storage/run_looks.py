"""How far a run is, asked again and again: reads the run's row and an index of the accounts it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.domain.dates import Dates
from worker.engine.choosing import WHERE, taking
from worker.engine.rows import RunState
from worker.storage.accounts import conditions
from worker.storage.freshness import matching
from worker.storage.tables import account, run, target
from worker.storage.view import SqlView

_PAGE = 500
_ENDED = (RunState.HELD, RunState.CANCELLED, RunState.FAILED)
_READS = ("resync", "mapping")  # they are over when what they marked was read


@dataclass(frozen=True, slots=True)
class RunLook:
    """`total` is what it is about, None before that is known; `marked` of them were made due, or done.

    `unread` of these still wait for the read that the run asked for, `stuck` of them at paused targets.
    """

    id: int
    kind: str
    state: str
    judged: int
    total: int | None
    marked: int
    unread: int
    stuck: int
    target: str | None = None  # where it is about one
    differing: int | None = None  # accounts, of a reconciliation

    @property
    def reads(self) -> bool:
        """Whether what it does is have accounts read."""
        return self.kind in _READS

    @property
    def done(self) -> int:
        return max(0, self.marked - self.unread) if self.reads else self.marked

    @property
    def is_over(self) -> bool:
        return self.state == RunState.DONE and (self.unread == 0 or not self.reads)

    @property
    def is_stuck(self) -> bool:
        """Nothing is left but what paused targets keep back."""
        return self.state == RunState.DONE and self.unread == self.stuck > 0

    @property
    def ends(self) -> bool:
        """Whether nobody needs to wait any longer: it is over, or nothing moves without an operator."""
        return self.is_over or self.is_stuck or self.state in _ENDED


def run_look(connection: sa.Connection, run_id: int) -> RunLook | None:
    row = connection.execute(sa.select(run).where(run.c.id == run_id)).first()
    if row is None:
        return None
    unread, stuck = connection.execute(_unread(run_id)).one()
    note: Any = row.note or {}
    targets: Any = row.selection.get("targets") or []
    return RunLook(
        row.id,
        row.kind,
        row.state,
        note.get("counted", {}).get("accounts", 0),
        _total(row),
        row.done,
        unread,
        stuck,
        targets[0] if len(targets) == 1 else None,
        note.get("found", {}).get("differing"),
    )


def _total(row: Any) -> int | None:  # noqa: ANN401 - a row
    """Of a file its rows; of a listing what the target told, which may be nothing."""
    if row.state not in (RunState.RUNNING, RunState.DONE):
        return None
    known = max((row.position or {}).get("rows", row.total), row.done)
    return known if known or row.kind in _READS else None


def _unread(run_id: int) -> sa.Select[int, int]:
    joined = sa.select(sa.func.count(), matching(target.c.state == "paused")).join_from(
        account, target, target.c.id == account.c.target_id
    )
    return joined.where(account.c.verify_run == run_id, account.c.verify_at.is_not(None))


@dataclass(frozen=True, slots=True)
class Left:
    """Of the accounts of a selection: how many have held fields, and how many are looked at again."""

    held: int
    later: int


def left(connection: sa.Connection, selection: Mapping[str, Json], dates: Dates) -> Left:
    if WHERE in selection:
        return _left_of_chosen(SqlView(connection), selection, dates)
    counts = matching(account.c.held.is_not(None)), matching(account.c.due_at.is_not(None))
    return Left(*connection.execute(sa.select(*counts).where(*conditions(selection))).one())


def _left_of_chosen(view: SqlView, selection: Mapping[str, Json], dates: Dates) -> Left:
    takes, after, held, later = taking(selection, dates, view.now), 0, 0, 0
    while looks := view.accounts(selection, after, _PAGE):
        chosen = [look for look in looks if takes(look.claim.identity)]
        held += sum(bool(look.claim.account.held) for look in chosen)
        later += sum(look.due_at is not None for look in chosen)
        after = looks[-1].claim.account.id
    return Left(held, later)
