"""Events that wait at the same time are committed together, and nobody fails for another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from worker.api.committing import MOST, Committer
from worker.engine.accept import Parcel, Receipt
from worker.engine.rows import Acceptance

BAD = Parcel(b"bad")


class Disk:
    """Takes its time for a transaction; fails for those that hold what is bad."""

    def __init__(self) -> None:
        self.transactions: list[int] = []

    async def store(self, parcels: Sequence[Parcel]) -> list[Receipt]:
        self.transactions.append(len(parcels))
        await asyncio.sleep(0.01)
        if BAD in parcels:
            raise RuntimeError("bad")
        return [Receipt(Acceptance.NEW, parcel.raw.decode()) for parcel in parcels]


def parcels(*names: object) -> list[Parcel]:
    return [Parcel(str(name).encode()) for name in names]


def test_who_waits_at_the_same_time_shares_a_transaction() -> None:
    disk = Disk()

    async def clients() -> list[list[Receipt]]:
        committer = Committer(disk.store)
        return await asyncio.gather(*(committer(parcels(n)) for n in range(50)))

    receipts = asyncio.run(clients())
    assert [one.event_id for [one] in receipts] == [str(n) for n in range(50)]
    assert disk.transactions == [50]


def test_no_transaction_is_larger_than_the_limit() -> None:
    disk = Disk()
    receipts = asyncio.run(Committer(disk.store)(parcels(*range(250))))
    assert [one.event_id for one in receipts] == [str(n) for n in range(250)]
    assert disk.transactions == [MOST, MOST, 50]


def test_what_fails_fails_alone_and_the_next_is_stored() -> None:
    disk = Disk()

    async def clients() -> list[list[Receipt] | BaseException]:
        committer = Committer(disk.store)
        found = await asyncio.gather(
            committer(parcels("a")), committer([BAD]), committer(parcels("b")), return_exceptions=True
        )
        return [*found, await committer(parcels("c"))]

    first, bad, second, later = asyncio.run(clients())
    assert isinstance(bad, RuntimeError)
    assert [first, second, later] == [[Receipt(Acceptance.NEW, name)] for name in "abc"]


def test_who_went_away_keeps_nobody_waiting() -> None:
    disk = Disk()

    async def clients() -> list[Receipt]:
        committer = Committer(disk.store)
        gone = asyncio.ensure_future(committer(parcels("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await committer(parcels("here"))

    assert asyncio.run(clients()) == [Receipt(Acceptance.NEW, "here")]
