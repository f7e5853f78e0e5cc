"""A target with unique names in memory, and several accounts that are renamed at once.

What the engine's rows hold is kept in dicts here: who has a value, who asks for one, who was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connectors.sdk.model import Json, Match, OutcomeKind, Record, Rejection
from tests.worker.domain.builders import FIELDS, LINKED, NOW, PERSON, TIMING, moment, outcome
from tests.worker.domain.builders import POLICY as PLAIN
from worker.domain.account import Account, Doubt, Person
from worker.domain.answer import Absorbed, Continue, End, Follow, absorb
from worker.domain.clash import Holder, UniqueValue, awaits, has, reopened, seeks
from worker.domain.link import absorb_found
from worker.domain.plan import Done, Fetch, Find, Patch, Step, decide

UNIQUE = {name: replace(FIELDS[name], unique=name in ("username", "email")) for name in FIELDS}
POLICY = replace(PLAIN, fields=UNIQUE, on_missing="hold")


@dataclass
class Flight:
    """A request on its way: sent, then answered."""

    step: Step
    answer: Absorbed | None = None
    result: object = None


@dataclass
class Town:
    """Person n has account n; `first_name` is P-n and never moves, so that a mix-up would show."""

    before: Sequence[str]
    wanted: list[str]
    linked: bool = True
    refusals: int = 0
    remote: dict[str, dict[str, Json]] = field(default_factory=dict)
    accounts: list[Account] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wanted = list(self.wanted)
        self.due = set(range(len(self.before)))
        self.flights: dict[int, Flight] = {}
        self.follows: dict[int, Follow] = {}
        self.asks: dict[int, frozenset[UniqueValue]] = {}
        self.had: dict[int, frozenset[UniqueValue]] = {}
        self.told: dict[int, set[UniqueValue]] = {}
        self.dirty: set[int] = set()
        for n, name in enumerate(self.before):
            self.remote[str(n)] = _record(n, name)
            observed: Record | None = dict(self.remote[str(n)]) if self.linked else None
            remote_id = str(n) if self.linked else None
            account = replace(
                LINKED, id=n, identity_id=n, remote_id=remote_id, observed=observed, applied_revision=0
            )
            self.accounts.append(account)
            self.people.append(_person(n, self.wanted[n], (name,)))
            self.had[n] = has(account, POLICY)

    def rename(self, who: int, name: str) -> None:
        old = self.people[who]
        former = tuple(known for known in old.correlation if known != name)
        self.people[who] = replace(_person(who, name, former), revision=old.revision + 1)
        self.due.add(who)
        self.dirty.add(who)

    def work(self, order: Sequence[int], *, until_idle: bool = True) -> None:
        """One act for each number, of whoever it picks; then everybody in turn until nothing is due."""
        for number in order:
            if not self._act(number):
                return
        limit = 200 * len(self.before)
        while until_idle and self._act(0):
            limit -= 1
            assert limit, "requests without end"

    def _act(self, number: int) -> bool:
        ready = sorted(self.due | self.flights.keys())
        if not ready:
            return False
        who = ready[number % len(ready)]
        flight = self.flights.get(who)
        if flight is None:
            self.due.discard(who)
            self.dirty.discard(who)
            self.follows[who] = Continue()
            self._plan(who)
        elif flight.result is None:
            flight.result = self._carry_out(who, flight.step)
        else:
            del self.flights[who]
            self._absorb(who, flight)
            self._plan(who)
        return True

    def _plan(self, who: int) -> None:
        """What the engine does in one transaction: reopen, decide, note."""
        account, person = self.accounts[who], self.people[who]
        holders: dict[UniqueValue, tuple[Holder, ...]] = {}
        for other, values in self.had.items():
            for value in values:
                holders[value] = (*holders.get(value, ()), Holder(other, f"E{other}"))
        reopen = reopened(account, person, POLICY, self.told.pop(who, set()), holders)
        if reopen.held.keys() != account.held.keys() and isinstance(self.follows[who], End):
            self.follows[who] = Continue()
        step: Step = Done()
        if isinstance(self.follows[who], Continue):
            decision = decide(reopen, person, POLICY, TIMING, NOW, NOW)
            reopen, step = decision.account, decision.step
        if isinstance(step, Patch):
            reopen = replace(reopen, doubt=Doubt("r", step.changes, NOW, person.revision))
        self.accounts[who] = reopen
        self._note(who, step)
        if not isinstance(step, Done):
            self.flights[who] = Flight(step)

    def _note(self, who: int, step: Step) -> None:
        account = self.accounts[who]
        searched = seeks(account, self.people[who], POLICY) if isinstance(step, Find) else frozenset()
        self.asks[who] = awaits(account, self.people[who], POLICY) | searched
        now = has(account, POLICY)
        moved, self.had[who] = self.had[who] ^ now, now
        for other, asked in self.asks.items():
            if other != who and asked & moved:
                self.told.setdefault(other, set()).update(asked & moved)
                if other not in self.flights:
                    self.due.add(other)

    def _carry_out(self, who: int, step: Step) -> object:
        remote_id = self.accounts[who].remote_id
        match step:
            case Find():
                asked = self.people[who].correlation
                rows = [(row, record) for row, record in self.remote.items() if record["username"] in asked]
                return tuple(Match(row, dict(record), ("username",)) for row, record in rows)
            case Fetch() if remote_id is not None:
                return outcome(OutcomeKind.OBSERVED, dict(self.remote[remote_id]))
            case Patch(changes) if remote_id is not None:
                return self._patched(remote_id, changes)
            case _:
                raise AssertionError(f"{step} is no request")

    def _patched(self, remote_id: str, changes: Record) -> object:
        others = [record for row, record in self.remote.items() if row != remote_id]
        taken = [
            name
            for name, value in changes.items()
            if UNIQUE[name].unique and value in [record[name] for record in others]
        ]
        if taken:
            self.refusals += 1
            return outcome(
                OutcomeKind.REJECTED,
                status=400,
                fields={name: Rejection("already exists", unique=True) for name in taken},
            )
        self.remote[remote_id] |= changes
        return outcome(OutcomeKind.APPLIED, dict(self.remote[remote_id]))

    def _absorb(self, who: int, flight: Flight) -> None:
        account = self.accounts[who]
        if isinstance(flight.result, tuple):
            taken = {a.remote_id for a in self.accounts if a.id != who and a.remote_id is not None}
            absorbed = absorb_found(account, flight.result, taken, self.people[who], POLICY, moment())
        else:
            absorbed = absorb(account, flight.result, POLICY, moment())  # type: ignore[arg-type]  # an outcome
        self.accounts[who], self.follows[who] = absorbed.account, absorbed.follow

    def names(self) -> list[str]:
        return [str(self.remote[str(n)]["username"]) for n in range(len(self.before))]

    def held(self) -> dict[int, str]:
        """Who is held, and the holder that is named."""
        return {a.id: hold.holder or hold.message for a in self.accounts for hold in a.held.values()}

    def is_unmixed(self) -> None:
        for n in range(len(self.before)):
            assert (self.remote[str(n)]["first_name"], self.remote[str(n)]["email"]) == (
                f"P{n}",
                _mail(n),
            )
            assert self.accounts[n].remote_id in (str(n), None)


def _mail(n: int) -> str:
    return f"p{n}@example.com"


def _record(n: int, name: str) -> dict[str, Json]:
    return {
        "username": name,
        "first_name": f"P{n}",
        "email": _mail(n),
        "is_active": True,
        "is_staff": False,
        "groups": [],
        "type": "external",
    }


def _person(n: int, name: str, former: tuple[str, ...]) -> Person:
    wanted = {key: value for key, value in _record(n, name).items() if key not in ("groups", "type")}
    return replace(PERSON, revision=1, wanted=wanted, correlation=tuple(dict.fromkeys((name, *former))))
