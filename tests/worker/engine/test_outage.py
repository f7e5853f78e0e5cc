"""The database goes away, or is contended: nothing is lost, nothing is sent twice, threads come back."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.waiting import until
from tests.worker.engine.test_faults import ANNIKA, fault, linked, outcomes
from tests.worker.engine.test_suspects import given_back
from tests.worker.storage.world import at_once
from worker.engine.again import whole
from worker.engine.rows import Acceptance

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.postgres import PostgresServer
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig


@pytest.fixture
def slow(make_rig: MakeRig, postgres_url: str, awx_target: ReferenceTarget) -> Rig:
    """Anna is settled; her next PATCH takes most of its time at the target."""
    rig = linked(make_rig(database=postgres_url))
    awx_target.faults([fault("delay", seconds=0.8)])
    rig.say("E1", ANNIKA)
    rig.fold()
    return rig


def running(sync: Callable[[], int]) -> tuple[threading.Thread, list[Exception]]:
    raised: list[Exception] = []

    def run() -> None:
        try:
            sync()
        except Exception as error:  # noqa: BLE001 - what it ended with
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


def test_a_sync_that_loses_its_database_during_a_request_ends_and_the_next_one_reads_up(
    slow: Rig, postgres_server: PostgresServer, awx_target: ReferenceTarget
) -> None:
    before = threading.active_count()
    worker, raised = running(slow.sync)
    until(lambda: "account:patch:intended" in slow.actions(), "the intent is written")
    postgres_server.kill()
    time.sleep(0.3)
    postgres_server.start()
    worker.join(20)
    assert not worker.is_alive()
    assert len(raised) == 1
    until(lambda: given_back(slow), "leases and slots are given back")
    slow.work()
    assert outcomes(slow) == ["ambiguous", "confirmed"]
    assert len(awx_target.writes()) == 1
    assert slow.account("E1", "awx").applied_revision == 2
    assert threading.active_count() <= before + slow.settings.engine.threads
    assert slow.verify().breaks == ()


def test_a_sync_that_is_told_to_stop_while_its_database_is_away_ends(
    slow: Rig, postgres_server: PostgresServer
) -> None:
    worker, raised = running(slow.sync)
    until(lambda: "account:patch:intended" in slow.actions(), "the intent is written")
    postgres_server.kill()
    slow.stopping.set()
    worker.join(20)
    assert not worker.is_alive()
    assert len(raised) == 1
    postgres_server.start()


def test_batches_with_the_same_new_ids_in_opposite_order_both_end(
    make_rig: MakeRig, database_url: str
) -> None:
    rig = make_rig(database=database_url)
    for number in range(5):
        events = [rig.event(f"E{n}", {"given_name": "A"}, id=f"b{number}-{n}") for n in range(60)]
        there, back = at_once(partial(rig.accept, *events), partial(rig.accept, *reversed(events)))
        verdicts = sorted(receipt.verdict for receipt in (*there, *back))
        assert verdicts == [Acceptance.NEW] * 60 + [Acceptance.DUPLICATE] * 60


def test_ties_within_a_batch_are_broken_by_arrival_whatever_the_ids_are(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = linked(make_rig(database=database_url))
    moment = "2026-02-01T00:00:00Z"
    rig.accept(
        rig.event("E1", {"given_name": "First"}, id="z", time=moment),
        rig.event("E1", {"given_name": "Last"}, id="a", time=moment),
    )
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Last"


def test_a_transaction_that_met_a_deadlock_is_done_again_as_a_whole(postgres_rig: Rig) -> None:
    """Two lock two accounts crosswise; the database ends one of them."""
    rig = postgres_rig
    with rig.runtime.store.begin() as tx:
        ids = sorted(tx.identities.lock(["E1", "E2"], tx.now)[name][0] for name in ("E1", "E2"))
    barrier = threading.Barrier(2, timeout=20)
    tries: list[int] = []

    def crosswise(rows: list[str]) -> None:
        def once() -> None:
            tries.append(1)
            with rig.runtime.store.begin() as tx:
                tx.identities.lock(rows[:1], tx.now)
                if len(tries) <= 2:
                    barrier.wait()
                tx.identities.lock(rows[1:], tx.now)

        whole(once)

    at_once(lambda: crosswise(["E1", "E2"]), lambda: crosswise(["E2", "E1"]))
    assert len(ids) == 2
    assert len(tries) == 3


@pytest.fixture
def postgres_rig(make_rig: MakeRig, postgres_url: str) -> Rig:
    rig = make_rig(database=postgres_url)
    rig.say("E1", {"user_name": "anna.berg"})
    rig.say("E2", {"user_name": "omar.haddad"})
    rig.fold()
    return rig
