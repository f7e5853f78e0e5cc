"""What a run would change: from what is stored alone, and only what the run itself brings about."""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.model import Json
from tests.worker.domain.builders import LINKED, NOW, POLICY, UNLINKED, showing
from tests.worker.domain.test_person import identity, view
from worker.domain.account import ACCOUNT, LEAVER, Account, Hold, Reason
from worker.domain.foresee import foreseen
from worker.domain.identity import Identity
from worker.domain.plan import Create, Demote, Done, Fetch, Patch, Withheld
from worker.domain.policy import Policy
from worker.domain.restraint import is_restrained, restrained

MIRA = identity({"user_name": "mira", "given_name": "Mira", "email": "mira@example.com", "active": True})
SETTLED = replace(LINKED, applied_revision=1)


def changes(
    account: Account, person: Identity = MIRA, policy: Policy = POLICY, **mapping: str
) -> dict[str, Json]:
    return foreseen(account, person, view(**mapping), policy, NOW + 1_000_000)


def test_an_account_that_shows_what_it_should_is_not_changed() -> None:
    assert changes(SETTLED) == {}


def test_another_mapping_changes_what_it_says_however_old_the_last_answer_is() -> None:
    assert changes(SETTLED, first_name="email") == {"first_name": "mira@example.com"}


def test_a_field_that_is_held_or_may_not_be_granted_is_not_changed() -> None:
    refused = Hold(Reason.PRIVILEGED, "why", "", NOW)
    assert changes(SETTLED.hold({"is_staff": refused}), is_staff="active") == {}


def test_what_hr_has_just_said_is_not_the_run_s() -> None:
    moved = identity(
        {"user_name": "mira", "given_name": "Mira", "email": "mira@example.com", "active": True},
        {"given_name": "Miriam"},
    )
    assert changes(SETTLED, moved) == {}
    assert changes(SETTLED, moved, email="user_name") == {"email": "mira"}
    assert changes(replace(SETTLED, applied_revision=2), moved) == {"first_name": "Miriam"}


def test_a_leaver_of_just_now_is_not_the_run_s_and_one_of_before_is() -> None:
    left = identity(
        {"user_name": "mira", "given_name": "Mira", "email": "mira@example.com"}, {"active": False}
    )
    assert changes(SETTLED, left) == {}
    assert changes(replace(SETTLED, applied_revision=2), left) == {"is_active": False}


def test_a_demotion_is_foreseen() -> None:
    left = identity({"user_name": "mira", "given_name": "Mira", "email": "mira@example.com", "active": False})
    policy = replace(POLICY, leaver="demote", active_field=None)
    shown = replace(showing(is_active=False), applied_revision=1)
    assert changes(shown, left, policy) == {LEAVER: "demote"}


def test_a_creation_is_foreseen_where_the_target_creates() -> None:
    missing = replace(UNLINKED, applied_revision=1)
    assert changes(missing) == {}
    assert changes(missing, policy=replace(POLICY, on_missing="create")) == {ACCOUNT: "create"}


def test_an_account_that_was_never_read_or_never_acknowledged_is_unknown() -> None:
    assert changes(replace(SETTLED, observed=None), first_name="email") == {}
    assert changes(replace(SETTLED, applied_revision=0), first_name="email") == {}


def test_whom_another_mapping_decided_about_is_restrained_and_a_new_account_is_not() -> None:
    assert is_restrained(SETTLED, "new")
    assert not is_restrained(replace(SETTLED, mapping_hash="new"), "new")
    assert not is_restrained(replace(SETTLED, applied_revision=0), "new")


def test_restraint_lets_reads_pass_and_what_a_leaver_loses() -> None:
    person = view().of(MIRA, NOW)
    leaver = replace(person, leaver=True)
    revocation = Patch({"is_active": False}, revocation=True)
    for step in (Fetch(), Done()):
        assert restrained(step, person) == step
    for step in (Patch({"email": "x"}, revocation=False), Create({}), revocation, Demote()):
        assert restrained(step, person) == Withheld()
    assert [restrained(step, leaver) for step in (revocation, Demote())] == [revocation, Demote()]
    assert restrained(Patch({"email": "x"}, revocation=False), leaver) == Withheld()
