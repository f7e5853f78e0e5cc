"""Read-only questions about what a reconciliation found: what `hirewire runs drift` shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connectors.sdk.model import Json
from worker.storage.in_pages import in_pages
from worker.storage.tables import drift
from worker.storage.verify import Ask


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One field of one account. `subject` None: nobody's. `mends`: a repair sends something for it.

    `changed_by` and `changed_at` are the target's own words, where its log tells them.
    """

    id: int
    remote_id: str
    subject: str | None
    field: str
    cause: str
    wanted: Json
    observed: Json
    mends: bool
    asked_at: float
    changed_by: str | None
    changed_at: str | None


@dataclass(frozen=True, slots=True)
class DriftCount:
    field: str
    cause: str
    accounts: int
    mended: int  # of them, those that a repair sends something for


def drift_counts(ask: Ask, run_id: int) -> list[DriftCount]:
    """By field and cause, most first."""
    many = sa.func.count()
    mended = sa.func.sum(sa.case((drift.c.mends, 1), else_=0))
    query = sa.select(drift.c.field, drift.c.cause, many, mended).where(drift.c.run_id == run_id)
    grouped = query.group_by(drift.c.field, drift.c.cause)
    return [DriftCount(*row) for row in ask(grouped.order_by(many.desc(), drift.c.field, drift.c.cause))]


def drift_rows(ask: Ask, run_id: int, after: int = 0) -> Iterator[DriftRow]:
    """All behind this one in the order in which they were found, however many."""
    query = sa.select(drift).where(drift.c.run_id == run_id)
    return map(_row, in_pages(ask, query, drift.c.id, after))


def _row(row: Any) -> DriftRow:  # noqa: ANN401 - a row
    return DriftRow(
        row.id,
        row.remote_id,
        row.subject,
        row.field,
        row.cause,
        row.wanted,
        row.observed,
        bool(row.mends),
        row.asked_at,
        row.changed_by,
        row.changed_at,
    )
