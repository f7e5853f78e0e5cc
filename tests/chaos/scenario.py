"""Who is there, what HR says of them, and in which order it arrives. From a seed; pure.

Every value names its person and the number of the event that said it (`Gn12x3`: given name, person 12, third
event), so that a target's own log tells whether a field ever went back, or shows somebody else's data.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.chaos.canaries import Canaries
from tests.chaos.profile import Profile
from tests.demo import oracle

TARGETS = ("awx", "authentik", "staff_users")
SOURCE = "https://hr.example.com"
OWNER = "hirewire"
OWNER_ID = 1
_FIRST_ID = 100
_BASE = dt.datetime(2026, 1, 12, 8, tzinfo=dt.UTC)
_STEP = dt.timedelta(milliseconds=10)

_PREFIXES = {
    "user_name": "u",
    "given_name": "G",
    "family_name": "F",
    "email": "e",
    "phone_number": "+",
    "department": "D",
    "title": "T",
}
_CHANGING = ("given_name", "family_name", "email", "phone_number", "department", "title")
_DISPLACED, _FAR = 0.2, 250
_TWICE = 0.06
_RENAMED = 0.01
_CLEARED = 0.03


def value_of(attribute: str, person: int, number: int) -> str:
    text = f"{_PREFIXES[attribute]}n{person}x{number}"
    return f"{text}@example.com" if attribute == "email" else text


@dataclass(frozen=True, slots=True)
class Cast:
    """People with a part of their own, by number."""

    leavers: frozenset[int]
    returners: frozenset[int]  # their return arrives before their leaving: they must never be deactivated
    promoted: frozenset[int]  # HR grants a right that the target denies
    protected: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`portions` are the lines as they are sent, the first of them introduces everybody."""

    profile: Profile
    cast: Cast
    canaries: Canaries
    portions: Sequence[Sequence[str]]
    refused: int
    seeds: Mapping[str, Mapping[str, Any]]
    ids: Mapping[str, int] = field(default_factory=dict)  # subject -> id of the account, at every target

    @property
    def lines(self) -> list[str]:
        return [line for portion in self.portions for line in portion]

    @property
    def subjects(self) -> dict[int, str]:
        """Id of the account -> subject."""
        return {number: subject for subject, number in self.ids.items()}


def subject_of(person: int) -> str:
    return f"E{person:04d}"


def person_of(remote_id: int) -> int:
    return remote_id - _FIRST_ID


def build(profile: Profile) -> Scenario:
    """The same profile gives the same scenario."""
    rng = random.Random(profile.seed)  # noqa: S311 - repeatable
    people = range(1, profile.people + 1)
    cast, canaries = _cast(rng, people), Canaries.of(profile.seed)
    first = [_introduction(person) for person in people]
    story = _Story(rng, profile, cast, canaries)
    arrivals, refused = _arrivals(rng, story.tell(), canaries, profile)
    return Scenario(
        profile,
        cast,
        canaries,
        [first, *_cut(arrivals, profile.portions)],
        refused,
        {target: _seed(target, people, canaries) for target in TARGETS},
        {subject_of(person): _FIRST_ID + person for person in people},
    )


def truth(scenario: Scenario) -> dict[str, oracle.Person]:
    """Subject -> what HR says in the end, by the independent reading of the demo."""
    good: list[str] = []
    seen: set[str] = set()
    for line in scenario.lines:
        event = json.loads(line)
        if event["id"] not in seen and not event["id"].startswith("bad-"):
            seen.add(event["id"])
            good.append(line)
    return oracle.read_people(good, ())


def accepted_ids(scenario: Scenario) -> set[str]:
    ids = {json.loads(line)["id"] for line in scenario.lines}
    return {name for name in ids if not name.startswith("bad-")}


def _cast(rng: random.Random, people: range) -> Cast:
    chosen = rng.sample(list(people), len(people))
    leaving, few = max(10, len(people) // 12), max(2, len(people) // 80)
    ends = (0, leaving, leaving + few, leaving + 2 * few, leaving + 3 * few)
    parts = [frozenset(chosen[start:end]) for start, end in pairwise(ends)]
    return Cast(*parts)


def _event(name: str, person: int, moment: int, data: Mapping[str, Any], kind: str = "changed") -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": name,
            "source": SOURCE,
            "type": f"hirewire.person.{kind}",
            "subject": subject_of(person),
            "time": (_BASE + moment * _STEP).isoformat().replace("+00:00", "Z"),
            "data": dict(data),
        }
    )


def _introduction(person: int) -> str:
    data = {attribute: value_of(attribute, person, 0) for attribute in _PREFIXES}
    return _event(f"first-{person}", person, -1, data)


