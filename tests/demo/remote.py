"""One reference target, spoken to over HTTP: seeded and armed by its control API, read by its own API.

For one thread. Raises `requests.RequestException` when the target does not answer as it should.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urljoin

import requests

from tests.demo.scene import Start
from tests.demo.styles import Style
from tests.targets.journal import READS

_LIMIT_S = 60.0


class Remote:
    """`token` is one of the tokens that `start` seeds."""

    def __init__(self, name: str, style: Style, base_url: str, start: Start) -> None:
        self.name = name
        self._style = style
        self._base_url = base_url
        self._start = start
        self._session = requests.Session()
        self._session.trust_env = False

    def seed(self) -> int:
        """Wipe the target and give it its starting accounts; how many."""
        start = self._start
        payload = {"groups": list(start.groups), "users": list(start.users), "tokens": list(start.tokens)}
        return int(self._control("POST", "reset", payload)["users"])

    def arm(self) -> int:
        """Script the faults; how many."""
        return int(self._control("POST", "faults", list(self._start.faults))["added"])

    def writes(self) -> Sequence[Mapping[str, Any]]:
        """Every request but reads that has reached the target since it was seeded."""
        log = self._control("GET", "log")
        return [entry for entry in log if entry["method"] not in READS]

    def faults_met(self) -> int:
        """How many requests met a fault."""
        return sum(entry["fault"] is not None for entry in self._control("GET", "log"))

    def accounts(self) -> dict[Any, Mapping[str, Any]]:
        """Id -> account, each as its own GET answers, all that the listing names.

        A file that an account shows by its address is read too: its SHA-256 stands in the address's place.
        """
        found: dict[Any, Mapping[str, Any]] = {}
        url: str | None = urljoin(self._base_url, self._style.users)
        while url:
            page = self._get(url)
            for row in page["results"]:
                found[row[self._style.key]] = self._account(row[self._style.key])
            url = self._following(page)
        return found

    def _following(self, page: Mapping[str, Any]) -> str | None:
        """Where the next page is: told by its number, or by its address."""
        if "pagination" in page:
            number = page["pagination"]["next"]
            return urljoin(self._base_url, f"{self._style.users}&page={number}") if number else None
        return urljoin(self._base_url, page["next"]) if page["next"] else None

    def _account(self, key: object) -> Mapping[str, Any]:
        folder = self._style.users.partition("?")[0]
        row = self._get(urljoin(self._base_url, f"{folder}{key}/"))
        return {**row, **{name: self._digest(row[name]) for name in self._style.files if row[name]}}

    def _digest(self, address: str) -> str:
        content = self._answer(urljoin(self._base_url, address)).content
        return hashlib.sha256(content).hexdigest()

    def _get(self, url: str) -> Any:
        return self._answer(url).json()

    def _answer(self, url: str) -> requests.Response:
        authorization = f"{self._style.scheme} {self._start.tokens[0]['token']}"
        answer = self._session.get(url, headers={"Authorization": authorization}, timeout=_LIMIT_S)
        answer.raise_for_status()
        return answer

    def _control(self, method: str, what: str, payload: object = None) -> Any:
        url = urljoin(self._base_url, f"/__control__/{what}")
        answer = self._session.request(method, url, json=payload, timeout=_LIMIT_S)
        answer.raise_for_status()
        return answer.json()
