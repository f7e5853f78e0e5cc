"""Publishing straight to the broker: the document's own examples, a real broker and a real worker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event, start_programs
from worker.storage import tables

if TYPE_CHECKING:
    from tests.worker.cli.conftest import Installation

DOCUMENT = Path(__file__).parents[3] / "docs" / "direct-publish.md"
REDIS_CLI = f"""#!{sys.executable}
import sys
from redis import Redis
address = sys.argv[sys.argv.index("-u") + 1].replace("redis+socket://", "unix://")
with Redis.from_url(address) as client:
    print(client.execute_command(*sys.argv[3:]))
"""


def example(language: str) -> str:
    found = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def numbered(number: int, **data: object) -> str:
    body: dict[str, Any] = json.loads(event(f"ev-{number}", **data))
    return json.dumps({**body, "sequence": str(number)}, ensure_ascii=False)


def publish(installation: Installation, command: list[str], said: str) -> None:
    broker = installation.environ["HIREWIRE_BROKER__URL"]
    folder = installation.folder / "bin"
    folder.mkdir(exist_ok=True)
    client = folder / "redis-cli"
    client.write_text(REDIS_CLI)
    client.chmod(0o755)
    environ = {**os.environ, "BROKER_URL": broker, "EVENT": said, "PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(command, env=environ, check=True, timeout=LIMIT_S, capture_output=True)  # noqa: S603 - the document's words


def accepted(installation: Installation) -> set[str]:
    with installation.rows.connect() as connection:
        return set(connection.scalars(sa.select(tables.event.c.event_id)))


def alarms(installation: Installation) -> list[str]:
    with installation.rows.connect() as connection:
        return list(connection.scalars(sa.select(tables.alarm.c.kind)))


def missing(installation: Installation) -> list[tuple[int, int]]:
    gap = tables.sequence_gap
    with installation.rows.connect() as connection:
        return [(row.first, row.last) for row in connection.execute(sa.select(gap.c.first, gap.c.last))]


@pytest.mark.stack
def test_both_examples_of_the_document_reach_a_worker_and_a_gap_is_told(connected: Installation) -> None:
    connected.environ["HIREWIRE_SOURCES__HR__INGEST"] = "true"
    connected.environ["HIREWIRE_SOURCES__HR__ORDER"] = "integer"
    connected.environ["HIREWIRE_ENGINE__GAP_ALARM_S"] = "0.5"
    start_programs(connected)
    publish(connected, [sys.executable, "-c", example("python")], numbered(1, user_name="anna"))
    publish(connected, ["sh", "-c", example("sh")], numbered(4, given_name="Änne"))
    until(lambda: accepted(connected) == {"ev-1", "ev-4"}, "both were accepted")
    assert missing(connected) == [(2, 3)]
    until(lambda: "sequence_gap" in alarms(connected), "the gap is an alarm")
    sent = connected.run("send", connected.file(numbered(2, title="Lead"), numbered(3, title="Head")))
    assert sent.code == 0, sent
    assert missing(connected) == []
