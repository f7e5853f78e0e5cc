"""`hirewire worker`: one Celery worker, with the whole engine in each of its processes."""

from __future__ import annotations

import enum
from typing import Annotated

import structlog
import typer
from celery import Celery
from typer.core import TyperCommand

from config.settings import Settings
from worker.bootstrap import Runtime, announce, open_runtime
from worker.celery_app import create, queue_names
from worker.cli.common import ConfigOption, reaching, require_database, single
from worker.cli.per_process import PerProcess
from worker.cli.pulse import PulseThread
from worker.cli.stopping import SharedFlag
from worker.cli.vitals import SharedVitals
from worker.cli.watchdog import Watchdog, exiting
from worker.cli.wiring import connect, own_logs
from worker.databases import database_url
from worker.target_rules import check_targets
from worker.tasks import register

log = structlog.get_logger(__name__)

_BESIDES_SHARDS = 2  # fold and control run beside one sync for each shard


class Pool(enum.StrEnum):
    THREADS = "threads"
    PREFORK = "prefork"


def command() -> TyperCommand:
    return single(worker, "worker")


def worker(
    pool: Annotated[
        Pool | None, typer.Option(help="Default: threads on SQLite, prefork on PostgreSQL.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, help="Tasks at once; default: engine.shards + 2.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run a worker in the foreground until SIGTERM; requests in flight are finished first.

    Exit code 75 where its watchdog ended it, so that a supervisor starts it again.

    Example: hirewire worker --pool prefork --concurrency 4
    """
    settings = reaching(config)
    own_logs(settings)
    check_targets(settings)
    require_database(settings)
    fingerprints = announce(settings)
    app = create(settings)
    stopping, vitals = SharedFlag(), SharedVitals(settings.engine.shards)
    dog, pulse = Watchdog(settings, fingerprints, vitals, stopping), PulseThread(settings)
    _register(app, settings, stopping, vitals)
    chosen = pool or _fitting_pool(settings)
    count = concurrency or settings.engine.shards + _BESIDES_SHARDS

    def ready() -> None:
        log.info("worker_ready", pool=chosen.value, concurrency=count)
        dog.start()
        pulse.start()

    connect(app, settings, stopping, ready)
    try:
        code = exiting(dog, lambda: app.worker_main(_arguments(settings, chosen, count)))
    finally:
        pulse.stop()
    raise typer.Exit(code)


def _register(app: Celery, settings: Settings, stopping: SharedFlag, vitals: SharedVitals) -> None:
    def build() -> Runtime:
        return open_runtime(settings, app, stopping, vitals)

    register(app, PerProcess(build))


def _fitting_pool(settings: Settings) -> Pool:
    """SQLite has one writer anyway, so processes would only wait for each other."""
    return Pool.THREADS if database_url(settings).startswith("sqlite") else Pool.PREFORK


def _arguments(settings: Settings, pool: Pool, concurrency: int) -> list[str]:
    return [
        "--quiet",
        "worker",
        "--without-gossip",
        "--without-mingle",
        f"--pool={pool.value}",
        f"--concurrency={concurrency}",
        f"--queues={','.join(queue_names(settings))}",
        f"--loglevel={settings.logs.level}",
    ]
