"""`hirewire prune`: delete what the retention lets go, now."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from config.settings import Settings
from connectors.sdk.model import Json
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.failures import Code, NotReadyError
from worker.cli.output import Column, document, hint, line, show, table
from worker.cli.principal import TokenFileOption, opened, principal_or_user, reason_given
from worker.cli.stopping import stopped_by_ctrl_c
from worker.domain.operator import Role
from worker.retention import build_pruner, prunable
from worker.storage.prune import Pruned, foreseen

_COLUMNS = (Column("rows", whole=True), Column("count", right=True))


def command() -> TyperCommand:
    return single(prune, "prune")


def prune(
    why: Annotated[
        str, typer.Option("--why", metavar="TEXT", help="The reason, for the audit; not with --dry-run.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would go; nothing is deleted.")
    ] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete rows that nothing needs any more, as the schedule does: see [retention] in the configuration.

    Page by page beside working workers; safe to interrupt, the next one goes on. Never the audit: that is
    `hirewire audit archive`. Needs an admin's token where operators exist, but not to look.

    Example: hirewire prune --dry-run
    """
    if dry_run:
        settings = settings_of(config)
        with reading(settings) as engine:
            done = Pruned(foreseen(engine, prunable(settings)), ended=True)
    else:
        reason = reason_given(why)
        done = _prune(settings_of(config), reason, token_file)
    if as_json:
        document(_as_json(done, dry_run=dry_run))
    else:
        _tell(done, "would go" if dry_run else "went")
    raise typer.Exit(Code.FINE if done.ended else Code.INTERRUPTED)


def _prune(settings: Settings, why: str, token_file: Path | None) -> Pruned:
    with opened(settings) as store, stopped_by_ctrl_c() as stopping:
        by = principal_or_user(store, "database:prune", Role.ADMIN, token_file)
        done = build_pruner(settings, store, stopping).prune(by.actor, why)
    if done is None:
        raise NotReadyError("another process prunes at this moment: try again in a minute")
    return done


def _as_json(done: Pruned, *, dry_run: bool) -> Json:
    found: dict[str, Json] = {name.replace(" ", "_"): count for name, count in done.gone.items()}
    return {"dry_run": dry_run, "ended": done.ended, "rows": found}


def _tell(done: Pruned, word: str) -> None:
    went = [(name, count) for name, count in done.gone.items() if count]
    if went:
        show(table(_COLUMNS, went))
    line(f"{sum(done.gone.values())} rows {word}")
    if not done.ended:
        hint("it was stopped; the next one goes on")
