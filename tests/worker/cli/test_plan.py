"""`hirewire plan`, `hirewire explain` and `hirewire identity show`, as people call them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from tests.worker.cli.conftest import event
from worker.bootstrap import announce
from worker.cli import main
from worker.cli.failures import UsageError
from worker.domain.account import Account, Hold, Reason
from worker.domain.strict_json import digest
from worker.engine.marking import RESYNC
from worker.storage import tables
from worker.storage.codec import account_state, held_state
from worker.storage.store import SqlStore
from worker.views.ways_out import WAYS_OUT

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

ANNA = {"user_name": "anna", "given_name": "Anna", "email": "a@b.example"}
MASKED = '\n[audit]\nmasked = ["email"]\n'


@pytest.fixture
def known(migrated: Installation) -> Installation:
    """E1001 has an account whose e-mail address is held and whose given name differs; nothing runs."""
    migrated.configuration.write_text(migrated.configuration.read_text() + MASKED)
    migrated.accept(event("ev-1", **ANNA))
    migrated.fold()
    announce(migrated.settings)
    seen = {"username": "anna", "first_name": "Anne", "last_name": "", "email": "old@b.example"}
    stored = Account(1, 1, 1, observed={**seen, "is_superuser": False}, observed_at=time.time())
    holds = {"email": Hold(Reason.REJECTED, "no such domain", digest("a@b.example"), 1.0)}
    with migrated.rows.begin() as connection:
        values = {"remote_id": "7", "state": account_state(stored), "held": held_state(holds)}
        connection.execute(sa.update(tables.account).values(values))
    return migrated


def test_every_reason_of_a_hold_has_a_way_out() -> None:
    assert WAYS_OUT.keys() == set(Reason)


def test_plan_tells_requests_holds_and_the_guards(known: Installation) -> None:
    shown = known.run("plan", "E1001")
    assert (shown.code, shown.errors) == (0, "")
    assert shown.out.splitlines() == [
        "E1001 at awx_prod (remote id 7, revision 1, acknowledged 0): is sent next",
        "  PATCH /api/v2/users/7/",
        '    {"first_name": "Anna"}',
        '    first_name: "Anne" → "Anna" (from ev-1)',
        f"  held email rejected: no such domain. Way out: {WAYS_OUT[Reason.REJECTED]}",
        "  brake 0 of at most 5 accounts of awx_prod lost rights lately",
    ]
    (person,) = known.run("plan", "E1001", "--json").document["people"]
    (account,) = person["accounts"]
    (request,) = account["requests"]
    assert (account["verdict"], request["method"], request["path"]) == ("send", "PATCH", "/api/v2/users/7/")
    assert (request["body"], request["changes"][0]["event"]) == ({"first_name": "Anna"}, "ev-1")
    assert [(held["field"], held["may_be_approved"]) for held in account["held"]] == [("email", False)]


def test_plan_of_events_stores_nothing_and_tells_what_would_be_refused(known: Installation) -> None:
    news = event("ev-2", second=5, given_name="Annika", email="new@b.example")
    lines = f"{news}\n{event('ev-3', subject='E1002', user_name='new')}\n{{}}\n".encode()
    shown = known.run("plan", "--event", "-", stdin=lines)
    assert shown.code == 1
    assert "refused -:3 /source: is missing" in shown.out
    assert "event ev-2 from hr changes given_name, email: revision 2" in shown.out
    assert '{"first_name": "Annika", "email": "(masked)"}' in shown.out
    assert "E1002 at awx_prod" in shown.out
    assert "searched by username = new" in shown.out
    assert "new@b.example" not in shown.out
    assert known.run("plan", "--event", "ev-1").out.startswith("event ev-1 from hr about E1001 was folded")
    with known.rows.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.event)) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.identity)) == 1


def test_plan_of_a_target_or_a_run_lists_what_is_to_be_told_and_counts_all(known: Installation) -> None:
    shown = known.run("plan", "--target", "awx_prod", "--json").document
    assert [account["subject"] for account in shown["accounts"]] == ["E1001"]
    assert (shown["counts"], shown["more"]) == ({"awx_prod": {"send": 1}}, False)
    with SqlStore(known.rows, 2).begin() as tx:
        run = tx.runs.create(RESYNC, {"subjects": ["E1001"]}, "test", tx.now)
    assert known.run("plan", "--run", str(run.id), "--json").document == shown


def test_explain_has_one_line_for_each_field_at_80_columns(known: Installation) -> None:
    shown = known.run("explain", "E1001", env={"COLUMNS": "80"})
    sentence, heading, *fields, held = shown.out.splitlines()
    assert sentence.startswith("E1001 at awx_prod: 2 of 4 fields are not there: 1 pending, 1 held")
    assert heading.split() == ["field", "state", "wanted", "there", "set", "by"]
    assert [line.split()[:2] for line in fields] == [
        ["email", "held"],
        ["first_name", "pending"],
        ["last_name", "unsaid"],
        ["username", "there"],
    ]
    assert max(len(line.rstrip()) for line in fields) <= 80
    assert held.startswith("email is held: rejected: no such domain. Way out: ")
    assert "@b.example" not in shown.out
    (account,) = known.run("explain", "E1001", "--field", "first_name", "--json").document["accounts"]
    (field,) = account["fields"]
    assert (field["desired"], field["observed"], field["expression"]) == ("Anna", "Anne", "given_name")
    assert (field["set_by"]["event"], field["why"][0]["text"]) == ("ev-1", "the next sync sends it")


def test_identity_show_tells_attributes_with_their_events_and_the_accounts(known: Installation) -> None:
    shown = known.run("identity", "show", "E1001", "--json").document
    assert (shown["subject"], shown["revision"], shown["wake_at"]) == ("E1001", 1, None)
    told = {name: (held["value"], held["event"]) for name, held in shown["attributes"].items()}
    assert told == {
        "email": ("(masked)", "ev-1"),
        "given_name": ("Anna", "ev-1"),
        "user_name": ("anna", "ev-1"),
    }
    assert [(one["target"], one["remote_id"], one["state"]) for one in shown["accounts"]] == [
        ("awx_prod", "7", "1 held, due")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "--event", "ev-9"], "'ev-9' is neither a file nor the id of a stored event"),
        (["explain", "E1002"], "no event ever spoke of 'E1002' (did you mean E1001?)"),
        (["explain", "E1001", "--field", "emial"], "did you mean email?"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_shown_is_explained(known: Installation, words: list[str], said: str) -> None:
    refused = known.run(*words)
    assert refused.code == 2
    assert said in refused.errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what to plan"),
        (["E1001", "--run", "1"], "SUBJECT and --run: give one of them"),
        (["--event", "-", "--run", "1"], "--event and --run: give one of them"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_one_thing_is_planned_at_a_time(words: list[str], said: str) -> None:
    ended = CliRunner().invoke(main.application(), ["plan", *words])
    assert isinstance(ended.exception, UsageError)
    assert said in str(ended.exception)
