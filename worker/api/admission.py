"""How much is taken: so many events a second from a source, and none while too many wait to be folded.

A request that comes while a source's bucket has anything left is taken whole; what it took beyond is paid
back before the next one. Each process has its own buckets. For the event loop's thread only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import sqlalchemy as sa

from config.settings import Api
from worker.storage.backlog import unfolded

_LOOK_S = 1.0


class Bucket:
    """`rate` tokens a second, at most `burst` of them."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = float(burst)
        self._at = time.monotonic()

    def wait_s(self) -> float:
        """How long until something is left; 0: now."""
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (1 - self._tokens) / self._rate)

    def spend(self, count: int) -> None:
        self._tokens -= count


class Backlog:
    """Whether more than `most` events wait to be folded, looked up at most once a second."""

    def __init__(
        self, reader: sa.Engine, most: int, run: Callable[[Callable[[], bool]], Awaitable[bool]]
    ) -> None:
        self._reader = reader
        self._most = most
        self._run = run
        self._lock = asyncio.Lock()
        self._until = 0.0
        self._full = False

    async def full(self) -> bool:
        async with self._lock:
            if time.monotonic() >= self._until:
                self._full = await self._run(self._look)
                self._until = time.monotonic() + _LOOK_S
        return self._full

    def _look(self) -> bool:
        with self._reader.connect() as connection:
            return unfolded(connection, self._most + 1) > self._most


class Admission:
    """`wait_s` tells a source to come again later; `spend` counts what it brought."""

    def __init__(self, api: Api, backlog: Backlog) -> None:
        self._api = api
        self._backlog = backlog
        self._buckets: dict[str, Bucket] = {}

    async def wait_s(self, source: str) -> float:
        """0: now. Until then it is to wait, whatever it is that keeps us."""
        wait = self._bucket(source).wait_s()
        if wait == 0 and await self._backlog.full():
            return _LOOK_S
        return wait

    def spend(self, source: str, count: int) -> None:
        self._bucket(source).spend(count)

    def _bucket(self, source: str) -> Bucket:
        if source not in self._buckets:
            self._buckets[source] = Bucket(self._api.events_per_s, self._api.burst)
        return self._buckets[source]
