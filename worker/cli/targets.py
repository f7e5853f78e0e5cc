"""`hirewire targets`: what is configured, and whether it is worked on."""

from __future__ import annotations

from typer.core import TyperCommand

from config.settings import Target
from connectors.sdk.model import Json
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.output import Column, document, line, show, table
from worker.storage.queries import TargetState, target_states

_COLUMNS = (
    Column("target", whole=True),
    Column("connector"),
    Column("base url"),
    Column("mode"),
    Column("state"),
    Column("at once", right=True),
    Column("per second", right=True),
    Column("reason"),
)
_NEW = TargetState("new", None)


def command() -> TyperCommand:
    return single(targets, "targets")


def targets(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the configured targets: address, mode, limits, and whether one is paused and why.

    Example: hirewire targets
    """
    settings = settings_of(config)
    with reading(settings) as engine, engine.connect() as connection:
        states = target_states(connection)
    rows = [_row(name, target, states.get(name, _NEW)) for name, target in sorted(settings.targets.items())]
    if as_json:
        document({"targets": [*rows]})
    elif rows:
        show(table(_COLUMNS, [tuple(row.values()) for row in rows]))
    else:
        line("no target is configured: add [targets.NAME] to the configuration")


def _row(name: str, target: Target, state: TargetState) -> dict[str, Json]:
    return {
        "name": name,
        "connector": target.connector,
        "base_url": target.base_url or None,
        "mode": target.mode,
        "state": state.state,
        "max_in_flight": target.max_in_flight,
        "rate_per_s": target.rate_per_s,
        "reason": state.reason,
    }
