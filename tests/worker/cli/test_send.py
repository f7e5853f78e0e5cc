"""`hirewire send`: stored or refused, line by line, whatever the file looks like."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING

from sqlalchemy import select

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event
from worker.storage.tables import audit
from worker.storage.tables import event as event_table

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation


def stored(installation: Installation) -> list[str]:
    with installation.rows.connect() as connection:
        return list(connection.scalars(select(event_table.c.event_id).order_by(event_table.c.id)))


def test_every_line_is_accepted_repeated_or_refused_with_its_place(migrated: Installation) -> None:
    good = event("ev-1", title="Engineer")
    file = migrated.file(
        good,
        "",
        "{broken",
        event("ev-2", emial="x"),
        good,
        event("ev-1", title="another body"),
        event("ev-3", title="x" * 3000),
        event("ev-4"),
    )
    sent = migrated.run("send", file, "--json")
    told = sent.document
    assert (sent.code, told["accepted"], told["duplicates"], told["refused"]) == (1, 2, 1, 4)
    places = [(item["line"], item["event"], item["pointer"]) for item in told["refusals"]]
    assert places == [(3, None, ""), (4, "ev-2", "/data/emial"), (6, "ev-1", "/id"), (7, None, "")]
    assert told["refusals"][3]["reason"] == "is longer than the limit of 2000 bytes"
    assert stored(migrated) == ["ev-1", "ev-4"]
    first, again, last = told["events"]
    assert [(item["line"], item["verdict"]) for item in told["events"]] == [
        (1, "accepted"), (5, "duplicate"), (8, "accepted"),
    ]  # fmt: skip
    assert first["correlation"] == again["correlation"] != last["correlation"]
    assert told["events_left_out"] == 0
    assert "the relay" not in sent.out
    assert "broker" in sent.errors  # no stack runs: said, and no failure


def test_refusals_are_recorded_and_sending_again_is_harmless(migrated: Installation) -> None:
    file = migrated.file(event("ev-1", title="Engineer"), "[]", event("ev-2", second=1, title="Lead"))
    first = migrated.run("send", file)
    again = migrated.run("send", file, "--json")
    told = again.document["events"]
    assert first.out.splitlines()[-3:] == [
        f"accepted  ev-1  correlation {told[0]['correlation']}",
        f"accepted  ev-2  correlation {told[1]['correlation']}",
        "2 accepted, 0 duplicates, 1 refused",
    ]
    assert f"refused  {file}:2" in first.out
    assert "\x1b" not in first.out + first.errors
    assert (again.document["accepted"], again.document["duplicates"]) == (0, 2)
    with migrated.rows.connect() as connection:
        query = select(audit.c.text).where(audit.c.action == "event:accept:refused")
        records = [json.loads(text) for text in connection.scalars(query)]
    assert [record["reason"] for record in records] == ["must be a JSON object in the CloudEvents format"] * 2
    assert {record["actor"].partition(":")[0] for record in records} == {"cli"}


def test_standard_input_and_files_go_together(migrated: Installation) -> None:
    file = migrated.file(event("ev-1", title="a"))
    windows = b"\xef\xbb\xbf" + event("ev-2", title="b").encode() + b"\r\n"
    sent = migrated.run("send", file, "-", stdin=windows)
    assert (sent.code, stored(migrated)) == (0, ["ev-1", "ev-2"])


def test_a_json_array_or_a_spread_object_is_refused_whole_with_a_hint(migrated: Installation) -> None:
    array = migrated.run("send", migrated.file("[", event("ev-1"), "]", name="array.json"))
    spread = migrated.run("send", migrated.file("{", '"id": "ev-1"', "}", name="spread.json"))
    assert [array.code, spread.code] == [2, 2]
    assert "NDJSON" in array.errors
    assert "NDJSON" in spread.errors
    assert stored(migrated) == []


def test_nothing_is_sent_when_one_of_the_files_is_not_there(migrated: Installation) -> None:
    sent = migrated.run("send", migrated.file(event("ev-1")), str(migrated.folder / "no such file"))
    assert (sent.code, sent.out, stored(migrated)) == (2, "", [])
    assert sent.errors.endswith("no such file: cannot be read: No such file or directory\n")


def test_ctrl_c_says_how_far_it_got(migrated: Installation) -> None:
    process = migrated.start_for_ctrl_c("send", "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"".join(event(f"ev-{n}", title="x").encode() + b"\n" for n in range(150)))
    process.stdin.flush()
    until(lambda: len(stored(migrated)) == 100, "the first batch is stored")
    process.send_signal(signal.SIGINT)
    assert process.wait(LIMIT_S) == 130
    assert "stopped: - is stored up to line 100; 100 accepted" in migrated.log("send")
    assert "Traceback" not in migrated.log("send")
    assert len(stored(migrated)) == 100
