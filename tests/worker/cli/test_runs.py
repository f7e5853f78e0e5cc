"""`hirewire runs`: what a held run would change, and who decides on it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from worker.cli.broker import NoSignals
from worker.domain.operator import Principal, Role
from worker.engine.operators import Operators
from worker.engine.rows import Run, RunState
from worker.engine.run_desk import RunDesk
from worker.storage.store import SqlStore
from worker.storage.tables import audit

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

COUNTED: dict[str, Any] = {
    "accounts": 30,
    "chain": "aa11",
    "changed": {"awx_prod": 9},
    "created": {"awx_prod": 0},
    "fields": {"first_name": 8, "email": 2},
}


@pytest.fixture
def store(migrated: Installation) -> SqlStore:
    return SqlStore(migrated.rows, 2)


@pytest.fixture
def held(store: SqlStore) -> Run:
    """A resync that tom asked for."""
    with store.begin() as tx:
        fresh = tx.runs.create("resync", {"targets": ["awx_prod"]}, "operator:tom", tx.now)
        note = {"counted": COUNTED, "held": {"awx_prod": 30}}
        run = replace(fresh, state=RunState.HELD, total=30, plan_hash="aa11", note=note)
        tx.runs.save(run, tx.now)
    return run


def token(store: SqlStore, name: str, role: Role) -> dict[str, str]:
    """The environment of an operator of that name."""
    operators = Operators(store)
    admin = Principal("ada", Role.ADMIN)
    if not operators.exist():
        operators.add("ada", Role.ADMIN, Principal("cli:root"))
    return {"HIREWIRE_OPERATOR_TOKEN": operators.add(name, role, admin)}


def state_of(store: SqlStore, run: Run) -> Run:
    with store.begin() as tx:
        found = tx.runs.take(run.id)
    assert found is not None
    return found


def test_what_a_held_run_would_change_is_shown(migrated: Installation, held: Run) -> None:
    listed = migrated.run("runs", "list", "--json")
    assert [(item["run"], item["state"]) for item in listed.document["runs"]] == [(held.id, "held")]
    shown = migrated.run("runs", "show", str(held.id))
    assert "awx_prod: 9 would change of 30 accounts, which is too much" in shown.out
    assert "fields: email (2), first_name (8)" in shown.out
    assert "runs approve" in shown.errors
    assert migrated.run("runs", "show", "404").code == 2


def test_only_an_approver_who_did_not_ask_for_it_lets_a_run_go_on(
    migrated: Installation, store: SqlStore, held: Run
) -> None:
    words = ("runs", "approve", str(held.id), "--why", "reviewed")
    assert migrated.run(*words).code == 2
    for name, role in (("olga", Role.OPERATOR), ("tom", Role.APPROVER)):
        assert migrated.run(*words, env=token(store, name, role)).code == 2
    assert state_of(store, held).state == RunState.HELD
    done = migrated.run(*words, env=token(store, "carla", Role.APPROVER))
    assert done.code == 0, done
    after = state_of(store, held)
    assert (after.state, after.note["approved"]) == (RunState.JUDGING, "aa11")
    with migrated.rows.connect() as connection:
        query = sa.select(audit.c.action).where(audit.c.action.startswith("run:")).order_by(audit.c.id)
        assert list(connection.scalars(query)) == ["run:resync:refused", "run:resync:approved"]


def test_a_run_is_cancelled_once(migrated: Installation, store: SqlStore, held: Run) -> None:
    operator = token(store, "olga", Role.OPERATOR)
    words = ("runs", "cancel", str(held.id), "--why", "by mistake")
    assert [migrated.run(*words, env=operator).code for _ in range(2)] == [0, 2]
    assert state_of(store, held).state == RunState.CANCELLED


def test_who_asked_for_a_run_and_who_decided_is_shown_with_the_reason(
    migrated: Installation, store: SqlStore
) -> None:
    desk = RunDesk(store, NoSignals())
    asked = desk.request_resync({"targets": ["awx_prod"], "held": True}, "operator:tom", "mended by hand")
    desk.cancel(asked.id, Principal("olga", Role.OPERATOR), "by mistake")
    shown = migrated.run("runs", "show", str(asked.id))
    assert shown.code == 0, shown
    assert "requested by operator:tom: mended by hand" in shown.out
    assert "cancelled by operator:olga: by mistake" in shown.out
    assert "awx_prod; held" in shown.out
    told = migrated.run("runs", "show", str(asked.id), "--json").document["told"]
    assert [(one["word"], one["why"]) for one in told] == [
        ("requested", "mended by hand"),
        ("cancelled", "by mistake"),
    ]


def test_runs_are_listed_page_by_page(migrated: Installation, store: SqlStore, held: Run) -> None:
    with store.begin() as tx:
        later = tx.runs.create("mapping", {}, "hirewire", tx.now)
    first = migrated.run("runs", "list", "--limit", "1")
    assert f"there are more: --before {later.id}" in first.errors
    second = migrated.run("runs", "list", "--limit", "1", "--before", str(later.id), "--json").document
    assert ([item["run"] for item in second["runs"]], second["more"]) == ([held.id], False)
    assert migrated.run("runs", "list", "--kind", "replay").out == "there was no such run\n"
