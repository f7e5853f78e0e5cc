"""The commands, variables and files of docker-compose.yml at work: two workers, two beats, real services."""

from __future__ import annotations

import json
import os
import re
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
import sqlalchemy as sa

from tests.fixtures.targets import ADMIN, TOKEN
from tests.waiting import until
from worker.storage.clock import clock
from worker.storage.freshness import targets, totals

if TYPE_CHECKING:
    from tests.deployment.running import Deployment
    from tests.fixtures.targets import ReferenceTarget

PEOPLE = range(12)
REFUSED = (
    "UPDATE audit SET text = ''",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "ALTER TABLE audit DISABLE TRIGGER audit_no_update",
    "DROP TRIGGER audit_no_delete ON audit",
    "DROP TABLE audit",
    "CREATE OR REPLACE FUNCTION audit_append_only() RETURNS trigger LANGUAGE sql AS ''",
    "SET session_replication_role = replica",
    "SET ROLE hirewire_owner",
    "CREATE TABLE of_our_own (id integer)",
    "UPDATE alembic_version SET version_num = ''",
)

pytestmark = pytest.mark.slow


def seeded(target: ReferenceTarget) -> None:
    people = [
        {"id": 10 + n, "username": f"user{n}", "first_name": "First", "email": f"user{n}@example.com"}
        for n in PEOPLE
    ]
    admin = {"id": 1, "username": ADMIN, "email": "admin@example.com", "is_superuser": True}
    target.reset([admin, *people], [{"token": TOKEN, "username": ADMIN, "scope": "write"}])


def event(n: int, name: str, kind: str, second: int, **data: object) -> str:
    body = {
        "specversion": "1.0",
        "id": f"{name}-{n}",
        "source": "https://hr.example.com",
        "type": f"hirewire.person.{kind}",
        "subject": f"E{n}",
        "time": f"2026-01-01T00:00:{second:02d}Z",
        "data": data,
    }
    return f"{json.dumps(body)}\n"


def joined(n: int) -> str:
    told = {"user_name": f"user{n}", "given_name": "First", "email": f"user{n}@example.com"}
    return event(n, "joined", "joined", 0, family_name=f"Joined{n}", **told)


def renamed(n: int) -> str:
    return event(n, "renamed", "changed", 1, family_name=f"Renamed{n}")


def send(deployment: Deployment, lines: list[str]) -> None:
    sent = deployment.run("worker", "send", "-", "--json", stdin="".join(lines))
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["accepted"] == len(lines)


def settled(engine: sa.Engine) -> bool:
    """Whether every person has an account, and nothing is left to do."""
    with engine.connect() as connection:
        now = clock(connection)
        rows, whole = targets(connection, now), totals(connection, now)
    left = sum(row.due + row.in_flight + row.later + row.in_doubt for row in rows) + whole.waiting
    return sum(row.accounts for row in rows) == len(PEOPLE) and left == 0


def applied(target: ReferenceTarget) -> Counter[tuple[str, str]]:
    """How often each value of `last_name` was sent and taken, by account."""
    writes = [entry for entry in target.writes() if entry["applied"]]
    return Counter((entry["path"], json_of(entry["body"])["last_name"]) for entry in writes)


