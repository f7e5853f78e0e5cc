"""`python -m tests.chaos.variants NAME worker …`: Hirewire, broken in one place on purpose.

Each variant replaces one function before the program starts; the product knows nothing of it. They are the
negative controls: what each of them breaks, the checker must notice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from connectors.sdk.model import Outcome
from worker.domain import answer, identity
from worker.domain.account import Account
from worker.domain.answer import Absorbed, Moment
from worker.domain.identity import Asserted, Mark
from worker.domain.policy import Policy
from worker.engine import settle
from worker.engine.job import Job
from worker.engine.relay import Relay
from worker.engine.rows import Entry, Progress

INTENDED = ":intended"


def relay_off() -> None:
    """Nobody looks for what a lost message forgot."""
    Relay.run = lambda self: None  # type: ignore[method-assign]  # noqa: ARG005 - its signature


def read_back_off() -> None:
    """An unclear answer is taken as a failure: the write is sent again without a look."""
    honest = answer._ambiguous

    def forgetful(account: Account, outcome: Outcome, policy: Policy, at: Moment) -> Absorbed:
        absorbed = honest(account, outcome, policy, at)
        if account.doubt is None or account.must_read:
            return absorbed
        return replace(absorbed, account=replace(absorbed.account, doubt=None, must_read=False))

    answer._ambiguous = forgetful


def ordering_off() -> None:
    """What arrives last counts, whatever its order says."""

    def never(_held: Asserted, _event: object, _mark: Mark) -> bool:
        return False

    identity._is_newer = never  # type: ignore[assignment]


def settles_current() -> None:
    """The revision that is there when the answer comes counts as applied, not the one that was sent."""
    honest = settle._settle

    def hasty(job: Job, now: float, revision: int) -> Progress:
        job.person = replace(job.person, revision=revision)
        return honest(job, now, revision)

    settle._settle = hasty


def intent_after_send() -> None:
    """The intent is written together with the outcome, when the request has long left."""
    intend, answered = Job.intend, Job.answered
    late: dict[int, list[Entry]] = {}

    def keep(self: Job, *given: Any) -> None:
        intend(self, *given)
        late[id(self)] = [entry for entry in self.entries if entry.action.endswith(INTENDED)]
        self.entries = [entry for entry in self.entries if not entry.action.endswith(INTENDED)]

    def tell(self: Job, *given: Any) -> Absorbed | None:
        self.entries += late.pop(id(self), [])
        return answered(self, *given)

    Job.intend, Job.answered = keep, tell  # type: ignore[method-assign, assignment]


def sound() -> None:
    """Nothing is broken: for a look at what the controls' profile does to the engine as it is."""


VARIANTS: dict[str, Callable[[], None]] = {
    "sound": sound,
    "relay_off": relay_off,
    "read_back_off": read_back_off,
    "ordering_off": ordering_off,
    "settles_current": settles_current,
    "intent_after_send": intent_after_send,
}


if __name__ == "__main__":
    VARIANTS[sys.argv.pop(1)]()
    from worker.cli.main import main

    sys.exit(main())
