"""A hundred clients send while workers and the interface itself are killed: what was answered 202 arrives."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from tests.fixtures.targets import DEFAULT_USERS, ReferenceTarget
from tests.waiting import until
from tests.worker.api.intake.serving import KEY, STRUCTURED, sha256
from tests.worker.cli.conftest import SOURCE, Installation, point_at
from worker.bootstrap import open_store
from worker.stack.leftovers import is_alive
from worker.storage import tables
from worker.storage.migrate import upgrade

CLIENTS = 100
EACH = 10
PEOPLE = 20
STORM_S = 120.0
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": STRUCTURED}


@pytest.fixture
def installation(
    tmp_path: Path, empty_postgres_url: str, valkey_url: str, awx_target: ReferenceTarget
) -> Iterator[Installation]:
    """On PostgreSQL, with real processes and a target that has the people."""
    made = Installation(tmp_path)
    made.environ |= {
        "HIREWIRE_DATABASE__URL": empty_postgres_url,
        "HIREWIRE_SOURCES__HR__KEYS__SPRING__SHA256": sha256(KEY),
        "HIREWIRE_ENGINE__LEASE_S": "40",
    }
    awx_target.reset(users=[*DEFAULT_USERS, *(person(number) for number in range(PEOPLE))])
    point_at(made, valkey_url, awx_target)
    upgrade(made.rows)
    open_store(made.settings, made.rows)
    yield made
    made.close()


def person(number: int) -> dict[str, Any]:
    return {
        "username": f"person{number}",
        "email": f"person{number}@example.com",
        "first_name": "Old",
        "last_name": f"Berg{number}",
    }


def event(client: int, turn: int) -> dict[str, Any]:
    """The last turn of all clients of a person says the same name, so that the end is known."""
    number = client % PEOPLE
    name = "Last" if turn == EACH - 1 else f"Name{client}x{turn}"
    known = person(number)
    data = {"user_name": known["username"], "email": known["email"], "family_name": known["last_name"]}
    return {
        "specversion": "1.0",
        "id": f"{client}-{turn}",
        "source": SOURCE,
        "type": "hirewire.person.changed",
        "subject": f"E{number}",
        "time": f"2026-01-01T00:00:{turn:02d}Z",
        "data": {**data, "given_name": name},
    }


class Kept:
    """A program that is started again when it was killed, as its supervisor would."""

    def __init__(self, installation: Installation, *words: str) -> None:
        self._installation = installation
        self._words = words
        self.process = installation.start(*words)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self._installation.start(*self._words)


class Client:
    """Sends its events in order, each until it is answered 202; never gives up."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._number = number
        self.accepted: dict[str, str] = {}
        self.strange: list[str] = []
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        limit = time.monotonic() + STORM_S
        for turn in range(EACH):
            while time.monotonic() < limit and not self._sent(turn):
                time.sleep(0.1)

    def _sent(self, turn: int) -> bool:
        body = json.dumps(event(self._number, turn))
        try:
            answer = requests.post(f"{self._url}/v1/events", data=body, headers=HEADERS, timeout=20)
        except requests.RequestException:
            return False
        if answer.status_code == 202:
            [result] = answer.json()["results"]
            self.accepted[result["id"]] = result["correlation"]
            return True
        if answer.status_code not in (429, 503):
            self.strange.append(answer.text)
        return False


@pytest.mark.slow
def test_what_was_answered_202_is_stored_once_and_arrives_whoever_is_killed(
    installation: Installation, awx_target: ReferenceTarget, free_port: int
) -> None:
    installation.environ["HIREWIRE_API__PORT"] = str(free_port)
    api, worker = Kept(installation, "api"), Kept(installation, "worker", "--pool", "prefork")
    installation.start("beat")
    clients = [Client(f"http://127.0.0.1:{free_port}", number) for number in range(CLIENTS)]
    for client in clients:
        client.thread.start()
    killed = kill_while_they_send(clients, [api, worker])
    for client in clients:
        client.thread.join()
    assert killed >= 3
    assert [client.strange for client in clients if client.strange] == []
    accepted = {name: said for client in clients for name, said in client.accepted.items()}
    assert len(accepted) == CLIENTS * EACH
    assert stored(installation.rows) == accepted
    until(lambda: names(awx_target) == {"Last"}, "everybody has the last name", 150)
    assert is_alive(worker.process.pid)


def kill_while_they_send(clients: list[Client], programs: list[Kept]) -> int:
    """One program after the other, as long as anybody sends."""
    rng, killed = random.Random(7), 0  # noqa: S311 - no secret
    while any(client.thread.is_alive() for client in clients):
        time.sleep(rng.uniform(1.5, 3.0))
        if killed < 8:
            programs[killed % len(programs)].kill()
            killed += 1
    return killed


def stored(rows: sa.Engine) -> dict[str, str]:
    with rows.connect() as connection:
        found = connection.execute(sa.select(tables.event.c.event_id, tables.event.c.correlation)).all()
    assert len({row.event_id for row in found}) == len(found)
    return {row.event_id: row.correlation for row in found}


def names(target: ReferenceTarget) -> set[str]:
    return {str(user["first_name"]) for name, user in target.users().items() if name.startswith("person")}
