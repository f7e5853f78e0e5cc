"""A database that fails while an account is at work is nobody's defect: no field of that account is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.faults.conftest import SQLITE, MakeDatabase
from tests.faults.failing import lost_database
from tests.faults.world import QUICK, SOURCE, Company, finish, leases_run_out
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for


def test_a_statement_that_fails_while_an_answer_is_taken_in_holds_nothing(
    make_database: MakeDatabase, tmp_path: Path, awx_target: ReferenceTarget
) -> None:
    company = Company(people=1, versions=1, leavers=0)
    awx_target.reset(users=company.accounts())
    rig = Rig(settings_for(make_database(SQLITE), tmp_path, {"target": awx_target}, QUICK, source=SOURCE))
    once = [lost_database()]

    def fail(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "remote_id IN" in statement and once:
            raise once.pop()

    sa.event.listen(rig.runtime.store._engine, "before_cursor_execute", fail)
    try:
        rig.accept(*company.events())
        rig.fold()
        with pytest.raises(sa.exc.OperationalError):
            finish(rig)
        leases_run_out(rig)
        finish(rig)
        assert rig.account("p0", "target").held == {}
        assert awx_target.users()["p0"]["first_name"] == "V1"
    finally:
        rig.close()
