from __future__ import annotations

import socket

import pytest
from hypothesis import HealthCheck, settings

from tests.connectors.styles import STYLES, StyleCase

settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")  # the machine is shared with other tests: time says nothing


@pytest.fixture(params=sorted(STYLES))
def style(request: pytest.FixtureRequest) -> StyleCase:
    return STYLES[request.param]


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
