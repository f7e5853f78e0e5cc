"""Two workers racing at the brake: together they never pass its limit, not by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from config.settings import Settings
from tests.faults.conftest import POSTGRESQL, MakeDatabase
from tests.faults.forge import UNHARMED, Forge
from tests.faults.world import QUICK, SOURCE, Company, finish
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for
from worker.domain.account import Reason
from worker.storage import tables

pytestmark = pytest.mark.slow

LIMIT = 3
LEAVERS = 10


@pytest.mark.parametrize("seed", range(3))
def test_two_workers_at_once_never_pass_the_brakes_limit(
    forge: Forge, make_database: MakeDatabase, tmp_path: Path, django_admin_target: ReferenceTarget, seed: int
) -> None:
    target = django_admin_target
    company = Company(seed, people=LEAVERS, versions=1, leavers=LEAVERS)
    target.reset(users=company.accounts())
    engine = {**QUICK, "brake_min": LIMIT, "brake_share": 0, "shards": 2, "revocation_recheck_s": 30}
    targets = {"target": target}
    settings = settings_for(make_database(POSTGRESQL), tmp_path, targets, engine, source=SOURCE)
    prepare(settings, company)

    assert forge.run((worker, (settings, 0)), (worker, (settings, 1))) == [UNHARMED, UNHARMED]
    rig = Rig(settings)
    try:
        judge(rig, target, company)
    finally:
        rig.close()


def worker(ready: Callable[[], None], settings: Settings, shard: int) -> None:
    """In a process of its own: all that one worker does for its shard."""
    rig = Rig(settings)
    for target in rig.runtime.targets.values():
        rig.runtime.keeper._introduce(target)  # so that the first sync may claim at once
    ready()
    for _ in range(3):
        rig.runtime.sync(shard)


def prepare(settings: Settings, company: Company) -> None:
    """Everybody is known, linked and active; then all of them leave at once."""
    rig = Rig(settings)
    events = company.events()
    rig.accept(*events[:LEAVERS])
    finish(rig)
    rig.accept(*events[LEAVERS:])
    rig.fold()
    rig.close()


def judge(rig: Rig, target: ReferenceTarget, company: Company) -> None:
    """By the target's own journal, its rows, and what is held."""
    revoked = {w["path"] for w in target.writes() if w["body"].get("is_active") is False}
    gone = [name for name, row in target.users().items() if not row["is_active"]]
    assert (len(revoked), len(gone)) == (LIMIT, LIMIT)
    held = [rig.account(name, "target").held.get("is_active") for name in company.names if name not in gone]
    assert {hold.reason for hold in held if hold is not None} == {Reason.BRAKE}
    assert None not in held
    with rig.writer.connect() as connection:
        counted = connection.scalar(sa.select(sa.func.count()).select_from(tables.revocation))
    assert counted == LIMIT
    assert rig.verify().breaks == ()
