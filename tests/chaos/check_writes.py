"""What the targets' own logs tell: nothing goes back, nobody gets another's data, few repetitions. Pure."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.chaos.evidence import Entry, Evidence, Log, Violation, account_of
from tests.chaos.scenario import person_of

STALE, REPEATED = "stale_writes", "repeated_ratio"
MOST_REPEATED = 0.02
_LEAST_JUDGED = 200  # PATCHes; below, one repetition more or less says nothing
_TOKEN = re.compile(r"([A-Za-z+])n(\d+)x(\d+)")


def stale(logs: Iterable[Log], returners: Iterable[int]) -> Iterator[Violation]:
    """Values in the order in which they took effect, each against the newest that was there before."""
    came_back = frozenset(returners)
    for log in logs:
        newest: dict[tuple[int, str, str], int] = defaultdict(int)
        for entry in log.applied:
            yield from _stale_in(log.target, entry, newest, came_back)


def _stale_in(
    target: str, entry: Entry, newest: dict[tuple[int, str, str], int], came_back: frozenset[int]
) -> Iterator[Violation]:
    number = account_of(entry)
    if number is None or not isinstance(entry["body"], dict):
        return
    where = f"account {number} at {target}, request {entry['request_id']}"
    if entry["body"].get("is_active") is False and person_of(number) in came_back:
        yield Violation(STALE, where, "is deactivated by what was superseded when it arrived")
    for field, prefix, person, order in _tokens(entry["body"]):
        place = (number, field, prefix)
        if person != person_of(number):
            yield Violation(STALE, where, f"{field} shows the data of person {person}")
        elif order < newest[place]:
            yield Violation(STALE, where, f"{field} went back from {newest[place]} to {order}")
        newest[place] = max(newest[place], order)


def _tokens(body: dict[str, Any]) -> Iterator[tuple[str, str, int, int]]:
    """Field, kind of value, person, number of the event that said it."""
    flat = {**body, **body.get("attributes", {})}
    for field, value in flat.items():
        if isinstance(value, str):
            for prefix, person, order in _TOKEN.findall(value):
                yield field, prefix, int(person), int(order)


def repeated(logs: Iterable[Log]) -> tuple[int, int]:
    """How many PATCHes said again what was applied already and nothing had changed since; of how many."""
    again = total = 0
    for log in logs:
        patches = [entry for entry in log.writes if entry["method"] == "PATCH"]
        total += len(patches)
        again += sum(_says_again(patches))
    return again, total


def _says_again(patches: list[Entry]) -> Iterator[bool]:
    by_account: dict[str, list[Entry]] = defaultdict(list)
    for entry in patches:
        by_account[entry["path"]].append(entry)
    for entries in by_account.values():
        for entry in entries:
            before = [other for other in entries if other["applied"] and other["applied_at"] < entry["at"]]
            last = max(before, key=lambda other: other["turn"], default=None)
            yield last is not None and _body(last) == _body(entry)


def _body(entry: Entry) -> str:
    return json.dumps(entry["body"], sort_keys=True)


def repetitions(logs: Iterable[Log]) -> Iterator[Violation]:
    again, total = repeated(logs)
    if total >= _LEAST_JUDGED and again > MOST_REPEATED * total:
        yield Violation(REPEATED, f"{again} of {total} PATCHes", "say again what the target had applied")


def all_of(evidence: Evidence) -> Iterator[Violation]:
    yield from stale(evidence.logs, evidence.scenario.cast.returners)
    yield from repetitions(evidence.logs)
