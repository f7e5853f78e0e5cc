"""A state machine over the engine and a model of what HR and the target should make of each other.

Hypothesis plays HR, operators, strangers at the target, faults of the target, and dying workers, in any
order. Whenever all is quiet and everything was read, the target shows what the model says, foreign fields
are as they were, and the audit tells of every request.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.faults.conftest import POSTGRESQL, SQLITE, MakeDatabase
from tests.faults.failing import nobody_sends
from tests.faults.moments import watch
from tests.faults.world import (
    ADMIN,
    BY_HAND,
    QUICK,
    SOURCE,
    Shown,
    audited,
    envelope,
    finish,
    foreign,
    leases_run_out,
    mail_of,
    nothing_left,
)
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.deciders import Desk
from tests.worker.engine.rig import Rig, settings_for
from worker.domain.account import Reason
from worker.domain.decisions import Word
from worker.engine.ports import Acceptance

pytestmark = pytest.mark.slow

NAMES = ("anna", "omar")
FIELDS = {"given_name": "first_name", "family_name": "last_name", "active": "is_active", "staff": "is_staff"}
TEXTS = st.sampled_from(["A", "B", "C", "Ö"])
WHO = st.sampled_from(NAMES)
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "headers": {"Retry-After": "0"}, "body": {"detail": "slow"}},
    {"kind": "status", "status": 409, "body": {"detail": "again"}},
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "cut"},
    {"kind": "empty"},
    {"kind": "html"},
    {"kind": "redirect"},
)
LATE = {"kind": "late_effect", "seconds": 0.1, "hold_s": 0.01}
CRASHES = (
    "before commit: accounts.claim",
    "after commit: accounts.claim",
    "before commit: audit account:patch:intended",
    "after commit: audit account:patch:intended",
    "before commit: audit account:patch:applied",
    "after commit: audit account:patch:applied",
    "before commit: targets.give_back",
)
ENGINE = {**QUICK, "late_effect_s": 0.4, "brake_min": 10_000, "future_tolerance_s": 0.05}
OPTIONS = {"crm": {"mapping": {"is_staff": "custom.staff"}, "privileged": {"is_staff": "approve"}}}


class CrashError(Exception):
    """The worker is gone."""


class World(RuleBasedStateMachine):
    """One example: a database, a target and a worker of its own."""

    url: str
    folder: Path
    target: ReferenceTarget

    def __init__(self) -> None:
        super().__init__()
        self.fatal = ""
        self.sequence = 10
        self.said: list[dict[str, Any]] = []
        self.newest: dict[tuple[str, str], int] = {}
        self.model = {name: {"first_name": "A", "last_name": name, "is_active": True} for name in NAMES}
        self.staff = dict.fromkeys(NAMES, False)  # what the target shows
        users = [{"username": n, "email": mail_of(n), "first_name": "A", "last_name": n} for n in NAMES]
        self.target.reset(users=[ADMIN, *users])
        self.before = self.target.users()
        targets = {"crm": self.target}
        self.rig = Rig(settings_for(self.url, self.folder, targets, ENGINE, OPTIONS, SOURCE))
        watch(self.rig.runtime, self._at)
        self.desk = Desk(self.rig, "crm")
        for name in NAMES:
            known = {"user_name": name, "email": mail_of(name), "active": True}
            self._say(name, {**known, "given_name": "A", "family_name": name})
        self.quiet()

    def _at(self, moment: str) -> None:
        if moment == self.fatal:
            self.fatal = ""
            raise CrashError(moment)

    def _say(self, name: str, data: Mapping[str, Any], sequence: int | None = None, **more: Any) -> None:
        """Accept one event; the model takes it in if it is the newest for its attribute."""
        self.sequence += 2
        number = self.sequence if sequence is None else sequence
        event = {**envelope(name, number, "changed", data), "id": f"e{len(self.said)}", **more}
        self.said.append(event)
        (receipt,) = self.rig.accept(event)
        assert receipt.verdict is Acceptance.NEW
        for attribute, value in data.items():
            field = FIELDS.get(attribute)
            if field is not None and number > self.newest.get((name, attribute), 0):
                self.newest[name, attribute] = number
                self.model[name][field] = value

    @rule(name=WHO, attribute=st.sampled_from(["given_name", "family_name"]), value=TEXTS)
    def hr_says(self, name: str, attribute: str, value: str) -> None:
        self._say(name, {attribute: value})

    @rule(name=WHO, active=st.booleans())
    def hr_lets_go_or_takes_back(self, name: str, active: bool) -> None:
        self._say(name, {"active": active})

    @rule(pick=st.integers(0, 1_000))
    def hr_says_the_same_again(self, pick: int) -> None:
        self.rig.accept(self.said[pick % len(self.said)])

    @rule(name=WHO, value=TEXTS, back=st.integers(1, 8))
    def an_older_event_arrives(self, name: str, value: str, back: int) -> None:
        sequence = max(1, self.sequence - 2 * back + 1)  # an odd one: nobody else's
        if (name, sequence) not in {(e["subject"], int(e["sequence"])) for e in self.said}:
            self._say(name, {"given_name": value}, sequence)

    @rule(name=WHO, value=TEXTS)
    def hr_is_ahead_of_time(self, name: str, value: str) -> None:
        soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.2)
        self._say(name, {"family_name": value}, time=soon.isoformat())

    @rule(name=WHO, staff=st.booleans())
    def hr_says_who_is_staff(self, name: str, staff: bool) -> None:
        """A grant waits for an approval; a removal does not."""
        self._say(name, {"custom": {"staff": staff}})
        self.quiet()
        self.staff[name] = self.staff[name] and staff

    @rule(name=WHO)
    def somebody_decides(self, name: str) -> None:
        hold = self.rig.account(name, "crm").held.get("is_staff")
        if hold is not None and hold.reason is Reason.APPROVAL:
            self.desk.say(name, "is_staff", Word.APPROVE)
            self.quiet()
            self.staff[name] = True

    @rule(name=WHO, field=st.sampled_from(["first_name", "last_name"]))
    def somebody_changes_the_target_by_hand(self, name: str, field: str) -> None:
        self.target.clear_faults()  # they were meant for us
        row = self.target.users()[name]
        answer = requests.patch(
            f"{self.target.base_url}/admin/users/{row['id']}/",
            json={field: "by hand"},
            headers={**self.target.authorization, "X-Request-ID": BY_HAND},
            timeout=30,
        )
        assert answer.status_code == 200

    @rule(fault=st.sampled_from(FAULTS), method=st.sampled_from(["PATCH", "PATCH", "GET"]))
    def the_target_is_about_to_fail(self, fault: Mapping[str, Any], method: str) -> None:
        self.target.faults([{"method": method, "times": 1, "fault": fault}])

    @rule()
    def the_target_is_about_to_act_late(self) -> None:
        self.target.faults([{"method": "PATCH", "times": 1, "fault": LATE}])

    @rule(moment=st.sampled_from(CRASHES))
    def a_worker_is_about_to_die(self, moment: str) -> None:
        self.fatal = moment

    @rule()
    def a_worker_works(self) -> None:
        self.rig.fold()
        self._sync()

    @rule()
    def a_signal_comes_twice(self) -> None:
        self._sync()
        self._sync()

    @rule()
    def an_operator_resyncs(self) -> None:
        run = self.rig.runtime.desk.request_resync({}, "test", "drift")
        self.rig.runtime.runs.carry_out(run.id)

    @precondition(lambda self: len(self.said) > 3)
    @rule()
    def all_is_quiet_and_read(self) -> None:
        self.compare()

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            self.rig.close()

    def _sync(self) -> None:
        try:
            self.rig.sync()
        except CrashError:
            nobody_sends(self.rig.runtime)
            leases_run_out(self.rig)

    def quiet(self) -> None:
        """No more deaths and no more faults; then nothing is left to do."""
        self.fatal = ""
        self.target.clear_faults()
        finish(self.rig)

    def compare(self) -> None:
        self.quiet()
        self.an_operator_resyncs()
        self.quiet()
        target = Shown.of(self.target, "crm")
        for name in NAMES:
            wanted = {**self.model[name], "is_staff": self.staff[name]}
            assert {field: target.users[name][field] for field in wanted} == wanted, json.dumps(
                self.said[-6:]
            )
        foreign(target, self.before, also=("is_staff",))
        audited(self.rig, target)
        nothing_left(self.rig)


@pytest.mark.parametrize(("kind", "examples"), [(SQLITE, 10), (POSTGRESQL, 6)])
@pytest.mark.parametrize("part", range(2))
def test_the_target_always_ends_as_the_model_says(
    make_database: MakeDatabase,
    tmp_path: Path,
    django_admin_target: ReferenceTarget,
    kind: str,
    examples: int,
    part: int,
) -> None:
    def world() -> World:
        made = {"url": make_database(kind), "folder": tmp_path, "target": django_admin_target}
        return cast("type[World]", type(f"World{part}", (World,), made))()

    wanted = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        print_blob=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),
    )
    run_state_machine_as_test(cast("Any", world), settings=wanted)
