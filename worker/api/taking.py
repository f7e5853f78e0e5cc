"""From parcels to results: stored, or with `validate=only` looked at and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import anyio.to_thread

from worker.api.committing import Committer
from worker.api.results import Result, of_event, of_receipt, of_refusal
from worker.domain.strict_json import RefusedError
from worker.engine.accept import SAME_ID, Intake, Parcel, Receipt
from worker.engine.view_ports import View, Viewer

T = TypeVar("T")
_THREADS = 8


class Threads:
    """Threads of the intake's own, so that a slow question of an operator keeps no event waiting."""

    def __init__(self) -> None:
        self._limit = anyio.CapacityLimiter(_THREADS)

    async def __call__(self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._limit)


class Taking(Protocol):
    async def __call__(self, parcels: Sequence[Parcel], source: str) -> list[Result]:
        """One result for each, in order. Raises BusyError or SQLAlchemy's errors."""


class Storing:
    """Those of a source that come at the same time are stored together."""

    def __init__(self, intake: Intake, threads: Threads) -> None:
        self._intake = intake
        self._threads = threads
        self._committers: dict[str, Committer] = {}

    async def __call__(self, parcels: Sequence[Parcel], source: str) -> list[Result]:
        if source not in self._committers:
            self._committers[source] = Committer(lambda some: self._store(some, source))
        return [of_receipt(receipt) for receipt in await self._committers[source](parcels)]

    async def _store(self, parcels: Sequence[Parcel], source: str) -> list[Receipt]:
        return await self._threads(lambda: self._intake.deliver(parcels, source))


class Reviewing:
    """What storing would answer; nothing is stored and nothing audited."""

    def __init__(self, intake: Intake, viewer: Viewer, threads: Threads) -> None:
        self._intake = intake
        self._viewer = viewer
        self._threads = threads

    async def __call__(self, parcels: Sequence[Parcel], source: str) -> list[Result]:
        return await self._threads(lambda: self._review_all(parcels, source))

    def _review_all(self, parcels: Sequence[Parcel], source: str) -> list[Result]:
        with self._viewer.begin() as view:
            return [self._review(view, parcel, source) for parcel in parcels]

    def _review(self, view: View, parcel: Parcel, source: str) -> Result:
        try:
            event = self._intake.review(parcel, source)
        except RefusedError as error:
            return of_refusal(error.refusal)
        known = view.body_hash(source, event.id)
        return of_event(event) if known in (None, event.body_hash) else of_refusal(SAME_ID, event.id)
