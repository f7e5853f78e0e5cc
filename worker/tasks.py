"""The Celery tasks: three lines each, no decisions. `runtime` gives the process's own parts.

What a task logs, and its threads, carries the task's name and which shard or run it works on.
"""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery
from structlog.contextvars import bound_contextvars

from connectors.sdk.model import Json
from worker.bootstrap import Runtime


def register(app: Celery, runtime: Callable[[], Runtime]) -> None:
    """Register every task of Hirewire on the application."""

    @app.task(name="hirewire.fold")
    def fold() -> None:
        """Fold stored events into identities and make their accounts due."""
        with bound_contextvars(task="fold"):
            runtime().fold.run()

    @app.task(name="hirewire.sync")
    def sync(shard: int) -> None:
        """Work off one shard's due accounts at all targets."""
        with bound_contextvars(task="sync", shard=shard):
            runtime().sync(shard)

    @app.task(name="hirewire.relay")
    def relay() -> None:
        """Find what a lost message forgot; probe paused targets."""
        with bound_contextvars(task="relay"):
            runtime().relay.run()

    @app.task(name="hirewire.seal")
    def seal() -> None:
        """Append a checkpoint of the audit to the file outside the database."""
        with bound_contextvars(task="seal"):
            runtime().sealer.run()

    @app.task(name="hirewire.schedule")
    def schedule() -> None:
        """Write down the runs whose time has come."""
        with bound_contextvars(task="schedule"):
            runtime().timetable.run()

    @app.task(name="hirewire.prune")
    def prune() -> None:
        """Delete what the retention lets go, once in its interval."""
        with bound_contextvars(task="prune"):
            runtime().pruner.run()

    @app.task(name="hirewire.run")
    def run(run_id: int) -> None:
        """Carry out one run."""
        with bound_contextvars(task="run", run=run_id):
            runtime().runs.carry_out(run_id)

    @app.task(name="hirewire.ingest")
    def ingest(*args: Json, **kwargs: Json) -> None:
        """Take one event from a source that publishes straight to the broker."""
        with bound_contextvars(task="ingest"):
            runtime().ingest(list(args), dict(kwargs))
