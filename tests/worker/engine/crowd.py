"""A crowd: many people with accounts at one target, and what a test does to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from tests.fixtures.targets import DEFAULT_USERS, ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from worker.domain.operator import Principal, Role
from worker.engine.rows import Run
from worker.storage import tables

LARGE = 5  # accounts that are enough for the plan brake, so that tests are short
SMALL_BRAKE = {"plan_brake_min_accounts": LARGE}
CARLA = Principal("carla", Role.APPROVER)
NAMES_BY_DEPARTMENT = {"mapping": {"first_name": "department"}}
JOINER = {"id": 9, "username": "nadia", "last_name": "Okoye", "email": "nadia@example.com"}


def user_name(number: int) -> str:
    return f"person.{number}"


def seed(target: ReferenceTarget, people: int) -> None:
    """So many accounts, none with the first name that HR says, beside the administrator and a joiner."""
    users = [
        {
            "id": 10 + number,
            "username": user_name(number),
            "last_name": f"Number{number}",
            "email": f"{user_name(number)}@example.com",
        }
        for number in range(people)
    ]
    target.reset(users=[DEFAULT_USERS[0], JOINER, *users])


def settle(make_rig: MakeRig, target: ReferenceTarget, people: int, **more: Any) -> Rig:
    """A rig whose people are all acknowledged with the connector's own mapping."""
    seed(target, people)
    rig = make_rig(targets={"crm": target}, engine=SMALL_BRAKE, **more)
    rig.accept(*(rig.event(f"E{number}", said(number)) for number in range(people)))
    rig.work()
    return rig


def leavers(make_rig: MakeRig, target: ReferenceTarget, count: int, brake_min: int) -> tuple[Rig, list[str]]:
    """So many people of Django admin who left at once, and their names, under a brake of `brake_min`."""
    names = [f"p{n}" for n in range(count)]
    people = [{"username": name, "first_name": "P", "last_name": name} for name in names]
    admin = {"id": 1, "username": "admin", "is_superuser": True, "is_staff": True}
    target.reset(users=[admin, *people])
    rig = make_rig(targets={"admin": target}, engine={"brake_min": brake_min})
    for name in names:
        data = {"user_name": name, "given_name": "P", "family_name": name}
        rig.say(name, data, type="hirewire.person.left")
    rig.work()
    return rig, names


def clone(rig: Rig, copies: int) -> None:
    """So many more people in the rows, each as the only one that is there; the target knows none of them."""
    identity, account = tables.identity, tables.account
    with rig.writer.begin() as connection:
        person = dict(connection.execute(sa.select(identity)).one()._mapping)
        item = dict(connection.execute(sa.select(account)).one()._mapping)
        numbers = range(1000, 1000 + copies)
        people = [{**person, "id": n, "subject": f"E{n}"} for n in numbers]
        connection.execute(sa.insert(identity), people)
        items = [{**item, "id": n, "identity_id": n, "remote_id": str(n)} for n in numbers]
        connection.execute(sa.insert(account), items)


def said(number: int) -> dict[str, Any]:
    return {
        "user_name": user_name(number),
        "given_name": f"Given{number}",
        "family_name": f"Number{number}",
        "email": f"{user_name(number)}@example.com",
        "department": f"Care{number}",
        "active": True,
    }


def carry_out(rig: Rig) -> None:
    """What workers do with open runs, and with what these make due."""
    with rig.runtime.store.begin() as tx:
        unfinished = tx.runs.unfinished()
    for run_id in unfinished:
        rig.runtime.runs.carry_out(run_id)
    rig.work()


def run(rig: Rig, run_id: int) -> Run:
    with rig.runtime.store.begin() as tx:
        found = tx.runs.take(run_id)
    assert found is not None
    return found


def newest(rig: Rig) -> Run:
    with rig.writer.connect() as connection:
        run_id = connection.scalars(sa.select(sa.func.max(tables.run.c.id))).one()
    return run(rig, run_id)


def alarms(rig: Rig) -> list[str]:
    """Kinds of those that are open."""
    query = sa.select(tables.alarm.c.kind).where(tables.alarm.c.cleared_at.is_(None))
    with rig.writer.connect() as connection:
        return list(connection.scalars(query))


def first_names(target: ReferenceTarget) -> Mapping[str, str]:
    """Of the crowd, by user name."""
    return {name: row["first_name"] for name, row in target.users().items() if name.startswith("person.")}
