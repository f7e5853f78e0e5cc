"""`hirewire operator`, `hirewire held …` and `hirewire targets pause|resume`, as people call them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.worker.cli.conftest import Answer, event
from worker.domain.account import Hold, Reason
from worker.storage.codec import held_state
from worker.storage.tables import account, audit, decision, target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worker.cli.conftest import Installation

HELD = ("E1001", "--target", "awx_prod")
WHY = ("--why", "ticket 4711")


@pytest.fixture
def known(migrated: Installation) -> Installation:
    """E1001 is known, and has two held fields; nothing runs."""
    migrated.accept(event("ev-1", kind="joined", user_name="anna", email="a@b.example"))
    migrated.fold()
    holds = {
        "email": Hold(Reason.REJECTED, "no such domain", "hash-1", 1.0),
        "is_superuser": Hold(Reason.PRIVILEGED, "is denied", "hash-2", 1.0),
    }
    with migrated.rows.begin() as connection:
        connection.execute(sa.update(account).values(held=held_state(holds), due_at=None))
    return migrated


def token_of(installation: Installation, name: str, role: str, admin: str | None = None) -> str:
    env = {"HIREWIRE_OPERATOR_TOKEN": admin} if admin else {}
    added = installation.run("operator", "add", name, "--role", role, "--json", env=env)
    assert added.code == 0, added
    token: str = added.document["token"]
    return token


def test_a_token_for_other_targets_pauses_nothing(migrated: Installation) -> None:
    admin = token_of(migrated, "root", "admin")
    env = {"HIREWIRE_OPERATOR_TOKEN": admin}
    wrong = migrated.run("operator", "add", "sam", "--role", "operator", "--target", "awx_prd", env=env)
    assert (wrong.code, "did you mean awx_prod?" in wrong.errors) == (2, True)
    scoped = ("operator", "add", "sam", "--role", "operator", "--target", "awx_prod", "--json")
    sam = {"HIREWIRE_OPERATOR_TOKEN": migrated.run(*scoped, env=env).document["token"]}
    assert migrated.run("targets", "pause", "awx_prod", *WHY, env=sam).code == 0
    everywhere = migrated.run("resync", "--all", "--no-wait", *WHY, env=sam)
    assert (everywhere.code, "good for awx_prod only" in everywhere.errors) == (2, True)
    assert audited(migrated)[-1]["reason"] == "scope"


def decisions(installation: Installation) -> list[tuple[str, str, str]]:
    with installation.rows.connect() as connection:
        query = sa.select(decision.c.word, decision.c.field, decision.c.decided_by).order_by(decision.c.id)
        return [(row.word, row.field, row.decided_by) for row in connection.execute(query)]


def audited(installation: Installation) -> list[dict[str, object]]:
    with installation.rows.connect() as connection:
        texts = connection.scalars(sa.select(audit.c.text).where(audit.c.stream == "operators"))
        return [json.loads(text) for text in texts]


def test_an_approval_without_a_token_is_always_refused(known: Installation) -> None:
    for word in ("approve", "reject"):
        refused = known.run("held", word, *HELD, "--field", "is_superuser", *WHY)
        assert refused.code == 2
        assert "needs the token of an operator with the role approver" in refused.errors
        assert "operator add NAME --role admin" in refused.errors
    assert decisions(known) == []
    assert [entry["action"] for entry in audited(known)] == ["operator:access:refused"] * 2


def test_before_there_is_an_operator_the_user_of_the_machine_may_retry(known: Installation) -> None:
    """And afterwards only an operator."""
    done = known.run("held", "retry", *HELD, "--field", "email", *WHY)
    assert (done.code, done.out) == (0, "email of E1001 at awx_prod is looked at again\n")
    admin = token_of(known, "root", "admin")
    viewer = token_of(known, "vera", "viewer", admin)
    for env in ({}, {"HIREWIRE_OPERATOR_TOKEN": viewer}, {"HIREWIRE_OPERATOR_TOKEN": "hw_wrong"}):
        assert known.run("held", "discard", *HELD, "--field", "email", *WHY, env=env).code == 2
    bert = {"HIREWIRE_OPERATOR_TOKEN": token_of(known, "bert", "operator", admin)}
    assert known.run("held", "discard", *HELD, "--field", "email", *WHY, env=bert).code == 0
    (first, second) = decisions(known)
    assert first[:2] == ("retry", "email")
    assert first[2].startswith("cli:")
    assert second == ("discard", "email", "operator:bert")
    with known.rows.connect() as connection:
        row = connection.execute(sa.select(account)).one()
    assert (row.decided, row.due_at is not None, set(row.held)) == (2, True, {"email", "is_superuser"})


def test_what_is_held_is_listed_with_and_without_a_word(known: Installation) -> None:
    plain, listed = known.run("held", "--json"), known.run("held", "list", "--json")
    assert plain.document == listed.document
    assert [item["field"] for item in plain.document["held"]] == ["email", "is_superuser"]


def test_show_tells_before_after_reason_and_hash(known: Installation) -> None:
    shown = known.run("held", "show", *HELD, "--field", "email")
    assert "rejected: no such domain" in shown.out
    assert 'after     "a@b.example"' in shown.out
    assert "held:hash-1" in shown.out
    document = known.run("held", "show", *HELD, "--json").document
    assert [held["may_be_approved"] for held in document["held"]] == [False, False]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["held", "retry", *HELD, *WHY], "name one with --field: email, is_superuser"),
        (["held", "retry", *HELD, "--field", "phone", *WHY], "phone of E1001 at awx_prod is not held"),
        (["held", "retry", *HELD, "--field", "email", "--why", " "], "--why needs a reason"),
        (["held", "retry", "E1002", "--target", "awx_prod", *WHY], "no event ever spoke of 'E1002'"),
        (["held", "show", "E1001", "--target", "awx_prd"], "did you mean awx_prod?"),
        (["targets", "pause", "awx_prd", *WHY], "did you mean awx_prod?"),
        (["operator", "revoke", "nobody", *WHY], "needs the token of an operator"),
        (["operator", "add", "x", "--role", "admin", "--expires", "soon"], "say 8h or 90d"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_explained(known: Installation, words: list[str], said: str) -> None:
    refused = known.run(*words)
    assert refused.code == 2
    assert said in refused.errors


def test_a_policy_of_deny_cannot_be_approved(known: Installation, tmp_path: Path) -> None:
    admin = token_of(known, "root", "admin")
    file = tmp_path / "token"
    file.touch(mode=0o600)
    file.write_text(token_of(known, "alice", "approver", admin))
    words = ("held", "approve", *HELD, "--field", "is_superuser", *WHY, "--token-file", str(file))
    refused = known.run(*words)
    assert refused.code == 2
    assert 'privileged.is_superuser = "deny"' in refused.errors
    file.chmod(0o644)
    assert "chmod 600" in known.run(*words).errors


def test_a_target_is_paused_and_resumed_with_a_reason(known: Installation) -> None:
    assert known.run("targets", "pause", "awx_prod", "--why", "maintenance").code == 0
    listed = known.run("targets", "--json").document["targets"]
    assert (listed[0]["state"], "maintenance" in listed[0]["reason"]) == ("paused", True)
    assert known.run("status").code == 1
    resumed: Answer = known.run("targets", "resume", "awx_prod", "--why", "over")
    assert resumed.out == "awx_prod is resumed\n"
    with known.rows.connect() as connection:
        assert connection.scalar(sa.select(target.c.state)) == "active"


def test_operators_are_listed_without_their_tokens(known: Installation) -> None:
    admin = token_of(known, "root", "admin")
    shown = known.run("operator", "list", "--json")
    assert [(row["name"], row["role"], row["state"]) for row in shown.document["operators"]] == [
        ("root", "admin", "active")
    ]
    assert admin not in shown.out
