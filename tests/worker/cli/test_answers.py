"""Commands that read: what they show, how they show it, and their exit codes."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event
from tests.worker.cli.screen import all_of
from worker.domain.account import Account, Hold, Reason
from worker.engine.rows import Lease, Progress, Settled
from worker.storage import tables
from worker.storage.store import SqlStore

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

WORDS = "the target's own words: [bold]no such department[/bold]"


@pytest.fixture
def populated(migrated: Installation) -> Installation:
    """One event folded, its account with a held field; done in this process, as the worker would."""
    migrated.accept(event("ev-1", kind="joined", user_name="anna", title="Lead"))
    migrated.fold()
    store = SqlStore(migrated.rows, 2)
    with store.begin() as tx:
        (claim,) = [
            found
            for shard in (0, 1)
            for found in tx.accounts.claim(shard, 1, 9, Lease("t", tx.now, tx.now + 60))
        ]
        hold = Hold(Reason.REJECTED, WORDS, "0", tx.now)
        account = Account(1, claim.account.identity_id, 1, "7", 1, held={"title": hold})
        tx.accounts.save([Progress(account, Settled(tx.now, None, None, 5))], "t")
    return migrated


def test_held_and_status_show_what_is_so_at_every_width(populated: Installation) -> None:
    wide = populated.run("held", env={"COLUMNS": "200"})
    narrow = populated.run("held", env={"COLUMNS": "80"})
    piped = populated.run("held")
    assert all(len(line) <= 80 for line in narrow.out.splitlines())
    assert "".join(WORDS.split()) in "".join(wide.out.split())
    assert WORDS in piped.out
    assert len(piped.out.splitlines()) == 2
    assert "\x1b" not in wide.out + narrow.out + piped.out
    status = populated.run("status", env={"COLUMNS": "80"})
    assert (status.code, "events to fold 0" in status.out) == (0, True)


def test_an_open_alarm_is_exit_code_1_and_told(populated: Installation) -> None:
    with SqlStore(populated.rows, 2).begin() as tx:
        tx.targets.pause(1, "it refused us", "hirewire", None)
        tx.targets.raise_alarm("target_paused", 1, "awx_prod is paused: it refused us", tx.now)
    shown, told = populated.run("status"), populated.run("status", "--json")
    assert [shown.code, told.code] == [1, 1]
    assert "paused: awx_prod: it refused us" in shown.out
    (row,) = told.document["targets"]
    assert {"oldest_due_s", "oldest_in_doubt_s", "gated_for_s", "in_doubt", "freshness"} <= row.keys()
    assert (row["state"], row["accounts"], row["held"], row["revisions"]) == ("paused", 1, 1, 1)
    assert told.document["alarms"][0]["target"] == "awx_prod"
    targets = populated.run("targets", "--json").document["targets"]
    assert [(row["name"], row["state"], row["mode"]) for row in targets] == [
        ("awx_prod", "paused", "enforce")
    ]


def test_watching_goes_on_until_ctrl_c(populated: Installation) -> None:
    process = populated.start_for_ctrl_c("status", "--watch")
    until(lambda: populated.log("status").count("events to fold 0") > 1, "a second picture")
    process.send_signal(signal.SIGINT)
    assert (process.wait(LIMIT_S), "Traceback" in populated.log("status")) == (0, False)
    both = populated.run("status", "--watch", "--json")
    assert (both.code, "choose one" in both.errors) == (2, True)


def test_the_audit_is_listed_with_filters_and_its_chain_proven(populated: Installation) -> None:
    listed = populated.run("audit", "list", "--action", "event:accept", "--since", "1h", "--json").document
    assert [record["event"] for record in listed["records"]] == ["ev-1"]
    assert populated.run("audit", "verify", "--json").document["breaks"] == []
    with populated.rows.begin() as connection:
        _allow_tampering(connection)
        connection.execute(sa.update(tables.audit).where(tables.audit.c.seq == 1).values(text="{}"))
    broken = populated.run("audit", "verify", "--json")
    assert (broken.code, broken.document["ok"]) == (1, False)
    assert [(item["stream"], item["seq"]) for item in broken.document["breaks"]] == [("intake", 1)]


def _allow_tampering(connection: sa.Connection) -> None:
    """As somebody with the file in his hands can."""
    names = connection.execute(
        sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
    )
    for (name,) in names.all():
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')


def test_a_name_that_does_not_exist_is_answered_with_the_nearest(populated: Installation) -> None:
    target = populated.run("held", "--target", "awx_pord")
    subject = populated.run("audit", "story", "E101")
    assert (target.code, target.errors) == (
        2,
        "hirewire: no target is called 'awx_pord' (did you mean awx_prod?)\n",
    )
    assert (subject.code, subject.errors) == (
        2,
        "hirewire: no event ever spoke of 'E101' (did you mean E1001?)\n",
    )


def test_a_terminal_gets_progress_pictures_and_no_more_width_than_it_has(populated: Installation) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own words
        populated.command("held"),
        env=populated.environment({"COLUMNS": "120", "TERM": "xterm-256color"}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    said = all_of(master)
    assert process.wait(LIMIT_S) == 0
    assert "\u2500".encode() in said  # a ruled table
    assert b"\x1b[" in said
    assert b"E1001" in said


def test_without_a_database_every_command_says_the_way_out(bare: Installation) -> None:
    for words in (["status"], ["worker"], ["send", bare.file(event("ev-1"))]):
        answer = bare.run(*words, env={"HIREWIRE_BROKER__URL": "redis+socket:///nowhere.sock"})
        assert (answer.code, answer.out) == (3, ""), answer
        assert answer.errors.endswith("yet: run `hirewire migrate`\n")
    assert not bare.state_dir.exists() or list(bare.state_dir.iterdir()) == []


def test_a_database_that_is_away_is_exit_code_3_without_its_password(bare: Installation) -> None:
    url = "postgresql://hirewire:canary-password@127.0.0.1:1/hirewire"
    answer = bare.run("status", env={"HIREWIRE_DATABASE__URL": url})
    assert answer.code == 3
    assert "the database does not answer" in answer.errors
    assert "canary" not in answer.errors
    assert "Traceback" not in answer.errors


def test_every_problem_of_a_configuration_is_one_line(bare: Installation) -> None:
    bare.configuration.write_text('[engine]\nshards = 0\nthraeds = 2\n[targets.awx]\nconnector = "awx"\n')
    answer = bare.run("--config", str(bare.configuration), "targets", env={"HIREWIRE_CONFIG": ""})
    assert answer.code == 2
    lines = answer.errors.splitlines()
    assert all(line.startswith("hirewire: ") for line in lines)
    assert any("engine.thraeds: unknown key (did you mean threads?)" in line for line in lines)
    assert any(line.startswith("hirewire: targets.awx.credential") for line in lines)


def test_check_connects_and_says_who_we_are(connected: Installation) -> None:
    well = connected.run("check", "--json")
    assert well.code == 0, well
    (report,) = well.document["targets"]
    assert (report["healthy"], report["owner"]) == (True, "admin")
    wrong = {"HIREWIRE_TARGETS__AWX_PROD__CREDENTIAL__SECRET": "canary-wrong"}
    ill = connected.run("check", "awx_prod", env=wrong)
    assert (ill.code, "refuses our credential (401)" in ill.out) == (1, True), ill
    assert "canary" not in ill.out + ill.errors
    away = connected.run("check", env={"HIREWIRE_BROKER__URL": "redis+socket:///nowhere.sock"})
    assert (away.code, "broker         the broker does not answer" in away.out) == (3, True)
