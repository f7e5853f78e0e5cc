"""`hirewire audit`: what happened, and that nobody changed the record of it."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from worker.cli.archiving import archive
from worker.cli.common import ConfigOption, JsonOption, group, reading, settings_of
from worker.cli.exporting import export
from worker.cli.known import require_subjects, require_targets
from worker.cli.moments import since as parsed_since
from worker.cli.output import Column, document, line, moment, show, table
from worker.cli.sealing import baseline, key, seal
from worker.cli.story import story
from worker.cli.telling import summary
from worker.cli.verifying import verify
from worker.storage.clock import clock
from worker.storage.records import AuditFilter, Record, audit_records
from worker.views.records import record_json

_COLUMNS = (
    Column("time", whole=True),
    Column("stream"),
    Column("seq", right=True),
    Column("action"),
    Column("subject"),
    Column("what"),
)


def command() -> TyperGroup:
    return group(
        "audit",
        _about,
        {
            "list": list_,
            "verify": verify,
            "export": export,
            "seal": seal,
            "archive": archive,
            "baseline": baseline,
            "key": key,
            "story": story,
        },
    )


def _about() -> None:
    """List, verify, export, archive and seal the audit; tell one person's story."""


def list_(  # noqa: PLR0913 - one parameter for each option
    target: Annotated[str | None, typer.Option(metavar="NAME", help="Only this target's stream.")] = None,
    identity: Annotated[str | None, typer.Option(metavar="SUBJECT", help="Only this person.")] = None,
    action: Annotated[
        str | None, typer.Option(metavar="PREFIX", help="Only actions that begin so: account:patch")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="WHEN", help="30s, 15m, 2h, 7d, or RFC 3339.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="The newest ones.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List audit records, the newest last.

    Example: hirewire audit list --target awx_prod --action account:patch --since 1h
    """
    settings = settings_of(config)
    require_targets(settings, [target] if target else [])
    with reading(settings) as engine, engine.connect() as connection:
        if identity is not None:
            require_subjects(connection, [identity])
        start = None if since is None else parsed_since(since, clock(connection))
        stream = None if target is None else f"target:{target}"
        found = audit_records(connection, AuditFilter(limit, stream, identity, action, start))
    if as_json:
        document({"records": [record_json(record) for record in found]})
    elif found:
        show(table(_COLUMNS, [_cells(record) for record in found]))
    else:
        line("no record fits")


def _cells(record: Record) -> tuple[object, ...]:
    return (
        moment(record.at),
        record.stream,
        record.seq,
        record.action,
        record.subject,
        summary(record.action, record.facts),
    )
