"""Guards: grants follow the target's policy, removals pass as revocations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.sdk.model import Json
from tests.worker.domain.builders import FIELDS, LINKED, NOW, POLICY, showing
from worker.domain.account import Reason
from worker.domain.backoff import delay
from worker.domain.guard import Verdict, brake_limit, judge, protection
from worker.domain.policy import Policy, Timing
from worker.domain.strict_json import digest


def verdict(name: str, before: Json, after: Json, rule: str | None = None) -> Verdict:
    policy = replace(POLICY, privileged={name: rule}) if rule else POLICY
    return judge(FIELDS[name], policy, before, after, NOW)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("is_staff", False, True), ("groups", [1], [1, 2]), ("type", "external", "internal")],
)
@pytest.mark.parametrize(
    ("rule", "reason"),
    [(None, Reason.PRIVILEGED), ("deny", Reason.PRIVILEGED), ("approve", Reason.APPROVAL), ("allow", None)],
)
def test_a_grant_follows_the_policy_of_its_field(
    name: str, before: Json, after: Json, rule: str | None, reason: Reason | None
) -> None:
    judged = verdict(name, before, after, rule)
    assert judged.send is (reason is None)
    assert not judged.revocation
    if judged.hold is None:
        assert (reason, judged.value) == (None, after)
    else:
        assert (judged.hold.reason, judged.hold.value_hash) == (reason, digest(after))
        assert f"targets.crm.privileged.{name}" in judged.hold.message


@pytest.mark.parametrize("rule", [None, "deny", "approve", "allow"])
def test_a_removal_passes_whatever_the_policy_and_is_a_revocation(rule: str | None) -> None:
    assert verdict("is_staff", True, False, rule) == Verdict(send=True, value=False, revocation=True)
    assert verdict("groups", [1, 2], [2], rule) == Verdict(send=True, value=[2], revocation=True)
    assert verdict("groups", [1, 2], [], rule) == Verdict(send=True, value=[], revocation=True)


def test_of_a_set_the_removals_go_out_and_the_additions_are_judged() -> None:
    denied = verdict("groups", [1, 2], [2, 3])
    assert (denied.send, denied.value, denied.revocation) == (True, [2], True)
    assert denied.hold is not None
    allowed = verdict("groups", [1, 2], [2, 3], "allow")
    assert allowed == Verdict(send=True, value=[2], revocation=True)


def test_a_set_that_was_never_read_is_granted_and_not_removed() -> None:
    assert not verdict("groups", None, [1]).send
    assert verdict("groups", None, []) == Verdict(send=True, value=[])
    assert verdict("groups", [1], None) == Verdict(send=True, value=[], revocation=True)


def test_to_deactivate_is_a_revocation_and_to_activate_is_none() -> None:
    assert verdict("is_active", True, False) == Verdict(send=True, value=False, revocation=True)
    assert verdict("is_active", False, True) == Verdict(send=True, value=True)


def test_a_plain_field_is_sent_as_it_is() -> None:
    assert verdict("email", "a", "b") == Verdict(send=True, value="b")


@pytest.mark.parametrize(
    "policy",
    [replace(POLICY, protected_ids=frozenset({"7"})), replace(POLICY, protected_names=frozenset({"mira"}))],
)
def test_an_account_is_protected_by_its_name_or_its_id(policy: Policy) -> None:
    hold = protection(LINKED, policy, NOW)
    assert hold is not None
    assert hold.reason is Reason.PROTECTED
    assert protection(LINKED, POLICY, NOW) is None


def test_a_name_that_a_target_shows_as_something_else_than_text_protects_nobody() -> None:
    policy = replace(POLICY, protected_names=frozenset({"mira"}))
    assert protection(showing(username=["mira"]), policy, NOW) is None


@pytest.mark.parametrize(("accounts", "limit"), [(0, 5), (99, 5), (100, 5), (120, 6), (1000, 50)])
def test_the_brake_lets_five_or_five_percent_pass(accounts: int, limit: int) -> None:
    assert brake_limit(accounts, 5, 0.05) == limit


def test_a_delay_doubles_up_to_its_ceiling_and_is_never_zero() -> None:
    timing = Timing(backoff_base_s=5, backoff_max_s=21_600)
    assert [delay(level, timing, 1.0) for level in range(4)] == [5, 10, 20, 40]
    assert delay(10_000, timing, 1.0) == 21_600
    assert [delay(level, timing, 0.0) for level in (0, 10_000)] == [0.5, 2_160]
    assert delay(3, timing, 0.5) == pytest.approx(22)


@pytest.mark.parametrize("name", ["root", "Root", "ROOT ", "\uff52oot", "ro\u200bot"])
def test_a_protected_name_is_known_in_whatever_case_and_width_it_comes(name: str) -> None:
    policy = replace(POLICY, protected_names=frozenset({"root"}))
    assert protection(showing(username=name), policy, NOW) is not None
    judged = judge(FIELDS["username"], policy, "mira", name, NOW)
    assert judged.hold is not None
    assert (judged.send, judged.hold.reason) == (False, Reason.PROTECTED)


@pytest.mark.parametrize("name", ["roots", "r00t", "r\u043e\u043et", None, 7])
def test_another_name_is_not_protected(name: Json) -> None:
    policy = replace(POLICY, protected_names=frozenset({"root"}))
    assert protection(showing(username=name), policy, NOW) is None
    assert judge(FIELDS["username"], policy, "mira", name, NOW).send
