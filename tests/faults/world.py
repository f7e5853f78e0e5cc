"""A small company, what HR says about it, and what every target must show in the end.

`Company` makes the events from a seed and keeps the truth; `check` reads target, audit and rows
afterwards. Everything is looked at from outside: the target's journal, the audit's records, the tables.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from tests.fixtures.targets import ReferenceTarget
from tests.worker.engine.rig import Rig
from worker.storage import tables
from worker.storage.audit import stamp

ADMIN: dict[str, Any] = {"id": 1, "username": "admin", "is_superuser": True, "is_staff": True}
QUICK: dict[str, Any] = {
    "late_effect_s": 0.3,
    "revocation_recheck_s": 0.1,
    "reread_s": [0.02, 0.05],
    "backoff_base_s": 0.02,
    "backoff_max_s": 0.1,
    "probe_every_s": 0.05,
    "threads": 4,
}
SOURCE = {"order": "integer"}
_OURS = ("first_name", "last_name", "email", "is_active")
_THEIRS = ("modified", "last_login")  # a target's own doing
BY_HAND = "by-hand"  # the request id of what a test does to a target behind our back
_LATE = ("delay", "late_effect")
_EPILOGUE = ("intended", "confirmed", "refuted")


@dataclass
class Company:
    """People `p0`, `p1` … by their prefix, each with a few versions; the first `leavers` of them leave."""

    seed: int = 0
    people: int = 3
    versions: int = 3
    leavers: int = 1
    prefix: str = "p"
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - a test's choices
        self.names = [f"{self.prefix}{number}" for number in range(self.people)]

    def accounts(self) -> list[dict[str, Any]]:
        """The targets' accounts as they are before HR says anything."""
        return [ADMIN, *({**account_of(name), "email": mail_of(name)} for name in self.names)]

    def events(self) -> list[dict[str, Any]]:
        """In the order in which they were made; each person's `sequence` says which is newer."""
        made: list[dict[str, Any]] = []
        for version in range(1, self.versions + 1):
            chosen = list(self.names)
            self._random.shuffle(chosen)
            made += [self._event(name, version) for name in chosen]
        made += [self._left(name) for name in self.names[: self.leavers]]
        return made

    def _event(self, name: str, version: int) -> dict[str, Any]:
        data: dict[str, Any] = {"given_name": f"V{version}"}
        if version == 1:
            data |= {"user_name": name, "email": mail_of(name), "active": True}
        if version == 1 or self._random.random() < 0.5:
            data["family_name"] = f"{name} V{version}"
        known = self.truth.setdefault(name, {"is_active": True})
        known |= {"first_name": data["given_name"]}
        known |= {"last_name": data["family_name"]} if "family_name" in data else {}
        return envelope(name, version, "changed", data)

    def _left(self, name: str) -> dict[str, Any]:
        self.truth[name]["is_active"] = False
        return envelope(name, self.versions + 1, "left", {})


