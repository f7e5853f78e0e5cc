"""Two people, one name: who was refused a value waits for the account that has it.

Promise: no wake-up is lost. An account says what it asks for in the transaction of its intent (of
its search, where it has no account yet), before the request leaves. Whoever gives a value up does
so at the target first and then in its own transaction, which tells every account that asks. So
either that transaction sees who asks, or the request leaves after the value was free. Whoever gets
a value tells them too, so that the holder they name is the right one.

What an account was told is looked at under its lease, when its work starts and with each of its
answers. One that had settled by then is made due in a transaction of its own that holds no other
lock. What slips through there, or dies with its worker, the relay finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from worker.domain.account import Account
from worker.domain.answer import Continue, End
from worker.domain.clash import UniqueValue, awaits, has, reopened, seeks, unmoved, waiting_fields
from worker.domain.plan import Find
from worker.engine.job import Job, Noted
from worker.engine.ports import Signals, Store, Transaction


class Clashes:
    """Safe from every thread; each job belongs to its coordinator."""

    def __init__(self, store: Store, signals: Signals) -> None:
        self._store = store
        self._signals = signals

    def reopen(self, tx: Transaction, jobs: Sequence[Job]) -> None:
        """Look at the clashes of jobs again, before anything is decided about them."""
        waiting = [job for job in jobs if waiting_fields(job.account)]
        if not waiting:
            return
        news = tx.unique_values.take_news([job.account.id for job in waiting])
        asked = {job: awaits(job.account, job.person, job.target.policy) for job in waiting}
        holders = tx.unique_values.holders(frozenset().union(*asked.values()))
        for job in waiting:
            told = news.get(job.account.id, frozenset())
            before = job.account
            job.account = reopened(before, job.person, job.target.policy, told, holders)
            if job.account.held.keys() != before.held.keys() and isinstance(job.follow, End):
                job.follow = Continue()

    def note(self, tx: Transaction, jobs: Sequence[Job]) -> None:
        """Write down what the jobs' accounts have and ask for now; tell who waits for what changed hands."""
        moved = [(job, _last(job), _now(job)) for job in jobs if _is_moved(job)]
        if not moved:
            return
        tx.unique_values.keep({job.account.id: _rows(job, now) for job, _, now in moved})
        changed = {job.account.id: _changed(job, last, now) for job, last, now in moved}
        told = tx.unique_values.tell(changed) if any(changed.values()) else frozenset()
        for job, _, now in moved:
            job.noted = Noted(now, isinstance(job.step, Find), woken=job.noted.woken | told)

    def wake(self, jobs: Sequence[Job]) -> None:
        """After the commit: have those looked at whom the jobs' accounts told of a value."""
        woken = {account_id for job in jobs for account_id in job.noted.woken}
        if not woken:
            return
        for job in jobs:
            job.noted = replace(job.noted, woken=frozenset())
        with self._store.begin() as tx:
            shards = tx.unique_values.wake(woken, tx.now)
        for shard in sorted(shards):
            self._signals.sync(shard)


def _last(job: Job) -> Account:
    return job.noted.account or job.claim.account


def _now(job: Job) -> Account:
    """An account that is being looked for still has what it had: nothing is freed before the end."""
    if job.account.observed is None and not job.finished:
        return replace(job.account, observed=_last(job).observed)
    return job.account


def _changed(job: Job, last: Account, now: Account) -> frozenset[UniqueValue]:
    policy = job.target.policy
    return has(last, policy) ^ has(now, policy)


def _is_moved(job: Job) -> bool:
    """A read is noted in any case: so a resync mends what is missing here."""
    if job.noted.read or isinstance(job.step, Find) is not job.noted.sought:
        return True
    return not unmoved(_last(job), _now(job), job.target.policy)


def _rows(job: Job, now: Account) -> dict[UniqueValue, bool]:
    policy = job.target.policy
    asked = awaits(now, job.person, policy)
    sought = seeks(now, job.person, policy) if isinstance(job.step, Find) else frozenset()
    return {**dict.fromkeys(asked | sought, True), **dict.fromkeys(has(now, policy), False)}
