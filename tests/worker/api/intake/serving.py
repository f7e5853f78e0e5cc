"""The HTTP interface on a real socket: uvicorn in a thread, a real database, signals kept in a list."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import requests
import sqlalchemy as sa
import uvicorn

from config.settings import Settings
from tests.waiting import until
from tests.worker.engine.rig import RecordedSignals
from worker.api.app import build
from worker.api.parts import assemble
from worker.api.server import configured, listening
from worker.storage import tables
from worker.storage.verify import asking, verify

URI = "https://hr.example.com"
KEY = "hwk_the-key-of-hr"
OTHER_KEY = "hwk_the-key-of-payroll"
SECRET = "whsec_" + base64.b64encode(b"the secret that hr signs with, long").decode()
LIMIT_S = 60
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"


def sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


SOURCES: dict[str, Any] = {
    "hr": {
        "uri": URI,
        "attributes": ["user_name", "given_name", "email", "active"],
        "keys": {"one": {"sha256": sha256(KEY)}},
        "secrets": {"one": {"secret": SECRET}},
    },
    "payroll": {
        "uri": "https://payroll.example.com",
        "attributes": ["title"],
        "keys": {"one": {"sha256": sha256(OTHER_KEY)}},
    },
    "closed": {"attributes": ["department"]},
}


def event(identifier: str, subject: str = "E1001", /, **more: Any) -> dict[str, Any]:
    """A good event of hr, with these attributes of the envelope in place of its own."""
    return {
        "specversion": "1.0",
        "id": identifier,
        "source": URI,
        "type": "hirewire.person.changed",
        "subject": subject,
        "time": "2026-01-31T09:30:00Z",
        "data": {"given_name": "Mira"},
        **more,
    }


def signed(
    body: bytes, identifier: str = "msg_1", secret: str = SECRET, at: float | None = None
) -> dict[str, str]:
    """The headers of Standard Webhooks, made by hand as their specification says."""
    stamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{identifier}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": identifier, "webhook-timestamp": stamp, "webhook-signature": signature}


class Served:
    """One process's interface, inside this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.signals = RecordedSignals()
        self.parts = assemble(settings, self.signals)
        self.app = build(settings, self.parts)
        self.server = uvicorn.Server(configured(self.app, settings.api))
        self._place = listening(settings.api)
        self._thread = threading.Thread(target=self.server.run, args=([self._place],))
        self._thread.start()
        until(lambda: self.server.started, "the interface listens")
        self.port: int = self._place.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()

    def send(
        self,
        body: Any,
        kind: str = STRUCTURED,
        key: str | None = KEY,
        headers: Mapping[str, str] | None = None,
        **params: str,
    ) -> requests.Response:
        """POST /v1/events. A body that is no bytes is sent as JSON."""
        said = {
            "content-type": kind,
            **({"authorization": f"Bearer {key}"} if key else {}),
            **(headers or {}),
        }
        raw = body if isinstance(body, bytes) or hasattr(body, "__next__") else json.dumps(body).encode()
        return self.session.post(
            f"{self.url}/v1/events", data=raw, headers=said, params=params, timeout=LIMIT_S
        )

    def sign(self, body: Any, kind: str = STRUCTURED, source: str = "hr", **how: Any) -> requests.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(raw, kind, None, signed(raw, **how), source=source)

    def ask(self, event_id: str, key: str | None = KEY) -> requests.Response:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return self.session.get(f"{self.url}/v1/events/{event_id}", headers=headers, timeout=LIMIT_S)

    def stored(self) -> list[str]:
        """Ids of the events, in the order of arrival."""
        query = sa.select(tables.event.c.event_id).order_by(tables.event.c.id)
        return [row.event_id for row in self.rows(query)]

    def audit(self, action: str = "") -> list[dict[str, Any]]:
        query = sa.select(tables.audit.c.text).order_by(tables.audit.c.id)
        records = [json.loads(row.text) for row in self.rows(query)]
        return [record for record in records if record["action"].startswith(action)]

    def rows(self, query: Any) -> list[Any]:
        with self.parts.reader.connect() as connection:
            return [*connection.execute(query)]

    def close(self) -> None:
        self.session.close()
        self.server.should_exit = True
        self._thread.join()
        self._place.close()
        with self.parts.reader.connect() as connection:
            assert verify(asking(connection)).breaks == ()
        self.parts.close()
