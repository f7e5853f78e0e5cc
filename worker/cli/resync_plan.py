"""`hirewire resync --dry-run`: what would be read and what would change, from rows alone. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from config.settings import Settings
from connectors.sdk.model import Json
from worker.bootstrap import build_targets
from worker.cli.output import document, hint, line
from worker.cli.place import only
from worker.cli.plan_told import counted_lines
from worker.engine.marking import RESYNC
from worker.engine.rows import Run, RunState
from worker.run_kinds import build_judge
from worker.storage.store import SqlStore
from worker.target_rules import check_targets

_AT_WORK = (RunState.WAITING, RunState.JUDGING)


def foreseen(settings: Settings, engine: sa.Engine, selection: Mapping[str, Json]) -> Run:
    """The run as a worker would judge it, on an engine for reading."""
    check_targets(settings)
    store = SqlStore(engine, settings.engine.shards)
    with store.begin() as tx:
        known = {state.name for state in tx.targets.all()}
    judge = build_judge(settings, build_targets(only(settings, known & settings.targets.keys()), store))
    run = Run(0, RESYNC, RunState.WAITING, selection, 0, 0, 0, "")
    with store.begin() as tx:
        if not judge.is_current(tx, run):
            hint("the workers have another configuration than this command: they may find other changes")
    while run.state in _AT_WORK:
        with store.begin() as tx:
            run = judge.page(tx, run)
    return run


def tell_foreseen(run: Run, *, as_json: bool) -> None:
    counted: Any = run.note["counted"]
    if as_json:
        told = {name: counted[name] for name in ("accounts", "read", "changed", "created", "fields")}
        document({**told, "held": run.note.get("held", {}), "would_be_held": run.state == RunState.HELD})
        return
    reads = ", ".join(f"{count} at {name}" for name, count in sorted(counted["read"].items()))
    line(f"would be read: {counted['accounts']} accounts{f' ({reads})' if reads else ''}")
    for words in counted_lines(run.note) or ["nothing would change, as far as is known without a read"]:
        line(words)
    if run.state == RunState.HELD:
        hint("the run would be held until somebody else approves it")
