"""What the audit says about one account: its intents, outcomes, links and holds. Pure.

Actions read `account:WRITE:WORD`; every entry of one request carries that request's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sdk.model import Json, Outcome, Record
from worker.domain.account import Account, Hold, Person, Write
from worker.domain.masking import masked, shortened
from worker.engine.cause import Cause
from worker.engine.rows import Entry
from worker.engine.target import Target

METHODS = {Write.PATCH: "PATCH", Write.CREATE: "POST", Write.DEMOTE: "PATCH", Write.DELETE: "DELETE"}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an entry is about, as it was at that moment."""

    target: Target
    account: Account
    person: Person
    cause: Cause

    def entry(self, action: str, facts: Mapping[str, Json]) -> Entry:
        common: dict[str, Json] = {
            "target": self.target.name,
            "account": self.account.id,
            "revision": [self.account.applied_revision, self.person.revision],
        }
        facts = {**common, **self.cause.facts, **facts}
        return Entry(self.target.stream, action, "hirewire", facts, self.account.identity_id)

    def write(self, write: Write, word: str, request: str, facts: Mapping[str, Json]) -> Entry:
        """One step of a request: `intended`, the class of its outcome, `late`, `not_sent` …"""
        line: dict[str, Json] = {"request": request, "method": METHODS[write]}
        if self.account.remote_id is not None:
            line["path"] = self.target.connector.path_of(self.account.remote_id)
        return self.entry(f"account:{write.value}:{word}", {**line, **facts})

    def outcome(self, write: Write, word: str, request: str, outcome: Outcome) -> Entry:
        exchange = outcome.exchange
        facts: dict[str, Json] = {
            "class": outcome.kind.value,
            "method": exchange.method,
            "path": exchange.path,
            "status": exchange.status,
            "duration_ms": round(exchange.duration_s * 1000, 3),
            "attempt": self.account.attempts + 1,
            "remote_request": exchange.request_id,
            "fields": {name: rejection.message for name, rejection in outcome.fields.items()},
            "wrong": list(outcome.wrong),
            "detail": outcome.detail,
        }
        return self.write(write, word, request, {key: value for key, value in facts.items() if value})

    def changes(self, changes: Record) -> list[Json]:
        """Field, before, after and the row of the event that set it."""
        return [self._change(name, value) for name, value in sorted(changes.items())]

    def _change(self, name: str, after: Json) -> Json:
        before, event = (self.account.observed or {}).get(name), self.person.origin.get(name)
        if name in self.target.policy.masked:
            shown: dict[str, Json] = {"before": masked(before), "after": masked(after)}
            return {"field": name, **shown, "changed": before != after, "event": event}
        whole: dict[str, Json] = {"before": self._shown(name, before), "after": self._shown(name, after)}
        return {"field": name, **whole, "event": event}

    def _shown(self, name: str, value: Json) -> Json:
        """Rights are shown whole, however long."""
        field = self.target.policy.fields.get(name)
        return value if field is not None and field.privileged else shortened(value)

    def link(self, former: str | None, evidence: tuple[str, ...]) -> Entry:
        if self.account.remote_id is None:
            return self.entry("account:link:lost", {"former": former})
        facts: dict[str, Json] = {"remote_id": self.account.remote_id, "evidence": list(evidence)}
        return self.entry("account:link:linked", facts)

    def holds(self, before: Mapping[str, Hold]) -> list[Entry]:
        """What is held now and was not, and what is not any more."""
        after = self.account.held
        fresh = {name: hold for name, hold in after.items() if _differs(before.get(name), hold)}
        gone = sorted(before.keys() - after.keys())
        return [self._held(name, hold) for name, hold in fresh.items()] + [
            self.entry("account:field:released", {"field": name}) for name in gone
        ]

    def _held(self, name: str, hold: Hold) -> Entry:
        facts: dict[str, Json] = {"field": name, "reason": hold.reason.value, "detail": hold.message}
        if hold.holder:
            facts["holder"] = hold.holder
        return self.entry("account:field:held", facts)


def _differs(old: Hold | None, new: Hold) -> bool:
    return old is None or (old.reason, old.value_hash, old.holder) != (new.reason, new.value_hash, new.holder)
