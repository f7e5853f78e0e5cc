"""EXPLAIN of every statement that an event's way takes: `python -m tests.benchmarks.explaining CONFIG`.

Plays accept, relay, fold and sync of some hundred events in this process, on the configured PostgreSQL and
target, with nobody else at work. Before the first executions of each statement its plan is asked for, with
the same parameters and taken back again; the one that touched most pages is kept. One line of JSON.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa

from config.settings import load
from tests.benchmarks.people import event
from tests.benchmarks.plans import Plan, read_plan, shortened
from worker.bootstrap import Runtime, Unwatched, open_runtime
from worker.celery_app import create
from worker.storage.overdue import Worker, overdue

_EVENTS = 300
_BATCH = 100
_LOOKS = 6
_STORAGE = "/worker/storage/"
_HELPERS = ("upsert.py", "store.py", "clock.py")


class Watch:
    """Hears of every statement of the process's engines, between `begin` and `end`."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}
        self._names: dict[str, str] = {}
        self._looks: dict[str, int] = {}

    def begin(self) -> None:
        sa.event.listen(sa.Engine, "before_cursor_execute", self._look)

    def end(self) -> list[Plan]:
        sa.event.remove(sa.Engine, "before_cursor_execute", self._look)
        return sorted(self._plans.values(), key=_name)

    def _look(  # SQLAlchemy's signature
        self, connection: sa.Connection, _cursor: Any, statement: str, given: Any, _context: Any, many: bool
    ) -> None:
        place = _asked_by(sys._getframe())
        if place is None:
            return
        short = shortened(statement)
        name = self._names.setdefault(short, self._fresh(place))
        self._looks[short] = self._looks.get(short, 0) + 1
        if self._looks[short] > _LOOKS:
            return
        lines = _explain(connection, statement, given[0] if many else given)
        plan = read_plan(name, short, lines)
        if short not in self._plans or plan.pages > self._plans[short].pages:
            self._plans[short] = plan

    def _fresh(self, place: str) -> str:
        others = sum(name.partition(" ")[0] == place for name in self._names.values())
        return f"{place} ({others + 1})" if others else place


def _explain(connection: sa.Connection, statement: str, given: Any) -> list[str]:
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute("SAVEPOINT explained")
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", given)
        lines = [str(row[0]) for row in cursor.fetchall()]
        cursor.execute("ROLLBACK TO SAVEPOINT explained")
        cursor.execute("RELEASE SAVEPOINT explained")
    return lines


def _asked_by(frame: FrameType | None) -> str | None:
    """The function of the storage that somebody outside of it called. None: nobody's, or the clock's."""
    found: str | None = None
    while frame is not None:
        file = frame.f_code.co_filename
        if _STORAGE in file and not file.endswith(_HELPERS):
            found = f"{Path(file).stem}.{frame.f_code.co_name}"
        elif found is not None:
            return found
        frame = frame.f_back
    return found


def _name(plan: Plan) -> str:
    return plan.query


def _play(runtime: Runtime) -> None:
    """The way of some events, and what relay, brake and watchdog ask beside it."""
    for start in range(0, _EVENTS, _BATCH):
        batch = [event(f"explain-{n}", 1 + n, f"Plan{n}") for n in range(start, start + _BATCH)]
        runtime.intake.accept(batch, "benchmark")
    runtime.relay.run()
    runtime.fold.run()
    runtime.relay.run()
    for shard in range(runtime.settings.engine.shards):
        runtime.sync(shard)
    target = next(iter(runtime.targets.values()))
    with runtime.store.begin() as tx:
        tx.accounts.count(target.id)
        tx.targets.revocations(target.id, tx.now - 3600, but=1)
        tx.accounts.renew("explain", tx.now)
        tx.targets.renew_slots("explain", tx.now)
        tx.accounts.has_suspect(0, [target.id], tx.now)
        worker = Worker("explain", {target.name: target.fingerprint}, runtime.settings.engine.shards)
        overdue(tx._connection, worker, 60)


def main() -> None:
    settings = load(Path(sys.argv[1]))
    runtime = open_runtime(settings, create(settings), threading.Event(), Unwatched())
    watch = Watch()
    watch.begin()
    _play(runtime)
    plans = watch.end()
    sys.stdout.write(json.dumps([plan.as_json() for plan in plans]) + "\n")


if __name__ == "__main__":
    main()
