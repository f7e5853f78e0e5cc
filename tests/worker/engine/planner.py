"""Plans of a rig's people, as `hirewire plan` makes them, and the requests that a target then saw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from worker.bootstrap import build_planning, build_targets
from worker.databases import open_reader
from worker.engine.explaining import Explaining
from worker.storage.view import SqlViewer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.rig import Rig
    from worker.domain.event import Event
    from worker.engine.account_plan import AccountPlan, Request
    from worker.engine.explaining import AccountStory
    from worker.engine.planning import Planning

Wire = tuple[str, str | None, Any]


class Planner:
    """Looks through an engine of its own, with targets of its own: nothing is shared with the workers."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._engine = open_reader(rig.settings)
        self.viewer = SqlViewer(self._engine)

    def planning(self, *, reads: bool = False) -> Planning:
        targets = build_targets(self._rig.settings, self._rig.runtime.store)
        return build_planning(self._rig.settings, self.viewer, targets.values(), reads=reads)

    def of(self, subject: str, said: Sequence[Event] = (), *, reads: bool = False) -> AccountPlan:
        """At the only target."""
        (plan,) = self.planning(reads=reads).of_person(subject, said).accounts
        return plan

    def story(self, subject: str) -> AccountStory:
        (story,) = Explaining(self.viewer, self.planning()).of(subject).accounts
        return story

    def event(self, body: dict[str, Any]) -> Event:
        return self._rig.runtime.intake.read(json.dumps(body).encode())

    def close(self) -> None:
        self._engine.dispose()


def foretold(requests: Sequence[Request]) -> list[Wire]:
    return [(request.method, request.path, dict(request.body)) for request in requests]


def seen(target: ReferenceTarget, since: int) -> list[Wire]:
    """The writes that reached the target after the first so many."""
    return [(write["method"], write["path"], write["body"]) for write in target.writes()[since:]]
