"""A task for each event: PATCH over a connection that is kept, one row of audit, one commit.

Its best settings: no results, no events, no gossip, acknowledged early, messages fetched ahead, one
session and one connection to the database for each process. Celery wants the application at the module.
"""

from __future__ import annotations

import json
import logging
import os
import time
from functools import cache

import psycopg
import requests
from celery import Celery, signals

TARGET = os.environ.get("NAIVE_TARGET", "")
DATABASE = os.environ.get("NAIVE_DATABASE", "")

app = Celery("naive", broker=os.environ.get("NAIVE_BROKER"))
app.conf.update(
    task_default_queue="naive",
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_acks_late=False,
    worker_prefetch_multiplier=16,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    broker_connection_retry_on_startup=True,
)


@signals.worker_ready.connect
def _tell(**_: object) -> None:
    logging.getLogger(__name__).warning("naive worker ready")


@cache
def _session() -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = "Bearer bench"
    return session


@cache
def _database() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(DATABASE)


@app.task(
    name="naive.patch",
    autoretry_for=(requests.RequestException,),
    retry_backoff=True,
    max_retries=5,
)
def patch(user: int, changes: dict[str, str], sent_at: float) -> None:
    """Send one event's change and write down that it was sent."""
    answer = _session().patch(f"{TARGET}/api/v2/users/{user}/", json=changes, timeout=(3, 10))
    answer.raise_for_status()
    now = time.time()
    row = (now, user, json.dumps(changes), answer.status_code, now - sent_at)
    connection = _database()
    connection.execute(
        "INSERT INTO naive_audit (at, user_id, changes, status, latency_s) VALUES (%s, %s, %s, %s, %s)", row
    )
    connection.commit()
