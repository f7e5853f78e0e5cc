"""From what the targets show, what Hirewire reports and what was expected to the result of the demo. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.demo import oracle
from tests.demo.scene import Held, Scene


@dataclass(frozen=True, slots=True)
class Shown:
    """What one target showed to an independent reader. `writes` is its own journal of requests but reads."""

    before: Mapping[Any, oracle.Row]
    after: Mapping[Any, oracle.Row]
    writes: Sequence[Mapping[str, Any]]
    faults_met: int


@dataclass(frozen=True, slots=True)
class Reported:
    """What Hirewire says of one target.

    `intents` are the writes of its audit that were sent; `doubts` those that had no clear answer.
    """

    connector: str
    accounts: int
    due: int
    acknowledged: int
    applied: int
    intents: int
    held: Sequence[Held]
    doubts: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """What one target's check needs of the scene. `ids`: subject -> id of the account.

    `created` are subjects that get an account; `unchanged` those whose picture is named again, for which
    an intent is written and nothing sent.
    """

    target: str
    ids: Mapping[str, Any]
    faults: int
    once: Collection[str]
    people: Mapping[str, oracle.Person]
    held: Sequence[Held]
    created: Collection[str] = ()
    unchanged: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class TargetResult:
    connector: str
    accounts: int
    patches: int
    coalesced: int
    held: int
    converged: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the events."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0

    def __add__(self, more: Counts) -> Counts:
        return Counts(
            self.accepted + more.accepted, self.duplicates + more.duplicates, self.refused + more.refused
        )


@dataclass(slots=True)
class Result:
    """Grows while the demo goes on; `ok` needs every step to have ended and no problem."""

    events: Counts = Counts()
    targets: dict[str, TargetResult] = field(default_factory=dict)
    records: int = 0
    verified: bool = False
    anchored: bool = False  # and by signed checkpoints, too
    finished: bool = False
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.finished and self.verified and not self.problems

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "events": {name: getattr(self.events, name) for name in Counts.__dataclass_fields__},
            "targets": {
                name: {key: getattr(row, key) for key in TargetResult.__dataclass_fields__}
                for name, row in self.targets.items()
            },
            "audit": {"records": self.records, "verified": self.verified, "anchored": self.anchored},
        }


def judge(case: Case, shown: Shown, reported: Reported) -> tuple[TargetResult, list[str]]:
    """One target's line of the result, and what is wrong there."""
    wrong = list(_not_as_wanted(case, shown))
    patches = sum(entry["method"] == "PATCH" for entry in shown.writes)
    result = TargetResult(
        connector=reported.connector,
        accounts=reported.accounts,
        patches=patches,
        coalesced=reported.acknowledged - reported.applied,
        held=len({item.subject for item in reported.held}),
        converged=reported.due == 0 and not wrong,
    )
    problems = [
        *wrong,
        *_odd_requests(case, shown, reported.intents),
        *_odd_uploads(case, shown, reported.doubts),
        *held_problems(case.held, reported.held),
    ]
    if reported.due:
        problems.append(f"{reported.due} accounts are still due")
    return result, [f"{case.target}: {problem}" for problem in problems]


def _not_as_wanted(case: Case, shown: Shown) -> Iterator[str]:
    """Every account of the target, those of strangers included."""
    subjects = {key: subject for subject, key in case.ids.items()}
    yield from _came_or_went(case, shown)
    for key in shown.before.keys() & shown.after.keys():
        subject = subjects.get(key)
        wanted = _wanted(case, subject, shown.before[key])
        for line in oracle.differences(case.target, wanted, shown.after[key]):
            yield f"{subject or 'foreign account'} ({key}): {line}"


def _wanted(case: Case, subject: str | None, before: oracle.Row) -> dict[str, Any]:
    held = {item.field for item in case.held if item.subject == subject}
    person = case.people.get(subject, {}) if subject is not None else {}
    return oracle.wanted_row(case.target, before, person, held)


def _came_or_went(case: Case, shown: Shown) -> Iterator[str]:
    """Beside the expected joiners, who must show all that HR said of them; the rest is the target's own."""
    yield from (f"account {key} is gone" for key in shown.before.keys() - shown.after.keys())
    joiners = {case.people[subject]["user_name"]: subject for subject in case.created}
    for key in sorted(shown.after.keys() - shown.before.keys()):
        row = shown.after[key]
        subject = joiners.pop(row.get("username"), None)
        if subject is None:
            yield f"account {key} was not there"
            continue
        wanted = _wanted(case, subject, {})
        ours = {name: value for name, value in row.items() if name in wanted}
        yield from (f"{subject} ({key}): {line}" for line in oracle.differences(case.target, wanted, ours))
    yield from (f"{subject} was not created" for subject in joiners.values())


def _odd_requests(case: Case, shown: Shown, intents: int) -> Iterator[str]:
    methods = Counter(entry["method"] for entry in shown.writes)
    others = methods.keys() - {"PATCH", "POST"}
    if others:
        yield f"requests that nobody may send: {', '.join(sorted(others))}"
    if methods["POST"] != len(case.created):
        yield f"{methods['POST']} POSTs arrived, {len(case.created)} are due"
    due = intents - len(case.unchanged)
    if len(shown.writes) != due:
        yield f"{len(shown.writes)} writes arrived, {due} are due: the audit tells of {intents}"
    if shown.faults_met != case.faults:
        yield f"{shown.faults_met} of {case.faults} faults were met"
    yield from _told_in_pieces(case, shown)


def _odd_uploads(case: Case, shown: Shown, doubts: int) -> Iterator[str]:
    """A picture goes out once, however often it is named; again only after a doubt."""
    has_pictures = "picture" in oracle.FIELDS[case.target].values()
    due = sum(bool(person.get("picture")) for person in case.people.values()) if has_pictures else 0
    uploads = sum("filename=" in str(entry.get("body")) for entry in shown.writes)
    if not due <= uploads <= due + doubts:
        yield f"{uploads} pictures were sent, {due} are due"


def _told_in_pieces(case: Case, shown: Shown) -> Iterator[str]:
    for subject in case.once:
        ending = f"/{case.ids[subject]}/"
        count = sum(entry["applied"] and entry["path"].endswith(ending) for entry in shown.writes)
        if count != 1:
            yield f"the rapid events of {subject} took effect in {count} PATCHes, one is due"


def held_problems(expected: Sequence[Held], found: Sequence[Held]) -> Iterator[str]:
    """The held fields must be exactly the expected ones, each for its reason and in its words."""
    messages = {_place(item): item for item in found}
    for item in expected:
        actual = messages.pop(_place(item), None)
        if actual is None:
            yield f"{item.subject} {item.field} is not held"
        elif actual.reason != item.reason or item.words not in actual.words:
            yield f"{item.subject} {item.field} is held as {actual.reason}: {actual.words}"
    for item in messages.values():
        yield f"{item.subject} {item.field} is held, which nobody expected: {item.words}"


def _place(item: Held) -> tuple[str, str, str]:
    return item.target, item.subject, item.field


def event_problems(scene: Scene, counts: Counts, refusals: Mapping[int, str]) -> Iterator[str]:
    """As many of each kind as expected, and each refusal at its line and pointing at its place."""
    expected = scene.expected
    due = Counts(scene.accepted, len(expected.duplicates), len(expected.refused))
    if counts != due:
        yield f"events: {counts} instead of {due}"
    for number in sorted(expected.refused.keys() | refusals.keys()):
        pointer, found = expected.refused.get(number), refusals.get(number)
        if pointer != found:
            yield f"line {number} is refused at {found!r} instead of {pointer!r}"
