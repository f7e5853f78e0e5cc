"""Where events go in: through Hirewire's intake in this process, over HTTP, or into the naive worker's queue.

A door takes a batch of (name, person, family name); it returns when all of them are accepted.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from config.settings import load
from tests.benchmarks.naive.app import patch
from tests.benchmarks.people import event, remote_id
from worker.api.parts import open_parts
from worker.celery_app import create
from worker.engine.rows import Acceptance

Change: TypeAlias = tuple[str, int, str]
_ACCEPTED = 202


class Door(Protocol):
    """Safe from many threads."""

    def send(self, changes: Sequence[Change]) -> None: ...


class IntakeDoor:
    """As any process that has Hirewire's configuration."""

    def __init__(self, config: Path) -> None:
        settings = load(config)
        self._intake = open_parts(settings, create(settings)).intake

    def send(self, changes: Sequence[Change]) -> None:
        receipts = self._intake.accept([event(*change) for change in changes], "benchmark")
        refused = [receipt for receipt in receipts if receipt.verdict is not Acceptance.NEW]
        if refused:
            raise RuntimeError(f"refused: {refused[0]}")


class HttpDoor:
    """As an HR system: one connection for each thread, kept, with an API key."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {key}"}
        self._own = threading.local()

    def send(self, changes: Sequence[Change]) -> None:
        bodies = [event(*change) for change in changes]
        if len(bodies) == 1:
            self._post(bodies[0], "application/cloudevents+json")
        else:
            self._post(b"[" + b",".join(bodies) + b"]", "application/cloudevents-batch+json")

    def _post(self, body: bytes, kind: str) -> None:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("POST", "/v1/events", body, {**self._headers, "Content-Type": kind})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != _ACCEPTED or b'"refused"' in said:
            raise RuntimeError(f"{answer.status}: {said[:300]!r}")


class NaiveDoor:
    """`delay()` for each event."""

    def send(self, changes: Sequence[Change]) -> None:
        for _, person, family_name in changes:
            patch.delay(remote_id(person), {"last_name": family_name}, time.time())
