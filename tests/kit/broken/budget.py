"""Connectors that ask too often, wait too long, or send a second time what was sent once."""

# ruff: noqa: ARG002 - a place to break it at has the same arguments in every connector
from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from connectors.sdk.answers import Answer
from connectors.sdk.contract import ConnectorConfig, Timeouts
from connectors.sdk.model import Found, Outcome, OutcomeKind, Record
from tests.kit.broken.base import (
    NONE,
    Tampered,
    both,
    broken,
    header,
    kind,
    misreads,
    reading,
    repeats,
    said,
    status,
    without,
    writing,
)

K: Final = OutcomeKind
REAL_SLEEP: Final = time.sleep
LONG_S: Final = 30.0


@broken("budget-read_is_one_request")
class AsksWhoItIs(Tampered):
    """Each read asks whose token it is first."""

    def fetch(self, remote_id: str) -> Outcome:
        if remote_id.isdigit():
            self._client.get("/v1/whoami/")
        return super().fetch(remote_id)


@broken("budget-change_is_one_write")
class WritesEachField(Tampered):
    """Each field of a change is a write."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        if len(changes) < 2:
            return super().patch(remote_id, changes)
        outcomes = [super(WritesEachField, self).patch(remote_id, {name: changes[name]}) for name in changes]
        bad = (outcome for outcome in outcomes if outcome.kind is not K.APPLIED)
        return next(bad, outcomes[-1])


@broken("budget-change_reads_little")
class ReadsBefore(Tampered):
    """Before a change the account is read, again and again."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        for _ in range(3):
            super().fetch(remote_id)
        return super().patch(remote_id, changes)


@broken("budget-nothing_is_read_after_a_write")
class LooksAfterwards(Tampered):
    """After a write that failed the account is read."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes)
        if outcome.exchange.status == 500:
            super().fetch(remote_id)
        return outcome


@broken("budget-search_is_cheap")
class ReadsEverybody(Tampered):
    """A search reads each account by itself."""

    def find(self, wanted: Mapping[str, tuple[str, ...]]) -> Found:
        if any(values for values in wanted.values()):
            for remote_id, _ in super().scan(None).records:
                super().fetch(remote_id)
                super().fetch(remote_id)
        return super().find(wanted)


@broken("budget-lost_read_is_repeated")
class GivesUpAtOnce(Tampered):
    """A read that brought nothing is not repeated."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self._client.get = self._once  # type: ignore[method-assign]

    def _once(self, path: str, query: Mapping[str, str | int] | None = None) -> Answer:
        target = self._client.unsent("GET", path).path
        return self._client._exchange("GET", target, None, self.config.timeouts.deadline_s)


LOST: Final = both(reading, kind(K.AMBIGUOUS), status(None))
repeats("budget-lost_read_is_repeated_twice_at_most", "A read that brought nothing is begun anew.", LOST)
repeats("budget-answered_read_is_not_repeated", "A read that failed is repeated.", both(reading, status(500)))
repeats(
    "budget-silent_write_is_not_repeated",
    "A silent write is sent again.",
    both(writing, said("no answer")),
)
repeats(
    "budget-reset_write_is_not_repeated",
    "A write whose connection broke is sent again.",
    both(writing, said("connection was closed")),
)
repeats(
    "budget-cut_write_is_not_repeated",
    "A write with half an answer is sent again.",
    both(writing, said("was cut")),
)
repeats(
    "budget-failed_write_is_not_repeated",
    "A write that failed at the server is sent again.",
    both(writing, status(500, 502, 504)),
)
repeats(
    "budget-throttled_write_is_not_repeated",
    "A write that came too early is sent again.",
    both(writing, status(429, 503), header("retry-after")),
)
repeats(
    "budget-refused_write_is_not_repeated",
    "A write that was refused is sent again.",
    both(writing, status(400), kind(K.REJECTED)),
)


class Times(Tampered):
    """Has time-outs of its own."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(replace(config, timeouts=self.timeouts(config.timeouts)))

    def timeouts(self, told: Timeouts) -> Timeouts:
        return told


@broken("budget-silence_ends_with_the_read_timeout")
class WaitsForAnAnswer(Times):
    """An answer is waited for as long as it takes."""

    def timeouts(self, told: Timeouts) -> Timeouts:
        return replace(told, read_s=max(told.read_s, 2.0), deadline_s=max(told.deadline_s, 2.0))


@broken("budget-silence_ends_with_the_deadline")
class HasNoDeadline(Times):
    """A long read time-out is all there is."""

    def timeouts(self, told: Timeouts) -> Timeouts:
        return replace(told, deadline_s=2.0) if told.read_s > told.deadline_s else told


misreads(
    "budget-trickled_headers_end_with_the_deadline",
    "Headers that never end are no answer at all.",
    both(said("not complete within"), without(header("content-type"))),
    K.UNREACHABLE,
)
misreads(
    "budget-trickled_body_ends_with_the_deadline",
    "A body that never ends was long enough.",
    both(said("not complete within"), header("content-type")),
    K.APPLIED,
)


class Sleeps(Tampered):
    """Sleeps where the engine would; on a virtual clock only, so that no other check waits for it."""

    def judged(self, outcome: Outcome) -> Outcome:
        if time.sleep is not REAL_SLEEP and self.sleeps(outcome):
            time.sleep(LONG_S)
        return outcome

    def sleeps(self, outcome: Outcome) -> bool:
        return False


@broken("budget-lost_read_ends_in_ten_seconds")
class SleepsAfterALostRead(Sleeps):
    """A read that is lost is waited for."""

    def sleeps(self, outcome: Outcome) -> bool:
        return outcome.kind is K.AMBIGUOUS and outcome.exchange.method == "GET"


@broken("budget-unreachable_write_ends_in_ten_seconds")
class SleepsUntilItIsReachable(Sleeps):
    """A target that is away is waited for."""

    def sleeps(self, outcome: Outcome) -> bool:
        return outcome.kind is K.UNREACHABLE and outcome.exchange.method == "PATCH"


@broken("budget-retry_after_is_not_waited_for")
class SleepsAsToldByAWrite(Sleeps):
    """A write sleeps as long as the target asks for."""

    def sleeps(self, outcome: Outcome) -> bool:
        return outcome.retry_after_s is not None and outcome.exchange.method == "PATCH"


@broken("budget-retry_after_is_not_waited_for_by_a_read")
class SleepsAsToldByARead(Sleeps):
    """A read sleeps as long as the target asks for."""

    def sleeps(self, outcome: Outcome) -> bool:
        return outcome.retry_after_s is not None and outcome.exchange.method == "GET"
