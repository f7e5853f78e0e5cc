"""The watchdog of a worker: ends it where work that it may do waits and it gets nothing done.

It never bites because targets are paused or gated, because others use their slots, because another
worker is at the work or has the newer configuration, or because database or broker are away. It asks
for an orderly stop first. A thread of the worker's first process, which runs no tasks with prefork.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from billiard.process import active_children
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from worker.broker import redis_client
from worker.cli.stopping import SharedFlag
from worker.cli.vitals import SharedVitals
from worker.databases import open_reader, open_writer
from worker.engine.keeper import SELF, WATCHDOG_ALARM
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS
from worker.problems import BrokerMissingError
from worker.storage.overdue import Overdue, Worker, overdue
from worker.storage.store import SqlStore

log = structlog.get_logger(__name__)

STUCK: Final = 75
"""The exit code of a worker that its watchdog ended."""

_LOOKS = 6  # within the time that it waits
_GRACE = 1 / 2  # of that time, for an orderly stop
_RARE = 4  # a target whose rate allows fewer requests within that time is not waited for


@dataclass(slots=True)
class Patience:
    """Since when each piece of work waits, by this process's clock. Pure."""

    limit_s: float
    _since: dict[Overdue, float] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing can be said: the rows or the broker could not be asked."""
        self._since.clear()

    def is_over(self, found: Sequence[Overdue], vitals: SharedVitals, now: float) -> bool:
        """Whether some of it was there at every look for so long, and nothing was done about it.

        A shard whose sync holds leases of the target must get on itself; else it is enough that the
        worker does anything at all.
        """
        self._since = {one: self._since.get(one, now) for one in found}
        return any(
            now - since >= self.limit_s and self._silence(one, vitals) >= self.limit_s
            for one, since in self._since.items()
        )

    def _silence(self, one: Overdue, vitals: SharedVitals) -> float:
        return vitals.silence_of_s(one.row) if one.ours else vitals.silence_s()


class Watchdog:
    """`fingerprints`: the configuration that this worker started with, by target."""

    def __init__(
        self, settings: Settings, fingerprints: dict[str, str], vitals: SharedVitals, stopping: SharedFlag
    ) -> None:
        limit_s = settings.engine.watchdog_s
        watched = {
            name: fingerprint
            for name, fingerprint in fingerprints.items()
            if (rate := settings.targets[name].rate_per_s) is None or rate * limit_s >= _RARE
        }
        self._settings = settings
        self._worker = Worker(vitals.name, watched, settings.engine.shards)
        self._vitals = vitals
        self._stopping = stopping
        self._patience = Patience(limit_s)
        self.bit = False

    def start(self) -> None:
        threading.Thread(target=self._watch, name="hirewire-watchdog", daemon=True).start()

    def _watch(self) -> None:
        every_s = self._patience.limit_s / _LOOKS
        while not self._stopping.is_set():
            time.sleep(every_s)
            found = self._look()
            if found is None:
                self._patience.forget()
            elif self._patience.is_over(found, self._vitals, time.monotonic()):
                return self._bite(found)
        return None

    def _look(self) -> list[Overdue] | None:
        """None where the database or the broker does not answer."""
        engine = open_reader(self._settings)
        try:
            with engine.connect() as connection:
                found = overdue(connection, self._worker, self._patience.limit_s)
            if found:
                with redis_client(self._settings) as client:
                    client.ping()
        except (SQLAlchemyError, BrokerMissingError, RedisError) as error:
            log.warning("watchdog_blind", error=type(error).__name__)
            return None
        else:
            return found
        finally:
            engine.dispose()

    def _bite(self, found: Sequence[Overdue]) -> None:
        if self._stopping.is_set():
            return
        self.bit = True
        message = f"a worker got nothing done for {self._patience.limit_s:g} s while work was due, and exits"
        log.error("watchdog", shards=sorted({one.row for one in found if one.target_id is not None}))
        self._tell(message)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(self._patience.limit_s * _GRACE)
        log.error("watchdog_hard_exit")
        end_now()

    def _tell(self, message: str) -> None:
        """The exit matters more than that it is written down."""
        engine = open_writer(self._settings)
        try:
            with SqlStore(engine, self._settings.engine.shards).begin() as tx:
                tx.targets.raise_alarm(WATCHDOG_ALARM, None, message, tx.now)
                tx.audit(Entry(OPERATORS, "worker:watchdog:exited", SELF, {"detail": message}))
        except SQLAlchemyError as error:
            log.warning("watchdog_unrecorded", error=type(error).__name__)
        finally:
            engine.dispose()


def end_now() -> None:
    """Ends the process and those that it forked, whatever hangs in them."""
    for child in active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(STUCK)


def exiting(dog: Watchdog, run: Callable[[], object]) -> int:
    """Run the worker; its exit code, which tells where the watchdog ended it."""
    try:
        run()
    except SystemExit:
        if not dog.bit:
            raise
    return STUCK if dog.bit else 0
