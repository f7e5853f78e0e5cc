"""A plain HTTP client for each reference target, signed in as its administrator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fixtures.targets import ReferenceTarget

TIMEOUT_S = 60.0


class Api:
    """Requests to one target: relative addresses, no redirects followed, no retries."""

    def __init__(self, target: ReferenceTarget) -> None:
        self.target = target
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(target.authorization)

    def send(self, method: str, path: str, timeout: float = TIMEOUT_S, **given: Any) -> requests.Response:
        url = self.target.base_url + path
        return self._session.request(method, url, timeout=timeout, allow_redirects=False, **given)

    def get(self, path: str, **given: Any) -> requests.Response:
        return self.send("GET", path, **given)

    def patch(self, path: str, body: Any, **given: Any) -> requests.Response:
        return self.send("PATCH", path, json=body, **given)

    def post(self, path: str, body: Any, **given: Any) -> requests.Response:
        return self.send("POST", path, json=body, **given)

    def sign(self, value: str | None) -> None:
        """Use another Authorization header from now on; None sends none."""
        self._session.headers["Authorization"] = value  # type: ignore[assignment]

    def close(self) -> None:
        self._session.close()


def _closed_afterwards(api: Api) -> Iterator[Api]:
    yield api
    api.close()


@pytest.fixture
def awx(awx_target: ReferenceTarget) -> Iterator[Api]:
    yield from _closed_afterwards(Api(awx_target))


@pytest.fixture
def django_admin(django_admin_target: ReferenceTarget) -> Iterator[Api]:
    yield from _closed_afterwards(Api(django_admin_target))


@pytest.fixture
def staff_users(staff_users_target: ReferenceTarget) -> Iterator[Api]:
    yield from _closed_afterwards(Api(staff_users_target))


@pytest.fixture
def authentik(authentik_target: ReferenceTarget) -> Iterator[Api]:
    yield from _closed_afterwards(Api(authentik_target))
