"""`hirewire held`: what waits for an operator or for new data, with the reason; and what to say to it."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from worker.cli import deciding
from worker.cli.common import ConfigOption, JsonOption, listing_group, reading, settings_of
from worker.cli.known import require_targets
from worker.cli.output import Column, document, hint, line, moment, show, table
from worker.storage.queries import HeldField
from worker.storage.queries import held as held_fields
from worker.views.held import held_json

_COLUMNS = (
    Column("target"),
    Column("subject", whole=True),
    Column("remote id"),
    Column("field"),
    Column("reason"),
    Column("message"),
    Column("since", whole=True),
)


def command() -> TyperGroup:
    decisions = {word: getattr(deciding, word) for word in ("show", "retry", "discard", "approve", "reject")}
    return listing_group("held", held, {"list": list_, **decisions})


def held(
    context: typer.Context,
    target: Annotated[str | None, typer.Option(metavar="NAME", help="Only this target.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Accounts to show at most.")] = 1000,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the held fields, and decide about them. A hold ends when HR sends another value for the field.

    Example: hirewire held --target awx_prod
    """
    if context.invoked_subcommand is None:
        list_(target, limit, config, as_json=as_json)


def list_(
    target: Annotated[str | None, typer.Option(metavar="NAME", help="Only this target.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Accounts to show at most.")] = 1000,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the held fields, as without a word.

    Example: hirewire held list --target awx_prod
    """
    settings = settings_of(config)
    require_targets(settings, [target] if target else [])
    with reading(settings) as engine, engine.connect() as connection:
        found = held_fields(connection, target, limit + 1)
    accounts = list(dict.fromkeys((item.target, item.subject) for item in found))
    kept = set(accounts[:limit])
    found = [item for item in found if (item.target, item.subject) in kept]
    if as_json:
        document({"held": [held_json(item) for item in found], "more": len(accounts) > limit})
        return
    _show(found, more=len(accounts) > limit)


def _show(found: list[HeldField], *, more: bool) -> None:
    if not found:
        line("nothing is held")
        return
    show(table(_COLUMNS, [_cells(item) for item in found]))
    if more:
        hint("there are more: raise --limit")


def _cells(item: HeldField) -> tuple[object, ...]:
    return (
        item.target,
        item.subject,
        item.remote_id,
        item.field,
        item.reason,
        item.message,
        moment(item.since),
    )
