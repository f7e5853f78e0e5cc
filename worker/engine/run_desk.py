"""Run desk: what operators do with runs: ask for one, approve a held one, cancel one. Each is audited.

An approval is for one plan, by its hash, and by somebody else than who asked for the run. The worker
makes the plan anew before it goes on: another plan is held again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.sdk.model import Json
from worker.domain.operator import Principal, Role
from worker.engine.choosing import check_selection
from worker.engine.enrol_ports import ENROL
from worker.engine.errors import NotAllowedError
from worker.engine.judge import MAPPING
from worker.engine.marking import RESYNC
from worker.engine.ports import Signals, Store, Transaction
from worker.engine.replaying import REPLAY, Chosen
from worker.engine.rows import OVER, Entry, Run, RunState
from worker.engine.runs import OPERATORS, clear_if_none_is_held

_INSTEAD = "approve it, or start the workers with another one"


class RunDesk:
    """Use cases; each is one transaction of `store`, and a signal."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self._store = store
        self._signals = signals

    def request_resync(self, selection: Mapping[str, Json], actor: str, why: str) -> Run:
        """Write the run down; a worker carries it out. Raises ValueError for what selects nobody."""
        check_selection(selection)
        with self._store.begin() as tx:
            run = tx.runs.create(RESYNC, selection, actor, tx.now)
            facts: dict[str, Json] = {"run": run.id, "selection": dict(selection), "why": why}
            tx.audit(Entry(OPERATORS, "run:resync:requested", actor, facts))
        self._signals.run(run.id)
        return run

    def request_replay(self, chosen: Chosen, actor: str, why: str) -> Run:
        """As `request_resync`, for people of whom events spoke, at one target."""
        with self._store.begin() as tx:
            run = tx.runs.create(REPLAY, chosen.as_selection(), actor, tx.now)
            facts: dict[str, Json] = {"run": run.id, "selection": chosen.as_selection(), "why": why}
            tx.audit(Entry(OPERATORS, "run:replay:requested", actor, facts))
        self._signals.run(run.id)
        return run

    def request_enrol(self, target: str, actor: str, why: str) -> Run:
        """As `request_resync`, for one target. Raises ValueError while another one goes on there."""
        with self._store.begin() as tx:
            row = next(state.id for state in tx.targets.all() if state.name == target)
            tx.targets.lock(row)
            for going in tx.proposals.running(target):
                raise ValueError(f"{target} is enrolled by run {going.id} already, which is {going.state}")
            run = tx.runs.create(ENROL, {"targets": [target]}, actor, tx.now)
            facts: dict[str, Json] = {"run": run.id, "selection": {"targets": [target]}, "why": why}
            tx.audit(Entry(OPERATORS, "run:enrol:requested", actor, facts))
        self._signals.run(run.id)
        return run

    def approve(self, run_id: int, by: Principal, why: str) -> Run:
        """Let a held run go on with the plan that it is held for. Raises NotAllowedError, ValueError."""
        with self._store.begin() as tx:
            run = _known(tx, run_id)
            if run.state != RunState.HELD:
                raise ValueError(f"run {run_id} is {run.state}, only a held run is approved")
            refusal = _refusal_to_approve(run, by)
            if refusal is not None:
                _audit(tx, run, "refused", by, why)
            else:
                run = _approved(run, by)
                tx.runs.save(run, tx.now)
                clear_if_none_is_held(tx)
                _audit(tx, run, "approved", by, why)
        if refusal is not None:
            raise NotAllowedError(refusal)
        self._signals.run(run.id)
        return run

    def cancel(self, run_id: int, by: Principal, why: str) -> None:
        """End a run; the accounts it has made due already stay due. Raises NotAllowedError, ValueError."""
        with self._store.begin() as tx:
            run = _known(tx, run_id)
            if run.state in OVER:
                raise ValueError(f"run {run_id} is {run.state} already")
            if run.kind == MAPPING:
                raise ValueError(f"run {run_id} judges a new configuration: {_INSTEAD}")
            refusal = _beyond_scope(run, by)
            if refusal is not None:
                _audit(tx, run, "refused", by, why)
            else:
                tx.runs.save(replace(run, state=RunState.CANCELLED), tx.now)
                tx.staged.forget(run.id)
                clear_if_none_is_held(tx)
                _audit(tx, run, "cancelled", by, why)
        if refusal is not None:
            raise NotAllowedError(refusal)


def _known(tx: Transaction, run_id: int) -> Run:
    run = tx.runs.take(run_id)
    if run is None:
        raise ValueError(f"there is no run {run_id}")
    return run


def _refusal_to_approve(run: Run, by: Principal) -> str | None:
    if not by.may(Role.APPROVER) or _asked_for(run, by):
        return f"run {run.id} was asked for by {run.requested_by}: somebody else has to decide"
    return _beyond_scope(run, by)


def _beyond_scope(run: Run, by: Principal) -> str | None:
    """Why the run is none of theirs; None where it is."""
    named = run.selection.get("targets")
    if by.covers([str(name) for name in named] if isinstance(named, list) else None):
        return None
    return f"run {run.id} is about other targets than the token of {by.name} is good for"


def _asked_for(run: Run, by: Principal) -> bool:
    """The same name counts as the same person, wherever it was given."""
    return run.requested_by.rpartition(":")[2] == by.name


def _approved(run: Run, by: Principal) -> Run:
    note: dict[str, Json] = {"approved": run.plan_hash, "approved_by": by.actor}
    return replace(run, state=RunState.JUDGING, cursor=0, note=note)


def _audit(tx: Transaction, run: Run, word: str, by: Principal, why: str) -> None:
    facts: dict[str, Json] = {"run": run.id, "plan": run.plan_hash, "why": why}
    tx.audit(Entry(OPERATORS, f"run:{run.kind}:{word}", by.actor, facts))
