"""Workers that die or hang: nothing is lost, nothing older is written, every request is accounted for."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

from tests.fixtures.targets import ReferenceTarget
from tests.waiting import until
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from tests.worker.engine.test_faults import ANNIKA, fault, linked, outcomes
from tests.worker.engine.test_path import ANNA, bodies
from worker.domain.account import Account, Doubt
from worker.engine.rows import Lease, Progress


def claim_as_dead_worker(rig: Rig, lease_s: float) -> Account:
    """Claim the one due account under a lease that nobody will renew."""
    with rig.runtime.store.begin() as tx:
        target = tx.targets.all()[0]
        lease = Lease("dead", tx.now, tx.now + lease_s)
        (claim,) = tx.accounts.claim(0, target.id, 1, lease)
    return claim.account


def die_after_intent(rig: Rig, changes: dict[str, str]) -> None:
    """What a worker leaves behind that was killed between its intent and the answer."""
    account = claim_as_dead_worker(rig, lease_s=0.05)
    with rig.runtime.store.begin() as tx:
        doubt = Doubt("r1", changes, tx.now, 2)
        tx.accounts.save([Progress(replace(account, doubt=doubt))], "dead")
    time.sleep(0.06)


def test_a_worker_killed_before_its_send_is_read_up_on_and_the_change_is_sent(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    die_after_intent(rig, {"first_name": "Annika"})
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert outcomes(rig) == ["ambiguous", "refuted", "applied"]


def test_a_worker_killed_after_its_send_is_confirmed_and_nothing_is_repeated(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    die_after_intent(rig, {"first_name": "Annika"})
    awx_target.reset(
        users=[
            {"id": 1, "username": "admin", "is_superuser": True},
            {
                "id": 2,
                "username": "anna.berg",
                "first_name": "Annika",
                "last_name": "Berg",
                "email": ANNA["email"],
            },
        ]
    )
    rig.work()
    assert awx_target.writes() == []
    assert outcomes(rig) == ["ambiguous", "confirmed"]


def test_a_leased_account_is_left_to_its_worker(rig: Rig, awx_target: ReferenceTarget) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    claim_as_dead_worker(rig, lease_s=60)
    rig.sync()
    rig.say("E1", {"given_name": "Anni"})
    rig.fold()
    rig.sync()
    assert awx_target.writes() == []


def test_an_expired_lease_is_taken_over(rig: Rig, awx_target: ReferenceTarget) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    claim_as_dead_worker(rig, lease_s=0.01)
    time.sleep(0.02)
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


def test_an_answer_after_the_lease_was_lost_is_audited_as_late_and_changes_nothing(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    awx_target.faults([fault("delay", seconds=0.5)])
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    worker = threading.Thread(target=rig.sync)
    worker.start()
    until(lambda: awx_target.log() and "account:patch:intended" in rig.actions(), "the intent is written")
    with rig.writer.begin() as connection:  # another worker took the account over
        ends = time.time() + 0.8
        connection.exec_driver_sql(f"UPDATE account SET lease_token = 'other', due_at = {ends}")  # noqa: S608 - a number
    worker.join()
    assert outcomes(rig) == ["late"]
    assert rig.account("E1", "awx").applied_revision == 1
    rig.work()
    assert outcomes(rig) == ["late", "ambiguous", "confirmed"]
    assert len(awx_target.writes()) == 1


def test_an_event_while_its_account_is_in_flight_is_sent_afterwards(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    awx_target.faults([fault("delay", seconds=0.4)])
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    worker = threading.Thread(target=rig.sync)
    worker.start()
    until(lambda: "account:patch:intended" in rig.actions(), "the intent is written")
    rig.say("E1", {"given_name": "Anni"})
    rig.fold()
    worker.join()
    rig.work()
    assert bodies(awx_target) == [{"first_name": "Annika"}, {"first_name": "Anni"}]
    assert rig.account("E1", "awx").applied_revision == 3


def test_a_worker_that_is_told_to_stop_sends_nothing_more_and_keeps_nothing(
    rig: Rig, awx_target: ReferenceTarget
) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    rig.stopping.set()
    rig.sync()
    rig.stopping.clear()
    assert awx_target.writes() == []
    rig.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


def test_two_syncs_of_one_shard_at_once_send_each_change_once(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    names = [f"p{n:02d}" for n in range(20)]
    people = [{"username": name, "first_name": "P", "last_name": name} for name in names]
    awx_target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *people])
    rig = make_rig(database=database_url)
    for name in names:
        rig.say(name, {"user_name": name, "given_name": "Q", "family_name": name})
    rig.fold()
    workers = [threading.Thread(target=rig.sync) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rig.work()
    assert sorted(write["path"] for write in awx_target.writes()) == sorted(
        {write["path"] for write in awx_target.writes()}
    )
    assert {row["first_name"] for row in awx_target.rows() if row["username"] != "admin"} == {"Q"}
    assert rig.verify().breaks == ()


def test_never_more_requests_at_once_than_max_in_flight(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    names = [f"p{n:02d}" for n in range(8)]
    people = [{"username": name, "first_name": "P", "last_name": name} for name in names]
    awx_target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *people])
    awx_target.faults([{"method": "PATCH", "times": None, "fault": {"kind": "delay", "seconds": 0.1}}])
    rig = make_rig(options={"awx": {"max_in_flight": 2}})
    for name in names:
        rig.say(name, {"user_name": name, "given_name": "Q", "family_name": name})
    rig.fold()
    started = time.monotonic()
    rig.work()
    assert len(awx_target.writes()) == 8
    assert time.monotonic() - started >= 0.4  # eight of 0.1 s, two at a time


def test_a_rate_is_kept(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    rig = make_rig(options={"awx": {"rate_per_s": 20, "max_in_flight": 2}})
    rig.say("E1", ANNA)
    rig.work()
    introduced = len(awx_target.log())  # asking whose token ours is comes before all slots
    for number in range(6):
        rig.say("E1", {"given_name": f"Anna {number}"})
        rig.work()
    times = [entry["at"] for entry in awx_target.log()[introduced:]]
    for place, at in enumerate(times):
        assert sum(1 for other in times[place:] if other - at < 0.2) <= 0.2 * 20 + 2


def test_a_sync_whose_time_is_over_signals_itself(make_rig: MakeRig, awx_target: ReferenceTarget) -> None:
    awx_target.faults([fault("delay", seconds=0.2)])
    rig = make_rig(engine={"sync_max_s": 0.1})
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    rig.signals.sent.clear()
    rig.sync()
    assert ("sync", 0) in rig.signals.sent


def test_a_sync_that_lost_its_lease_sends_nothing_more(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(engine={"lease_s": 1.0})  # shorter than a request of this target may last
    rig.say("E1", ANNIKA)
    rig.fold()
    rig.sync()
    assert awx_target.writes() == []
    assert "account:patch:applied" not in rig.actions()
