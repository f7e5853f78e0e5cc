"""A thousand tries each at a protected account and at a privileged field: no unsafe request is ever planned.

Odd case, look-alikes, white space, other types, mapping tricks, renames to a protected name, remote ids of
others. Then a few hundred of them end to end: none is seen by the target.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from connectors.sdk.model import Json, Record
from tests.faults.conftest import SQLITE, MakeDatabase
from tests.faults.disguises import any_form, disguised, grants
from tests.faults.world import QUICK, SOURCE, envelope, finish
from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig, settings_for
from worker.bootstrap import build_targets
from worker.domain.account import Account, Reason
from worker.domain.identity import Asserted, Identity
from worker.domain.plan import Create, Decision, Delete, Demote, Patch, decide, decide_create
from worker.domain.policy import Timing
from worker.engine.target import Target
from worker.storage.database import writer
from worker.storage.store import SqlStore

pytestmark = pytest.mark.slow

TRIES = 1_000
NOW = 1_000_000.0
TIMING = Timing()
PROTECTED = ("root", "svc-backup", "Administrator", "kiosk")
IDS = ("1", "77")
RIGHTS = ("is_superuser", "is_staff", "groups")
TRICKS = (
    "custom.right",
    "custom.right || `true`",
    "not_null(custom.right, `true`)",
    "custom.right != `false`",
    "custom.*|[0]",
    "[custom.right]",
    "custom.right && `true`",
    "lookup(department, {IT: `true`})",
    "to_number(custom.right)",
    "values(custom)|[0]",
)
RECORD: dict[str, Json] = {
    "username": "mira",
    "first_name": "Mira",
    "last_name": "Berg",
    "email": "mira@example.com",
    "is_active": True,
    "is_superuser": False,
    "is_staff": False,
    "groups": ["readers"],
}


def target_with(url: str, folder: Path, **options: Any) -> Target:
    """A target as a worker has it, that nobody ever asks anything."""
    nowhere = ReferenceTarget("django_admin", 9)
    given: Mapping[str, Any] = {"options": {"groups": {"readers": 1, "admins": 2}}, **options}
    settings = settings_for(url, folder, {"crm": nowhere}, options={"crm": given})
    engine = writer(url)
    try:
        (target,) = registered(settings, SqlStore(engine, 1)).values()
    finally:
        engine.dispose()
    return target


def registered(settings: Settings, store: SqlStore) -> dict[int, Target]:
    with store.begin() as tx:
        tx.targets.register({"crm": 1}, shards=1)
    return build_targets(settings, store)


def identity(**values: Json) -> Identity:
    asserted = {name: Asserted(value, "01", 1, 2, "hr") for name, value in values.items()}
    return Identity("E1", 2, asserted)


def account(remote_id: str | None = "7", **values: Json) -> Account:
    """Linked and read just now, as it shows itself."""
    seen = {**RECORD, **values}
    return Account(1, 1, 1, remote_id=remote_id, applied_revision=1, observed=seen, observed_at=NOW)


def steps(found: Account, who: Identity, target: Target) -> list[Decision]:
    """What would be done for the account, and what if the search found nobody."""
    person = target.view.of(who, NOW)
    unlinked = replace(found, remote_id=None, observed=None)
    return [
        decide(found, person, target.policy, TIMING, NOW, NOW),
        decide_create(unlinked, person, target.policy, NOW),
    ]


def sent(decision: Decision) -> Record | None:
    """What leaves; None where nothing does."""
    return decision.step.changes if isinstance(decision.step, Patch | Create | Demote | Delete) else None


def test_no_disguise_lets_a_write_at_a_protected_account_pass(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    protected = {"usernames": PROTECTED, "ids": IDS}
    target = target_with(make_database(SQLITE), tmp_path, protected=protected, leaver="deactivate")
    for seed in range(TRIES):
        chance = random.Random(seed)  # noqa: S311 - a test's choices
        named = chance.random() < 0.7
        shown = disguised(chance, chance.choice(PROTECTED)) if named else "mira"
        found = account("7" if named else chance.choice(IDS), username=shown)
        person = identity(
            user_name=chance.choice((shown, "mira")),
            given_name=chance.choice(("Mia", None, "")),
            active=chance.choice((True, False)),
            email=chance.choice(("mia@example.com", 7, None)),
        )
        decision = steps(found, person, target)[0]
        assert sent(decision) is None, (seed, shown, decision)
        assert decision.account.held["@account"].reason is Reason.PROTECTED


def test_no_rename_and_no_creation_takes_a_protected_name(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    options = {"protected": {"usernames": PROTECTED}, "on_missing": "create"}
    target = target_with(make_database(SQLITE), tmp_path, **options)
    for seed in range(TRIES):
        chance = random.Random(seed)  # noqa: S311 - a test's choices
        name = disguised(chance, chance.choice(PROTECTED))
        person = identity(user_name=name, given_name="Mia", family_name="Berg", email="mira@example.com")
        rename, creation = steps(account(), person, target)
        assert "username" not in (sent(rename) or {}), (seed, name)
        assert sent(creation) is None, (seed, name)


@pytest.mark.parametrize("right", RIGHTS)
def test_no_value_and_no_mapping_grants_a_privileged_field(
    make_database: MakeDatabase, tmp_path: Path, right: str
) -> None:
    url = make_database(SQLITE)
    tricks = [target_with(url, tmp_path, mapping={right: trick}) for trick in TRICKS]
    before = RECORD[right]
    for seed in range(TRIES):
        chance = random.Random(seed)  # noqa: S311 - a test's choices
        person = identity(
            user_name="mira",
            department="IT",
            custom={chance.choice(("right", "other")): grants(chance)},
        )
        for decision in steps(account(), person, chance.choice(tricks)):
            assert not is_grant(before, (sent(decision) or {}).get(right, before)), (seed, decision)


def is_grant(before: Json, after: Json) -> bool:
    if isinstance(before, list):
        return not isinstance(after, list) or any(item not in before for item in after)
    return after is not False


def test_hundreds_of_tries_reach_the_target_and_none_is_unsafe(
    make_database: MakeDatabase, tmp_path: Path, awx_target: ReferenceTarget
) -> None:
    people = 250
    guarded = [{"id": 50 + n, "username": name, "first_name": "P"} for n, name in enumerate(PROTECTED)]
    known = [{"id": 100 + n, **_known(n)} for n in range(people)]
    admin = {"id": 1, "username": "admin", "is_superuser": True}
    awx_target.reset(users=[admin, *guarded, *known])
    before = {row["id"]: row for row in awx_target.rows()}
    untouchable = {1, *(one["id"] for one in guarded)}
    options = {
        "awx": {
            "protected": {"usernames": PROTECTED, "ids": ["1"]},
            "mapping": {"is_superuser": "custom.right || custom.other"},
            "on_missing": "create",
        }
    }
    settings = settings_for(make_database(SQLITE), tmp_path, {"awx": awx_target}, QUICK, options, SOURCE)
    rig = Rig(settings)
    try:
        for version in (1, 2):
            rig.accept(*(_try(n, version) for n in range(people)))
            finish(rig, seconds=60)
    finally:
        rig.close()
    for row in awx_target.rows():
        assert row["is_superuser"] is (row["id"] == 1)
        if row["id"] in untouchable:
            assert _owned(row) == _owned(before[row["id"]])
    names = {name.casefold() for name in (*PROTECTED, "admin")}
    for write in awx_target.writes():
        assert write["body"].get("is_superuser") is not True, write
        assert str(write["body"].get("username", "")).strip().casefold() not in names, write
    assert len(awx_target.writes()) >= people


def _known(number: int) -> dict[str, str]:
    return {"username": f"q{number}", "first_name": "Q", "last_name": f"Q{number}"}


def _owned(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("modified", "last_login")}


def _try(number: int, version: int) -> dict[str, Any]:
    """First ordinary people and strangers with a protected name; then renames, rights, and both."""
    chance = random.Random(1_000 * version + number)  # noqa: S311 - a test's choices
    wicked = number % 5 == 0 if version == 1 else number % 2 == 0
    form = any_form(chance, chance.choice((*PROTECTED, "admin")))
    data = {
        "user_name": form if wicked else f"q{number}",
        "given_name": f"V{version}",
        "family_name": "Root" if number % 5 == 0 else f"Q{number}",
        "custom": {"right": grants(chance)},
    }
    return envelope(f"E{number}", version, chance.choice(("changed", "changed", "left")), data)
