"""The example distribution can be imported, and its own tests are run by ours alone."""

from __future__ import annotations

import sys

from hypothesis import HealthCheck, settings

from tests.kit.projects import EXAMPLE

collect_ignore = [EXAMPLE.name]
sys.path[:0] = [str(EXAMPLE), str(EXAMPLE / "tests")]

settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")  # the machine is shared with other tests: time says nothing
