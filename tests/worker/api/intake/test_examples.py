"""docs/intake.md is true: its payloads become events, and its commands work against a real `hirewire api`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from config.settings import load
from tests.test_documents import fenced, section
from tests.waiting import until
from tests.worker.api.intake.serving import KEY, SECRET, sha256
from tests.worker.cli.conftest import Installation
from worker.stack.ports import accepts
from worker.storage import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.worker.api.intake.conftest import Serve

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "intake.md").read_text(encoding="utf-8")
CHANGED, JOINED, LEFT = (f"hirewire.person.{kind}" for kind in ("changed", "joined", "left"))
WANTED: dict[str, list[tuple[str, str, dict[str, Any]]]] = {
    "BambooHR": [
        ("123", CHANGED, {"title": "Head of Kitchen"}),
        (
            "124",
            JOINED,
            {"given_name": "Mira", "family_name": "Aalto", "email": "mira@example.com", "active": True},
        ),
        ("125", LEFT, {"active": False}),
    ],
    "Personio": [
        (
            "4711",
            CHANGED,
            {
                "given_name": "Mira",
                "family_name": "Aalto",
                "email": "mira.aalto@example.com",
                "department": "Kitchen",
                "end_date": None,
            },
        )
    ],
    "Workday": [
        (
            "21001",
            CHANGED,
            {
                "given_name": "Mira",
                "family_name": "Aalto",
                "email": "mira@example.com",
                "title": "Head of Kitchen",
                "active": True,
            },
        ),
        ("21002", CHANGED, {"active": False}),
    ],
}


@pytest.mark.parametrize("vendor", WANTED)
def test_the_payload_of_a_vendor_becomes_events(vendor: str, serve: Serve, tmp_path: Path) -> None:
    part = section(PAGE, f"### Like {vendor}")
    file = tmp_path / "hirewire.toml"
    file.write_text(fenced(part, "toml")[0], encoding="utf-8")
    [(name, source)] = load(file, {}).sources.items()
    configured = source.model_dump(exclude_none=True) | {"keys": {"one": {"sha256": sha256("hwk_vendor")}}}
    served = serve(sources={"hr": configured | {"uri": source.uri}, "payroll": {"attributes": ["locale"]}})
    payload = json.loads(fenced(part, "json")[0])
    for _ in range(2):
        answer = served.send(payload, "application/json", "hwk_vendor")
        assert answer.status_code == 202, answer.text
        assert {one["status"] for one in answer.json()["results"]} == {"accepted"}
    columns = (tables.event.c.subject, tables.event.c.type, tables.event.c.assertions)
    found = [tuple(row) for row in served.rows(sa.select(*columns).order_by(tables.event.c.id))]
    assert found == WANTED[vendor], name


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    made.environ["HIREWIRE_BROKER__URL"] = "redis://127.0.0.1:1/0"
    made.environ["HIREWIRE_SOURCES__HR__KEYS__SPRING__SHA256"] = sha256(KEY)
    made.environ["HIREWIRE_SOURCES__HR__SECRETS__SPRING__SECRET"] = SECRET
    assert made.run("migrate").code == 0
    yield made
    made.close()


def test_the_commands_of_the_page_work_and_the_program_stops_in_order(
    installation: Installation, free_port: int
) -> None:
    installation.environ["HIREWIRE_API__PORT"] = str(free_port)
    program = installation.start("api")
    until_it_listens(free_port, program, installation)
    environ = {**os.environ, "HIREWIRE": f"http://127.0.0.1:{free_port}", "KEY": KEY, "SECRET": SECRET}
    for heading, event_id in (("## Send a first event", "417"), ("## Sign instead", "418")):
        shell = fenced(section(PAGE, heading), "sh")[-1]
        ran = subprocess.run(  # noqa: S603 - the page's own words
            ["/bin/sh", "-eu", "-c", shell], env=environ, capture_output=True, timeout=30, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        [result] = json.loads(ran.stdout)["results"]
        assert (result["id"], result["status"]) == (f"hr-2026-000{event_id}", "accepted")
    assert installation.stop(program) == 0, installation.log("api")
    with installation.rows.connect() as connection:
        found = connection.scalars(sa.select(tables.event.c.event_id).order_by(tables.event.c.id))
        assert [*found] == ["hr-2026-000417", "hr-2026-000418"]


def until_it_listens(port: int, program: subprocess.Popen[bytes], installation: Installation) -> None:
    until(lambda: accepts(port) or program.poll() is not None, "the program listens")
    assert program.poll() is None, installation.log("api")


def test_a_port_that_is_taken_ends_the_program_with_1(installation: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        answer = installation.run("api", env={"HIREWIRE_API__PORT": str(taken.getsockname()[1])})
    assert answer.code == 1
    assert "of 127.0.0.1 cannot be used: Address already in use" in answer.errors
    assert "Traceback" not in answer.errors


def test_a_key_and_a_secret_are_made_and_open_the_door(installation: Installation) -> None:
    made = installation.run("source", "key", "hr", "--called", "summer")
    key = made.out.strip()
    assert (made.code, len(key)) == (0, 47)
    assert f'sha256 = "{sha256(key)}"' in made.errors
    assert "[sources.hr.keys.summer]" in made.errors
    secret = installation.run("source", "secret", "hr").out.strip()
    assert load(environ={**installation.environ, "HIREWIRE_SOURCES__HR__SECRETS__SPRING__SECRET": secret})
    wrong = installation.run("source", "key", "hh")
    assert wrong.code == 2
    assert "no source is called 'hh'" in wrong.errors
