"""Configuration: whose word counts at a target, when workers are started with different ones.

Promise: the worker that was started last decides. Its fingerprint stands in the target's row; a
worker with another one finishes what it has in flight and claims nothing more there. What a new
configuration changes about known accounts is a run of its own, and until that run has judged its
whole plan these accounts are restrained (see `worker.domain.restraint`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from connectors.sdk.model import Json
from worker.engine.judge import MAPPING
from worker.engine.ports import Store, Transaction
from worker.engine.rows import Entry, TargetState
from worker.engine.runs import SELF, supersede
from worker.engine.target import Target

CONFIGURATION_ALARM = "configuration"
log = logging.getLogger(__name__)


def announce(store: Store, targets: Iterable[Target]) -> None:
    """A worker with these targets starts: write down what differs, one transaction for each target."""
    for target in sorted(targets, key=_row):
        with store.begin() as tx:
            _announce(tx, target)


def _row(target: Target) -> int:
    return target.id


def _announce(tx: Transaction, target: Target) -> None:
    """Runs are locked before targets, as everywhere; so the first look at the row is without a lock."""
    before = _state(tx, target)
    if before.fingerprint != target.fingerprint and before.mapping_run is not None:
        supersede(tx, before.mapping_run)
    state = tx.targets.lock(target.id)
    tx.targets.clear_alarm(CONFIGURATION_ALARM, target.id, tx.now)
    if state.fingerprint == target.fingerprint:
        return
    selection: dict[str, Json] = {"targets": [target.name]}
    known = tx.accounts.page(selection, 0, 1)
    run = tx.runs.create(MAPPING, selection, SELF, tx.now).id if known else None
    tx.targets.announce(target.id, target.fingerprint, run)
    facts: dict[str, Json] = {
        "target": target.name,
        "before": state.fingerprint,
        "after": target.fingerprint,
        "run": run,
    }
    tx.audit(Entry(target.stream, "target:configuration:changed", SELF, facts))


def _state(tx: Transaction, target: Target) -> TargetState:
    return next(state for state in tx.targets.all() if state.id == target.id)


def refuse(tx: Transaction, target: Target, every_s: float) -> None:
    """Ours is not the newest configuration: say so now and then, and leave the work to others."""
    if not target.outdated.due(every_s):
        return
    message = (
        f"a worker has not the configuration of {target.name} that the last one was started with: "
        "it claims nothing there until it is started anew"
    )
    tx.targets.raise_alarm(CONFIGURATION_ALARM, target.id, message, tx.now)
    log.warning("configuration_outdated", extra={"target": target.name})
