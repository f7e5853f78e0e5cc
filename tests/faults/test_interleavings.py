"""Two threads at named barriers: one is held at a moment of its work while the other does all of its own.

Whatever the interleaving, no deadlock, no change twice, nothing lost, nothing older. Inside a transaction the
other one may have to wait for the lock: then it goes on when the first is released (PostgreSQL; SQLite has
one writer, there only the moments between transactions are of interest).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.conftest import POSTGRESQL, SQLITE, MakeDatabase
from tests.faults.moments import watch
from tests.faults.stage import Stage
from tests.faults.world import QUICK, SOURCE, Company, check, envelope, finish
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for

pytestmark = pytest.mark.slow

WHILE_BLOCKED_S = 0.15
DEADLOCK = "40P01"
PEOPLE = 4
SYNC_BETWEEN = (
    "after commit: accounts.claim",
    "before connector.patch",
    "after connector.patch",
    "after commit: audit account:patch:intended",
    "after commit: audit account:patch:applied",
    "after commit: targets.give_back",
)
SYNC_INSIDE = (
    "before commit: accounts.claim",
    "before commit: audit account:patch:intended",
    "before commit: audit account:patch:applied",
    "before commit: targets.give_back",
)
FOLD = ("after commit: events.mark_folded", "before signals.sync")
FOLD_INSIDE = ("before commit: events.mark_folded",)
RUN = ("after commit: runs.save",)
RUN_INSIDE = ("before commit: runs.save",)
ACCEPT_INSIDE = ("before commit: events.store",)


class Play:
    """Settled people, one target, and one more version of everybody on its way."""

    def __init__(self, rig: Rig, target: ReferenceTarget) -> None:
        self.rig = rig
        self.company = Company(seed=3, people=PEOPLE, versions=1, leavers=0)
        target.reset(users=self.company.accounts())
        self.before = target.users()
        rig.accept(*self.company.events())
        finish(rig)
        self.say(2)
        rig.fold()

    def say(self, version: int) -> None:
        """A newer version of everybody is accepted."""
        events = [
            envelope(name, version, "changed", {"given_name": f"V{version}"}) for name in self.company.names
        ]
        for name in self.company.names:
            self.company.truth[name]["first_name"] = f"V{version}"
        self.rig.accept(*events)

    def newer(self) -> None:
        self.say(3)
        self.rig.fold()

    def fold(self) -> None:
        self.rig.fold()

    def sync(self) -> None:
        self.rig.sync()

    def resync(self) -> None:
        run = self.rig.runtime.desk.request_resync({}, "test", "at the same time")
        self.rig.runtime.runs.carry_out(run.id)

    def relay(self) -> None:
        self.rig.runtime.relay.run()


Act = Callable[[Play], None]
PAIRS: tuple[tuple[Act, tuple[str, ...], tuple[str, ...], tuple[Act, ...]], ...] = (
    (Play.sync, SYNC_BETWEEN, SYNC_INSIDE, (Play.sync, Play.newer, Play.resync, Play.relay)),
    (Play.newer, FOLD, FOLD_INSIDE, (Play.sync, Play.fold, Play.resync)),
    (Play.resync, RUN, RUN_INSIDE, (Play.sync, Play.newer, Play.resync)),
    (Play.newer, (), ACCEPT_INSIDE, (Play.sync, Play.resync)),
)


def plays() -> Iterator[object]:
    for one, between, inside, others in PAIRS:
        for other in others:
            for kind, moments in ((SQLITE, between), (POSTGRESQL, between + inside)):
                for moment in moments:
                    name = f"{one.__name__}-at-{moment.replace(' ', '_')}-while-{other.__name__}-{kind}"
                    yield pytest.param(kind, one, moment, other, id=name)


def note_deadlocks(rig: Rig) -> list[str]:
    """What PostgreSQL says about each deadlock: the engine would only try again."""
    said: list[str] = []

    def note(context: sa.engine.ExceptionContext) -> None:
        if getattr(context.original_exception, "sqlstate", None) == DEADLOCK:
            said.append(str(context.statement))

    sa.event.listen(rig.runtime.store._engine, "handle_error", note)
    return said


@pytest.mark.parametrize(("kind", "one", "moment", "other"), list(plays()))
def test_two_threads_in_any_interleaving_end_as_one_would(
    make_database: MakeDatabase,
    tmp_path: Path,
    django_admin_target: ReferenceTarget,
    kind: str,
    one: Act,
    moment: str,
    other: Act,
) -> None:
    targets = {"target": django_admin_target}
    rig = Rig(settings_for(make_database(kind), tmp_path, targets, QUICK, source=SOURCE))
    try:
        play = Play(rig, django_admin_target)
        stage = Stage(moment)
        watch(rig.runtime, stage)
        deadlocks = note_deadlocks(rig)
        stage.enter(lambda: one(play))
        assert stage.held.wait(60), f"never came: {moment}"
        second = stage.enter(lambda: other(play))
        second.join(WHILE_BLOCKED_S if moment.startswith("before commit") else 5)
        stage.curtain()
        finish(rig)
        check(rig, django_admin_target, play.company, play.before)
        assert deadlocks == []
    finally:
        rig.close()
