"""`hirewire import` and `hirewire replay` as programs: what they say, refuse and leave behind."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.benchmarks.import_memory import MAPPED, peak_of_rehearsal
from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event, settled
from worker.storage.tables import audit, run, snapshot, staged_event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worker.cli.conftest import Installation

HEADER = "Personalnummer,Login,Vorname,aktiv"
ASKED = ("--source", "hr", "--why", "the monthly list")


def staff(installation: Installation, *rows: str) -> str:
    return installation.file(HEADER, *rows, name="staff.csv")


def rows(installation: Installation, table: sa.Table) -> int:
    with installation.rows.connect() as connection:
        return connection.scalars(sa.select(sa.func.count()).select_from(table)).one()


@pytest.mark.stack
def test_a_list_is_imported_once(working: Installation) -> None:
    name = staff(working, "E1001,anna,Anna,yes", "E1002,bert,Bert,no")
    first = working.run("import", name, *MAPPED, *ASKED, "--json")
    assert first.code == 0, first
    assert {first.document[key] for key in ("state", "rows", "people", "refused")} == {"done", 2, 0}
    until(settled(working.looking, 2), "both are settled")
    again = working.run("import", name, *MAPPED, *ASKED)
    assert (again.code, "was imported by run 1 already" in again.out) == (0, True)
    assert rows(working, run) == 1


def test_a_dry_run_tells_what_would_change_and_keeps_nothing(migrated: Installation) -> None:
    name = staff(migrated, "E1001,anna,Anna,yes", "E1002,bert,Bert,perhaps")
    seen = migrated.run("import", name, *MAPPED, *ASKED, "--dry-run")
    assert seen.code == 1, seen
    assert "refused  staff.csv:3 (E1002)  /aktiv: is neither a word for yes nor one for no" in seen.out
    assert "awx_prod: 1 would change; 1 of them do not exist yet" in seen.out
    assert "nothing was imported (--dry-run)" in seen.out
    assert (rows(migrated, staged_event), rows(migrated, snapshot)) == (0, 0)
    assert "nothing ever" not in seen.errors
    assert migrated.run("identity", "show", "E1001").code == 2


def test_what_cannot_be_imported_is_said_before_anything_is_staged(
    migrated: Installation, tmp_path: Path
) -> None:
    name = staff(migrated, "E1001,anna,Anna,yes")
    wrong = {
        "no source is called 'hrs' (did you mean hr?)": ("import", name, "--source", "hrs", "--why", "x"),
        "no column says who a row is about": ("import", name, *ASKED),
        "has no column 'Logn'": (
            "import",
            name,
            *ASKED,
            "--map=subject=Personalnummer",
            "--map=user_name=Logn",
        ),
        "no authority over department": ("import", name, *ASKED, "--map=department=Vorname"),
        "is no attribute": ("import", name, *ASKED, "--map=salary=Vorname"),
        "is no time": ("import", name, *ASKED, "--as-of", "yesterday"),
        "is no file": ("import", str(tmp_path / "nothing.csv"), *ASKED),
        "--why needs a reason": ("import", name, "--source", "hr", "--why", " "),
    }
    for words, call in wrong.items():
        seen = migrated.run(*call)
        assert (seen.code, words in seen.errors) == (2, True), (words, seen)
    assert rows(migrated, staged_event) == 0


def test_ctrl_c_while_a_file_is_read_leaves_nothing_that_acts(migrated: Installation) -> None:
    fifo = migrated.folder / "slow.ndjson"
    os.mkfifo(fifo)
    lines = "".join(event(f"e{n}", user_name=f"u{n}") + "\n" for n in range(2))
    name = migrated.file(*lines.splitlines() * 1, name="events.ndjson")
    assert migrated.run("import", str(fifo), *ASKED).code == 2  # cannot be read twice, so it is no file
    big = migrated.file(
        *(event(f"e{n}", f"E{n}", user_name=f"u{n}") for n in range(20_000)), name="big.ndjson"
    )
    process = migrated.start("import", big, *ASKED)
    until(lambda: rows(migrated, staged_event) > 0, "some of it is staged")
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 130
    assert "nothing of big.ndjson was imported" in migrated.log("import")
    assert rows(migrated, staged_event) == 0
    assert migrated.run("import", name, *ASKED, "--no-wait").code == 0


def test_an_import_is_asked_for_by_somebody_who_may(migrated: Installation) -> None:
    name = staff(migrated, "E1001,anna,Anna,yes")
    assert migrated.run("operator", "add", "ada", "--role", "admin").code == 0
    refused = migrated.run("import", name, *MAPPED, *ASKED)
    assert (refused.code, rows(migrated, run)) == (2, 0)
    with migrated.rows.connect() as connection:
        texts = connection.scalars(sa.select(audit.c.text).where(audit.c.stream == "operators")).all()
    assert any("run:import" in text for text in texts)


def test_a_replay_tells_whom_it_would_be_about(migrated: Installation) -> None:
    migrated.accept(event("ev-1", user_name="anna"), event("ev-2", "E1002", user_name="bert"))
    migrated.fold()
    words = ("replay", "--target", "awx_prod", "--why", "new", "--dry-run", "--json")
    whole = migrated.run(*words)
    assert (whole.code, whole.document["people"]) == (0, 2), whole
    assert migrated.run(*words, "--from", "ev-2").document["people"] == 1
    assert migrated.run(*words, "E1001").document["people"] == 1
    assert migrated.run(*words, "--since", "1h").document["people"] == 2
    assert migrated.run(*words, "--from", "ev-9").code == 2
    assert rows(migrated, run) == 0
    written = migrated.run("replay", "--target", "awx_prod", "--why", "new", "--no-wait", "--json")
    assert written.document["state"] == "waiting"


@pytest.mark.slow
def test_the_memory_of_an_import_does_not_grow_with_the_file(migrated: Installation) -> None:
    """`python -m tests.benchmarks.import_memory` measures 200,000 lines."""
    few, many = (peak_of_rehearsal(migrated, lines) for lines in (1_000, 8_000))
    assert many < few + 24 * 1024, (few, many)
    assert rows(migrated, staged_event) == 0
