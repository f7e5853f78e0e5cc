"""The engine's logs at their most talkative: one JSON object a line, tied together, nobody's data in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import structlog
from celery import Celery

from config.logs import configure
from config.settings import Logs
from connectors.sdk.contract import ConnectorConfig, Credential
from connectors.sdk.registry import style_named
from tests.connectors.wires import saying, wires
from tests.worker.engine.test_path import ANNA
from worker.storage import tables
from worker.tasks import register

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig

CANARY = "canary"
CANARIES = {
    "user_name": "anna.berg",
    "given_name": "Canarygiven",
    "family_name": "Canaryfamily",
    "email": "canary.mail@canary.example",
    "department": "canary-department",
    "custom": {"badge": "canary-badge"},
}
ECHOING = {"kind": "status", "status": 400, "echo": True}
FAULTS: list[dict[str, Any]] = [
    ECHOING,
    {"kind": "status", "status": 500},
    {"kind": "drop_after"},
    {"kind": "cut"},
    {"kind": "html"},
    {"kind": "redirect"},
    {"kind": "status", "status": 403, "body": {"detail": "canary-words-of-the-target"}},
    {"kind": "status", "status": 409, "body": {"detail": "canary-words-of-the-target"}},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}},
]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """The process's logging as it was: pytest has handlers of its own."""
    root = logging.getLogger()
    names = [None, "config", "connectors", "worker", "urllib3", "requests", "kombu", "amqp", "sqlalchemy"]
    levels = {name: logging.getLogger(name).level for name in names}
    handlers, raising = root.handlers[:], logging.raiseExceptions
    yield
    root.handlers[:] = handlers
    logging.raiseExceptions = raising
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def talk() -> None:
    """From here on everything is logged, to where pytest reads during a test."""
    configure(Logs(level="debug"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_under_every_fault_no_value_and_no_secret_is_logged(
    make_rig: MakeRig, database_url: str, awx_target: ReferenceTarget, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = make_rig(database=database_url, engine={"probe_every_s": 0.05})
    talk()
    rig.say("E1", ANNA)
    rig.work()
    for number, fault in enumerate(FAULTS):
        awx_target.faults([{"fault": fault, "method": "PATCH"}])
        rig.say("E1", {**CANARIES, "given_name": f"Canarygiven {number}"})
        rig.work()
    rig.say("E1", {"email": "canary-no-address"})
    rig.accept({"no": CANARY}, rig.event("E1", {"canary-unknown": CANARY}))
    rig.work()
    told = lines(capsys)
    text = json.dumps(told).lower()
    assert CANARY not in text
    assert awx_target.token.lower() not in text
    assert "anna.berg" not in text
    words = {line["event"].rpartition(":")[2] for line in told}
    assert {"accepted", "refused", "intended", "applied", "rejected", "ambiguous", "held"} <= words
    rejected = next(line for line in told if line["event"] == "account:patch:rejected")
    assert {"target", "account", "request", "correlation", "status", "class"} <= rejected.keys()


def test_the_lines_of_one_event_carry_its_id(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    talk()
    said = rig.say("E1", {**ANNA, "given_name": "Annika"}).correlation
    rig.work()
    ours = [line["event"] for line in lines(capsys) if line.get("correlation") == said]
    assert ours == [
        "event:accept:accepted",
        "event_folded",
        "account:link:linked",
        "account:patch:intended",
        "account:patch:applied",
    ]


def test_a_task_s_lines_carry_what_it_works_on(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    talk()
    app = Celery("test", set_as_current=False)
    register(app, lambda: rig.runtime)
    rig.say("E1", {**ANNA, "given_name": "Annika"})
    app.tasks["hirewire.fold"]()
    while rig.due():
        app.tasks["hirewire.sync"](0)
    by_event = {line["event"]: line for line in lines(capsys)}
    assert by_event["event_folded"]["task"] == "fold"
    applied = by_event["account:patch:applied"]
    assert (applied["task"], applied["shard"]) == ("sync", 0)


def test_a_row_that_a_database_refuses_is_not_quoted(
    make_rig: MakeRig, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rig = make_rig(database=database_url)
    talk()
    row = {"subject": "canary-subject", "revision": 0, "attributes": {"a": CANARY}, "snapshots": {}}
    with pytest.raises(sa.exc.IntegrityError) as caught, rig.writer.begin() as connection:
        connection.execute(sa.insert(tables.identity), [{**row, "created_at": 0.0}] * 2)
    assert "canary-subject" not in str(caught.value).partition("DETAIL")[0]  # PostgreSQL's own words quote it
    log = logging.getLogger("celery.app.trace")
    log.error("Task %s raised %r", "x", caught.value, exc_info=caught.value)
    (line,) = [line for line in lines(capsys) if line["logger"] == "celery.app.trace"]
    assert CANARY not in json.dumps(line)
    assert "IntegrityError" in line["exception"]


def test_an_answer_that_cannot_be_read_does_not_show_who_was_searched_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """urllib3 warns about it with the whole address."""
    talk()
    broken = b"HTTP/1.1 200 OK\r\nno header at all\r\nContent-Length: 2\r\n\r\n{}"
    with wires(saying(broken)) as server:
        config = ConnectorConfig("awx", server.url, lambda: Credential("bearer", "canary-token"))
        found = style_named("awx")(config).find({"username": ("canary.berg",)})
    assert found.outcome.exchange.status == 200
    assert CANARY not in capsys.readouterr().err
