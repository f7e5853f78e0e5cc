"""One account, or one event, that our own code cannot bear: it is held, and the others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.worker.engine.test_faults import UMAR, fault, linked
from tests.worker.engine.test_path import ANNA, OMAR
from tests.worker.engine.traps import SECRET, TrappedConnector, raise_it, trap, trap_view, unreadable
from worker.domain.account import FAULT, Reason
from worker.engine.fold import ASIDE_ALARM
from worker.storage import tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig
    from worker.domain.account import Person

ANNIKA = {**ANNA, "given_name": "Annika"}


@pytest.fixture
def both(make_rig: MakeRig, database_url: str) -> Rig:
    """Anna and Omar are known and settled, on each database."""
    rig = linked(make_rig(database=database_url))
    rig.say("E2", OMAR)
    rig.work()
    return rig


def change_both(rig: Rig) -> None:
    rig.say("E1", ANNIKA)
    rig.say("E2", UMAR)
    rig.work()


@pytest.mark.parametrize("spring", [raise_it, unreadable])
def test_an_account_that_raises_is_held_and_the_others_go_on(
    both: Rig,
    awx_target: ReferenceTarget,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    spring: Callable[[Person], Person],
) -> None:
    trap_view(both, "E1", spring)
    change_both(both)
    assert awx_target.users()["omar.haddad"]["first_name"] == "Umar"
    hold = both.account("E1", "awx").held[FAULT]
    assert hold.reason is Reason.FAULT
    assert hold.message.startswith("a defect of Hirewire: ZeroDivisionError at traps.py:")
    (record,) = both.audit("account:field:held")
    assert (record["field"], record["reason"]) == ("@fault", "fault")
    assert SECRET not in caplog.text + "".join(capfd.readouterr()) + str(both.audit())
    assert both.verify().breaks == ()


def test_a_hold_for_a_defect_ends_when_the_defect_is_mended(both: Rig, awx_target: ReferenceTarget) -> None:
    whole = dict(both.runtime.targets)
    trap_view(both, "E1", raise_it)
    change_both(both)
    both.runtime.targets.update(whole)  # type: ignore[attr-defined]
    both.say("E1", {"family_name": "Lind"})
    both.work()
    anna = awx_target.users()["anna.berg"]
    assert (anna["first_name"], anna["last_name"]) == ("Annika", "Lind")
    assert both.account("E1", "awx").held == {}


def test_an_answer_that_raises_leaves_an_outcome_and_is_read_up_on(
    both: Rig, awx_target: ReferenceTarget
) -> None:
    whole = dict(both.runtime.targets)
    trap(both, connector=lambda real: TrappedConnector(real, "2"))
    change_both(both)
    assert both.account("E1", "awx").held[FAULT].reason is Reason.FAULT
    both.runtime.targets.update(whole)  # type: ignore[attr-defined]
    both.say("E1", {"family_name": "Lind"})
    both.work()
    outcomes = [record["action"] for record in both.audit("account:patch:") if record["account"] == 1]
    words = [action.rpartition(":")[2] for action in outcomes]
    assert words == ["intended", "ambiguous", "confirmed", "intended", "applied"]
    assert awx_target.users()["anna.berg"]["last_name"] == "Lind"


@pytest.mark.parametrize("name", ["\ud800", "\x00", 10**400])
def test_what_json_cannot_carry_home_holds_nobody_up(
    both: Rig, awx_target: ReferenceTarget, name: object
) -> None:
    """A target answers with text that is none, or with a number beyond all bounds."""
    body = {**awx_target.users()["anna.berg"], "id": 2, "first_name": name}
    awx_target.faults([fault("status", method="GET", status=200, body=body)])
    with both.runtime.store.begin() as tx:
        tx.accounts.require_read({"subjects": ["E1"]}, 0, 10, tx.now)
    change_both(both)
    assert awx_target.users()["omar.haddad"]["first_name"] == "Umar"
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"


def test_an_event_that_cannot_be_folded_is_set_aside_and_not_lost(
    both: Rig, awx_target: ReferenceTarget
) -> None:
    both.say("E1", ANNIKA)
    with both.writer.begin() as connection:
        newest = sa.select(sa.func.max(tables.event.c.id)).scalar_subquery()
        bad = sa.update(tables.event).where(tables.event.c.id == newest)
        connection.execute(bad.values(assertions=5))
    both.say("E2", UMAR)
    both.say("E1", {"family_name": "Lind"})
    both.work()
    users = awx_target.users()
    assert (users["omar.haddad"]["first_name"], users["anna.berg"]["last_name"]) == ("Umar", "Lind")
    (aside,) = both.audit("event:fold:aside")
    assert aside["event"] == "e3"
    assert open_alarms(both) == [ASIDE_ALARM]

    with both.writer.begin() as connection:  # a version that can read it, and its time has come
        mended = sa.update(tables.event).where(tables.event.c.event_id == "e3")
        connection.execute(mended.values(assertions={"given_name": "Annika"}, fold_at=1.0))
    both.work()
    assert awx_target.users()["anna.berg"]["first_name"] == "Annika"
    assert open_alarms(both) == []


def open_alarms(rig: Rig) -> list[str]:
    alarm = tables.alarm
    with rig.writer.connect() as connection:
        return list(connection.scalars(sa.select(alarm.c.kind).where(alarm.c.cleared_at.is_(None))))
