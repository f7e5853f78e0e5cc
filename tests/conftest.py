"""What every test can ask for. The fixtures themselves live in tests/fixtures/."""

from __future__ import annotations

pytest_plugins = ["tests.fixtures.services", "tests.fixtures.targets"]
