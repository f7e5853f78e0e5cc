"""`hirewire runs drift`: what a reconciliation found different, as a table, JSON or CSV."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from connectors.sdk.model import Json
from worker.cli.common import ConfigOption, reading, settings_of
from worker.cli.failures import UsageError
from worker.cli.output import Column, hint, line, moment, show, table
from worker.cli.row_by_row import write_csv_line, write_json
from worker.domain.strict_json import canonical
from worker.engine.listing import WAITS
from worker.engine.reconciling import RECONCILE
from worker.engine.telling import TOLD
from worker.storage.drift_stories import DriftCount, DriftRow, drift_counts, drift_rows
from worker.storage.run_stories import one
from worker.storage.verify import Ask, in_short_reads
from worker.views.found import drift_json

_COUNTS = (Column("field"), Column("cause"), Column("accounts", right=True), Column("mended", right=True))
_ROWS = (
    Column("subject"),
    Column("account", whole=True),
    Column("field"),
    Column("cause"),
    Column("wanted"),
    Column("observed"),
)
_HEAD = (
    "run",
    "subject",
    "account",
    "field",
    "cause",
    "wanted",
    "observed",
    "mended",
    "asked_at",
    "changed_by",
    "changed_at",
)


class Format(enum.StrEnum):
    TEXT = "text"
    JSON = "json"
    CSV = "csv"


def drift(
    run: Annotated[int, typer.Argument(metavar="ID", help="The run's number.")],
    format_: Annotated[
        Format, typer.Option("--format", help="json and csv have every row; of any length.")
    ] = Format.TEXT,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the table at most.")] = 50,
    config: ConfigOption = None,
) -> None:
    """Show what a reconciliation found different: by field and cause, then account by account.

    Values of sensitive fields are masked. "account" is the target's own id of it.

    Example: hirewire runs drift 7 --format csv > drift.csv
    """
    with reading(settings_of(config)) as engine:
        ask = in_short_reads(engine)
        with engine.connect() as connection:
            found = one(connection, run)
        if found is None or found.kind != RECONCILE:
            raise UsageError(f"run {run} is no reconciliation: see `hirewire runs list`")
        match format_:
            case Format.TEXT:
                show_drift(ask, run, found.note, limit)
            case Format.JSON:
                write_json(run, "drift", map(drift_json, drift_rows(ask, run)))
            case Format.CSV:
                write_csv(run, drift_rows(ask, run))


def show_drift(ask: Ask, run: int, note: Any, limit: int) -> None:  # noqa: ANN401 - JSON
    """Counts, and the first rows."""
    for words in found_lines(note):
        line(words)
    counts = drift_counts(ask, run)
    if not counts:
        return
    show(table(_COUNTS, [(one.field, one.cause, one.accounts, one.mended) for one in counts]))
    rows = [*islice(drift_rows(ask, run), limit)]
    line("")
    told = any(row.changed_by for row in rows)
    columns = (*_ROWS, Column("changed by")) if told else _ROWS
    show(table(columns, [_cells(row)[: len(columns)] for row in rows]))
    if sum(one.accounts for one in counts) > len(rows):
        hint(f"these are the first {len(rows)}; `hirewire runs drift {run} --format csv` has all")


def found_lines(note: Any) -> list[str]:  # noqa: ANN401 - JSON
    """What a reconciliation has counted and what it waits for, in words; nothing of a run of another kind."""
    found, waits = note.get("found"), note.get(WAITS)
    told = [f"waits until {moment(waits['until'])} after {waits['why']}"] if waits else []
    return told if found is None else [*_counted(found, note), *told]


def _counted(found: Any, note: Any) -> list[str]:  # noqa: ANN401 - JSON
    listed = (
        f"{found['listed']} accounts listed, {found['linked']} of them linked; {found['differing']} differ"
    )
    lines = [f"{listed}, {found['missing']} linked ones are missing, {found['strangers']} are nobody's"]
    if found["in_motion"] or found["unread"]:
        lines.append(
            f"not compared: {found['in_motion']} that were being worked on, "
            f"{found['unread']} for a defect (see the logs)"
        )
    if found["marked"] or found["passed"]:
        lines.append(f"made due with a read: {found['marked']}; left, being worked on: {found['passed']}")
    if ended := (note.get(TOLD) or {}).get("ended"):
        lines.append(f"who changed it was not told: {ended}")
    if note.get("failed"):
        lines.append(f"failed: {note['failed']}; nothing was marked")
    return lines


def counts_json(counts: Iterable[DriftCount]) -> list[Json]:
    return [
        {"field": one.field, "cause": one.cause, "accounts": one.accounts, "mended": one.mended}
        for one in counts
    ]


def _cells(row: DriftRow) -> tuple[object, ...]:
    values = (_shown(row.wanted), _shown(row.observed))
    return (row.subject, row.remote_id, row.field, row.cause, *values, row.changed_by)


def _shown(value: Json) -> object:
    return value if value is None or isinstance(value, str) else canonical(value)


def write_csv(run: int, rows: Iterator[DriftRow], *, head: bool = True) -> None:
    """A line for each field of an account. Values are JSON, so that no null is taken for a text."""
    if head:
        write_csv_line(_HEAD)
    for row in rows:
        known = drift_json(row)
        values = {name: canonical(known[name]) for name in ("wanted", "observed")}
        write_csv_line([{"run": run, **known, **values}[name] for name in _HEAD])


def drift_document(ask: Ask, run: int, note: Any) -> dict[str, Json]:  # noqa: ANN401 - JSON
    """The summary of a reconciliation that is over, or held."""
    return {
        "found": note.get("found"),
        "failed": note.get("failed"),
        "drift": counts_json(drift_counts(ask, run)),
    }
