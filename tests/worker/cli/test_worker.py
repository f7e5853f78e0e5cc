"""`hirewire worker` and `hirewire up` as processes: strangers' messages, commands that reach the stack."""

from __future__ import annotations

import json
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from celery import Celery

from tests.fixtures.valkey import short_folder
from tests.waiting import until
from tests.worker.cli.conftest import LIMIT_S, event, start_programs
from worker.storage.tables import audit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worker.cli.conftest import Installation

CANARY = "canary-body"


def broker_records(installation: Installation) -> list[dict[str, object]]:
    with installation.rows.connect() as connection:
        query = sa.select(audit.c.text).where(audit.c.action.startswith("message:broker:"))
        return [json.loads(text) for text in connection.scalars(query.order_by(audit.c.id))]


def test_a_message_that_is_no_task_of_ours_is_recorded_without_its_body(connected: Installation) -> None:
    start_programs(connected)
    app = Celery(broker=connected.environ["HIREWIRE_BROKER__URL"], set_as_current=False)
    app.send_task("stranger.task", args=[CANARY], queue="hirewire.control", task_id="m-1")
    with app.producer_pool.acquire() as producer:
        producer.publish(
            f'{{"{CANARY}'.encode(),
            routing_key="hirewire.control",
            content_type="application/json",
            content_encoding="utf-8",
        )
        producer.publish({"no": CANARY}, routing_key="hirewire.control", serializer="json")
    until(lambda: len(broker_records(connected)) == 2, "both are recorded")
    app.close()
    unknown, rejected = sorted(
        broker_records(connected), key=lambda record: str(record["action"]), reverse=True
    )
    assert (unknown["action"], unknown["task"], unknown["id"]) == (
        "message:broker:unknown",
        "stranger.task",
        "m-1",
    )
    assert (rejected["action"], rejected["task"]) == ("message:broker:rejected", None)
    assert len(str(unknown["body_sha256"])) == 64
    assert CANARY not in json.dumps([unknown, rejected]) + connected.log("worker")
    assert "Can't decode message body" in connected.log("worker")
    lines = [json.loads(line) for line in connected.log("worker").splitlines() if line.startswith("{")]
    (ready,) = [line for line in lines if line["event"] == "worker_ready"]
    assert (ready["pool"], ready["concurrency"]) == ("threads", 4)


@pytest.fixture
def temporary() -> Iterator[Path]:
    folder = short_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.stack
def test_commands_reach_a_stack_that_runs_on_the_state_folder(bare: Installation, temporary: Path) -> None:
    bare.environ |= {"TMPDIR": str(temporary), "XDG_RUNTIME_DIR": str(temporary)}
    stack = bare.start("up")
    until(lambda: "running; logs in" in bare.log("up") or stack.poll() is not None, "the stack runs")
    assert stack.poll() is None, bare.log("up")
    check = bare.run("check", "--json").document
    assert (check["broker"]["ok"], check["database"]["ok"]) == (True, True)
    sent = bare.run("send", bare.file(event("ev-1", title="Lead")))
    assert (sent.code, sent.errors) == (0, "")
    os.kill(stack.pid, signal.SIGINT)
    assert stack.wait(LIMIT_S) == 0
    assert [path.name for path in temporary.iterdir()] == []
    assert f"--config {bare.configuration} status --watch" in bare.log("up")
