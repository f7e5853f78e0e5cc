"""What a dead worker had in hand is taken up one by one, and nobody is blamed for a neighbour."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.worker.engine.dying_worker import DEATH
from tests.worker.engine.test_faults import ANNIKA, linked
from worker.domain.account import FAULT, Reason
from worker.engine.rows import Lease
from worker.storage import tables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig

NAMES = [f"p{number:02d}" for number in range(12)]
DELAY_S = 0.05


def crowd(rig: Rig, target: ReferenceTarget) -> None:
    """Twelve settled accounts that each have something new to be sent; each PATCH takes a while."""
    people = [{"username": name, "first_name": "P", "last_name": name} for name in NAMES]
    target.reset(users=[{"id": 1, "username": "admin", "is_superuser": True}, *people])
    for name in NAMES:
        rig.say(name, {"user_name": name, "given_name": "P", "family_name": name})
    rig.work()
    slow = {"method": "PATCH", "times": None, "fault": {"kind": "delay", "seconds": DELAY_S}}
    target.faults([slow])
    for name in NAMES:
        rig.say(name, {"given_name": "Q"})
    rig.fold()


def claim_and_die(rig: Rig, limit: int) -> None:
    """Claim as a worker that is killed at once."""
    with rig.runtime.store.begin() as tx:
        lease = Lease("dead", tx.now, tx.now + 0.01)
        for shard in range(rig.settings.engine.shards):
            tx.accounts.claim(shard, tx.targets.all()[0].id, limit, lease)
    time.sleep(0.02)


def die_alone(rig: Rig) -> str:
    """Whose account it was."""
    with rig.runtime.store.begin() as tx:
        lease = Lease("dead alone", tx.now, tx.now + 0.01)
        claim = tx.accounts.claim_suspect(0, tx.targets.all()[0].id, lease)
    time.sleep(0.02)
    assert claim is not None
    return claim.identity.subject


def given_back(rig: Rig) -> bool:
    """No account and no slot is anybody's."""
    account, slot = tables.account, tables.slot
    with rig.writer.connect() as connection:
        leased = connection.scalar(sa.select(sa.func.count()).where(account.c.lease_token.is_not(None)))
        owned = connection.scalar(sa.select(sa.func.count()).where(slot.c.owner.is_not(None)))
    return not leased and not owned


