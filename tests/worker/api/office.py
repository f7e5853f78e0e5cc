"""The HTTP interface of a rig on loopback, with operators who hold tokens."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import uvicorn

from config.settings import Settings
from tests.waiting import until
from tests.worker.engine.deciders import Desk
from tests.worker.engine.rig import Rig
from worker.api.app import build
from worker.api.parts import Parts, assemble
from worker.api.server import configured, listening
from worker.domain.operator import Role

TIMEOUT_S = 30
WHY = {"why": "ticket 4711"}


@contextmanager
def served(settings: Settings, parts: Parts) -> Iterator[str]:
    """The address of the application on a free port."""
    here = settings.api.model_copy(update={"host": "127.0.0.1", "port": 0})
    server = uvicorn.Server(configured(build(settings, parts), here))
    place = listening(here)
    thread = threading.Thread(target=server.run, args=([place],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), "the interface listens")
        yield f"http://127.0.0.1:{place.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_S)
        place.close()


@dataclass(frozen=True, slots=True)
class Office:
    """`tokens`: root the admin, alice the approver, bert the operator, vera the viewer, sam: awx only."""

    rig: Rig
    url: str
    tokens: Mapping[str, str]

    def get(self, path: str, who: str | None = "vera", **query: Any) -> requests.Response:
        return requests.get(self.url + path, params=query, headers=self._headers(who), timeout=TIMEOUT_S)

    def post(
        self,
        path: str,
        who: str | None = "bert",
        body: Mapping[str, Any] = WHY,
        key: str | None = None,
    ) -> requests.Response:
        headers = self._headers(who) | ({"Idempotency-Key": key} if key is not None else {})
        return requests.post(self.url + path, json=dict(body), headers=headers, timeout=TIMEOUT_S)

    def _headers(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"Authorization": f"Bearer {self.tokens.get(who, who)}"}


@contextmanager
def office_of(rig: Rig) -> Iterator[Office]:
    desk = Desk(rig)
    more = {
        "vera": desk.operators.add("vera", Role.VIEWER, desk.admin),
        "sam": desk.operators.add("sam", Role.APPROVER, desk.admin, targets=["awx"]),
    }
    parts = assemble(rig.settings, rig.signals)
    try:
        with served(rig.settings, parts) as url:
            yield Office(rig, url, desk.tokens | more)
    finally:
        parts.close()
