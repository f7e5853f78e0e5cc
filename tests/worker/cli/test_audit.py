"""`hirewire audit` and `hirewire restore` as programs: exit codes, files, words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import Installation, event, settled, start_programs
from tests.worker.storage.sealing import cut, rechain, unguarded
from worker.anchors import build_sealer
from worker.storage import tables
from worker.storage.checkpoint_file import walk
from worker.storage.checkpoints import Kind
from worker.storage.seal import ALARM
from worker.storage.signing import new_key, read_public, read_signer
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget


@pytest.fixture
def keyed(migrated: Installation) -> Installation:
    """With a key, a begun checkpoint file, and two sealed events."""
    private, public = new_key()
    (migrated.folder / "audit_key").touch(mode=0o600)
    (migrated.folder / "audit_key").write_text(private)
    (migrated.folder / "audit_key.pub").write_text(public)
    migrated.environ["HIREWIRE_AUDIT__SIGNING_KEY_FILE"] = str(migrated.folder / "audit_key")
    sealer = build_sealer(migrated.settings, SqlStore(migrated.rows, 2))
    sealer.begin(Kind.BASELINE, {"by": "cli:mia", "why": "first"})
    migrated.accept(event("ev-1"), event("ev-2"))
    sealer.seal()
    return migrated


def tamper(installation: Installation, change: object) -> None:
    unguarded(installation.rows)
    assert callable(change)
    with installation.rows.begin() as connection:
        change(connection)


def test_a_key_is_made_and_begins_the_checkpoints(migrated: Installation) -> None:
    """For its owner only, never overwritten, and the public half is all that is shown."""
    file = migrated.folder / "audit_key"
    made = migrated.run("audit", "key", str(file))
    assert (made.code, file.stat().st_mode & 0o777) == (0, 0o600)
    assert (list(read_public(made.out)), "PRIVATE" in made.out + made.errors) == (
        [read_signer(file.read_text()).name],
        False,
    )
    before = file.read_text()
    assert (migrated.run("audit", "key", str(file)).code, file.read_text()) == (2, before)
    migrated.environ["HIREWIRE_AUDIT__SIGNING_KEY_FILE"] = str(file)
    begun = migrated.run("audit", "baseline", "--why", "first", "--json")
    assert (begun.code, begun.document["checkpoint"]["kind"]) == (0, "baseline")
    migrated.accept(event("ev-1"))
    assert "checkpoint 2 in" in migrated.run("audit", "seal").out


def test_a_key_that_everybody_can_read_is_refused(keyed: Installation) -> None:
    (keyed.folder / "audit_key").chmod(0o644)
    ended = keyed.run("audit", "seal")
    assert (ended.code, "chmod 600" in ended.errors) == (2, True)


def test_verify_answers_0_for_whole_and_1_with_the_place(keyed: Installation) -> None:
    whole = keyed.run("audit", "verify", "--json")
    assert (whole.code, whole.document["verdict"], whole.document["records"]) == (0, "whole", 2)
    tamper(keyed, rechain(2, "intake"))
    broken = keyed.run("audit", "verify", "--json")
    assert (broken.code, broken.document["verdict"], broken.document["anchored"]) == (1, "tampered", False)
    assert [(item["stream"], item["seq"]) for item in broken.document["breaks"]] == [("intake", 1)]


def test_verify_answers_2_where_nothing_anchors_the_audit(migrated: Installation) -> None:
    migrated.accept(event("ev-1"))
    bare = migrated.run("audit", "verify", "--json")
    assert (bare.code, bare.document["ok"], bare.document["verdict"]) == (2, True, "unanchored")
    assert "there is no checkpoint file" in bare.document["gaps"][0]


def test_verify_answers_3_where_something_cannot_be_read(keyed: Installation) -> None:
    file = str(keyed.folder / "audit_key.pub")
    assert keyed.run("audit", "verify", "--file", file).code == 3
    checkpoints = keyed.state_dir / "checkpoints.jsonl"
    checkpoints.rename(keyed.folder / "kept")
    checkpoints.mkdir()
    assert keyed.run("audit", "verify").code == 3
    (keyed.state_dir / "hirewire.db").write_bytes(b"no database" * 100)
    for wal in keyed.state_dir.glob("hirewire.db-*"):
        wal.unlink()
    ended = keyed.run("audit", "verify")
    assert (ended.code, "Traceback" in ended.errors) == (3, False)


def test_an_export_is_verified_without_database_and_configuration(
    keyed: Installation, tmp_path: Path
) -> None:
    out = tmp_path / "audit.jsonl"
    assert keyed.run("audit", "export", "--out", str(out)).code == 0
    assert out.stat().st_mode & 0o077 == 0
    public, checkpoints = str(keyed.folder / "audit_key.pub"), str(keyed.state_dir / "checkpoints.jsonl")
    keyed.environ.clear()
    keyed.configuration.unlink()
    words = ["audit", "verify", "--json", "--file", str(out)]
    assert keyed.run(*words, "--key", public).code == 0
    assert keyed.run(*words, "--key", public, "--checkpoints", checkpoints).code == 0
    assert keyed.run(*words).code == 2
    out.write_text(out.read_text().replace("ev-2", "ev-3"))
    broken = keyed.run(*words, "--key", public)
    assert (broken.code, broken.document["breaks"][0]["seq"]) == (1, 2)


def test_an_export_goes_to_standard_output_and_as_csv(keyed: Installation) -> None:
    lines = keyed.run("audit", "export", "--stream", "intake").out.splitlines()
    assert [json.loads(line).get("seq") for line in lines] == [None, 1, 2]
    assert keyed.run("audit", "export", "--format", "csv").out.startswith("stream,seq,at,action")


def test_a_restore_marks_tells_and_makes_the_audit_whole_again(keyed: Installation) -> None:
    tamper(keyed, cut(1, "intake"))
    assert keyed.run("audit", "verify").out.startswith("TAMPERED  intake at 2: ")
    done = keyed.run("restore", "--why", "backup of 02:00", "--json")
    assert (done.code, done.document["missing"][0]["records"]) == (0, 2)
    verified = keyed.run("audit", "verify")
    assert verified.code == 0
    assert "the database was set back, says cli:" in verified.out


@pytest.mark.slow
@pytest.mark.stack
def test_a_running_stack_seals_and_says_when_it_cannot(
    connected: Installation, awx_target: ReferenceTarget
) -> None:
    assert "anna.berg" in awx_target.users()
    connected.environ["HIREWIRE_AUDIT__SEAL_EVERY_S"] = "0.5"
    start_programs(connected)
    sent = connected.file(event("ev-1", kind="joined", user_name="anna.berg", given_name="Ann"))
    assert connected.run("send", sent).code == 0
    until(settled(connected.looking, 1), "settled")
    until(lambda: _unsealed(connected) == [], "all sealed")
    tamper(connected, cut(1, "target:awx_prod"))
    until(lambda: alarms(connected.rows) == [ALARM], "an alarm")
    said = connected.run("status")
    assert said.code == 1
    assert "the audit is not sealed: target:awx_prod is not what checkpoint" in said.out


def alarms(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        query = sa.select(tables.alarm.c.kind).where(tables.alarm.c.cleared_at.is_(None))
        return list(connection.scalars(query))


def _unsealed(installation: Installation) -> list[str]:
    """Streams that the newest checkpoint does not cover."""
    file = installation.state_dir / "checkpoints.jsonl"
    last = walk(file).last if file.exists() else None
    sealed = last.streams if last else {}
    with installation.rows.connect() as connection:
        heads = connection.execute(sa.select(tables.audit_head)).all()
    return [row.stream for row in heads if row.stream not in sealed or sealed[row.stream].size < row.seq]
