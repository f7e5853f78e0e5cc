"""`hirewire prune` and `hirewire audit archive` as programs: who may, what goes, what is told."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import time_machine

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, Installation, event
from tests.worker.storage.world import rows
from worker.anchors import build_sealer
from worker.storage import tables
from worker.storage.checkpoints import Kind
from worker.storage.signing import new_key
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from pathlib import Path

LONG_AGO = "2026-01-02T00:00:00+00:00"
KEEP = ("audit", "archive", "--keep-days", "30", "--why", "a month is over")


@pytest.fixture
def aged(migrated: Installation) -> Installation:
    """Four events of long ago, folded and sealed, and one of today."""
    private, _ = new_key()
    key = migrated.folder / "audit_key"
    key.touch(mode=0o600)
    key.write_text(private)
    migrated.environ["HIREWIRE_AUDIT__SIGNING_KEY_FILE"] = str(key)
    sealer = build_sealer(migrated.settings, SqlStore(migrated.rows, 2))
    with time_machine.travel(LONG_AGO):
        sealer.begin(Kind.BASELINE, {"by": "cli:mia", "why": "first"})
        migrated.accept(*(event(f"ev-{n}", second=n, title=str(n)) for n in range(4)))
        migrated.fold()
        sealer.seal()
    with migrated.rows.begin() as connection:
        connection.execute(tables.account.update().values(pending_since=None, due_at=None))
    migrated.accept(event("today", second=9, given_name="Mia"))
    sealer.seal()
    return migrated


def events(installation: Installation) -> list[str]:
    return [row.event_id for row in rows(installation.rows, tables.event)]


def test_a_prune_counts_first_and_deletes_when_told_why(aged: Installation) -> None:
    looked = aged.run("prune", "--dry-run", "--json")
    assert (looked.code, looked.document["dry_run"], looked.document["rows"]["events"]) == (0, True, 3)
    assert len(events(aged)) == 5
    assert aged.run("prune").code == 2
    done = aged.run("prune", "--why", "disk", "--json")
    assert (done.code, done.document["rows"]["events"]) == (0, 3)
    assert events(aged) == ["ev-3", "today"]
    assert "0 rows went" in aged.run("prune", "--why", "disk").out


def test_where_operators_exist_only_an_admin_prunes_and_archives(aged: Installation, tmp_path: Path) -> None:
    admin = aged.run("operator", "add", "ann", "--role", "admin", "--json").document["token"]
    aged.environ["HIREWIRE_OPERATOR_TOKEN"] = admin
    other = aged.run("operator", "add", "bob", "--role", "approver", "--json").document["token"]
    aged.environ["HIREWIRE_OPERATOR_TOKEN"] = other
    assert aged.run("prune", "--why", "disk").code == 2
    assert aged.run(*KEEP, "--to", str(tmp_path)).code == 2
    assert (len(events(aged)), list(tmp_path.glob("audit-*"))) == (5, [])
    assert aged.run("prune", "--dry-run").code == 0
    aged.environ["HIREWIRE_OPERATOR_TOKEN"] = admin
    assert aged.run("prune", "--why", "disk").code == 0


def test_an_archive_is_written_told_and_verified_with_the_database(aged: Installation) -> None:
    folder = aged.folder / "archives"
    folder.mkdir()
    done = aged.run(*KEEP, "--to", str(folder), "--json")
    assert (done.code, done.document["streams"], done.document["dropped"]) == (0, {"intake": [1, 4]}, 4)
    (file,) = folder.iterdir()
    assert file.name == done.document["file"].rpartition("/")[2]
    assert aged.run("audit", "seal").code == 0
    plain = aged.run("audit", "verify", "--json")
    assert (plain.code, any(file.name in note for note in plain.document["notes"])) == (0, True)
    whole = aged.run("audit", "verify", "--archives", str(folder), "--json")
    assert (whole.code, whole.document["records"]) == (0, plain.document["records"] + 4)
    file.write_text(file.read_text().replace("ev-2", "ev-7"))
    broken = aged.run("audit", "verify", "--archives", str(folder), "--json")
    assert (broken.code, broken.document["breaks"][0]["seq"]) == (1, 3)
    file.unlink()
    assert aged.run("audit", "verify", "--archives", str(folder)).code == 2


@pytest.mark.slow
def test_a_backup_from_before_an_archive_is_restored_as_any_other(aged: Installation) -> None:
    backup = aged.folder / "backup.db"
    with aged.rows.connect() as connection:
        connection.connection.driver_connection.execute("VACUUM INTO ?", (str(backup),))  # type: ignore[union-attr]
    assert aged.run(*KEEP, "--to", str(aged.folder)).code == 0
    assert aged.run("audit", "seal").code == 0
    aged.rows.dispose()
    for file in aged.state_dir.glob("hirewire.db*"):
        file.unlink()
    backup.rename(aged.state_dir / "hirewire.db")
    assert aged.run("audit", "verify").code == 1
    assert aged.run("restore", "--why", "disk lost").code == 0
    whole = aged.run("audit", "verify", "--archives", str(aged.folder), "--json")
    assert (whole.code, whole.document["breaks"]) == (0, [])
    assert "no segment is that old" in aged.run(*KEEP, "--to", str(aged.folder)).out


@pytest.mark.slow
def test_nothing_that_reads_the_audit_misses_what_was_archived(aged: Installation) -> None:
    folder = aged.folder / "archives"
    folder.mkdir()
    assert aged.run(*KEEP, "--to", str(folder)).code == 0
    assert aged.run("prune", "--why", "disk").code == 0
    shown = aged.run("identity", "show", "E1001", "--json")
    assert shown.document["attributes"]["title"]["event"] == "ev-3"
    for words in (
        ["status"],
        ["explain", "E1001"],
        ["plan", "E1001"],
        ["audit", "story", "E1001"],
        ["audit", "list"],
        ["audit", "export"],
        ["held"],
        ["runs", "list"],
    ):
        ended = aged.run(*words)
        assert ended.code == 0, (words, ended)


@pytest.mark.parametrize(
    "words",
    [["--until", "2026-01-03", "--keep-days", "9"], ["--until", "2999-01-01"]],
    ids=["both", "too young"],
)
def test_an_archive_says_what_is_wrong_with_its_moment(
    migrated: Installation, tmp_path: Path, words: list[str]
) -> None:
    ended = migrated.run("audit", "archive", "--to", str(tmp_path), "--why", "old", *words)
    assert (ended.code, ended.errors.startswith("hirewire: ")) == (2, True)


def test_how_long_the_audit_stays_may_stand_in_the_configuration(aged: Installation) -> None:
    aged.environ["HIREWIRE_RETENTION__AUDIT_DAYS"] = "30"
    done = aged.run("audit", "archive", "--to", str(aged.folder), "--why", "a month is over")
    assert (done.code, "intake  1 to 4" in done.out) == (0, True)
    again = aged.run("audit", "archive", "--to", str(aged.folder), "--why", "a month is over")
    assert "no segment is that old" in again.out


def test_events_cannot_be_kept_for_less_than_senders_are_promised(migrated: Installation) -> None:
    migrated.environ["HIREWIRE_RETENTION__EVENTS_DAYS"] = "29"
    ended = migrated.run("prune", "--dry-run")
    assert (ended.code, "retention.events_days: must be 30 or more" in ended.errors) == (2, True)


def test_ctrl_c_ends_a_prune_after_its_page_and_tells_what_went(aged: Installation) -> None:
    now = rows(aged.rows, tables.event)[-1].accepted_at
    bodies = {"source": "hr", "pointer": "/id", "reason": "x", "body": b"x", "at": now - 9 * 86_400}
    with aged.rows.begin() as connection:
        connection.execute(tables.refused_body.insert(), [bodies] * 30_000)
    process = aged.start("prune", "--why", "disk")
    until(lambda: left(aged) < 30_000, "the first page")
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 130
    assert f"{30_000 - left(aged)} rows went" in aged.log("prune")
    assert left(aged) > 0


def left(installation: Installation) -> int:
    with installation.rows.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.refused_body)).scalar_one()
