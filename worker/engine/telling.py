"""Telling: who changed what a reconciliation found changed outside, by the target's own log.

One request an account, of the first accounts only, and none after an answer that was none: what is told
is of use to whoever reads the drift table, and nothing waits for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connectors.sdk.model import Change, History, OutcomeKind
from worker.domain.policy import Policy
from worker.engine.comparing import shown
from worker.engine.ports import Transaction
from worker.engine.reconcile_ports import Changed
from worker.engine.rows import Run

ASKED = 200  # accounts of one run at most
TOLD = "told"  # in the position, and shown in the note: how many were asked about, and why no more were


def next_to_ask(tx: Transaction, run: Run) -> Changed | None:
    """The next account to ask about; None where that is over."""
    told: Any = run.position.get(TOLD) or {}
    over = told.get("ended") or told.get("asked", 0) >= ASKED
    return None if over else tx.drifts.changed(run.id, run.cursor)


def heard(policy: Policy, asked: Changed, tx: Transaction, run: Run, history: History) -> Run:
    """The run after one answer, with what it tells in the drift table."""
    told: Any = run.position.get(TOLD) or {}
    outcome = history.outcome
    known = {**told, "asked": told.get("asked", 0) + 1}
    if outcome.kind is OutcomeKind.OBSERVED:
        tx.drifts.tell(run.id, asked.account_id, who(policy, asked, history))
    else:
        known["ended"] = f"{outcome.kind.value}: {outcome.detail or outcome.exchange.status}"
    position, note = {**run.position, TOLD: known}, {**run.note, TOLD: known}
    return replace(run, cursor=asked.account_id, position=position, note=note)


def who(policy: Policy, asked: Changed, history: History) -> dict[str, Change]:
    """By field, where the newest change made it what the listing showed."""
    newest: dict[str, Change] = {}
    for change in history.changes:
        newest.setdefault(change.field, change)
    return {
        name: newest[name]
        for name, observed in asked.observed.items()
        if name in newest and shown(policy, name, newest[name].value) == observed
    }
