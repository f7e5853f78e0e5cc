"""Dates that come: an account is closed once when the last day is over, and not made before the first."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import carry_out
from tests.worker.engine.rig import ATTRIBUTES, Rig
from tests.worker.engine.test_path import ANNA, bodies
from worker.storage import tables

DATED = {"attributes": [*ATTRIBUTES, "start_date", "end_date"]}
DAY_S = 86_400.0


def day(offset: int) -> str:
    return (dt.datetime.now(dt.UTC).date() + dt.timedelta(days=offset)).isoformat()


def pass_days(rig: Rig, days: int) -> None:
    """As if so much time went by: everybody's dates and moments come nearer."""
    person = tables.identity
    with rig.writer.begin() as connection:
        for row in connection.execute(sa.select(person)).all():
            moved = {
                name: [_earlier(name, held[0], days), *held[1:]] for name, held in row.attributes.items()
            }
            wake_at = None if row.wake_at is None else row.wake_at - days * DAY_S
            connection.execute(
                sa.update(person).where(person.c.id == row.id).values(attributes=moved, wake_at=wake_at)
            )


def _earlier(name: str, value: Any, days: int) -> Any:
    if not name.endswith("_date") or value is None:
        return value
    return (dt.date.fromisoformat(value) - dt.timedelta(days=days)).isoformat()


def wake_at(rig: Rig) -> float | None:
    with rig.writer.connect() as connection:
        return connection.scalars(sa.select(tables.identity.c.wake_at)).one()


@pytest.fixture
def people(make_rig: MakeRig, django_admin_target: ReferenceTarget, database_url: str) -> Rig:
    return make_rig(targets={"crm": django_admin_target}, database=database_url, source=DATED)


def test_when_the_last_day_is_over_the_account_is_closed_once(
    people: Rig, django_admin_target: ReferenceTarget
) -> None:
    people.say("E1", {**ANNA, "active": True, "end_date": day(1)})
    people.work()
    assert django_admin_target.users()["anna.berg"]["is_active"]
    pass_days(people, 2)
    for _ in range(3):
        people.work()
    assert not django_admin_target.users()["anna.berg"]["is_active"]
    assert bodies(django_admin_target).count({"is_active": False}) == 1
    (told,) = people.audit("identity:wake:")
    assert (told["action"], told["passed"]) == ("identity:wake:ended", ["end_date"])
    assert wake_at(people) is None


def test_a_later_last_day_opens_the_account_again(people: Rig, django_admin_target: ReferenceTarget) -> None:
    people.say("E1", {**ANNA, "active": True, "end_date": day(-1)})
    people.work()
    assert not django_admin_target.users()["anna.berg"]["is_active"]
    people.say("E1", {"end_date": day(30)})
    people.work()
    assert django_admin_target.users()["anna.berg"]["is_active"]
    assert wake_at(people) is not None


def test_an_account_is_made_on_the_first_day_and_not_before(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = make_rig(options={"awx": {"on_missing": "create"}}, source=DATED)
    rig.say("E5", {"user_name": "nadia.okoye", "family_name": "Okoye", "start_date": day(1)})
    rig.work()
    assert "nadia.okoye" not in awx_target.users()
    assert rig.account("E5", "awx").held == {}
    pass_days(rig, 1)
    rig.work()
    assert "nadia.okoye" in awx_target.users()
    assert rig.actions("identity:wake:") == ["identity:wake:looked"]


def test_a_first_day_to_come_takes_nothing_from_an_account_that_is_there(
    people: Rig, django_admin_target: ReferenceTarget
) -> None:
    people.say("E1", {**ANNA, "active": True})
    people.work()
    people.say("E1", {"start_date": day(10), "given_name": "Annika"})
    people.work()
    shown = django_admin_target.users()["anna.berg"]
    assert (shown["is_active"], shown["first_name"]) == (True, "Annika")


def test_dates_that_are_ignored_change_nothing(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    ignoring = {"end_date": "ignore", "start_date": "ignore"}
    rig = make_rig(targets={"crm": django_admin_target}, source=DATED, people=ignoring)
    rig.say("E1", {**ANNA, "active": True, "given_name": "Annika", "start_date": day(5), "end_date": day(-5)})
    rig.work()
    shown = django_admin_target.users()["anna.berg"]
    assert (shown["is_active"], shown["first_name"]) == (True, "Annika")
    assert wake_at(rig) is None


def test_another_meaning_of_dates_is_a_new_configuration_and_sets_the_moments(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    old = make_rig(targets={"crm": django_admin_target}, source=DATED, people={"end_date": "ignore"})
    old.say("E1", {**ANNA, "active": True, "end_date": day(10)})
    old.work()
    assert wake_at(old) is None
    new = make_rig(targets={"crm": django_admin_target}, source=DATED)
    carry_out(new)
    assert wake_at(new) is not None


def come(rig: Rig) -> None:
    """The time of every event that waits for it."""
    with rig.writer.begin() as connection:
        connection.execute(
            sa.update(tables.event).where(tables.event.c.fold_at.is_not(None)).values(fold_at=1.0)
        )


def soon(seconds: int) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def test_a_correction_of_an_event_to_come_wins_whichever_is_folded_first(
    people: Rig, django_admin_target: ReferenceTarget
) -> None:
    people.say("E1", {**ANNA, "given_name": "Anna"})
    people.say("E1", {"given_name": "Corrected"}, time=soon(7201))
    people.say("E1", {"given_name": "Planned"}, time=soon(7200))
    people.work()
    assert django_admin_target.users()["anna.berg"]["first_name"] == "Anna"
    come(people)
    people.work()
    assert django_admin_target.users()["anna.berg"]["first_name"] == "Corrected"


def test_a_correction_that_counts_at_once_outlasts_the_event_to_come(
    make_rig: MakeRig, django_admin_target: ReferenceTarget
) -> None:
    """By sequence: what was said later is newer, whenever it is to happen."""
    rig = make_rig(targets={"crm": django_admin_target}, source={"order": "integer"})
    rig.say("E1", {**ANNA, "given_name": "Anna"}, sequence="1")
    rig.say("E1", {"given_name": "Planned"}, sequence="2", time=soon(7200))
    rig.say("E1", {"given_name": "Corrected"}, sequence="3")
    rig.work()
    come(rig)
    rig.work()
    assert django_admin_target.users()["anna.berg"]["first_name"] == "Corrected"
    assert json.dumps("Planned") not in json.dumps([entry["body"] for entry in django_admin_target.writes()])
