"""A worker is killed at every point of its work, ten times each; the next one makes everything good.

The child runs the whole engine and kills itself (SIGKILL) at the point. Then HR sends everything once
more, the dead worker's leases run out, and a fresh engine goes on. Half of the tries are on PostgreSQL.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.faults.conftest import POSTGRESQL, SQLITE, MakeDatabase
from tests.faults.forge import KILLED, Forge, Trap
from tests.faults.moments import watch
from tests.faults.world import QUICK, SOURCE, Company, check, finish, leases_run_out
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for

pytestmark = pytest.mark.slow

TRIES = 10
PATCH = "audit account:patch"
APPLIED = "the target applied a change"
_SYNCS = 0.8  # how often a sync follows a fold


def fault(kind: str, times: int = 1, **more: Any) -> dict[str, Any]:
    return {"method": "PATCH", "times": times, "fault": {"kind": kind, **more}}


REFUSED = fault("status", status=403, body={"detail": "no"})


@dataclass(frozen=True)
class Point:
    """Where to die: `most` bounds which of the moment's occurrences it is."""

    name: str
    moment: str
    most: int = 2
    faults: Sequence[Mapping[str, Any]] = ()
    engine: Mapping[str, Any] = field(default_factory=dict)


POINTS = (
    Point("in accept before its commit", "before commit: events.store"),
    Point("in accept after its commit, before its signal", "after commit: events.store"),
    Point("in fold before its commit", "before commit: events.mark_folded"),
    Point("in fold after its commit", "after commit: events.mark_folded"),
    Point("in fold before its signal", "before signals.sync"),
    Point("before the claim's commit", "before commit: accounts.claim"),
    Point("after the claim's commit", "after commit: accounts.claim"),
    Point("before the search for an account", "before connector.find"),
    Point("after an account was found", "after connector.find"),
    Point("before the intent's commit", f"before commit: {PATCH}:intended"),
    Point("after the intent's commit, before the send", f"after commit: {PATCH}:intended"),
    Point("in the sending thread, before the send", "before connector.patch"),
    Point("after the target applied it, before the answer is read", APPLIED, 1, [fault("trickle", 9)]),
    Point("after the answer, before it is settled", "after connector.patch"),
    Point("in settle before its commit", f"before commit: {PATCH}:applied"),
    Point("in settle after its commit", f"after commit: {PATCH}:applied"),
    Point(
        "after an ambiguous answer was settled", f"after commit: {PATCH}:ambiguous", 1, [fault("drop_after")]
    ),
    Point("before a doubt is read up on", "before connector.fetch", 1, [fault("drop_after")]),
    Point("before a doubt ends", f"before commit: {PATCH}:confirmed", 1, [fault("cut")]),
    Point("after a doubt ended", f"after commit: {PATCH}:confirmed", 1, [fault("cut")]),
    Point(
        "before a refuted change goes out again", f"after commit: {PATCH}:refuted", 1, [fault("drop_before")]
    ),
    Point(
        "at a lease's renewal",
        "before commit: accounts.renew",
        1,
        [fault("delay", 3, seconds=0.6)],
        {"lease_s": 1.5, "late_effect_s": 2.0},  # the delay, and what a busy machine adds to it
    ),
    Point("before slots are given back", "before commit: targets.give_back"),
    Point("after slots were given back", "after commit: targets.give_back"),
    Point("before a pause's commit", "before commit: targets.pause", 1, [REFUSED], {"pause_after": 1}),
    Point("after a pause's commit", "after commit: targets.pause", 1, [REFUSED], {"pause_after": 1}),
    Point("before the probe of a paused target", "before connector.probe", 1, [REFUSED], {"pause_after": 1}),
    Point("before a resume's commit", "before commit: targets.resume", 1, [REFUSED], {"pause_after": 1}),
    Point("in the relay, before its hints", "after commit: targets.due_shards"),
    Point("in a run, before a page's commit", "before commit: runs.save", 1),
    Point("in a run, after a page's commit", "after commit: runs.save", 1),
)


def timeouts(point: Point) -> dict[str, Any]:
    """Short where the lease is: a request must fit into it."""
    if "lease_s" not in point.engine:
        return {}
    return {"timeouts": {"connect_s": 0.9, "read_s": 0.9, "deadline_s": 0.9}}


@dataclass(frozen=True)
class Life:
    """What one worker is to live through."""

    point: Point
    seed: int
    settings: Settings
    target: ReferenceTarget
    events: list[dict[str, Any]]


def live(_ready: Callable[[], None], life: Life) -> None:
    """In a process of its own: everything from the first event on, until the trap closes."""
    chance = random.Random(life.seed)  # noqa: S311 - a test's choices
    trap = Trap(life.point.moment, chance.randint(1, life.point.most))
    rig = Rig(life.settings)
    watch(rig.runtime, trap)
    if life.point.moment == APPLIED:
        threading.Thread(target=_tell_applied, args=(life.target, trap), daemon=True).start()
    left = list(life.events)
    while left:
        size = chance.randint(1, 4)
        rig.accept(*left[:size])
        left = left[size:]
        rig.fold()
        if chance.random() < _SYNCS:
            rig.sync()
        rig.runtime.relay.run()
    finish(rig)
    rig.runtime.desk.request_resync({}, "test", "a round of reads")
    finish(rig)


def _tell_applied(target: ReferenceTarget, trap: Trap) -> None:
    """The target has applied a change, and its answer still trickles."""
    while not any(write["applied"] for write in target.writes()):
        time.sleep(0.005)
    trap(APPLIED)


@pytest.mark.parametrize("seed", range(TRIES))
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name.replace(" ", "-"))
def test_a_worker_killed_at_any_point_loses_nothing_and_repeats_nothing(
    forge: Forge,
    point: Point,
    seed: int,
    make_database: MakeDatabase,
    tmp_path: Path,
    django_admin_target: ReferenceTarget,
) -> None:
    target, company = django_admin_target, Company(seed, people=3 + seed % 2, versions=2)
    target.reset(users=company.accounts())
    before = target.users()
    target.faults(point.faults)
    url = make_database(POSTGRESQL if seed % 2 else SQLITE)
    engine = {**QUICK, **point.engine}
    options = {"target": {"max_in_flight": 1 + seed % 4, **timeouts(point)}}
    settings = settings_for(url, tmp_path, {"target": target}, engine, options, SOURCE)
    events = company.events()
    life = Life(point, seed, settings, target, events)
    assert forge.run((live, (life,))) == [KILLED], f"never came: {point.moment}"
    target.clear_faults()
    rig = Rig(settings)
    try:
        leases_run_out(rig)
        rig.accept(*events)
        finish(rig)
        check(rig, target, company, before)
    finally:
        rig.close()
