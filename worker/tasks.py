"""The Celery tasks: three lines each, no decisions. `runtime` gives the process's own parts."""

from __future__ import annotations

from collections.abc import Callable

from celery import Celery

from connectors.sdk.model import Json
from worker.bootstrap import Runtime


def register(app: Celery, runtime: Callable[[], Runtime]) -> None:
    """Register every task of Hirewire on the application."""

    @app.task(name="hirewire.fold")
    def fold() -> None:
        """Fold stored events into identities and make their accounts due."""
        runtime().fold.run()

    @app.task(name="hirewire.sync")
    def sync(shard: int) -> None:
        """Work off one shard's due accounts at all targets."""
        runtime().sync(shard)

    @app.task(name="hirewire.relay")
    def relay() -> None:
        """Find what a lost message forgot; probe paused targets."""
        runtime().relay.run()

    @app.task(name="hirewire.run")
    def run(run_id: int) -> None:
        """Carry out one run."""
        runtime().runs.carry_out(run_id)

    @app.task(name="hirewire.ingest")
    def ingest(*args: Json, **kwargs: Json) -> None:
        """Take one event from a source that publishes straight to the broker."""
        runtime().ingest(list(args), dict(kwargs))
