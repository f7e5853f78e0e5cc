"""Whatever a target answers: when the faults stop, the account is right, and soon."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.sdk.fields import same
from connectors.sdk.model import Json
from tests.worker.domain import builders
from tests.worker.domain.builders import FIELDS, NOW, PERSON, RECORD, TIMING, UNLINKED, wanting
from tests.worker.domain.target_model import FAULTS, TargetModel
from worker.domain.account import Account, Doubt, Person
from worker.domain.answer import Absorbed, Continue, End, Moment, Wait, absorb
from worker.domain.link import absorb_found
from worker.domain.plan import Done, Fetch, Find, Later, Patch, decide
from worker.domain.policy import Policy

POLICY = replace(builders.POLICY, immutable_key="username")  # found is linked, whatever else differs
ALLOWING = replace(POLICY, privileged={"groups": "allow", "is_staff": "allow"})
FOREIGN: dict[str, Json] = {"phone": "555-0100", "notes": ["kept"]}
PEOPLE = st.fixed_dictionaries(
    {},
    optional={
        "email": st.sampled_from(["mira@example.com", "b@example.com"]),
        "first_name": st.sampled_from(["Mira", "Mia"]),
        "is_active": st.booleans(),
        "is_staff": st.booleans(),
        "groups": st.sampled_from([[], [1], [2, 3], [1, 2, 3]]),
    },
)
SCRIPTS = st.lists(st.sampled_from(FAULTS), max_size=12)


@dataclass
class Drive:
    """Decide, ask, absorb, until nothing is due; the clock jumps over every wait."""

    target: TargetModel
    policy: Policy
    jitter: float
    healthy: bool
    account: Account = UNLINKED
    now: float = NOW

    def settle(self, person: Person, most: int) -> bool:
        """Whether the account settled within so many requests."""
        until = self.target.requests + most
        while self.target.requests < until:
            decision = decide(self.account, person, self.policy, TIMING, self.now, self.now)
            self.account = decision.account
            match decision.step:
                case Done():
                    if self.account.recheck_at is None:
                        return True
                    self._wait(self.account.recheck_at)
                case Later(due_at):
                    self._wait(due_at)
                case step:
                    self._follow(self._ask(step, person))
        return False

    def _wait(self, due_at: float) -> None:
        assert due_at > self.now, "a wait that has no end is a loop"
        self.now = due_at

    def _ask(self, step: Find | Fetch | Patch, person: Person) -> Absorbed:
        self.now += 0.01
        at = Moment(self.now, self.jitter, TIMING, self.healthy)
        match step:
            case Find():
                answer, matches = self.target.find(self.now)
                if answer.record is not None:
                    return absorb_found(self.account, matches, (), person, self.policy, at)
            case Fetch():
                answer = self.target.fetch(self.now)
            case Patch(changes, revocation):
                assert not any(at > self.now for at, _ in self.target.late) or revocation or self._resent()
                doubt = Doubt("r", changes, self.now, person.revision, revocation)
                self.account = replace(self.account, doubt=doubt)
                answer = self.target.patch(changes, self.now)
        return absorb(self.account, answer, self.policy, at)

    def _resent(self) -> bool:
        """A revocation in doubt was sent again: only then may others follow before it is certain."""
        return self.account.recheck_at is not None

    def _follow(self, absorbed: Absorbed) -> None:
        self.account = absorbed.account
        match absorbed.follow:
            case Wait(due_at):
                self._wait(due_at)
            case Continue() | End():
                pass


def target(faults: list[str], **values: Json) -> TargetModel:
    return TargetModel({**RECORD, **FOREIGN, **values}, list(faults))


def wrong(drive: Drive, person: Person) -> set[str]:
    """The fields that neither show what is wanted nor are held."""
    shown = drive.target.fields
    differing = {name for name, value in person.wanted.items() if not same(FIELDS[name], value, shown[name])}
    return differing - drive.account.held.keys()


@settings(max_examples=300)
@given(PEOPLE, PEOPLE, SCRIPTS, st.floats(0, 0.99), st.booleans(), st.sampled_from([POLICY, ALLOWING]))
@example({"is_active": False}, {}, ["late", "error", "late"], 0.0, False, POLICY)
@example({"groups": [2, 3]}, {}, ["rejected", "ignored"], 0.0, False, ALLOWING)
def test_when_the_faults_stop_every_field_that_is_not_held_is_right_and_foreign_fields_are_untouched(
    before: dict[str, Json],
    wanted: dict[str, Json],
    faults: list[str],
    jitter: float,
    healthy: bool,
    policy: Policy,
) -> None:
    drive = Drive(target(faults, **before), policy, jitter, healthy)
    person = wanting(**wanted)
    assert drive.settle(person, 15 + 4 * len(faults))
    assert wrong(drive, person) == set()
    assert FOREIGN.items() <= drive.target.fields.items()
    assert (drive.account.doubt, drive.account.must_read) == (None, False)


@settings(max_examples=200)
@given(PEOPLE, PEOPLE, SCRIPTS, SCRIPTS, st.floats(0, 0.99))
def test_a_late_effect_of_an_older_value_never_outlives_a_newer_one(
    older: dict[str, Json],
    newer: dict[str, Json],
    faults: list[str],
    more: list[str],
    jitter: float,
) -> None:
    drive = Drive(target([*faults, "late", *more]), ALLOWING, jitter, healthy=False)
    drive.settle(wanting(**older), 6)
    person = replace(wanting(**newer), revision=PERSON.revision + 1)
    assert drive.settle(person, 25 + 4 * (len(faults) + len(more)))
    drive.target.take_effect(drive.now + 60)
    assert wrong(drive, person) == set()


@settings(max_examples=200)
@given(PEOPLE, PEOPLE, SCRIPTS)
def test_no_answer_ever_makes_a_denied_grant_pass(
    before: dict[str, Json], wanted: dict[str, Json], faults: list[str]
) -> None:
    drive = Drive(target(faults, **before), POLICY, 0.5, healthy=False)
    held = drive.target.fields["groups"]
    staff = drive.target.fields["is_staff"]
    assert drive.settle(wanting(**wanted), 15 + 4 * len(faults))
    assert isinstance(held, list)
    assert isinstance(groups := drive.target.fields["groups"], list)
    assert set(map(str, groups)) <= set(map(str, held))
    assert staff or not drive.target.fields["is_staff"]


@given(PEOPLE)
def test_without_faults_nothing_is_held_that_may_be_sent_and_ten_requests_are_enough(
    wanted: dict[str, Json],
) -> None:
    drive = Drive(target([]), ALLOWING, 0.5, healthy=True)
    assert drive.settle(wanting(**wanted), 10)
    assert drive.account.held == {}
    assert wrong(drive, wanting(**wanted)) == set()


@given(st.sampled_from(["error", "lost before", "suspect", "forbidden", "conflict", "missing", "throttled"]))
def test_a_target_that_never_gets_well_is_asked_seldom(fault: str) -> None:
    drive = Drive(target([]), POLICY, 0.5, healthy=False, account=replace(UNLINKED, remote_id="7"))
    drive.target.faults = [fault] * 60
    assert not drive.settle(wanting(is_active=False), 60)
    assert drive.now - NOW > 60 * (3 if fault == "throttled" else 60)