def json_of(body: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
    return found


def each_once(value: str) -> dict[tuple[str, str], int]:
    return {(f"/api/v2/users/{10 + n}/", f"{value}{n}"): 1 for n in PEOPLE}


def test_two_workers_send_each_change_once_and_a_stop_loses_nothing(
    deployment: Deployment, awx_target: ReferenceTarget
) -> None:
    seeded(awx_target)
    deployment.up()
    rows = deployment.looking()
    send(deployment, [joined(n) for n in PEOPLE])
    until(lambda: settled(rows), "the first events are applied")
    assert applied(awx_target) == each_once("Joined")

    slow = {"kind": "delay", "seconds": 2}
    awx_target.faults([{"method": "PATCH", "times": len(PEOPLE), "fault": slow}])
    before = len(awx_target.log())
    send(deployment, [renamed(n) for n in PEOPLE])
    until(lambda: in_flight(rows), "requests are in flight")
    assert deployment.stop("worker-1", "worker-2") == {"worker-1": 0, "worker-2": 0}
    assert not in_flight(rows)
    assert len(awx_target.log()) - before < 2 * len(PEOPLE)
    assert not settled(rows), "everything was done before the stop"
    assert leased(rows) == 0

    awx_target.clear_faults()
    for replica in ("worker-1", "worker-2"):
        deployment.start("worker", replica)
    until(lambda: settled(rows), "what was left is applied")
    assert applied(awx_target) == each_once("Joined") | each_once("Renamed")
    names = {name: row["last_name"] for name, row in awx_target.users().items() if name != ADMIN}
    assert names == {f"user{n}": f"Renamed{n}" for n in PEOPLE}

    checked = deployment.run("worker", "audit", "verify", "--json")
    assert (checked.returncode, json.loads(checked.stdout)["ok"]) == (2, True)  # whole, and no key
    for replica in ("worker-1", "worker-2", "beat-1", "beat-2"):
        assert "Traceback" not in deployment.log(replica)
    assert deployment.stop(*deployment.started) == dict.fromkeys(
        ("worker-1", "worker-2", "beat-1", "beat-2"), 0
    )
    left_behind = {path.name for path in (deployment.room.folder / "working").iterdir()}
    assert (left_behind, (deployment.room.folder / "state").exists()) == (set(), False)


def in_flight(engine: sa.Engine) -> bool:
    """Whether an intent stands in the audit without its outcome."""
    with engine.connect() as connection:
        return any(row.in_doubt for row in targets(connection, clock(connection)))


def leased(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        query = sa.text("SELECT count(*) FROM account WHERE lease_token IS NOT NULL")
        return int(connection.execute(query).scalar_one())


def test_the_role_of_the_workers_can_append_to_the_audit_and_never_change_it(deployment: Deployment) -> None:
    migrated = deployment.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    send(deployment, [joined(0)])
    app = deployment.as_role("database_app_url")
    for statement in REFUSED:
        with (
            pytest.raises(sa.exc.ProgrammingError, match=r"InsufficientPrivilege"),
            app.begin() as connection,
        ):
            connection.execute(sa.text(statement))
    owner = deployment.as_role("database_owner_url")
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), owner.begin() as connection:
        connection.execute(sa.text("UPDATE audit SET text = ''"))
    with app.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM audit")).scalar_one() > 0
        owners = sa.text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        assert connection.execute(owners).scalars().all() == ["hirewire_owner"]
    assert deployment.run("migrate").returncode == 0, "running the job again changes nothing"


def test_a_dump_brings_back_the_audit_its_owner_and_its_guards(deployment: Deployment) -> None:
    assert deployment.run("migrate").returncode == 0
    send(deployment, [joined(0)])
    dump = deployment.room.folder / "hirewire.dump"
    deployment.database.dump(dump)
    send(deployment, [joined(1)])
    deployment.database.restore(dump)
    assert deployment.run("migrate").returncode == 0
    verified = deployment.run("worker", "audit", "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)["ok"]) == (2, True)  # whole, and no key
    send(deployment, [joined(1)])
    for secret, reason in (
        ("database_app_url", "InsufficientPrivilege"),
        ("database_owner_url", "append-only"),
    ):
        with pytest.raises(sa.exc.DBAPIError, match=reason), deployment.as_role(secret).begin() as work:
            work.execute(sa.text("DELETE FROM audit"))


def test_a_wrong_password_reaches_neither_database_nor_broker(deployment: Deployment) -> None:
    for secret in ("database_app_url", "database_owner_url", "broker_url"):
        file = deployment.room.secrets / secret
        file.write_text(re.sub(r":[0-9a-f]{48}@", ":wrong@", file.read_text()))
    assert deployment.run("migrate").returncode == 3
    found = deployment.check_health("worker")
    assert found.returncode == 1
    assert "the database does not answer" in found.stderr
    assert "the broker does not answer (AuthenticationError)" in found.stderr
    with deployment.broker.client() as stranger, pytest.raises(redis.exceptions.NoPermissionError):
        stranger.get("hirewire.fold")


def test_health_checks_tell_whether_database_and_broker_are_there(deployment: Deployment) -> None:
    unmigrated = deployment.check_health("worker")
    assert (unmigrated.returncode, unmigrated.stderr) == (
        1,
        "unhealthy: the database is not at this version's tables\n",
    )
    assert deployment.run("migrate").returncode == 0
    for name in ("worker", "beat"):
        found = deployment.check_health(name)
        assert (found.returncode, found.stderr) == (0, "")
    assert (deployment.database.healthy(), deployment.broker.healthy()) == (True, True)

    deployment.broker.stop()
    away = deployment.check_health("worker")
    assert (away.returncode, away.stderr) == (1, "unhealthy: the broker does not answer (ConnectionError)\n")
    assert not deployment.broker.healthy()
    deployment.broker.start(deployment.room)
    assert deployment.check_health("worker").returncode == 0

    deployment.database.kill()
    gone = deployment.check_health("beat")
    reason = "unhealthy: the database does not answer (OperationalError)\n"
    assert (gone.returncode, gone.stderr) == (1, reason)
    assert not deployment.database.healthy()


def test_the_broker_keeps_what_it_has_and_evicts_nothing(deployment: Deployment) -> None:
    user, password = re.findall(r"//(\w+):(\w+)@", (deployment.room.secrets / "broker_url").read_text())[0]
    with deployment.broker.client() as client:
        client.auth(password, username=user)
        client.set("kept", "yes")
        told = client.info()
    assert (told["maxmemory_policy"], told["aof_enabled"]) == ("noeviction", 1)
    assert told["maxmemory"] > 0
    deployment.broker.stop()
    deployment.broker.start(deployment.room)
    with deployment.broker.client() as client:
        client.auth(password, username=user)
        assert client.get("kept") == b"yes"


def processes(deployment: Deployment, replica: str) -> list[int]:
    """The pool processes of a worker."""
    pid = deployment.started[replica].pid
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def sockets(pid: int) -> set[str]:
    """What it holds open; nothing for a process that has just ended."""
    try:
        links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return set()
    return {link for link in links if link.startswith("socket:")}


def busy(pids: list[int]) -> list[int]:
    """Those that hold a socket: they have carried out a task, and opened their own connections for it."""
    return [pid for pid in pids if sockets(pid)]


def test_no_connection_is_shared_over_a_fork_even_by_a_process_that_replaces_a_killed_one(
    deployment: Deployment, awx_target: ReferenceTarget
) -> None:
    seeded(awx_target)
    deployment.up()
    rows = deployment.looking()
    workers = ("worker-1", "worker-2")
    send(deployment, [joined(n) for n in PEOPLE])
    until(lambda: all(busy(processes(deployment, worker)) for worker in workers), "both workers took part")
    for worker in workers:
        before = processes(deployment, worker)
        os.kill(busy(before)[0], signal.SIGKILL)
        until(lambda old=before, name=worker: replaced(old, processes(deployment, name)), "it is replaced")
    send(deployment, [renamed(n) for n in PEOPLE])
    until(lambda: settled(rows), "all is applied")
    assert {row["last_name"] for name, row in awx_target.users().items() if name != ADMIN} == {
        f"Renamed{n}" for n in PEOPLE
    }
    for worker in workers:
        held = Counter(link for pid in processes(deployment, worker) for link in sockets(pid))
        assert held
        assert {link: count for link, count in held.items() if count > 1} == {}
    assert deployment.stop(*workers) == dict.fromkeys(workers, 0)


def replaced(before: list[int], after: list[int]) -> bool:
    return len(after) == len(before) and set(after) != set(before)