def test_suspects_are_drained_one_after_the_other(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    crowd(rig, awx_target)
    claim_and_die(rig, limit=len(NAMES))
    rig.sync()
    writes = [entry["at"] for entry in awx_target.writes()]
    assert len(writes) == len(NAMES)
    assert all(later - earlier >= DELAY_S for earlier, later in pairwise(writes))
    assert {row["first_name"] for row in awx_target.rows() if row["username"] != "admin"} == {"Q"}
    assert given_back(rig)


def test_who_fell_alone_waits_behind_those_who_fell_beside_others(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(database=database_url)
    crowd(rig, awx_target)
    claim_and_die(rig, limit=len(NAMES))
    order = [die_alone(rig) for _ in range(len(NAMES) + 1)]
    assert sorted(order[:-1]) == sorted(NAMES)
    assert order[-1] == order[0]


def test_ordinary_work_of_another_shard_goes_on_beside_many_suspects(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(engine={"shards": 2})
    crowd(rig, awx_target)
    with rig.runtime.store.begin() as tx:
        lease = Lease("dead", tx.now, tx.now + 0.01)
        suspects = {claim.identity.subject for claim in tx.accounts.claim(0, 1, len(NAMES), lease)}
    time.sleep(0.02)
    workers = [threading.Thread(target=rig.runtime.sync, args=(shard,)) for shard in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    names = [entry["path"] for entry in awx_target.writes()]
    assert len(names) == len(set(names)) == len(NAMES)
    assert 0 < len(suspects) < len(NAMES)
    assert given_back(rig)


def test_a_crash_among_others_is_held_against_nobody(rig: Rig, awx_target: ReferenceTarget) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    for _ in range(rig.settings.engine.crash_limit + 1):
        claim_and_die(rig, limit=1)
        with rig.runtime.store.begin() as tx:  # handed back in order, and taken among others again
            tx.accounts.give_back("dead", tx.now)
    rig.work()
    assert rig.account("E1", "awx").held == {}
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


def test_three_crashes_alone_hold_the_account_until_there_is_new_data(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget
) -> None:
    rig = linked(make_rig(database=database_url))
    rig.say("E1", ANNIKA)
    rig.fold()
    claim_and_die(rig, limit=1)
    for _ in range(rig.settings.engine.crash_limit):
        die_alone(rig)
    rig.work()
    hold = rig.account("E1", "awx").held[FAULT]
    assert (hold.reason, awx_target.writes()) == (Reason.CRASHED, [])
    assert rig.audit("account:field:held")[0]["reason"] == "crashed"
    with rig.runtime.store.begin() as tx:  # looking at it once more would kill the next worker
        tx.accounts.require_read({}, 0, 10, tx.now)
    seen = len(awx_target.log())
    rig.work()
    assert len(awx_target.log()) == seen
    rig.say("E1", {"family_name": "Lind"})
    rig.work()
    assert awx_target.users()["anna.berg"]["last_name"] == "Lind"
    assert rig.account("E1", "awx").held == {}


def test_a_suspect_that_survives_is_innocent(rig: Rig) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    claim_and_die(rig, limit=1)
    die_alone(rig)
    rig.work()
    account = rig.account("E1", "awx")
    assert (account.crashes, account.held, account.applied_revision) == (0, {}, 2)


@pytest.mark.parametrize("state", ["paused", "gated"])
def test_suspects_at_a_target_that_is_shut_empty_no_process(
    rig: Rig, awx_target: ReferenceTarget, state: str
) -> None:
    linked(rig).say("E1", ANNIKA)
    rig.fold()
    claim_and_die(rig, limit=1)
    with rig.runtime.store.begin() as tx:
        target = tx.targets.all()[0].id
        if state == "paused":
            tx.targets.pause(target, "maintenance", "somebody", None)
        else:
            tx.targets.close_gate(target, tx.now + 60)
    rig.runtime.room.enter(1)
    began = time.monotonic()
    rig.sync()
    assert time.monotonic() - began < rig.settings.engine.lease_s / 4
    assert awx_target.writes() == []


@pytest.mark.slow
@pytest.mark.parametrize(("place", "victim"), [("view", "p03"), ("patch", "p03")])
def test_an_account_that_kills_its_worker_is_found_out_and_the_others_are_served(
    make_rig: MakeRig,
    database_url: str,
    awx_target: ReferenceTarget,
    tmp_path: Path,
    place: str,
    victim: str,
) -> None:
    """Real processes that really die, one after the other, as a supervisor would start them."""
    fast = {"lease_s": 1.5, "late_effect_s": 0}
    brisk = {"awx": {"timeouts": {"connect_s": 0.3, "read_s": 0.5, "deadline_s": 0.8}}}
    rig = make_rig(database=database_url, engine=fast, options=brisk)
    crowd(rig, awx_target)
    remote = str(next(row["id"] for row in awx_target.rows() if row["username"] == victim))
    port = int(awx_target.base_url.rpartition(":")[2])
    told = {"database": database_url, "port": port, "engine": fast, "options": brisk}
    (tmp_path / "told.json").write_text(json.dumps(told))
    command = [sys.executable, "-m", "tests.worker.engine.dying_worker", str(tmp_path / "told.json")]
    command += [place, victim if place == "view" else remote]
    codes: list[int] = []
    while FAULT not in rig.account(victim, "awx").held:
        assert len(codes) < 12, codes
        codes.append(subprocess.run(command, timeout=60, check=False).returncode)  # noqa: S603 - our own words
        time.sleep(1.6)
    rig.work()
    assert codes.count(DEATH) == 1 + rig.settings.engine.crash_limit
    assert rig.account(victim, "awx").held[FAULT].reason is Reason.CRASHED
    others = [row for row in awx_target.rows() if row["username"] not in ("admin", victim)]
    assert {row["first_name"] for row in others} == {"Q"}
    assert not any(rig.account(name, "awx").held for name in NAMES if name != victim)
    assert rig.verify().breaks == ()
