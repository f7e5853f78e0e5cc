"""`hirewire account link` and `unlink`, as people call them."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.worker.cli.conftest import LIMIT_S, event, point_at
from tests.worker.cli.test_deciding import WHY, audited
from worker.domain.operator import Principal, Role
from worker.engine.operators import Operators
from worker.storage.store import SqlStore
from worker.storage.tables import account

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.cli.conftest import Installation

WHOM = ("E1001", "--target", "awx_prod")


@pytest.fixture
def known(migrated: Installation, awx_target: ReferenceTarget) -> Installation:
    """E1001 is known, and the target answers; nothing runs."""
    point_at(migrated, "redis://127.0.0.1:1/0", awx_target)
    migrated.accept(event("ev-1", kind="joined", user_name="a.berg", email="anna.berg@example.com"))
    migrated.fold()
    return migrated


@pytest.fixture
def trusted(known: Installation) -> Installation:
    """Whose commands have the token of an admin, who may approve as well."""
    operators = Operators(SqlStore(known.rows, known.settings.engine.shards))
    known.environ["HIREWIRE_OPERATOR_TOKEN"] = operators.add("root", Role.ADMIN, Principal("cli:test"))
    return known


def linked_to(installation: Installation) -> str | None:
    with installation.rows.connect() as connection:
        found: str | None = connection.execute(sa.select(account.c.remote_id)).scalar_one()
    return found


def actions(installation: Installation) -> list[object]:
    return [entry["action"] for entry in audited(installation)]


def id_of_anna(target: ReferenceTarget) -> str:
    return str(target.users()["anna.berg"]["id"])


def test_a_link_needs_the_token_of_an_approver(known: Installation) -> None:
    refused = known.run("account", "link", *WHOM, "--id", "2", "--yes", *WHY)
    assert refused.code == 2
    assert "needs the token of an operator with the role approver" in refused.errors
    assert actions(known) == ["operator:access:refused"]


def test_a_link_is_shown_as_json_and_taken_away_again(
    trusted: Installation, awx_target: ReferenceTarget
) -> None:
    anna = id_of_anna(awx_target)
    done = trusted.run("account", "link", *WHOM, "--id", anna, *WHY, "--yes", "--json")
    assert (done.code, done.document["remote_id"], done.document["agrees"]) == (0, anna, ["email"]), done
    assert linked_to(trusted) == anna
    gone = trusted.run("account", "unlink", *WHOM, *WHY)
    assert (
        gone.out == f"E1001 is not linked to {anna} at awx_prod any more, and held until somebody decides\n"
    )
    planned = trusted.run("plan", "E1001", "--json")
    assert '"verdict": "held"' in planned.out
    assert "`hirewire account link` names the right account" in planned.out
    assert awx_target.writes() == []
    assert actions(trusted)[1:] == ["account:link:decided", "account:unlink:decided"]


def test_who_would_be_linked_is_shown_and_without_a_yes_nothing_is(
    trusted: Installation, awx_target: ReferenceTarget
) -> None:
    """Neither in a pipe, where nobody can be asked, nor at a terminal where somebody says no."""
    anna = id_of_anna(awx_target)
    piped = trusted.run("account", "link", *WHOM, "--id", anna, *WHY)
    assert piped.code == 2
    assert f'account   {anna} at awx_prod, called "anna.berg"\n' in piped.errors
    assert 'differs   username: "anna.berg" → "a.berg" as HR says\n' in piped.errors
    assert "say --yes" in piped.errors
    main, terminal = pty.openpty()
    asked = trusted.start("account", "link", *WHOM, "--id", anna, *WHY, stdin=terminal)
    os.write(main, b"n\n")
    assert asked.wait(LIMIT_S) == 1
    os.close(main)
    os.close(terminal)
    assert "Link them?" in trusted.log("account")
    assert linked_to(trusted) is None


def test_what_is_wrong_is_said(known: Installation) -> None:
    refused = known.run("account", "unlink", "E1001", "--target", "awx_prd", *WHY)
    assert (refused.code, "did you mean awx_prod?" in refused.errors) == (2, True)
