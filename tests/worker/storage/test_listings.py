"""Pages of runs, alarms and held fields, and requests that come again, on both databases."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.worker.storage.world import NOW, claim, lease, make_due, people, register, settle
from worker.domain.account import Hold, Reason
from worker.storage import listings, queries
from worker.storage.idempotency import Begun, Name
from worker.storage.listings import Place

if TYPE_CHECKING:
    import sqlalchemy as sa

    from worker.storage.store import SqlStore

KEY = Name("operator:bert", "k1")
DAY_S = 86_400.0


def test_held_fields_go_on_behind_an_account(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=4, django=4)
    make_due(store, people(store, "E1", "E2"), [ids["awx"], ids["django"]])
    for name in ids:
        for taken in claim(store, ids[name], lease()):
            settle(store, taken, held={"email": Hold(Reason.VALUE, "b", "0", NOW)})
    seen, after = [], None
    with engine.connect() as connection:
        while found := queries.held(connection, None, 1, after):
            after = (found[-1].target, found[-1].subject)
            seen.append(after)
    assert seen == [(target, subject) for target in ("awx", "django") for subject in ("E1", "E2")]


def test_runs_and_alarms_go_on_behind_a_row_the_newest_first(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=4)
    with store.begin() as tx:
        for kind in ("resync", "mapping", "resync"):
            tx.runs.create(kind, {}, "test", NOW)
        tx.targets.raise_alarm("stale", None, "late", NOW)
        tx.targets.raise_alarm("target_paused", ids["awx"], "paused", NOW)
        tx.targets.raise_alarm("brake", ids["awx"], "over", NOW)
        tx.targets.clear_alarm("brake", ids["awx"], NOW)
    with engine.connect() as connection:
        every = [run.id for run in listings.runs(connection, Place(10))]
        assert every == sorted(every, reverse=True)
        assert [run.id for run in listings.runs(connection, Place(1, every[0]))] == [every[1]]
        resyncs = listings.runs(connection, Place(10), kind="resync", state="waiting")
        assert [run.id for run in resyncs] == [every[0], every[2]]
        (newest, paused), (_, stale) = listings.open_alarms(connection, Place(10))
        assert (paused.kind, paused.target, stale.target) == ("target_paused", "awx", None)
        assert [one.kind for _, one in listings.open_alarms(connection, Place(10, newest))] == ["stale"]
        assert len(listings.open_alarms(connection, Place(10), target_name="awx")) == 1


def test_of_requests_that_begin_at_once_one_is_the_first(store: SqlStore) -> None:
    found: list[Begun | None] = []
    barrier = threading.Barrier(4)

    def ask() -> None:
        barrier.wait()
        with store.begin() as tx:
            found.append(tx.requests.begin(KEY, "hash", DAY_S))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [Begun("hash", None, None)] * 3 + [None]
    with store.begin() as tx:
        tx.requests.end(KEY, 202, "{}")
        assert tx.requests.begin(KEY, "other", DAY_S) == Begun("hash", 202, "{}")
        assert tx.requests.begin(Name("operator:alice", "k1"), "hash", DAY_S) is None


def test_an_answer_is_kept_for_its_time_and_no_longer(store: SqlStore) -> None:
    with store.begin() as tx:
        assert tx.requests.begin(KEY, "hash", DAY_S) is None
        assert tx.requests.begin(KEY, "hash", DAY_S) is not None
        assert tx.requests.begin(KEY, "hash", -1.0) is None
