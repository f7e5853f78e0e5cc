"""Group commit: events that wait at the same time are stored in one transaction.

Each waits for the commit that holds it, and no longer: what comes meanwhile goes with the next one. When a
transaction of several fails, each of them gets one of its own, so that nobody fails for another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from worker.engine.accept import Parcel, Receipt

MOST = 100  # events of one transaction


@dataclass(frozen=True, slots=True)
class _Waiting:
    parcels: Sequence[Parcel]
    receipts: asyncio.Future[list[Receipt]]


class Committer:
    """For one source. `store` stores parcels in one transaction, off the event loop."""

    def __init__(self, store: Callable[[Sequence[Parcel]], Awaitable[list[Receipt]]]) -> None:
        self._store = store
        self._waiting: deque[_Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def __call__(self, parcels: Sequence[Parcel]) -> list[Receipt]:
        """One receipt for each, in order; more than `MOST` take several transactions."""
        receipts: list[Receipt] = []
        for start in range(0, len(parcels), MOST):
            receipts += await self._joined(parcels[start : start + MOST])
        return receipts

    async def _joined(self, parcels: Sequence[Parcel]) -> list[Receipt]:
        loop = asyncio.get_running_loop()
        one = _Waiting(parcels, loop.create_future())
        self._waiting.append(one)
        if self._draining is None:
            self._draining = loop.create_task(self._drain())
        return await one.receipts

    async def _drain(self) -> None:
        while self._waiting:
            group = self._group()
            if not await self._try(group) and len(group) > 1:
                for one in group:
                    await self._try([one])
        self._draining = None

    def _group(self) -> list[_Waiting]:
        group = [self._waiting.popleft()]
        size = len(group[0].parcels)
        while self._waiting and size + len(self._waiting[0].parcels) <= MOST:
            group.append(self._waiting.popleft())
            size += len(group[-1].parcels)
        return group

    async def _try(self, group: Sequence[_Waiting]) -> bool:
        """Whether all of the group are answered: with receipts, or the one that is alone with its failure."""
        try:
            receipts = await self._store([parcel for one in group for parcel in one.parcels])
        except Exception as error:  # noqa: BLE001 - it is the waiting request's to tell
            if len(group) == 1:
                _fail(group[0].receipts, error)
            return False
        found = iter(receipts)
        for one in group:
            mine = [next(found) for _ in one.parcels]
            if not one.receipts.done():
                one.receipts.set_result(mine)
        return True


def _fail(receipts: asyncio.Future[list[Receipt]], error: Exception) -> None:
    if not receipts.done():
        receipts.set_exception(error)
