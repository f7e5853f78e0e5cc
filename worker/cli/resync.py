"""`hirewire resync`: have accounts read again and mended where they differ; a worker carries the run out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand

from config.settings import Settings
from connectors.sdk.model import Json
from worker.bootstrap import dates_from
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.failures import Code, UsageError
from worker.cli.following import follow
from worker.cli.known import require_subjects, require_targets
from worker.cli.output import document, hint, line
from worker.cli.principal import TokenFileOption, opened, principal_or_user, reason_given
from worker.cli.resync_plan import foreseen, tell_foreseen
from worker.cli.run_words import ended_words
from worker.domain.operator import Role
from worker.engine.choosing import check_selection
from worker.engine.run_desk import RunDesk
from worker.storage.run_looks import Left, RunLook, left
from worker.storage.run_tales import Tale, told_of

Chosen = dict[str, Json]


def command() -> TyperCommand:
    return single(resync, "resync")


def resync(  # noqa: PLR0913 - one parameter for each option
    subjects: Annotated[list[str] | None, typer.Argument(metavar="[SUBJECT]...", help="HR keys.")] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only here; may be given again.")
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(metavar="EXPRESSION", help="Only people for whom it is true: JMESPath, as a scope is."),
    ] = None,
    held: Annotated[bool, typer.Option("--held", help="Only accounts with a held field.")] = False,
    everyone: Annotated[bool, typer.Option("--all", help="All accounts of all targets.")] = False,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason, for the audit.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only count what would be read and change.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Write the run down and return.")] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read accounts again and send what differs; waits until all of them were read.

    What is said of the selection narrows it: --target awx_prod --held is what is held there. A run that
    would change too much is held until `hirewire runs approve`. Ctrl-C leaves the run going, and `hirewire
    runs show ID --follow` looks on; `hirewire runs cancel ID` ends it. --dry-run counts what would be read
    and change, from what is stored, and needs no --why. Exit code 1 where the run is held or cancelled, or
    a paused target keeps it from ending.

    Example: hirewire resync --where "department == 'IT'" --target awx_prod --dry-run

    Example: hirewire resync E1001 --target awx_prod --why "changed by hand in AWX"
    """
    chosen = _selection(subjects or [], target or [], where, held=held, everyone=everyone)
    reason = "" if dry_run else reason_given(why)
    settings = settings_of(config)
    require_targets(settings, target or [])
    with reading(settings) as engine:
        with engine.connect() as connection:
            require_subjects(connection, subjects or [])
        if dry_run:
            tell_foreseen(foreseen(settings, engine, chosen), as_json=as_json)
            return
        run = _request(settings, chosen, reason, token_file)
        if no_wait:
            _tell_started(run, as_json=as_json)
            return
        (seen,) = follow(engine, run)
        with engine.connect() as connection:
            rest = left(connection, chosen, dates_from(settings))
            told = told_of(connection, run)
    _tell(seen, rest, told, as_json=as_json)
    raise typer.Exit(Code.FINE if seen.is_over else Code.NOT_WELL)


def _selection(
    subjects: list[str], targets: list[str], where: str | None, *, held: bool, everyone: bool
) -> Chosen:
    chosen: Chosen = {}
    if subjects:
        chosen["subjects"] = [*subjects]
    if targets:
        chosen["targets"] = [*targets]
    if where is not None:
        chosen["where"] = where
    if held:
        chosen["held"] = True
    if everyone == bool(chosen):
        raise UsageError(
            "name subjects, a --target, a --where or --held, or say --all for every account, not both"
        )
    try:
        check_selection(chosen)
    except ValueError as error:
        raise UsageError(f"--where {error}") from None
    return chosen


def _request(settings: Settings, chosen: Chosen, why: str, token_file: Path | None) -> int:
    """The run's id, once it is written down."""
    named = chosen.get("targets")
    at = [str(name) for name in named] if isinstance(named, list) else None
    with opened(settings) as store:
        who = principal_or_user(store, "run:resync", Role.OPERATOR, token_file, at)
        return RunDesk(store, signals_of(settings)).request_resync(chosen, who.actor, why).id


def _tell_started(run: int, *, as_json: bool) -> None:
    if as_json:
        document({"run": run, "state": "waiting"})
    else:
        line(f"run {run} is written down; a worker carries it out")


def _tell(seen: RunLook, rest: Left, told: list[Tale], *, as_json: bool) -> None:
    if as_json:
        document(
            {
                "run": seen.id,
                "state": seen.state,
                "accounts": seen.marked,
                "read": seen.done,
                "held": rest.held,
                "later": rest.later,
            }
        )
        return
    line(
        f"run {seen.id}: {seen.done} of {seen.marked} accounts read; {rest.held} with held fields, "
        f"{rest.later} to be looked at again"
    )
    for words in ended_words(seen, told):
        hint(words)
