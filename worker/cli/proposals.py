"""`hirewire runs proposals`: whose the accounts of a target are, as a table, JSON or CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any

import typer

from worker.cli.common import ConfigOption, reading, settings_of
from worker.cli.drift import Format
from worker.cli.failures import UsageError
from worker.cli.output import Column, hint, line, show, table
from worker.cli.row_by_row import write_csv_line, write_json
from worker.domain.enrol import Verdict
from worker.domain.strict_json import canonical
from worker.engine.enrol_ports import ENROL
from worker.storage.proposal_stories import ProposalRow, proposal_rows
from worker.storage.run_stories import one
from worker.storage.verify import in_short_reads
from worker.views.found import proposal_json

_ROWS = (
    Column("verdict"),
    Column("account", whole=True),
    Column("name"),
    Column("subject"),
    Column("agrees"),
    Column("linked to"),
)
_HEAD = ("run", "verdict", "account", "name", "subject", "agrees", "linked_to")


def proposals(
    run: Annotated[int, typer.Argument(metavar="ID", help="The run's number.")],
    verdict: Annotated[
        Verdict | None,
        typer.Option(
            metavar="WORD",
            help="Only link, ambiguous, weak, stranger, outside, unlinked, protected, unread or unmatched.",
        ),
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", help="json and csv have every row; of any length.")
    ] = Format.TEXT,
    limit: Annotated[int, typer.Option(min=1, help="Rows of the table at most.")] = 50,
    config: ConfigOption = None,
) -> None:
    """Show what an enrolment proposes: each account, whose it is and which fields say so.

    "unmatched" are people without an account. "account" is the target's own id of it.

    Example: hirewire runs proposals 7 --verdict link
    """
    with reading(settings_of(config)) as engine:
        with engine.connect() as connection:
            found = one(connection, run)
        if found is None or found.kind != ENROL:
            raise UsageError(f"run {run} is no enrolment: see `hirewire runs list`")
        rows = proposal_rows(in_short_reads(engine), run, verdict)
        match format_:
            case Format.TEXT:
                _show(rows, found.note, limit)
            case Format.JSON:
                write_json(run, "proposals", map(proposal_json, rows))
            case Format.CSV:
                _write_csv(run, rows)


def enrol_lines(note: Any) -> list[str]:  # noqa: ANN401 - JSON
    """What an enrolment proposes and did, in words; nothing of a run of another kind."""
    proposed, linked = note.get("proposed"), note.get("linked")
    if proposed is None:
        return [f"failed: {note['failed']}; nothing was linked"] if "failed" in note else []
    people = proposed.get(Verdict.UNMATCHED, 0)
    counts = [f"{proposed[word]} {word}" for word in Verdict if proposed.get(word) and word != "unmatched"]
    lines = [f"{note['counted']['accounts']} accounts listed, {note['already']} of them were linked already"]
    lines.append(f"accounts: {', '.join(counts) or 'none'}; people without one: {people}")
    if linked is not None:
        left = [f"{many} {word}" for word, many in sorted(linked.items()) if word != "linked"]
        lines.append(f"linked: {linked.get('linked', 0)}; left: {', '.join(left) or 'none'}")
    if note.get("failed"):
        lines.append(f"failed: {note['failed']}; nothing was linked")
    return lines


def _show(rows: Iterator[ProposalRow], note: Any, limit: int) -> None:  # noqa: ANN401 - JSON
    for words in enrol_lines(note):
        line(words)
    shown = [*islice(rows, limit)]
    if not shown:
        line("nothing of that kind")
        return
    line("")
    show(table(_ROWS, [_cells(row) for row in shown]))
    if next(rows, None) is not None:
        hint(f"these are the first {len(shown)}; --format csv has all")


def _cells(row: ProposalRow) -> tuple[object, ...]:
    agrees = ", ".join(row.agrees) or None
    return (row.verdict.value, row.remote_id, row.name, row.subject, agrees, row.other)


def _write_csv(run: int, rows: Iterable[ProposalRow]) -> None:
    """The fields that agree are JSON."""
    write_csv_line(_HEAD)
    for row in rows:
        known: dict[str, object] = {"run": run, **proposal_json(row), "agrees": canonical(list(row.agrees))}
        write_csv_line(known[name] for name in _HEAD)
