"""`hirewire targets enrol`: whose the accounts of a target are; a worker carries the run out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from config.settings import Settings
from connectors.sdk.model import Json
from worker.cli.common import ConfigOption, JsonOption, settings_of
from worker.cli.failures import Code, UsageError, refusing
from worker.cli.known import require_registered, require_targets
from worker.cli.output import document, hint, line
from worker.cli.principal import TokenFileOption, WhyOption, opened, principal_or_user, reason_given
from worker.domain.operator import Role
from worker.engine.ports import Store
from worker.engine.rows import Run, RunState


def enrol(  # noqa: PLR0913 - one parameter for each option
    name: Annotated[str, typer.Argument(metavar="NAME", help="A configured target.")],
    why: WhyOption,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Write the run down and return.")] = False,
    token_file: TokenFileOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find out whose the accounts of a target are, and propose to link them. Nothing is sent.

    A worker reads the listing and compares it with the people whom HR spoke of. The links that it
    proposes are held until somebody else approves them with `hirewire runs approve`. Ctrl-C leaves
    the run going. Exit code 1 where it failed or was cancelled.

    Example: hirewire targets enrol awx_prod --why "AWX is new here"
    """
    reason = reason_given(why)
    settings = settings_of(config)
    require_targets(settings, [name])
    run = _requested(settings, name, reason, token_file)
    if not no_wait:
        from worker.cli.following import ended  # noqa: PLC0415 - a listing of targets needs none of it

        run = ended(settings, run)
    _tell(run, name, as_json=as_json)
    over = run.state in (RunState.FAILED, RunState.CANCELLED)
    raise typer.Exit(Code.NOT_WELL if over else Code.FINE)


def _requested(settings: Settings, name: str, why: str, token_file: Path | None) -> Run:
    """The run, once it is written down."""
    from worker.cli.broker import signals_of  # noqa: PLC0415 - a listing of targets needs none of it
    from worker.engine.run_desk import RunDesk  # noqa: PLC0415 - as above

    with opened(settings) as store:
        require_registered(store, name)
        who = principal_or_user(store, "run:enrol", Role.OPERATOR, token_file, [name])
        _require_fit(settings, store, name)
        with refusing(ValueError):
            return RunDesk(store, signals_of(settings)).request_enrol(name, who.actor, why)


def _require_fit(settings: Settings, store: Store, name: str) -> None:
    """Raises UsageError for a target whose accounts cannot be enrolled."""
    from worker.bootstrap import build_targets  # noqa: PLC0415 - a listing of targets needs none of it
    from worker.engine.proposing import unfit  # noqa: PLC0415 - as above

    target = next(one for one in build_targets(settings, store).values() if one.name == name)
    if why := unfit(target):
        raise UsageError(why)


def _tell(run: Run, name: str, *, as_json: bool) -> None:
    if as_json:
        known: dict[str, Json] = {"run": run.id, "target": name, "state": run.state, "plan": run.plan_hash}
        counted = {word: run.note.get(word) for word in ("counted", "already", "proposed", "failed")}
        document({**known, **counted})
        return
    if run.state == RunState.WAITING:
        line(f"run {run.id} of {name} is written down; a worker carries it out")
        return
    from worker.cli.proposals import enrol_lines  # noqa: PLC0415 - a listing of targets needs none of it

    line(f"run {run.id} of {name} is {run.state}")
    for words in enrol_lines(run.note):
        line(words)
    if run.state == RunState.HELD:
        hint(f"`hirewire runs proposals {run.id}` shows all; `hirewire runs approve {run.id}` links them")
