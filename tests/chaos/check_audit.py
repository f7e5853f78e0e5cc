"""Every request that a target saw stands in the audit: one older intent, one outcome that fits. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.evidence import Entry, Log, Violation

UNAUDITED = "unaudited_requests"
_STEPS = frozenset({"confirmed", "refuted", "planned"})  # what a later read said of it
_UNSENT = frozenset({"not_sent", "unreachable"})
_PLAIN = frozenset({"awx"})  # targets whose bodies are the changes and nothing else


@dataclass(slots=True)
class Told:
    """What the audit says of one request."""

    intents: list[Mapping[str, Any]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    late: int = 0


def told_by(audit: Iterable[Mapping[str, Any]]) -> dict[str, Told]:
    """Request id -> its records."""
    found: dict[str, Told] = defaultdict(Told)
    for record in audit:
        request, word = record.get("request"), record["action"].rpartition(":")[2]
        if request is None or word in _STEPS:
            continue
        told = found[request]
        if word == "intended":
            told.intents.append(record)
        elif word == "late":
            told.late += 1
        else:
            told.outcomes.append(word)
    return found


def without_intent(logs: Iterable[Log], told: Mapping[str, Told]) -> Iterator[Violation]:
    """Requests that were not announced, or too late, or as something else; and ids used twice."""
    seen: set[str] = set()
    for log in logs:
        for entry in log.writes:
            request = entry["request_id"]
            where = f"request {request} ({entry['method']} {entry['path']} at {log.target})"
            if request is None or request not in told or not told[request].intents:
                yield Violation(UNAUDITED, where, "has no intent")
                continue
            if request in seen:
                yield Violation(UNAUDITED, where, "arrived twice under one id")
            seen.add(request)
            yield from _misfits(where, log.target, entry, told[request].intents)


def _misfits(
    where: str, target: str, entry: Entry, intents: Sequence[Mapping[str, Any]]
) -> Iterator[Violation]:
    if len(intents) > 1:
        yield Violation(UNAUDITED, where, f"has {len(intents)} intents")
    intent = intents[0]
    if dt.datetime.fromisoformat(intent["at"]).timestamp() > entry["at"]:
        yield Violation(UNAUDITED, where, "is older than its intent")
    if intent.get("path", entry["path"]) != entry["path"] or intent["target"] != target:
        yield Violation(UNAUDITED, where, f"was announced for {intent['target']} {intent.get('path')}")
    if entry["body"] is None:
        return  # its sender was killed between the headers and the body: an empty PATCH to the target
    said = {change["field"]: change["after"] for change in intent["changes"]}
    if target in _PLAIN and said != entry["body"]:
        yield Violation(UNAUDITED, where, f"says {sorted(entry['body'])}, its intent {sorted(said)}")


def without_outcome(logs: Iterable[Log], told: Mapping[str, Told]) -> Iterator[Violation]:
    """One outcome each; a worker that died leaves `ambiguous`, and maybe `late` when it was only slow."""
    arrived = {entry["request_id"]: entry for log in logs for entry in log.writes}
    for request, entry in arrived.items():
        known = told.get(request, Told())
        where = f"request {request} ({entry['path']})"
        if not known.outcomes and not known.late:
            yield Violation(UNAUDITED, where, "has no outcome")
        if len(known.outcomes) > 1 or known.late > 1:
            yield Violation(UNAUDITED, where, f"has outcomes {known.outcomes} and {known.late} late ones")
        if _UNSENT.intersection(known.outcomes):
            yield Violation(UNAUDITED, where, f"arrived and is told as {known.outcomes[0]}")
    for request, known in told.items():
        shown = request in arrived and arrived[request]["applied"]
        if known.outcomes == ["applied"] and not shown:
            yield Violation(UNAUDITED, f"request {request}", "is told as applied, which the target denies")


def all_of(logs: Sequence[Log], audit: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    told = told_by(audit)
    yield from without_intent(logs, told)
    yield from without_outcome(logs, told)
