"""The three reference targets of a run: real servers with their weather, their logs and their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.chaos import profile
from tests.chaos.evidence import Log
from tests.chaos.scenario import TARGETS, Scenario
from tests.fixtures.targets import ReferenceTarget, TargetProcess


class Town:
    def __init__(self, folder: Path, scenario: Scenario) -> None:
        self._folder = folder
        self._scenario = scenario
        self._stack = ExitStack()
        self._targets: dict[str, ReferenceTarget] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for name in TARGETS:
                process = TargetProcess(name, self._folder / f"{name}.stderr")
                stack.callback(process.stop)
                self._targets[name] = ReferenceTarget(name, process.port)
            for name, target in self._targets.items():
                seed = self._scenario.seeds[name]
                target.reset(seed["users"], seed["tokens"], seed["options"])
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def urls(self) -> dict[str, str]:
        return {name: target.base_url for name, target in self._targets.items()}

    def storm(self) -> None:
        for place, target in enumerate(self._targets.values()):
            target.weather(self._scenario.profile.seed * len(TARGETS) + place, profile.chances())

    def calm(self) -> None:
        for target in self._targets.values():
            target.clear_faults()

    def logs(self) -> list[Log]:
        return [Log(name, target.log()) for name, target in self._targets.items()]

    def counts(self) -> tuple[int, int]:
        """Requests and faults up to now."""
        told = [target.counts() for target in self._targets.values()]
        return sum(requests for requests, _ in told), sum(sum(faults.values()) for _, faults in told)

    def rows(self) -> dict[str, Mapping[int, Mapping[str, Any]]]:
        """Target -> id -> row of its own database."""
        return {name: {row["id"]: row for row in target.rows()} for name, target in self._targets.items()}


def delivered(logs: list[Log]) -> Counter[str]:
    """Faults by kind, as the targets' own logs tell."""
    return Counter(entry["fault"] for log in logs for entry in log.entries if entry["fault"] is not None)
