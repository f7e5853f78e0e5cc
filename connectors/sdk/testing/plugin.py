"""What pytest must know of the kit: its mark, and every waiver in the summary of a run.

Found by pytest through the entry point of this distribution.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

WAIVER = "waiver"  # the property of a report that holds one


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "conformance: one promise of a connector, checked by the kit")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Each waiver with its reason, whatever is shown of other skips."""
    reports = terminalreporter.stats.get("skipped", [])
    properties = (pair for report in reports for pair in getattr(report, "user_properties", ()))
    waivers = sorted({str(value) for name, value in properties if name == WAIVER})
    if waivers:
        terminalreporter.section("waived conformance checks")
        for waiver in waivers:
            terminalreporter.write_line(waiver)
