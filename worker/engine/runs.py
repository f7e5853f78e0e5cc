"""Runs: operations over many accounts, as rows that outlive their worker.

A resync makes the selected accounts due with a read, page by page; each page commits with the
run's cursor, so a run that was interrupted goes on where it was, and marking twice is harmless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connectors.sdk.model import Json
from worker.engine.ports import Entry, Run, Signals, Stopping, Store

RESYNC = "resync"
OPERATORS = "operators"
_PAGE = 500


class Runs:
    def __init__(self, store: Store, signals: Signals, shards: int, stopping: Stopping) -> None:
        self._store = store
        self._signals = signals
        self._shards = shards
        self._stopping = stopping

    def request_resync(self, selection: Mapping[str, Json], actor: str, why: str) -> Run:
        """Write the run down; a worker carries it out."""
        with self._store.begin() as tx:
            run = tx.runs.create(RESYNC, selection, actor, tx.now)
            facts: dict[str, Json] = {"run": run.id, "selection": dict(selection), "why": why}
            tx.audit(Entry(OPERATORS, "run:resync:requested", actor, facts))
        self._signals.run(run.id)
        return run

    def carry_out(self, run_id: int) -> None:
        """Work through the run's pages until it is done or the worker stops."""
        while not self._stopping.is_set() and self._page(run_id):
            pass

    def _page(self, run_id: int) -> bool:
        with self._store.begin() as tx:
            run = tx.runs.lock(run_id)
            if run is None:
                return False
            rows = tx.accounts.require_read(run.selection, run.cursor, _PAGE, tx.now)
            more = len(rows) == _PAGE
            moved = replace(
                run,
                state="running" if more else "done",
                cursor=rows[-1] if rows else run.cursor,
                done=run.done + len(rows),
            )
            tx.runs.save(moved, tx.now)
            if not more:
                facts: dict[str, Json] = {"run": run.id, "accounts": moved.done}
                tx.audit(Entry(OPERATORS, "run:resync:done", "hirewire", facts))
        for shard in range(self._shards):
            self._signals.sync(shard)
        return more
