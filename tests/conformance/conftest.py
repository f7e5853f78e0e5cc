from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.conformance import servers
from tests.fixtures.targets import TargetProcess

settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")  # the machine is shared with other tests: time says nothing


@pytest.fixture(scope="session", autouse=True)
def _processes(_target_processes: Callable[[str], TargetProcess]) -> Iterator[None]:
    """The kit's servers use the processes that the other tests use."""
    servers.process_of = _target_processes
    yield
    servers.process_of = servers.no_process
