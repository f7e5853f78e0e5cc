"""The pictures of the benchmarks."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.pictures import drawn

MACHINE = {
    "cores": 2,
    "processor": "Some <Processor>",
    "memory_gb": 4,
    "python": "3.11",
    "valkey": "9",
    "hirewire": "1",
    "postgresql": "18",
    "packages": {"celery": "5", "requests": "2"},
}


def _run(who: str, per_s: float) -> dict[str, object]:
    return {"scenario": "patches at 0 ms", "who": who, "round": 1, "figures": {"per_s": per_s, "events": 5}}


def test_each_scenario_has_a_picture_in_which_a_bar_is_as_long_as_its_median() -> None:
    pictures = drawn([_run("hirewire", 100.0), _run("hirewire", 300.0), _run("naive-2", 50.0)], MACHINE)
    assert list(pictures) == ["patches-at-0-ms-per-s.svg"]
    tree = ET.fromstring(pictures["patches-at-0-ms-per-s.svg"])  # noqa: S314 - our own
    widths = [float(bar.attrib["width"]) for bar in tree.iter("{http://www.w3.org/2000/svg}rect")][1:]
    assert widths[0] == pytest.approx(4 * widths[1], abs=1)


def test_who_was_measured_alone_has_no_picture() -> None:
    assert drawn([_run("hirewire", 100.0)], MACHINE) == {}
