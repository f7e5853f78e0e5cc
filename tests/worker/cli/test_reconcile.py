"""`hirewire reconcile` and `runs drift`: what is asked for is written down, what was found is shown."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from connectors.sdk.model import Change
from worker.domain.drift import Cause
from worker.engine.comparing import Found
from worker.engine.reconcile_ports import Drift
from worker.engine.rows import RunState
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

ROWS = (
    Drift("7", 1, "E1001", "first_name", Cause.CHANGED, "Anna", None, mends=True, asked_at=1.0),
    Drift("8", 2, "=E1002", "is_superuser", Cause.HELD, True, False, mends=False, asked_at=1.0),
    Drift("9", None, None, "@account", Cause.STRANGER, None, "nadia", mends=False, asked_at=1.0),
)


@pytest.fixture
def asked(migrated: Installation) -> Installation:
    """Run 1 was asked for; nothing carries it out."""
    answer = migrated.run("reconcile", "awx_prod", "--why", "after a restore", "--no-wait", "--json")
    started = [{"run": 1, "target": "awx_prod", "state": "waiting"}]
    assert (answer.code, answer.document) == (0, {"runs": started})
    return migrated


@pytest.fixture
def found(asked: Installation) -> Installation:
    """Run 1 is over, and found three differences."""
    counts = Found(listed=3, linked=2, differing=2, strangers=1).as_json()
    with SqlStore(asked.rows, 2).begin() as tx:
        run = tx.runs.take(1)
        assert run is not None
        tx.drifts.add(1, ROWS)
        tx.drifts.tell(1, 1, {"first_name": Change("first_name", None, "ops", "2026-11-23T01:48:12Z")})
        tx.runs.save(replace(run, state=RunState.DONE, note={"found": counts}, done=3, total=3), tx.now)
    return asked


def test_what_cannot_be_reconciled_is_not_asked_for(migrated: Installation) -> None:
    calls = (
        ["reconcile", "awx_prod"],
        ["reconcile", "awx_prod", "--why", " "],
        ["reconcile", "awx_pro", "--why", "x"],
        ["reconcile", "awx_prod", "--why", "x", "--policy", "mend"],
        ["reconcile", "awx_prod", "--why", "x", "--json", "--csv"],
    )
    answers = [migrated.run(*words) for words in calls]
    assert [answer.code for answer in answers] == [2] * len(calls)
    assert "did you mean awx_prod" in answers[2].errors


def test_a_second_one_is_refused_and_names_the_first(asked: Installation) -> None:
    answer = asked.run("reconcile", "awx_prod", "--why", "again", "--no-wait")
    assert answer.code == 2
    assert "awx_prod is reconciled by run 1 already, which is waiting" in answer.errors


def test_the_drift_table_is_text_json_and_csv(found: Installation) -> None:
    text = found.run("runs", "drift", "1")
    assert text.code == 0
    assert "3 accounts listed, 2 of them linked; 2 differ" in text.out
    assert "first_name" in text.out
    assert "changed by" in text.out
    rows: list[Any] = found.run("runs", "drift", "1", "--format", "json").document["drift"]
    assert [(row["subject"], row["cause"], row["wanted"], row["observed"]) for row in rows] == [
        ("E1001", "changed", "Anna", None),
        ("=E1002", "held", True, False),
        (None, "stranger", None, "nadia"),
    ]
    assert [(row["changed_by"], row["changed_at"]) for row in rows] == [
        ("ops", "2026-11-23T01:48:12Z"),
        (None, None),
        (None, None),
    ]
    lines = [*csv.DictReader(io.StringIO(found.run("runs", "drift", "1", "--format", "csv").out))]
    assert [line["subject"] for line in lines] == ["E1001", "'=E1002", ""]
    assert [json.loads(line["observed"]) for line in lines] == [None, False, "nadia"]


def test_a_run_of_another_kind_has_no_drift(found: Installation) -> None:
    found.run("resync", "--all", "--why", "x", "--no-wait")
    assert found.run("runs", "drift", "2").code == 2
    assert "2 differ" in found.run("runs", "show", "1").out
    assert found.run("runs", "show", "1", "--json").document["note"]["found"]["strangers"] == 1
