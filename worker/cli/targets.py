"""`hirewire targets`: what is configured, whether it is worked on; and an operator's pause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from worker.cli.common import ConfigOption, JsonOption, listing_group, reading, settings_of
from worker.cli.enrol import enrol
from worker.cli.known import require_registered, require_targets
from worker.cli.output import Column, document, line, show, table
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_or_user, reason_given
from worker.domain.operator import Principal, Role
from worker.engine.pausing import Pausing
from worker.storage.freshness import target_states
from worker.views.targets import NEW, target_json

_COLUMNS = (
    Column("target", whole=True),
    Column("connector"),
    Column("base url"),
    Column("mode"),
    Column("state"),
    Column("at once", right=True),
    Column("per second", right=True),
    Column("reason"),
    Column("enrolled"),
)


_NAME = typer.Argument(metavar="NAME", help="A configured target.")


def command() -> TyperGroup:
    return listing_group("targets", targets, {"pause": pause, "resume": resume, "enrol": enrol})


def targets(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the configured targets: address, mode, limits, whether one is paused, and when it was enrolled.

    Example: hirewire targets
    """
    if context.invoked_subcommand is None:
        _list(config, as_json=as_json)


def pause(
    name: Annotated[str, _NAME],
    why: WhyOption,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """Send nothing to a target until it is resumed; what is in flight is finished.

    Example: hirewire targets pause awx_prod --why "maintenance until noon"
    """
    reason = reason_given(why)
    with _pausing(config, name, "target:pause", token_file) as (pausing, by):
        changed = pausing.pause(name, by, reason)
    line(f"{name} is paused" if changed else f"{name} was paused by you already")


def resume(
    name: Annotated[str, _NAME],
    why: WhyOption,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
) -> None:
    """End the pause of a target, an operator's or Hirewire's own.

    Example: hirewire targets resume awx_prod --why "maintenance is over"
    """
    reason = reason_given(why)
    with _pausing(config, name, "target:resume", token_file) as (pausing, by):
        changed = pausing.resume(name, by, reason)
    line(f"{name} is resumed" if changed else f"{name} was not paused")


@contextmanager
def _pausing(
    config: Path | None, name: str, what: str, token_file: Path | None
) -> Iterator[tuple[Pausing, Principal]]:
    """The use case and who asks. Raises UsageError for a target that nobody registered yet."""
    from worker.cli.broker import signals_of  # noqa: PLC0415 - a listing needs none of it

    settings = settings_of(config)
    require_targets(settings, [name])
    with opened(settings) as store:
        by = principal_or_user(store, f"{what}:{name}", Role.OPERATOR, token_file, [name])
        require_registered(store, name)
        yield Pausing(store, signals_of(settings), settings.engine.shards), by


def _list(config: Path | None, *, as_json: bool) -> None:
    settings = settings_of(config)
    with reading(settings) as engine, engine.connect() as connection:
        states = target_states(connection)
    rows = [
        target_json(name, target, states.get(name, NEW)) for name, target in sorted(settings.targets.items())
    ]
    if as_json:
        document({"targets": [*rows]})
    elif rows:
        show(table(_COLUMNS, [tuple(row.values()) for row in rows]))
    else:
        line("no target is configured: add [targets.NAME] to the configuration")
