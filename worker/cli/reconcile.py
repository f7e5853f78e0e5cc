"""`hirewire reconcile`: compare all that targets list with what HR says; a worker carries the runs out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from typer.core import TyperCommand

from config.settings import Settings
from connectors.sdk.model import Json
from connectors.sdk.registry import style_named
from worker.cli.broker import signals_of
from worker.cli.common import ConfigOption, JsonOption, reading, settings_of, single
from worker.cli.drift import drift_document, found_lines, show_drift, write_csv
from worker.cli.failures import Code, UsageError, refusing
from worker.cli.following import follow
from worker.cli.known import require_registered, require_targets
from worker.cli.output import document, hint, line
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_or_user, reason_given
from worker.domain.operator import Role
from worker.engine.reconcile_desk import ReconcileDesk
from worker.engine.reconciling import Policy
from worker.engine.rows import RunState
from worker.storage.drift_stories import drift_rows
from worker.storage.run_stories import RunStory, one
from worker.storage.verify import Ask, in_short_reads
from worker.target_rules import connector_config

_ROWS = 20


def command() -> TyperCommand:
    return single(reconcile, "reconcile")


def reconcile(  # noqa: PLR0913 - one parameter for each option
    why: WhyOption,
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="Default: every one that has a listing.")
    ] = None,
    policy: Annotated[
        Policy | None, typer.Option(help="Default: the target's own; report touches nothing.")
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Write the runs down and return.")] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="What differs, as CSV on standard output.")] = False,
) -> None:
    """Compare every account that a target lists with what HR says, and show what differs and why.

    With the policy repair a worker then reads again what differs and mends it, under all guards; what
    would change too much is held until `hirewire runs approve`. Ctrl-C leaves the runs going.
    Exit code 1 where a run failed, is held or was cancelled.

    Example: hirewire reconcile awx_prod --why "after the restore of AWX" --policy report
    """
    reason = reason_given(why)
    if as_json and as_csv:
        raise UsageError("--json or --csv, not both")
    settings = settings_of(config)
    names = _chosen(settings, target)
    with reading(settings) as engine:
        runs = _requested(settings, names, policy, reason, token_file)
        if no_wait:
            _tell_started(runs, as_json=as_json)
            return
        ended = _waited(engine, runs)
        _tell(in_short_reads(engine), ended, as_json=as_json, as_csv=as_csv)
    raise typer.Exit(Code.FINE if all(run.state == RunState.DONE for run in ended) else Code.NOT_WELL)


def _chosen(settings: Settings, target: str | None) -> list[str]:
    if target is not None:
        require_targets(settings, [target])
    listing = [name for name in sorted(settings.targets) if _lists(settings, name)]
    if target is not None and target not in listing:
        raise UsageError(
            f"{target} has no listing to compare with: `hirewire resync --target {target}` reads its accounts"
        )
    if not listing:
        raise UsageError("no target has a listing to compare with")
    return listing if target is None else [target]


def _lists(settings: Settings, name: str) -> bool:
    target = settings.targets[name]
    return style_named(target.connector)(connector_config(name, target)).descriptor.can_scan


def _requested(
    settings: Settings, names: Sequence[str], policy: Policy | None, why: str, token_file: Path | None
) -> dict[int, str]:
    """Run to target, once they are written down."""
    with opened(settings) as store:
        for name in names:
            require_registered(store, name)
        who = principal_or_user(store, "run:reconcile", Role.OPERATOR, token_file, names)
        desk = ReconcileDesk(store, signals_of(settings))
        with refusing(ValueError):
            return _written(desk, settings, names, policy, who.actor, why)


def _written(  # noqa: PLR0913 - what a run is
    desk: ReconcileDesk,
    settings: Settings,
    names: Sequence[str],
    policy: Policy | None,
    actor: str,
    why: str,
) -> dict[int, str]:
    """One that is reconciled already is left out, unless it is the only one that was asked for."""
    runs: dict[int, str] = {}
    for name in names:
        chosen = policy or Policy(settings.targets[name].reconcile.policy)
        try:
            runs[desk.request(name, chosen, actor, why).id] = name
        except ValueError as error:
            if len(names) == 1:
                raise
            hint(str(error))
    return runs


def _tell_started(runs: dict[int, str], *, as_json: bool) -> None:
    if as_json:
        document({"runs": [{"run": run, "target": name, "state": "waiting"} for run, name in runs.items()]})
        return
    for run, name in runs.items():
        line(f"run {run} of {name} is written down; a worker carries it out")


def _waited(engine: sa.Engine, runs: dict[int, str]) -> list[RunStory]:
    """All of them, once they are over or held. Ctrl-C exits."""
    follow(engine, *runs)
    with engine.connect() as connection:
        return [found for run in runs if (found := one(connection, run)) is not None]


def _tell(ask: Ask, ended: Sequence[RunStory], *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        document({"runs": [_as_json(ask, run) for run in ended]})
        return
    for run in ended:
        if as_csv:
            write_csv(run.id, drift_rows(ask, run.id), head=run is ended[0])
        else:
            line(f"run {run.id} of {_target(run)} is {run.state}")
            show_drift(ask, run.id, run.note, _ROWS)
        _warn(run)


def _warn(run: RunStory) -> None:
    if run.state == RunState.HELD:
        hint(f"run {run.id} is held: it would change too much; see `hirewire runs show {run.id}`")
    elif run.state == RunState.FAILED:
        hint(f"run {run.id}: {found_lines(run.note)[-1]}")


def _as_json(ask: Ask, run: RunStory) -> dict[str, Json]:
    known: dict[str, Json] = {"run": run.id, "target": _target(run), "state": run.state}
    return {**known, "policy": run.selection.get("policy"), **drift_document(ask, run.id, run.note)}


def _target(run: RunStory) -> str:
    named: Any = run.selection["targets"]
    return str(named[0])
