"""From a file of events to the values at a real target, with the programs as users run them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event, point_at, settled, start_programs

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Installation

ANNA = {"user_name": "anna.berg", "given_name": "Anna", "email": "anna.berg@example.com"}
OMAR = {"user_name": "omar.haddad", "given_name": "Omar", "email": "omar.haddad@example.com"}
LINES = (
    event("ev-1", "E1001", "joined", 1, family_name="Berg", **ANNA),
    event("ev-2", "E1002", "joined", 1, family_name="حداد", **OMAR),
    event("ev-3", "E1001", second=2, family_name="Lind"),
    event("ev-4", "E1002", second=2, email="not an address"),
    event("ev-5", "E1001", second=3, emial="x"),
)


@pytest.fixture(params=["sqlite", "postgresql"])
def installation(request: pytest.FixtureRequest, bare: Installation, valkey_url: str) -> Installation:
    """On both databases: threads on SQLite, processes on PostgreSQL."""
    if request.param == "postgresql":
        bare.environ["HIREWIRE_DATABASE__URL"] = request.getfixturevalue("postgres_url")
    target: ReferenceTarget = request.getfixturevalue("awx_target")
    point_at(bare, valkey_url, target)
    migrated = bare.run("migrate")
    assert (migrated.code, migrated.out) == (0, "the database is current; targets: awx_prod\n")
    return bare


@pytest.mark.slow
@pytest.mark.stack
def test_events_reach_the_target_and_every_command_tells_the_truth(
    installation: Installation, awx_target: ReferenceTarget
) -> None:
    installation.environ["HIREWIRE_LOGS__LEVEL"] = "debug"
    start_programs(installation)
    sent = installation.run("send", installation.file(*LINES), "--json")
    assert (sent.document["accepted"], sent.document["refused"], sent.code) == (4, 1, 1)
    until(settled(installation.looking, 2), "settled")

    assert awx_target.users()["anna.berg"]["last_name"] == "Lind"
    assert awx_target.users()["omar.haddad"]["last_name"] == "حداد"
    assert awx_target.users()["omar.haddad"]["email"] == "omar.haddad@example.com"
    _status_and_held(installation)
    third = next(item["correlation"] for item in sent.document["events"] if item["event"] == "ev-3")
    _story(installation, third)
    _resync(installation, awx_target)
    verified = installation.run("audit", "verify", "--json")
    assert (verified.code, verified.document["ok"], verified.document["breaks"]) == (2, True, [])
    assert [installation.stop(process) for process in installation.started] == [0, 0]
    _logs(installation, third)


def _status_and_held(installation: Installation) -> None:
    status = installation.run("status", "--json")
    (row,) = status.document["targets"]
    assert (status.code, row["accounts"], row["held"], row["in_doubt"]) == (0, 2, 1, 0)
    assert 0 < row["freshness"]["p50_s"] <= row["freshness"]["p99_s"] < LIMIT_S
    (held,) = installation.run("held", "--json").document["held"]
    assert (held["subject"], held["field"], held["reason"]) == ("E1002", "email", "value")


def _logs(installation: Installation, correlation: str) -> None:
    """Each line is one JSON object; an event's lines are found by its id, nobody by a name."""
    plain = [x for name in ("worker", "beat") for x in installation.log(name).splitlines() if x[:1] != "{"]
    assert plain == []
    worker = [json.loads(line) for line in installation.log("worker").splitlines()]
    beat = [json.loads(line) for line in installation.log("beat").splitlines()]
    assert all({"at", "event", "level", "logger"} <= line.keys() for line in worker + beat)
    assert {line["logger"].partition(".")[0] for line in worker} >= {"celery", "worker"}
    ours = {line["event"]: line for line in worker if line.get("correlation") == correlation}
    assert {"event_folded", "account:patch:intended", "account:patch:applied"} <= ours.keys()
    assert ours["account:patch:applied"]["task"] == "sync"
    text = json.dumps(worker + beat, ensure_ascii=False).lower()
    secret = ("canary", "traceback", "anna", "lind", "حداد", "not an address")
    assert [word for word in secret if word in text] == []


def _story(installation: Installation, correlation: str) -> None:
    lines = installation.run("audit", "story", "E1001").out.splitlines()
    places = [
        next(place for place, line in enumerate(lines) if words in line)
        for words in ("event ev-3 from hr", "intended PATCH /api/v2/users/2/", "applied")
    ]
    assert places == sorted(places)
    assert 'last_name: "Berg" → "Lind" (from ev-3)' in lines[places[1]]
    assert all(lines[place].endswith(f"[{correlation}]") for place in places)


def _resync(installation: Installation, target: ReferenceTarget) -> None:
    target.reset()  # somebody put everything back by hand
    done = installation.run("resync", "E1001", "--why", "changed by hand", "--json")
    assert (done.code, done.document["accounts"], done.document["read"]) == (0, 1, 1)
    assert target.users()["anna.berg"]["last_name"] == "Lind"
    assert target.users()["omar.haddad"]["last_name"] == "Haddad"
