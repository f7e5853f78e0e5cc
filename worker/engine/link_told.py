"""What the audit says about a link by hand: who decided it and why, and what became of the account. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from connectors.sdk.model import Json
from worker.domain.account import Account, Person
from worker.domain.identity import Identity
from worker.domain.operator import Principal
from worker.engine.cause import Cause
from worker.engine.entries import Subject
from worker.engine.link_ports import AtHand
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS
from worker.engine.target import Target


@dataclass(frozen=True, slots=True)
class Asked:
    """`remote_id` None: the link is to be taken away."""

    subject: str
    remote_id: str | None
    by: Principal
    why: str

    @property
    def verb(self) -> str:
        return "link" if self.remote_id is not None else "unlink"

    def refused(self, target: Target, reason: str, message: str) -> Entry:
        facts: dict[str, Json] = {
            "target": target.name,
            "subject": self.subject,
            "remote_id": self.remote_id,
            "reason": reason,
            "detail": message,
            "why": self.why,
        }
        return Entry(OPERATORS, f"account:{self.verb}:refused", self.by.actor, _known(facts))


def decided(target: Target, found: AtHand, state: Account, asked: Asked, more: Mapping[str, Json]) -> Entry:
    """In the operators' stream, with before and after. `more` is the evidence."""
    change: Json = {"field": "remote_id", "before": found.account.remote_id, "after": state.remote_id}
    facts = {"target": target.name, "account": state.id, "changes": [change], "why": asked.why, **more}
    return Entry(OPERATORS, f"account:{asked.verb}:decided", asked.by.actor, facts, state.identity_id)


def done(target: Target, found: AtHand, state: Account, asked: Asked, agrees: tuple[str, ...]) -> list[Entry]:
    """In the target's stream: the link, and what is held since and what no more."""
    subject = Subject(target, state, _somebody(found.identity), Cause())
    facts: dict[str, Json] = {
        "remote_id": state.remote_id,
        "former": found.account.remote_id,
        "by_hand": True,
        "evidence": list(agrees) or None,
    }
    word = "unlinked" if state.remote_id is None else "linked"
    told = [subject.entry(f"account:link:{word}", _known(facts)), *subject.holds(found.account.held)]
    return [replace(entry, actor=asked.by.actor) for entry in told]


def _somebody(identity: Identity) -> Person:
    """Of whom only the revision is told."""
    return Person(identity.revision, True, False, {}, {}, (), {})  # in scope, no leaver


def _known(facts: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in facts.items() if value is not None}
