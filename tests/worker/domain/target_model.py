"""A target in memory: one account, answers as scripted, requests that take effect late or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.sdk.fields import normal, same
from connectors.sdk.model import Json, Match, Outcome, OutcomeKind, Record, Rejection
from tests.worker.domain.builders import FIELDS, POLICY, outcome

K = OutcomeKind
UNANSWERED = {
    "throttled": (K.THROTTLED, 429),
    "unreachable": (K.UNREACHABLE, None),
    "forbidden": (K.FORBIDDEN, 403),
    "suspect": (K.SUSPECT, 302),
    "missing": (K.MISSING, 404),
    "lost before": (K.AMBIGUOUS, None),
}
FAULTS = (
    *UNANSWERED,
    "conflict",
    "lost after",
    "late",
    "error",
    "rejected",
    "rejected whole",
    "ignored",
    "empty",
)


@dataclass
class TargetModel:
    """`faults` are consumed one for each request; after the last the target is well.

    `late` writes take effect some seconds after their answer was lost. `refused` collects the fields
    that were rejected or ignored: only those may end up held.
    """

    fields: dict[str, Json]
    faults: list[str]
    late_s: float = 20.0
    late: list[tuple[float, Record]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    requests: int = 0

    def fetch(self, now: float) -> Outcome:
        fault = self._next(now)
        if fault in UNANSWERED:
            return self._unanswered(fault)
        if fault == "error":
            return outcome(K.AMBIGUOUS, status=500)
        return outcome(K.OBSERVED, self._shown())

    def find(self, now: float) -> tuple[Outcome, tuple[Match, ...]]:
        answer = self.fetch(now)
        if answer.record is None:
            return answer, ()
        return answer, (Match("7", answer.record, (POLICY.correlation,)),)

    def patch(self, changes: Record, now: float) -> Outcome:
        fault = self._next(now)
        match fault:
            case "error":
                return outcome(K.AMBIGUOUS, status=500)
            case "conflict":
                return outcome(K.CONFLICT, status=409)
            case "lost after":
                return self._apply(changes, K.AMBIGUOUS)
            case "late":
                self.late.append((now + self.late_s, changes))
                return outcome(K.AMBIGUOUS, status=None)
            case "rejected" | "rejected whole":
                return self._reject(changes, named=fault == "rejected")
            case "ignored":
                return self._ignore(changes)
            case "empty":
                return self._apply(changes, K.UNVERIFIED)
            case None:
                return self._apply(changes, K.APPLIED)
            case _:
                return self._unanswered(fault)

    def take_effect(self, now: float) -> None:
        """Let the late writes happen whose time has come."""
        for at, changes in self.late:
            if at <= now:
                self._write(changes)
        self.late = [item for item in self.late if item[0] > now]

    def _next(self, now: float) -> str | None:
        self.requests += 1
        self.take_effect(now)
        return self.faults.pop(0) if self.faults else None

    @staticmethod
    def _unanswered(fault: str) -> Outcome:
        kind, status = UNANSWERED[fault]
        return outcome(kind, status=status, retry_after_s=7.0 if kind is K.THROTTLED else None)

    def _shown(self) -> dict[str, Json]:
        return {name: normal(FIELDS[name], self.fields[name]) for name in FIELDS}

    def _write(self, changes: Record) -> None:
        self.fields |= changes

    def _apply(self, changes: Record, kind: OutcomeKind) -> Outcome:
        self._write(changes)
        record = self._shown() if kind is K.APPLIED else None
        return outcome(kind, record, wrong=tuple(changes))

    def _reject(self, changes: Record, *, named: bool) -> Outcome:
        refused = sorted(changes)[:1] if named else sorted(changes)
        self.refused.update(refused)
        fields = {name: Rejection("no") for name in refused} if named else {}
        return outcome(K.REJECTED, status=400, fields=fields)

    def _ignore(self, changes: Record) -> Outcome:
        deaf = min(changes)
        self._write({name: value for name, value in changes.items() if name != deaf})
        if same(FIELDS[deaf], changes[deaf], self.fields[deaf]):
            return outcome(K.APPLIED, self._shown())
        self.refused.add(deaf)
        return outcome(K.NOT_APPLIED, self._shown(), wrong=(deaf,))
