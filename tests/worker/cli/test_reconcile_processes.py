"""Reconciliations by real processes: two clocks, two workers, and a worker that is killed in the middle."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import requests
import sqlalchemy as sa

from tests.fixtures.targets import DEFAULT_USERS
from tests.waiting import until
from tests.worker.cli.conftest import event, point_at, settled
from worker.storage import tables

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Installation

PEOPLE = 12
CHANGED = 3
PAGE = 200
STRANGERS = 3 * PAGE
A_MINUTE_AND_SOME = 75.0
SLOTTED = """
[targets.awx_prod.reconcile]
schedule = "* * * * *"
jitter_s = 0
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, bare: Installation, valkey_url: str) -> Installation:
    if request.param == "postgresql":
        bare.environ["HIREWIRE_DATABASE__URL"] = request.getfixturevalue("postgres_url")
    point_at(bare, valkey_url, request.getfixturevalue("awx_target"))
    bare.environ["HIREWIRE_ENGINE__LEASE_S"] = "10"
    bare.environ["HIREWIRE_ENGINE__SCHEDULE_EVERY_S"] = "0.5"
    bare.environ["HIREWIRE_TARGETS__AWX_PROD__TIMEOUTS__DEADLINE_S"] = "5"
    bare.environ["HIREWIRE_TARGETS__AWX_PROD__TIMEOUTS__READ_S"] = "5"
    assert bare.run("migrate").code == 0
    return bare


def person(number: int) -> dict[str, Any]:
    return {
        "id": 1000 + 50 * number,  # spread over all pages
        "username": f"person.{number}",
        "first_name": f"Given{number}",
        "last_name": "Berg",
        "email": f"person.{number}@example.com",
    }


def seed(target: ReferenceTarget) -> None:
    taken = {person(number)["id"] for number in range(PEOPLE)}
    numbers = (number for number in range(1000, 1000 + STRANGERS + PEOPLE) if number not in taken)
    others = [{"id": number, "username": f"other.{number}"} for number in numbers]
    target.reset(users=[DEFAULT_USERS[0], *map(person, range(PEOPLE)), *others])


def hire(installation: Installation, target: ReferenceTarget) -> None:
    """Everybody is known and settled; three were then changed past Hirewire."""
    lines = []
    for number in range(PEOPLE):
        shown = person(number)
        said = {"given_name": shown["first_name"], "family_name": "Berg", "email": shown["email"]}
        lines.append(event(f"ev-{number}", f"E{number}", "joined", user_name=shown["username"], **said))
    assert installation.run("send", installation.file(*lines)).code == 0
    until(settled(installation.looking, PEOPLE), "settled")
    for number in range(CHANGED):
        url = f"{target.base_url}/api/v2/users/{person(number)['id']}/"
        body = {"first_name": "Somebody"}
        requests.patch(url, json=body, headers=target.authorization, timeout=30).raise_for_status()


def run_row(installation: Installation, run: int) -> Any:
    with installation.rows.connect() as connection:
        return connection.execute(sa.select(tables.run).where(tables.run.c.id == run)).one()


def drift(installation: Installation, run: int) -> set[tuple[Any, ...]]:
    table = tables.drift
    columns = (table.c.remote_id, table.c.subject, table.c.field, table.c.cause, table.c.observed)
    with installation.rows.connect() as connection:
        return {tuple(row) for row in connection.execute(sa.select(*columns).where(table.c.run_id == run))}


def kill(process: Any) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_costs_a_page_and_changes_nothing_of_the_result(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    seed(awx_target)
    worker = installation.start("worker")
    installation.start("beat")
    hire(installation, awx_target)
    whole = undisturbed(installation)

    awx_target.faults([{"method": "GET", "path": "/api/v2/users/$", "times": None, "fault": SLOWLY}])
    written = installation.run("reconcile", "awx_prod", "--why", "disturbed", "--no-wait", "--json")
    run = written.document["runs"][0]["run"]
    for pages in (1, 2):
        until(lambda pages=pages: run_row(installation, run).done >= pages * PAGE, f"{pages} pages")
        kill(worker)
        assert run_row(installation, run).state == "running"
        worker = installation.start("worker")
    until(lambda: run_row(installation, run).state == "done", "the run is done")
    assert run_row(installation, run).note["found"] == whole["found"]
    assert drift(installation, run) == drift(installation, whole["run"])
    assert run_row(installation, run).position["listing"]["pages"] == 1 + STRANGERS // PAGE


def undisturbed(installation: Installation) -> Any:
    """What a reconciliation finds once nothing is in motion any more."""
    seen: list[Any] = []

    def look() -> bool:
        asked = installation.run("reconcile", "awx_prod", "--why", "undisturbed", "--json")
        seen.append(asked.document["runs"][0])
        return bool(seen[-1]["found"]["causes"].get("changed") == CHANGED)

    until(look, "the changed accounts are found")
    assert seen[-1]["state"] == "done"
    return seen[-1]


SLOWLY = {"kind": "delay", "seconds": 1.0}


@pytest.mark.slow
def test_two_clocks_and_two_workers_run_each_slot_once(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    installation.configuration.write_text(installation.configuration.read_text() + SLOTTED)
    seed(awx_target)
    began = time.time()
    for name in ("worker", "worker", "beat", "beat"):
        installation.start(name)
    time.sleep(A_MINUTE_AND_SOME)
    with installation.rows.connect() as connection:
        runs = connection.execute(sa.select(tables.run).where(tables.run.c.kind == "reconcile")).all()
    slots = Counter(run.scheduled for run in runs)
    minutes = int(time.time() // 60) - int(began // 60)
    assert set(slots.values()) == {1}
    assert minutes <= len(slots) <= minutes + 1  # the one before the start was missed, and made up for
    assert runs[0].state == "done"
    assert runs[0].note["found"]["listed"] == STRANGERS + PEOPLE + 1
