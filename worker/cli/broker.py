"""The broker as a command meets it: there, or away. Commands only give hints, so away is no failure."""

from __future__ import annotations

from redis.exceptions import RedisError

from config.settings import Settings
from worker.bootstrap import open_signals
from worker.broker import redis_client
from worker.celery_app import create
from worker.cli.output import hint
from worker.engine.ports import Signals
from worker.problems import BrokerMissingError


class NoSignals:
    """See `worker.engine.ports.Signals`: where nobody listens, the relay finds the rows later."""

    def fold(self) -> None: ...

    def fold_seen(self) -> None: ...

    def sync(self, shard: int) -> None: ...

    def sync_runs(self, shard: int) -> None: ...

    def sync_seen(self, shard: int) -> None: ...

    def run(self, run_id: int) -> None: ...


def absence(settings: Settings) -> str | None:
    """Why there is no broker to talk to; None where it answers."""
    try:
        with redis_client(settings) as client:
            client.ping()
    except BrokerMissingError as error:
        return str(error)
    except RedisError as error:
        return f"the broker does not answer ({type(error).__name__})"
    return None


def signals_of(settings: Settings) -> Signals:
    """Real signals where the broker answers now; else none, and a word about it."""
    away = absence(settings)
    if away is None:
        return open_signals(settings, create(settings))
    hint(f"{away}; what is stored now is carried on as soon as broker and worker run")
    return NoSignals()