def envelope(name: str, sequence: int, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """One event about the person of this name."""
    return {
        "specversion": "1.0",
        "id": f"{name}-{sequence}",
        "source": "hr",
        "type": f"hirewire.person.{kind}",
        "subject": name,
        "time": f"2026-01-01T00:{sequence // 60:02d}:{sequence % 60:02d}Z",
        "sequence": str(sequence),
        "data": dict(data),
    }


def account_of(name: str) -> dict[str, Any]:
    return {"username": name, "first_name": "V0", "last_name": f"{name} V0"}


def mail_of(name: str) -> str:
    return f"{name}@example.com"


def leases_run_out(rig: Rig) -> None:
    """Let the time pass that a dead worker's leases have left. Nobody may be at work."""
    account, slot = tables.account, tables.slot
    leased = account.c.lease_token.is_not(None)
    with rig.writer.begin() as connection:
        connection.execute(sa.update(account).where(leased).values(due_at=0.0))
        connection.execute(sa.update(slot).where(slot.c.owner.is_not(None)).values(leased_until=0.0))


def finish(rig: Rig, seconds: float = 20.0) -> None:
    """What the relay and the workers do until nothing is left: fold, sync, relay, runs, resume."""
    limit = time.monotonic() + seconds
    while True:
        rig.fold()
        rig.sync()
        rig.runtime.relay.run()
        for run in _unfinished(rig):
            rig.runtime.runs.carry_out(run)
        moments = open_since(rig)
        if not moments:
            return
        assert time.monotonic() < limit, f"still open after {seconds} s: {len(moments)}"
        time.sleep(min(max(min(moments) - time.time(), 0.002), 0.05))


def _unfinished(rig: Rig) -> list[int]:
    with rig.runtime.store.begin() as tx:
        return tx.runs.unfinished()


def open_since(rig: Rig) -> list[float]:
    """When each account that is due, and each event that is not folded, is to be looked at."""
    due, fold = tables.account.c.due_at, tables.event.c.fold_at
    with rig.writer.connect() as connection:
        # In the way that work goes: between two looks a fold may end, and its accounts become due.
        found = connection.scalars(sa.select(fold).where(fold.is_not(None))).all()
        return [*found, *connection.scalars(sa.select(due).where(due.is_not(None)))]


@dataclass(frozen=True)
class Shown:
    """A target as it is now: its accounts, and the writes that it ever saw."""

    name: str
    users: Mapping[str, Mapping[str, Any]]
    writes: Sequence[Mapping[str, Any]]
    owned: tuple[str, ...]

    @classmethod
    def of(cls, target: ReferenceTarget, name: str) -> Shown:
        owned = _OURS if target.style == "django_admin" else _OURS[:-1]
        return cls(name, target.users(), target.writes(), owned)


def check(
    rig: Rig,
    target: ReferenceTarget,
    company: Company,
    before: Mapping[str, Mapping[str, Any]],
    name: str = "target",
) -> None:
    """The promises, after everything has settled. `before`: the target's accounts as they were seeded."""
    shown = Shown.of(target, name)
    _truth(shown, company)
    foreign(shown, before)
    _never_back(shown)
    _never_repeated(shown)
    audited(rig, shown)
    nothing_left(rig)


def _truth(shown: Shown, company: Company) -> None:
    for name, wanted in company.truth.items():
        kept = {field: value for field, value in wanted.items() if field in shown.owned}
        assert {field: shown.users[name][field] for field in kept} == kept, name


def foreign(shown: Shown, before: Mapping[str, Mapping[str, Any]], also: tuple[str, ...] = ()) -> None:
    """Nothing but owned fields has changed; `also` are owned here."""
    assert shown.users.keys() == before.keys()
    for name, row in before.items():
        changed = {field for field in row if row[field] != shown.users[name][field]}
        assert changed <= {*shown.owned, *_THEIRS, *also}, name


def version_of(value: str) -> int:
    """`V3`, `p1 V3`: the version that wrote it."""
    return int(value.rpartition("V")[2])


def _never_back(shown: Shown) -> None:
    """In the order in which the target applied them."""
    newest: dict[tuple[str, str], int] = {}
    applied = [write for write in shown.writes if write["applied"]]
    for write in sorted(applied, key=itemgetter("turn")):
        for name in _versioned(write["body"] or {}):
            place, version = (write["path"], name), version_of(write["body"][name])
            assert version >= newest.get(place, 0), f"back to {version}: {write}"
            newest[place] = version


def _versioned(body: Mapping[str, Any]) -> list[str]:
    """The fields whose values say which version they are of."""
    return [name for name in ("first_name", "last_name") if name in body]


def _never_repeated(shown: Shown) -> None:
    """What the target had applied was not sent again: a read told what nobody knew.

    But for what it applied late: a revocation in doubt that a read does not show yet goes out at once.
    """
    applied: dict[str, float] = {}
    for write in shown.writes:
        key = f"{write['path']} {write['body']}"
        assert write["at"] < applied.get(key, math.inf), f"applied already: {write}"
        if write["applied"] and write["fault"] not in _LATE and key not in applied:
            applied[key] = write["applied_at"]


def audited(rig: Rig, shown: Shown) -> None:
    """Each request at the target has one older intent with its content; each intent has one outcome."""
    assert rig.verify().breaks == ()
    records = [r for r in rig.audit("account:") if r["target"] == shown.name and "request" in r]
    told = [r for r in records if r["action"].endswith(":intended")]
    intents = {r["request"]: r for r in told}
    ends = Counter(r["request"] for r in records if not r["action"].endswith(_EPILOGUE))
    assert len(intents) == len(told)
    assert ends == Counter(intents.keys())
    ours = [write for write in shown.writes if write["request_id"] != BY_HAND]
    assert len(ours) == len({write["request_id"] for write in ours}), "one request was sent twice"
    for write in ours:
        intent = intents[write["request_id"]]
        assert (intent["method"], intent["path"]) == (write["method"], write["path"])
        if write["body"] is not None:  # else its sender died between the headers and the body
            assert {change["field"]: change["after"] for change in intent["changes"]} == write["body"]
        assert intent["at"] <= stamp(write["at"])


def nothing_left(rig: Rig) -> None:
    """Every event folded, no lease, no slot taken, nothing in doubt, nothing due, nothing pending."""
    account, slot, target = tables.account, tables.slot, tables.target
    with rig.writer.connect() as connection:
        effects = set(connection.scalars(sa.select(tables.event.c.effect)))
        leases = connection.scalars(sa.select(account.c.lease_token)).all()
        pending = connection.scalars(sa.select(account.c.pending_since)).all()
        owners = connection.scalars(sa.select(slot.c.owner)).all()
        doubts = [s["doubt"] for s in connection.scalars(sa.select(account.c.state)) if s.get("doubt")]
        states = set(connection.scalars(sa.select(target.c.state)))
    assert None not in effects
    assert {*leases, *pending, *owners} <= {None}
    assert doubts == []
    assert states == {"active"}
