"""The kit catches what it is for: each broken connector fails the check that is named for its fault."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from itertools import combinations

import pytest

from connectors.sdk.testing import ReferenceServer
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import Check
from connectors.sdk.testing.suite import applicable, bench_of, every_check, run
from tests.kit.broken.base import Fault, Sample
from tests.kit.broken.every import every_fault, samples

CHECKS = {item.id: item for item in every_check()}
FAULTS = every_fault()
LEAST = 20  # broken connectors
SHARDS = 8


class Servers:
    """Each reference server once, entered when it is first asked for."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self._stack = stack
        self._running: dict[type[ReferenceServer], ReferenceServer] = {}

    def of(self, sample: Sample) -> ReferenceServer:
        if sample.server not in self._running:
            self._running[sample.server] = self._stack.enter_context(sample.server())
        return self._running[sample.server]

    @contextlib.contextmanager
    def bench(self, fault: Fault) -> Iterator[Bench]:
        with bench_of(fault.style, self.of(fault.sample), fault.sample.document) as bench:
            yield bench


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with contextlib.ExitStack() as stack:
        yield Servers(stack)


def said_against(item: Check, bench: Bench) -> str | None:
    """What the check says against the connector; None where it passes."""
    try:
        run(item, bench)
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - an author sees any of them as a failure
        return f"{type(error).__name__}: {error}"
    return None


def test_there_are_enough_broken_connectors() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= LEAST


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_broken_connector_is_caught_by_the_check_of_its_fault(fault: Fault, servers: Servers) -> None:
    with servers.bench(fault) as bench:
        said = said_against(CHECKS[fault.check], bench)
    assert said is not None, f"{fault.what} And {fault.check} did not see it."
    if not fault.raises:
        assert said.startswith(("AssertionError: ", "Failed: ")), f"{fault.what} The author is told: {said}"


def test_every_check_has_a_connector_that_it_is_for() -> None:
    assert sorted({*CHECKS} - {fault.check for fault in FAULTS}) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_two_checks_are_one(shard: int, servers: Servers) -> None:
    """Of any two checks, one catches a connector that the other lets pass: else they are one check."""
    alike = [
        {slow, quick}
        for slow, others in _pairs(shard, servers).items()
        for quick in _catching_all_of(slow, others, servers)
        if slow in _catching_all_of(quick, [slow], servers)
    ]
    assert alike == [], "nobody is caught by only one of these"


def _pairs(shard: int, servers: Servers) -> dict[str, list[str]]:
    """The pairs of checks of one shard, each below the slower one, which then runs seldom."""
    seconds = {name: _seconds(item, servers) for name, item in CHECKS.items()}
    below: dict[str, list[str]] = {}
    for number, pair in enumerate(combinations(sorted(CHECKS), 2)):
        if number % SHARDS == shard:
            slow, quick = sorted(pair, key=lambda name: -seconds[name])
            below.setdefault(slow, []).append(quick)
    return below


def _catching_all_of(check: str, others: list[str], servers: Servers) -> list[str]:
    """Which of the others catch every connector that this check is for."""
    for fault in FAULTS:
        if fault.check == check and others:
            others = _catching(fault, others, servers)
    return others


def _catching(fault: Fault, names: list[str], servers: Servers) -> list[str]:
    fit = {item.id for item in applicable(fault.style, fault.sample.server, fault.sample.document)}
    with servers.bench(fault) as bench:
        return [name for name in names if name in fit and said_against(CHECKS[name], bench) is not None]


def _seconds(item: Check, servers: Servers) -> float:
    """How long a check takes where all is well."""
    sample = next(fault.sample for fault in FAULTS if fault.check == item.id)
    with bench_of(sample.style, servers.of(sample), sample.document) as bench:
        began = time.perf_counter()
        said_against(item, bench)
        return time.perf_counter() - began


@pytest.mark.slow
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.style.__name__)
def test_a_sound_connector_passes_every_check(sample: Sample, servers: Servers) -> None:
    with bench_of(sample.style, servers.of(sample), sample.document) as bench:
        items = applicable(sample.style, sample.server, sample.document)
        failures = {item.id: said for item in items if (said := said_against(item, bench)) is not None}
    assert failures == {}
