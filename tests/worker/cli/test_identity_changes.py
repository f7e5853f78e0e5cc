"""`hirewire identity rekey` and `merge`, as people call them."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.worker.cli.conftest import LIMIT_S, event
from tests.worker.cli.test_deciding import WHY, audited
from worker.domain.operator import Principal, Role
from worker.engine.operators import Operators
from worker.storage.store import SqlStore
from worker.storage.tables import account

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

BOTH = ("E1001", "E2044")


@pytest.fixture
def known(migrated: Installation) -> Installation:
    """E1001 left, E2044 has the same name and address; nothing runs."""
    migrated.accept(
        event("ev-1", kind="joined", user_name="anna", email="anna@example.com"),
        event("ev-2", second=1, active=False),
        event("ev-3", "E2044", "joined", second=2, user_name="a.berg", email="anna@example.com"),
    )
    migrated.fold()
    return migrated


@pytest.fixture
def trusted(known: Installation) -> Installation:
    """Whose commands have the token of an admin, who may approve as well."""
    operators = Operators(SqlStore(known.rows, known.settings.engine.shards))
    known.environ["HIREWIRE_OPERATOR_TOKEN"] = operators.add("root", Role.ADMIN, Principal("cli:test"))
    return known


def actions(installation: Installation) -> list[object]:
    return [entry["action"] for entry in audited(installation)]


def accounts(installation: Installation) -> int:
    with installation.rows.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(account)).scalar_one()


def test_both_need_the_token_of_an_approver(known: Installation) -> None:
    for words in (("rekey", "E1001", "P-1"), ("merge", *BOTH, "--yes"), ("merge", *BOTH, "--dry-run")):
        refused = known.run("identity", *words, *WHY)
        assert refused.code == 2
        assert "needs the token of an operator with the role approver" in refused.errors
    assert actions(known) == ["operator:access:refused"] * 3


def test_a_rekeyed_person_is_found_by_either_number(trusted: Installation) -> None:
    rehearsed = trusted.run("identity", "rekey", "E1001", "P-1", *WHY, "--dry-run", "--json")
    assert rehearsed.document == {"subject": "P-1", "alias": "E1001", "revision": 2, "done": False}
    assert trusted.run("identity", "show", "P-1").code == 2
    done = trusted.run("identity", "rekey", "E1001", "P-1", *WHY)
    assert done.out == "E1001 is P-1 from now on; events of both reach this person, nothing is sent\n"
    for subject in ("E1001", "P-1"):
        shown = trusted.run("identity", "show", subject)
        assert "P-1, revision 2" in shown.out
        assert "E1001 was the HR key, " in shown.out
    assert '"subject": "P-1"' in trusted.run("plan", "E1001", "--json").out
    again = trusted.run("identity", "rekey", "P-1", "E2044", *WHY)
    assert (again.code, "`hirewire identity merge P-1 E2044" in again.errors) == (2, True)


def test_a_merge_is_shown_and_without_a_yes_nothing_is_merged(trusted: Installation) -> None:
    """Neither in a pipe, where nobody can be asked, nor at a terminal where somebody says no."""
    piped = trusted.run("identity", "merge", *BOTH, *WHY)
    assert piped.code == 2
    assert "agrees    email\n" in piped.errors
    assert 'stays     user_name: E1001 "anna", E2044 "a.berg" → "a.berg"\n' in piped.errors
    assert "account   awx_prod: neither has one\n" in piped.errors
    assert "say --yes" in piped.errors
    main, terminal = pty.openpty()
    asked = trusted.start("identity", "merge", *BOTH, *WHY, stdin=terminal)
    os.write(main, b"n\n")
    assert asked.wait(LIMIT_S) == 1
    os.close(main)
    os.close(terminal)
    assert "Are E1001 and E2044 one person?" in trusted.log("identity")
    assert (accounts(trusted), actions(trusted)) == (2, ["operator:add:bootstrap"])


def test_merged_people_are_one(trusted: Installation) -> None:
    backwards = trusted.run("identity", "merge", "E2044", "E1001", *WHY, "--dry-run", "--json").document
    assert (backwards["done"], backwards["attributes"]["active"]["after"]) == (False, True)
    done = trusted.run("identity", "merge", *BOTH, *WHY, "--yes", "--json")
    assert (done.code, done.document["into"], done.document["done"]) == (0, "E2044", True), done
    assert accounts(trusted) == 1
    shown = trusted.run("identity", "show", "E1001", "--json").document
    assert (shown["subject"], shown["attributes"]["active"]["value"]) == ("E2044", True)
    assert [(one["subject"], one["by"], one["merged"]) for one in shown["aliases"]] == [
        ("E1001", "operator:root", True)
    ]
    story = trusted.run("audit", "story", "E1001").out
    assert all(name in story for name in ("ev-1", "ev-2", "ev-3", "merged"))
    again = trusted.run("identity", "merge", *BOTH, *WHY, "--yes")
    assert (again.code, "E1001 is an alias of E2044" in again.errors) == (2, True)


def test_who_would_become_a_leaver_is_said(trusted: Installation) -> None:
    calm = trusted.run("identity", "merge", *BOTH, *WHY, "--dry-run")
    assert "take care" not in calm.out
    trusted.accept(event("ev-4", second=9, active=False))
    trusted.fold()
    told = trusted.run("identity", "merge", *BOTH, *WHY, "--dry-run")
    assert "changes   active: E1001 false, E2044 true → false\n" in told.out
    assert "take care E2044 would count as a leaver" in told.out


def test_values_that_are_masked_are_masked_here_too(trusted: Installation) -> None:
    trusted.configuration.write_text(f"{trusted.configuration.read_text()}\n[audit]\nmasked = ['email']\n")
    for more in ((), ("--json",)):
        shown = trusted.run("identity", "merge", *BOTH, *WHY, "--dry-run", *more)
        assert shown.code == 0, shown
        assert "anna@example.com" not in shown.out
