"""Planning is total, and no account, person or policy makes it send what must not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.fields import same
from connectors.sdk.model import Json
from tests.worker.domain.builders import FIELDS, LINKED, NOW, PERSON, POLICY, TIMING
from worker.domain.account import ACCOUNT, LEAVER, SCOPE, Account, Doubt, Hold, Ignored, Person, Reason
from worker.domain.plan import Decision, Done, Later, Patch, decide
from worker.domain.policy import Policy
from worker.domain.strict_json import digest

TEXTS = st.sampled_from(["", "a", "b", "mira"])
VALUES: dict[str, st.SearchStrategy[Json]] = {
    "username": TEXTS,
    "first_name": TEXTS,
    "email": TEXTS,
    "is_active": st.booleans(),
    "is_staff": st.booleans(),
    "groups": st.lists(st.integers(1, 3), unique=True).map(lambda ids: [*sorted(ids)]),
    "type": st.sampled_from(["internal", "external"]),
}
JUNK: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=3,
)
WANTED = st.fixed_dictionaries({}, optional=VALUES)
SHOWN = st.fixed_dictionaries(VALUES)
ODD = st.fixed_dictionaries({}, optional=dict.fromkeys(VALUES, JUNK))
TIMES = st.sampled_from([NOW - 100_000, NOW - 5, NOW, NOW + 5])
REFUSALS = (Reason.REJECTED, Reason.UNIQUE, Reason.IGNORED, Reason.FAULT, Reason.BRAKE)


@dataclass(frozen=True)
class Case:
    """Everything that a decision depends on."""

    account: Account
    person: Person
    policy: Policy
    claimed_at: float

    def decide(self) -> Decision:
        return decide(self.account, self.person, self.policy, TIMING, NOW, self.claimed_at)


@st.composite
def marks(draw: st.DrawFn, wanted: Mapping[str, Json]) -> dict[str, str]:
    """Hashes of what is wanted, or of something else."""
    names = draw(st.sets(st.sampled_from(sorted(VALUES)), max_size=3))
    values = {name: draw(st.sampled_from([wanted.get(name), draw(VALUES[name])])) for name in names}
    return {name: digest(value) for name, value in values.items()}


@st.composite
def accounts(draw: st.DrawFn, wanted: Mapping[str, Json]) -> Account:
    fields = {
        name: Hold(draw(st.sampled_from(REFUSALS)), "", mark, NOW)
        for name, mark in draw(marks(wanted)).items()
    }
    whole = draw(st.sets(st.sampled_from([ACCOUNT, LEAVER, SCOPE])))
    doubts = st.builds(Doubt, st.just("r"), WANTED, TIMES, st.just(1), st.booleans())
    return replace(
        LINKED,
        remote_id=draw(st.sampled_from(["7", "7", "7", None])),
        observed=draw(st.none() | SHOWN | SHOWN | ODD),
        observed_at=draw(TIMES),
        must_read=draw(st.sampled_from([False, False, True])),
        doubt=draw(st.none() | st.none() | doubts),
        recheck_at=draw(st.none() | TIMES),
        ignored={name: Ignored(mark, draw(st.integers(0, 4))) for name, mark in draw(marks(wanted)).items()},
        held={**fields, **{name: Hold(draw(st.sampled_from(Reason)), "", "mira", NOW) for name in whole}},
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    rules = st.sampled_from(["deny", "approve", "allow"])
    return replace(
        POLICY,
        active_field=draw(st.sampled_from(["is_active", "is_active", None])),
        privileged=draw(st.dictionaries(st.sampled_from(["is_staff", "groups", "type"]), rules)),
        protected_names=draw(st.sampled_from([frozenset(), frozenset({"mira"})])),
        leaver=draw(st.sampled_from(["hold", "deactivate"])),
        on_leave_scope=draw(st.sampled_from(["nothing", "hold", "leaver"])),
        always_send=draw(st.sampled_from([(), ("username",), ("password", "groups")])),
        observe_only=draw(st.sampled_from([False, False, False, True])),
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    wanted = draw(WANTED)
    person = replace(
        PERSON,
        wanted=wanted,
        in_scope=draw(st.sampled_from([True, True, False])),
        scope_known=draw(st.booleans()),
        leaver=wanted.get("is_active") is False,
        correlation=draw(st.sampled_from([(), ("mira",)])),
    )
    return Case(draw(accounts(wanted)), person, draw(policies()), draw(TIMES))


CASES = cases()


def asked(case: Case, patch: Patch) -> dict[str, Json]:
    """What the request is to change; the rest goes along as it was read."""
    observed = case.account.observed or {}
    along = {name for name in case.policy.always_send if name in observed}
    return {
        name: value
        for name, value in patch.changes.items()
        if name not in along or not same(FIELDS[name], value, observed[name])
    }


@given(CASES)
def test_there_is_a_decision_for_every_account_person_and_policy(case: Case) -> None:
    decision = case.decide()
    again = decide(decision.account, case.person, case.policy, TIMING, NOW, case.claimed_at)
    if not isinstance(decision.step, Later):
        assert type(again.step) is type(decision.step)


@given(CASES)
def test_a_decision_never_waits_for_the_past(case: Case) -> None:
    decision = case.decide()
    if isinstance(decision.step, Later):
        assert decision.step.due_at > NOW
    if isinstance(decision.step, Done):
        assert decision.account.recheck_at is None or decision.account.recheck_at > NOW


@given(CASES)
def test_no_request_carries_a_value_for_which_its_field_is_held(case: Case) -> None:
    decision = case.decide()
    if isinstance(decision.step, Patch):
        for name, value in asked(case, decision.step).items():
            held = decision.account.held.get(name)
            judged = held is not None and held.reason in (Reason.PRIVILEGED, Reason.APPROVAL)
            assert judged or not decision.account.is_held(name, digest(value))


@given(CASES)
def test_no_request_grants_what_the_policy_does_not_allow(case: Case) -> None:
    step = case.decide().step
    if not isinstance(step, Patch):
        return
    sent, observed = asked(case, step), case.account.observed or {}
    barred = {name for name in sent if case.policy.privileged.get(name, "deny") != "allow"}
    assert "type" not in barred
    assert "is_staff" not in barred or sent["is_staff"] is False
    if "groups" in barred:
        before, after = observed.get("groups"), sent["groups"]
        assert isinstance(after, list)
        assert all(group in (before if isinstance(before, list) else []) for group in after)


@given(CASES)
def test_to_deactivate_is_always_alone_and_first(case: Case) -> None:
    decision = case.decide()
    if not isinstance(decision.step, Patch) or case.policy.active_field is None:
        return
    sent, wanted = asked(case, decision.step), case.person.wanted
    if sent.get("is_active") is False:
        assert set(sent) == {"is_active"}
        assert decision.step.revocation
    elif wanted.get("is_active") is False and case.person.in_scope:
        shown = (case.account.observed or {}).get("is_active")
        kept = {"is_active", LEAVER} & decision.account.held.keys() or "is_active" in decision.account.ignored
        assert shown is False or kept


@given(CASES)
def test_a_revocation_carries_nothing_else(case: Case) -> None:
    step = case.decide().step
    if isinstance(step, Patch) and step.revocation:
        assert set(asked(case, step)) <= {"is_active", "is_staff", "groups"}


@given(CASES)
def test_a_protected_account_is_never_sent_anything(case: Case) -> None:
    protected = Case(
        case.account, case.person, replace(case.policy, protected_ids=frozenset({"7"})), case.claimed_at
    )
    assert not isinstance(protected.decide().step, Patch)


@given(CASES)
def test_observe_mode_never_sends_anything(case: Case) -> None:
    observing = Case(case.account, case.person, replace(case.policy, observe_only=True), case.claimed_at)
    assert not isinstance(observing.decide().step, Patch)


@given(CASES)
def test_foreign_fields_are_never_sent(case: Case) -> None:
    step = case.decide().step
    if isinstance(step, Patch):
        assert set(asked(case, step)) <= {*case.person.wanted, "is_active"}


@given(WANTED, SHOWN, st.data())
def test_nothing_is_left_to_do_exactly_when_every_field_that_is_not_held_shows_what_is_wanted(
    wanted: dict[str, Json], shown: dict[str, Json], data: st.DataObject
) -> None:
    account = data.draw(accounts(wanted))
    known = replace(
        account,
        remote_id="7",
        observed=shown,
        observed_at=NOW,
        must_read=False,
        doubt=None,
        recheck_at=None,
        ignored={},
    )
    decision = decide(known, replace(PERSON, wanted=wanted), POLICY, TIMING, NOW, NOW)
    held = decision.account.held
    right = {name: name in held or same(FIELDS[name], value, shown[name]) for name, value in wanted.items()}
    assert isinstance(decision.step, Done | Patch)
    if isinstance(decision.step, Done):
        assert decision.step.planned is None
        assert all(right.values())
    else:
        changed = {n: v for n, v in decision.step.changes.items() if not same(FIELDS[n], v, shown[n])}
        assert changed == decision.step.changes
