"""What rekey and merge have in common: who asks, and refusals that are audited before they are raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from connectors.sdk.model import Json
from worker.domain.event import MAX_NAME
from worker.domain.operator import Principal
from worker.domain.strict_json import Limits, check
from worker.engine.ports import Store
from worker.engine.rows import Entry
from worker.engine.runs import OPERATORS
from worker.engine.subject_ports import Bearer

T = TypeVar("T")


class PersonRefusedError(ValueError):
    """Why it was not done, and the way out. `reason` is one word for the audit."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """`verb`: rekey | merge. Of a rekey the subject before and after; of a merge who goes, and into whom."""

    verb: str
    before: str
    after: str
    by: Principal
    why: str

    def entry(self, word: str, facts: Mapping[str, Json], identity_id: int | None = None) -> Entry:
        before, after = _writable(self.before), _writable(self.after)
        whole: dict[str, Json] = {"from": before, "to": after, **facts, "why": self.why}
        return Entry(OPERATORS, f"identity:{self.verb}:{word}", self.by.actor, whole, identity_id)


def audited(store: Store, asked: Asked, work: Callable[[], T]) -> T:
    try:
        return work()
    except PersonRefusedError as error:
        with store.begin() as tx:
            tx.audit(asked.entry("refused", {"reason": error.reason, "detail": str(error)}))
        raise


def _writable(text: str) -> str:
    """Whatever was typed."""
    return text.encode("utf-8", "backslashreplace").decode()


def require_subjects(asked: Asked) -> None:
    """Raise PersonRefusedError for what no event could have as its subject."""
    for text in (asked.before, asked.after):
        if any(check(text, Limits())) or text != text.strip() or not 0 < len(text) <= MAX_NAME:
            message = f"{text!r} can be nobody's: 1 to {MAX_NAME} characters without blanks around them"
            raise PersonRefusedError("subject", message)


def require_current(found: Mapping[str, Bearer], subject: str) -> Bearer:
    """Whose subject it is now. Raises PersonRefusedError for an alias: it may not be who was meant."""
    bearer = found.get(subject)
    if bearer is None:
        raise PersonRefusedError("unknown", f"no event ever spoke of {subject!r}, or none is folded yet")
    now = bearer.identity.subject
    if now != subject:
        message = f"{subject} is an alias of {now}: `hirewire identity show {now}`, and name {now} itself"
        raise PersonRefusedError("alias", message)
    return bearer
