"""`hirewire targets enrol` and `runs proposals`: asked for, looked at, approved by somebody else."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.fixtures.targets import DEFAULT_USERS
from tests.waiting import until
from tests.worker.cli.conftest import event
from worker.domain.enrol import Verdict
from worker.engine.enrol_ports import Proposal
from worker.engine.rows import RunState
from worker.storage import tables
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Installation

ROWS = (
    Proposal(Verdict.LINK, "7", 1, named=True, agrees=("username", "email"), name="mira", shows={"a": "b"}),
    Proposal(Verdict.STRANGER, "8", name="=robot"),
    Proposal(Verdict.AMBIGUOUS, "9", 1, named=True, name="mira.b", other="7"),
    Proposal(Verdict.UNMATCHED, None, 2),
)
NOTE = {
    "proposed": {"link": 1, "stranger": 1, "ambiguous": 1, "unmatched": 1},
    "counted": {"accounts": 3},
    "already": 0,
}


@pytest.fixture
def asked(migrated: Installation) -> Installation:
    """Run 1 was asked for; nothing carries it out."""
    answer = migrated.run("targets", "enrol", "awx_prod", "--why", "new here", "--no-wait", "--json")
    assert (answer.code, answer.document["run"], answer.document["state"]) == (0, 1, "waiting")
    return migrated


@pytest.fixture
def held(asked: Installation) -> Installation:
    """Run 1 is held with four lines, about two people."""
    asked.accept(event("e1", "E1001"), event("e2", "E1002"))
    asked.fold()
    with SqlStore(asked.rows, 2).begin() as tx:
        run = tx.runs.take(1)
        assert run is not None
        tx.proposals.add(1, ROWS)
        tx.runs.save(replace(run, state=RunState.HELD, note=NOTE, plan_hash="abc"), tx.now)
    return asked


def test_what_cannot_be_enrolled_is_not_asked_for(migrated: Installation) -> None:
    calls = (["awx_prod"], ["awx_prod", "--why", " "], ["awx_pro", "--why", "x"])
    answers = [migrated.run("targets", "enrol", *words) for words in calls]
    assert [answer.code for answer in answers] == [2, 2, 2]
    assert "did you mean awx_prod" in answers[2].errors
    mapping = '\n[targets.awx_prod.mapping]\nusername = "title"\n'
    migrated.configuration.write_text(migrated.configuration.read_text() + mapping)
    unfit = migrated.run("targets", "enrol", "awx_prod", "--why", "x")
    assert (unfit.code, "nobody can be looked up by it" in unfit.errors) == (2, True)


def test_a_second_one_is_refused_and_names_the_first(asked: Installation) -> None:
    answer = asked.run("targets", "enrol", "awx_prod", "--why", "again", "--no-wait")
    assert answer.code == 2
    assert "awx_prod is enrolled by run 1 already, which is waiting" in answer.errors


def test_the_proposals_are_text_json_and_csv(held: Installation) -> None:
    text = held.run("runs", "proposals", "1")
    assert text.code == 0
    assert "accounts: 1 link, 1 ambiguous, 1 stranger; people without one: 1" in text.out
    assert "username, email" in text.out
    document: list[Any] = held.run("runs", "proposals", "1", "--format", "json").document["proposals"]
    assert [(one["verdict"], one["account"], one["subject"], one["linked_to"]) for one in document] == [
        ("link", "7", "E1001", None),
        ("stranger", "8", None, None),
        ("ambiguous", "9", "E1001", "7"),
        ("unmatched", None, "E1002", None),
    ]
    assert "shows" not in document[0]
    lines = [*csv.DictReader(io.StringIO(held.run("runs", "proposals", "1", "--format", "csv").out))]
    assert [line["name"] for line in lines] == ["mira", "'=robot", "mira.b", ""]
    assert json.loads(lines[0]["agrees"]) == ["username", "email"]


def test_one_verdict_alone_and_so_many_rows(held: Installation) -> None:
    only = held.run("runs", "proposals", "1", "--verdict", "unmatched", "--format", "json")
    assert [one["subject"] for one in only.document["proposals"]] == ["E1002"]
    few = held.run("runs", "proposals", "1", "--limit", "1")
    assert (few.code, "these are the first 1" in few.errors) == (0, True)
    assert "nothing of that kind" in held.run("runs", "proposals", "1", "--verdict", "weak").out


def test_a_run_of_another_kind_has_none_and_show_tells_the_counts(held: Installation) -> None:
    assert "nothing is judged yet" not in held.run("runs", "show", "1").out
    held.run("resync", "--all", "--why", "x", "--no-wait")
    assert held.run("runs", "proposals", "2").code == 2
    shown = held.run("runs", "show", "1")
    assert "3 accounts listed, 0 of them were linked already" in shown.out
    assert "hirewire runs approve 1" in shown.errors
    assert held.run("runs", "show", "1", "--json").document["note"]["proposed"]["link"] == 1


@pytest.mark.slow
def test_from_the_question_to_the_links_with_a_worker_at_work(
    working: Installation, awx_target: ReferenceTarget
) -> None:
    working.accept(event("e1", "E1001", "joined", user_name="anna.berg", email="anna.berg@example.com"))
    working.fold()
    _forget_accounts(working)
    awx_target.reset(users=DEFAULT_USERS)
    answer = working.run("targets", "enrol", "awx_prod", "--why", "new here", "--json")
    assert (answer.code, answer.document["state"]) == (0, "held")
    assert answer.document["proposed"] == {"link": 1, "protected": 1, "stranger": 1}
    refused = working.run("runs", "approve", "1", "--why", "fine")
    assert refused.code != 0
    admin = working.run("operator", "add", "root", "--role", "admin", "--json").document["token"]
    token = {"HIREWIRE_OPERATOR_TOKEN": admin}
    made = working.run("operator", "add", "carla", "--role", "approver", "--json", env=token)
    approver = {"HIREWIRE_OPERATOR_TOKEN": made.document["token"]}
    assert working.run("runs", "approve", "1", "--why", "fine", env=approver).code == 0
    until(lambda: working.run("runs", "show", "1", "--json").document["state"] == "done", "linked")
    assert "linked: 1; left: none" in working.run("runs", "show", "1").out


def _forget_accounts(installation: Installation) -> None:
    with installation.rows.begin() as connection:
        connection.execute(sa.delete(tables.account))
