"""Heartbeats of this process: a row that says that it lives, for `/readyz` and the metrics.

A worker's is written by a thread of its first process: it says that the process lives, and the watchdog
says whether it gets work done. Beat's is written by its own loop, between two looks at the schedule: where
the loop hangs, the row grows old. A database that is away is told once and ends nothing.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
import structlog
from celery.beat import Scheduler
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from worker.databases import open_writer
from worker.storage import heartbeats
from worker.storage.heartbeats import Program

log = structlog.get_logger(__name__)

_BEATS_IN_TIME = 2  # a loop looks this often between two beats, so that none comes late


class Pulse:
    """One program's row. Connects anew for each beat: nothing is carried over a fork."""

    def __init__(self, settings: Settings, kind: Program) -> None:
        self.every_s = settings.engine.heartbeat_s
        self._settings = settings
        self._kind = kind
        self._name = f"{kind.value}-{uuid.uuid4().hex}"
        self._told = False

    def note(self) -> None:
        """The program lives."""
        with self._opened() as connection:
            heartbeats.note(connection, self._name, self._kind, self.every_s)
            self._told = False

    def forget(self) -> None:
        """The program ends in order."""
        with self._opened() as connection:
            heartbeats.forget(connection, self._name)

    @contextmanager
    def _opened(self) -> Iterator[sa.Connection]:
        engine = open_writer(self._settings)
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            if not self._told:
                log.warning("heartbeat_unwritten", kind=self._kind.value, error=type(error).__name__)
            self._told = True
        finally:
            engine.dispose()


class PulseThread:
    """A worker's: beats until it is stopped, beside whatever the process does."""

    def __init__(self, settings: Settings) -> None:
        self._pulse = Pulse(settings, Program.WORKER)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hirewire-pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes the row away, if there is any."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(self._pulse.every_s)

    def _run(self) -> None:
        self._pulse.note()
        while not self._over.wait(self._pulse.every_s):
            self._pulse.note()
        self._pulse.forget()


def beating(pulse: Pulse) -> type[Scheduler]:
    """Celery's scheduler, whose loop beats."""

    class Beating(Scheduler):
        noted_at = -pulse.every_s

        def tick(self, *args: Any, **kwargs: Any) -> float:  # noqa: ANN401 - Celery's signature
            """Send what is due; how many seconds until the next look."""
            wait: float = super().tick(*args, **kwargs)
            if time.monotonic() - self.noted_at >= pulse.every_s:
                self.noted_at = time.monotonic()
                pulse.note()
            return min(wait, pulse.every_s / _BEATS_IN_TIME)

    return Beating
