"""What Celery tells us about itself: readiness, the request to stop, and messages that are no task of ours.

A message from outside whose task is unknown or whose form is wrong is recorded in the audit with the hash of
its body, never the body, which may hold anything; Celery's own lines about it, which quote it, are cut.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import os
import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, signals
from celery.apps import worker as celery_worker
from sqlalchemy.exc import SQLAlchemyError

from config.logs import catch_uncaught, configure
from config.settings import Settings
from connectors.sdk.model import Json
from worker.cli.stopping import SharedFlag
from worker.databases import open_writer
from worker.engine.accept import STREAM
from worker.engine.rows import Entry
from worker.signals import CONTROL_QUEUE
from worker.storage.audit import stamp
from worker.storage.store import SqlStore

log = structlog.get_logger(__name__)

ACTOR = "broker"
_NAME_LIMIT = 255
_STDERR = 2
_TICKING = ("celery.worker.strategy", "celery.app.trace", "celery.beat", "alembic.runtime.migration")
"""Loggers with a line for each message, however ordinary."""

_QUOTING = (
    "Received and deleted unknown message",
    "Received unregistered task of type",
    "Received invalid task message",
    "Can't decode message body",
)
"""How those lines of Celery's consumer begin that quote a message's body."""


def own_logs(settings: Settings) -> None:
    """Our format on standard error, from the first line on and whatever Celery would set up."""
    _configure(settings)
    catch_uncaught()
    celery_worker.safe_say = _say  # type: ignore[attr-defined]  # it has no signal for this
    signals.setup_logging.connect(_ignoring(lambda: _configure(settings)), weak=False)


def _say(message: str, _stream: object = None) -> None:
    """What Celery writes past all logs when it is asked to stop. In a signal handler: takes no lock."""
    line = {"event": message, "level": "info", "logger": "celery.apps.worker", "at": stamp(time.time())}
    os.write(_STDERR, f"{json.dumps(line, sort_keys=True)}\n".encode())


def _configure(settings: Settings) -> None:
    configure(settings.logs)
    logging.captureWarnings(capture=True)
    if settings.logs.level != "debug":
        for name in _TICKING:
            logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_quote_nothing)


def _quote_nothing(record: logging.LogRecord) -> bool:
    said = str(record.msg).lstrip()
    for beginning in _QUOTING:
        if said.startswith(beginning):
            record.msg, record.args, record.exc_info = beginning, (), None
    return True


def connect(app: Celery, settings: Settings, stopping: SharedFlag, ready: Callable[[], None]) -> None:
    """For the life of this process: Celery's signals are its own."""

    def at_ready() -> None:
        app.send_task("hirewire.relay", queue=CONTROL_QUEUE, expires=60, retry=False)
        ready()

    def unknown(message: Any, name: Any = None, **_: Any) -> None:  # noqa: ANN401 - kombu's
        _record(settings, "unknown", message, name)

    def rejected(message: Any, **_: Any) -> None:  # noqa: ANN401 - kombu's
        _record(settings, "rejected", message, None)

    # Celery collects garbage before each fork: a quarter of a second each, unless what is loaded is left out.
    signals.worker_before_create_process.connect(_ignoring(gc.freeze), weak=False)
    signals.worker_ready.connect(_ignoring(at_ready), weak=False)
    signals.worker_shutting_down.connect(_ignoring(stopping.set), weak=False)
    signals.task_unknown.connect(unknown, weak=False)
    signals.task_rejected.connect(rejected, weak=False)


def _ignoring(act: Callable[[], None]) -> Callable[..., None]:
    def receive(**_: object) -> None:
        act()

    return receive


def _record(settings: Settings, what: str, message: Any, name: object) -> None:  # noqa: ANN401 - kombu's
    """In a transaction of its own. A database that is away must not end the worker over a stray message."""
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
    facts: dict[str, Json] = {
        "task": _named(name if name is not None else message.headers.get("task")),
        "id": _named(message.headers.get("id")),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    log.warning("message_refused", what=what, task=facts["task"], id=facts["id"])
    engine = open_writer(settings)
    try:
        with SqlStore(engine, settings.engine.shards).begin() as tx:
            tx.audit(Entry(STREAM, f"message:broker:{what}", ACTOR, facts))
    except SQLAlchemyError as error:
        log.exception("message_unrecorded", error=type(error).__name__)
    finally:
        engine.dispose()


def _named(value: object) -> Json:
    return None if value is None else storable_name(str(value))


def storable_name(text: str) -> str:
    """What a stranger calls a task or a message, short and free of control characters."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:_NAME_LIMIT])