class _Story:
    """Changes over time; each event has a later time than the one before."""

    def __init__(self, rng: random.Random, profile: Profile, cast: Cast, canaries: Canaries) -> None:
        self._rng = rng
        self._profile = profile
        self._cast = cast
        self._personal = dict(enumerate(canaries.personal, start=1))
        self._numbers: dict[int, int] = {}
        self._moment = 0

    def tell(self) -> list[tuple[float, str]]:
        """Place in the order of arrival, and line."""
        due = int((self._profile.events - self._profile.people) / (1 + _TWICE))
        special = self._specials(due)
        lines: list[tuple[float, str]] = []
        for place in range(due):
            for person, kind, data in special.get(place, []):
                lines.append((self._place(place), self._say(person, data, kind)))
            lines.append((self._place(place), self._change(self._rng.randint(1, self._profile.people))))
        return lines + self._returns(due)

    def _place(self, place: int) -> float:
        far = self._rng.random() < _DISPLACED
        return place + (self._rng.uniform(-_FAR, _FAR) if far else 0.0)

    def _change(self, person: int) -> str:
        number = self._numbers.get(person, 0) + 1
        names = self._rng.sample(_CHANGING, self._rng.choice((1, 1, 2)))
        data: dict[str, Any] = {name: value_of(name, person, number) for name in names}
        if "title" in data and person in self._personal:
            data["title"] += f" {self._personal[person]}"
        if "department" in data and self._rng.random() < _CLEARED:
            data["department"] = None
        if person not in self._cast.protected and self._rng.random() < _RENAMED:
            data["user_name"] = value_of("user_name", person, number)
        return self._say(person, data)

    def _say(self, person: int, data: Mapping[str, Any], kind: str = "changed") -> str:
        self._moment += 1
        number = self._numbers[person] = self._numbers.get(person, 0) + 1
        return _event(f"e-{person}-{number}", person, self._moment, data, kind)

    def _specials(self, due: int) -> dict[int, list[tuple[int, str, dict[str, Any]]]]:
        """The wave of leavers in the middle, grants all the way."""
        found: dict[int, list[tuple[int, str, dict[str, Any]]]] = {}
        for person in sorted(self._cast.leavers):
            place = self._rng.randint(int(due * 0.4), int(due * 0.6))
            found.setdefault(place, []).append((person, "left", {}))
        for person in sorted(self._cast.promoted):
            place = self._rng.randint(0, due - 1)
            found.setdefault(place, []).append((person, "changed", {"custom": {"operations_admin": True}}))
        return found

    def _returns(self, due: int) -> list[tuple[float, str]]:
        """Left and returned, and the return arrives first by a long way."""
        lines: list[tuple[float, str]] = []
        for person in sorted(self._cast.returners):
            left, returned = self._say(person, {}, "left"), self._say(person, {}, "returned")
            lines += [(due * 0.25, returned), (due * 0.75, left)]
        return lines


def _arrivals(
    rng: random.Random, told: list[tuple[float, str]], canaries: Canaries, profile: Profile
) -> tuple[list[str], int]:
    """In the order of arrival: with events that come twice, and with bad ones."""
    again = [
        (place + rng.uniform(1, profile.events / 5), line) for place, line in told if rng.random() < _TWICE
    ]
    bad = [(rng.uniform(0, len(told)), _bad(place, secret)) for place, secret in enumerate(canaries.refused)]
    ordered = sorted([*told, *again, *bad], key=lambda pair: pair[0])
    return [line for _, line in ordered], len(bad)


def _bad(place: int, secret: str) -> str:
    """Refused for what it says; its content must appear nowhere."""
    return _event(f"bad-{place}", 1, 0, {"active": secret, "no_such_attribute": secret})


def _cut(lines: list[str], portions: int) -> list[list[str]]:
    size = -(-len(lines) // portions)
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def _seed(target: str, people: range, canaries: Canaries) -> dict[str, Any]:
    """What a target holds before the first event: the owner of our token, and everybody."""
    owner = {"id": OWNER_ID, "username": OWNER, "email": f"{OWNER}@example.com"}
    rights: dict[str, Any] = {"is_admin": True} if target == "staff_users" else {"is_superuser": True}
    users = [{**owner, **rights}, *(_account(target, person, canaries) for person in people)]
    tokens = [{"token": canaries.tokens[target], "username": OWNER, "scope": "write"}]
    options = {"filters": ["username"], "page_size": 100} if target == "staff_users" else {}
    return {"users": users, "tokens": tokens, "options": options}


def _account(target: str, person: int, canaries: Canaries) -> dict[str, Any]:
    known = {name: value_of(name, person, 0) for name in _PREFIXES}
    common = {"id": _FIRST_ID + person, "username": known["user_name"], "email": known["email"]}
    names = {"first_name": known["given_name"], "last_name": known["family_name"]}
    match target:
        case "authentik":
            foreign = {"badge": canaries.foreign, "settings": {"locale": "sv", "desk": person}}
            attributes = {**foreign, "phone": known["phone_number"], "department": known["department"]}
            return {**common, **names, "attributes": {**attributes, "title": known["title"]}}
        case "awx":
            return {**common, **names}
        case _:
            return {**common, **names, "mobile_number": known["phone_number"], "gender": "female"}
