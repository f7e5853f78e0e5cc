"""Signals on Redis or Valkey: Celery messages that say "look at the rows", and nothing else.

A broker that is away costs the caller at most about a second and no exception: the relay finds
the rows. A waiting signal for a shard is told apart by a key that expires by itself.
"""

from __future__ import annotations

import structlog
from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError
from redis import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

FOLD_QUEUE = "hirewire.fold"
CONTROL_QUEUE = "hirewire.control"

_SENDERS = 4
_PATIENCE_S = 1
_IMPATIENT = {
    "max_retries": 1,
    "interval_start": 0,
    "connect_retries_timeout": _PATIENCE_S,
    "socket_timeout": _PATIENCE_S,
    "socket_connect_timeout": _PATIENCE_S,
    "retry_on_timeout": False,
}


def sync_queue(shard: int) -> str:
    return f"hirewire.sync.{shard}"


class CelerySignals:
    """See `worker.engine.ports.Signals`."""

    def __init__(self, app: Celery, redis: Redis, ttl_s: float) -> None:
        self._app = app
        self._redis = redis
        self._ttl_ms = max(1, int(ttl_s * 1000))
        self._connections = _impatient(app).Pool(_SENDERS)

    def fold(self) -> None:
        if self._first("fold"):
            self._send("hirewire.fold", [], FOLD_QUEUE)

    def fold_seen(self) -> None:
        self._forget("fold")

    def sync(self, shard: int) -> None:
        if self._first(f"sync:{shard}"):
            self._send("hirewire.sync", [shard], sync_queue(shard))

    def sync_runs(self, shard: int) -> None:
        try:
            self._redis.set(_key(f"sync:{shard}"), 1, px=self._ttl_ms)
        except RedisError as error:
            _log_away(error)

    def sync_seen(self, shard: int) -> None:
        self._forget(f"sync:{shard}")

    def run(self, run_id: int) -> None:
        if self._first(f"run:{run_id}"):
            self._send("hirewire.run", [run_id], CONTROL_QUEUE)

    def _first(self, what: str) -> bool:
        """Whether no such signal waits; a broker that is away has none."""
        try:
            return bool(self._redis.set(_key(what), 1, nx=True, px=self._ttl_ms))
        except RedisError as error:
            _log_away(error)
            return False

    def _forget(self, what: str) -> None:
        try:
            self._redis.delete(_key(what))
        except RedisError as error:
            _log_away(error)

    def _send(self, task: str, args: list[int], queue: str) -> None:
        try:
            with self._connections.acquire(block=True, timeout=_PATIENCE_S) as connection:
                self._app.send_task(
                    task, args=args, queue=queue, retry=False, ignore_result=True, connection=connection
                )
        except (KombuError, RedisError, OSError) as error:
            _log_away(error)


def _impatient(app: Celery) -> Connection:
    """Like the application's own, whose producers wait for a broker as long as it takes."""
    options = {**app.conf.broker_transport_options, **_IMPATIENT}
    return app.connection_for_write().clone(transport_options=options)


def _key(what: str) -> str:
    return f"hirewire:signal:{what}"


def _log_away(error: Exception) -> None:
    log.warning("broker_away", error=type(error).__name__)
