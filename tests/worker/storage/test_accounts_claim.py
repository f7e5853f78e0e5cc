"""Claims: who works on what, in which order, and what happens when a worker dies."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.worker.storage.world import (
    NORMAL,
    NOW,
    URGENT,
    account_row,
    at_once,
    claim,
    lease,
    make_due,
    one_due,
    people,
    register,
    rows,
)
from worker.domain.account import Doubt
from worker.domain.identity import Identity
from worker.engine.rows import Claim, Lease, Progress, Settled
from worker.storage import tables
from worker.storage.store import SqlStore


def shard_people(store: SqlStore, count: int) -> list[int]:
    """Persons of shard 0."""
    return [row for row in people(store, *(f"E{n}" for n in range(2 * count))) if row % 2 == 0]


def persons(claims: list[Claim]) -> list[int]:
    return [found.account.identity_id for found in claims]


def test_a_claim_takes_no_more_than_its_limit(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, shard_people(store, 3), [target])
    with store.begin() as tx:
        assert len(tx.accounts.claim(0, target, 2, lease())) == 2
        assert len(tx.accounts.claim(0, target, 2, lease())) == 1
        assert tx.accounts.claim(0, target, 2, lease()) == []


def test_a_claim_takes_only_what_is_due_at_its_target_and_shard(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    mine, later = shard_people(store, 2)
    make_due(store, [mine], list(targets.values()))
    make_due(store, [later], [targets["awx"]], now=NOW + 1)
    with store.begin() as tx:
        assert tx.accounts.claim(1, targets["awx"], 10, lease()) == []
        (found,) = tx.accounts.claim(0, targets["awx"], 10, lease())
    assert (found.account.identity_id, found.account.target_id) == (mine, targets["awx"])


def test_revocations_are_claimed_first_then_the_longest_due(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    newer, older, urgent = shard_people(store, 3)
    make_due(store, [newer], [target], now=NOW - 1)
    make_due(store, [older], [target], now=NOW - 9)
    make_due(store, [urgent], [target], now=NOW, priority=URGENT)
    with store.begin() as tx:
        order = [persons(tx.accounts.claim(0, target, 1, lease())) for _ in range(3)]
    assert order == [[urgent], [older], [newer]]


def test_a_claim_carries_person_account_and_how_long_it_has_waited(store: SqlStore) -> None:
    person, target = one_due(store)
    with store.begin() as tx:
        tx.identities.save({person: Identity("E1", 4)}, {})
    (found,) = claim(store, target, lease())
    assert (found.identity, found.pending_since, found.claimed_at) == (Identity("E1", 4), 90.0, NOW)
    assert (found.account.identity_id, found.crashed, found.account.must_read) == (person, False, False)


def test_a_claim_sets_the_lease(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    claim(store, target, lease())
    row = account_row(engine)
    assert (row.lease_token, row.due_at) == ("ours", NOW + 60)


def take_over(store: SqlStore, target: int, taken: Lease) -> list[Claim]:
    """What a worker left behind, at most one of each shard."""
    with store.begin() as tx:
        found = [tx.accounts.claim_suspect(shard, target, taken) for shard in (0, 1)]
    return [one for one in found if one is not None]


def test_a_leased_account_is_claimed_again_only_when_the_lease_is_over(store: SqlStore) -> None:
    _, target = one_due(store)
    assert claim(store, target, lease())
    assert take_over(store, target, lease("other", now=NOW + 59)) == []
    assert len(take_over(store, target, lease("other", now=NOW + 60))) == 1
    with store.begin() as tx:
        (row,) = tx.accounts.lock_owned([1], "other")
        assert tx.accounts.lock_owned([row], "ours") == set()


def test_what_a_dead_worker_had_is_not_claimed_among_others(store: SqlStore) -> None:
    _, target = one_due(store)
    claim(store, target, lease())
    assert claim(store, target, lease("other", now=NOW + 60)) == []


def test_only_a_worker_that_died_alone_with_an_account_counts_against_it(store: SqlStore) -> None:
    _, target = one_due(store)
    claim(store, target, lease())
    counted = []
    for number in range(1, 4):
        (found,) = take_over(store, target, lease(f"w{number}", now=NOW + 60 * number))
        counted.append((found.fell_alone, found.account.crashes))
    assert counted == [(False, 0), (True, 1), (True, 2)]


def test_a_lease_that_is_given_back_is_no_suspicion(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    claim(store, target, lease())
    take_over(store, target, lease("alone", now=NOW + 60))
    with store.begin() as tx:
        tx.accounts.give_back("alone", NOW + 61)
    row = account_row(engine)
    assert (row.lease_token, row.alone, row.due_at) == (None, False, NOW + 61)
    with store.begin() as tx:
        assert not tx.accounts.has_suspect(row.shard, [target], NOW + 999)
    assert len(claim(store, target, lease("next", now=NOW + 61))) == 1


def test_suspects_are_looked_for_at_the_named_targets_only(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    claim(store, target, lease())
    shard = account_row(engine).shard
    with store.begin() as tx:
        found = [tx.accounts.has_suspect(shard, where, NOW + 60) for where in ([target], [target + 1], [])]
        early = tx.accounts.has_suspect(shard, [target], NOW + 59)
    assert (found, early) == ([True, False, False], False)


def test_a_claim_skips_what_another_worker_has_locked(postgres_store: SqlStore) -> None:
    target = register(postgres_store, awx=1)["awx"]
    first, second, third = shard_people(postgres_store, 3)
    make_due(postgres_store, [first, second, third], [target])
    with postgres_store.begin() as one, postgres_store.begin() as other:
        taken = persons(one.accounts.claim(0, target, 2, lease("one")))
        assert persons(other.accounts.claim(0, target, 9, lease("other"))) == [
            person for person in (first, second, third) if person not in taken
        ]
        assert len(taken) == 2


def test_workers_that_claim_at_once_share_the_accounts(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, shard_people(store, 12), [target])
    all_ready = threading.Barrier(3)

    def work(token: str) -> list[int]:
        mine: list[int] = []
        all_ready.wait(60)
        for _ in range(12):
            with store.begin() as tx:
                mine += persons(tx.accounts.claim(0, target, 2, lease(token)))
        return mine

    shares = at_once(*(lambda token=token: work(token) for token in ("a", "b", "c")))
    everyone = [person for share in shares for person in share]
    assert len(everyone) == 12
    assert sorted(everyone) == [row.identity_id for row in rows(engine, tables.account)]


def leave_behind(store: SqlStore, target: int, doubt: Doubt | None, *, must_read: bool) -> None:
    """A worker claims, writes and dies."""
    (found,) = claim(store, target, lease("dead"))
    with store.begin() as tx:
        left = replace(found.account, doubt=doubt, must_read=must_read)
        tx.accounts.save([Progress(left)], "dead")


@pytest.mark.parametrize(
    ("doubt", "must_read", "crashed", "reads"),
    [
        (Doubt("r1", {"email": "a@example.com"}, NOW, 1), False, True, True),
        (Doubt("r1", {"email": "a@example.com"}, NOW, 1), True, False, True),
        (None, False, False, False),
        (None, True, False, True),
    ],
    ids=["a write in flight", "a doubt known before", "nothing begun", "a read wanted"],
)
def test_a_dead_worker_leaves_a_doubt_that_must_be_read(
    store: SqlStore, doubt: Doubt | None, *, must_read: bool, crashed: bool, reads: bool
) -> None:
    _, target = one_due(store)
    leave_behind(store, target, doubt, must_read=must_read)
    (found,) = take_over(store, target, lease("next", now=NOW + 60))
    assert (found.crashed, found.account.must_read, found.account.doubt) == (crashed, reads, doubt)


def test_a_read_that_was_asked_for_is_part_of_the_claim(store: SqlStore) -> None:
    _, target = one_due(store)
    with store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, NOW)
    (found,) = claim(store, target, lease())
    assert (found.account.must_read, found.crashed) == (True, False)


def settle(due_at: float | None = None) -> Settled:
    return Settled(NOW, due_at, None, NORMAL)


def test_progress_is_written_under_a_kept_lease(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    (found,) = claim(store, target, lease())
    with store.begin() as tx:
        tx.accounts.save([Progress(replace(found.account, remote_id="7", applied_revision=3))], "ours")
    row = account_row(engine)
    assert (row.remote_id, row.applied_revision) == ("7", 3)
    assert (row.lease_token, row.due_at, row.pending_since) == ("ours", NOW + 60, 90.0)


def test_nothing_is_written_without_our_token(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    (found,) = claim(store, target, lease())
    take_over(store, target, lease("next", now=NOW + 60))
    stale = replace(found.account, remote_id="7", applied_revision=9)
    before = account_row(engine)
    with store.begin() as tx:
        tx.accounts.save([Progress(stale), Progress(stale, settle())], "ours")
        tx.accounts.renew("ours", NOW + 999)
    assert account_row(engine) == before


def test_settle_gives_the_lease_back_and_says_when_it_is_due_again(
    store: SqlStore, engine: sa.Engine
) -> None:
    _, target = one_due(store)
    (found,) = claim(store, target, lease())
    with store.begin() as tx:
        tx.accounts.save([Progress(found.account, Settled(NOW, NOW + 7, 91.0, URGENT))], "ours")
    row = account_row(engine)
    assert (row.lease_token, row.due_at, row.pending_since, row.priority) == (None, NOW + 7, 91.0, URGENT)


def test_settle_without_more_to_do_leaves_nothing_due(store: SqlStore, engine: sa.Engine) -> None:
    _, target = one_due(store)
    (found,) = claim(store, target, lease())
    with store.begin() as tx:
        tx.accounts.save([Progress(found.account, settle())], "ours")
    row = account_row(engine)
    assert (row.lease_token, row.due_at, row.verify_at, row.pending_since) == (None, None, None, None)


def test_a_read_asked_for_since_the_claim_survives_the_settle_and_is_due(store: SqlStore) -> None:
    _, target = one_due(store)
    (found,) = claim(store, target, lease())
    with store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, NOW + 1)
        tx.accounts.save([Progress(found.account, settle())], "ours")
    (again,) = claim(store, target, lease("next", now=NOW + 1))
    assert again.account.must_read


def test_a_read_asked_for_before_the_claim_is_over_with_its_settle(
    store: SqlStore, engine: sa.Engine
) -> None:
    _, target = one_due(store)
    with store.begin() as tx:
        tx.accounts.require_read({}, 0, 10, NOW - 1)
    (found,) = claim(store, target, lease())
    with store.begin() as tx:
        tx.accounts.save([Progress(replace(found.account, must_read=False), settle())], "ours")
    row = account_row(engine)
    assert (row.verify_at, row.due_at) == (None, None)


def test_renew_moves_the_end_of_our_leases_only(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, shard_people(store, 2), [target])
    for token in ("ours", "other"):
        with store.begin() as tx:
            tx.accounts.claim(0, target, 1, lease(token))
    with store.begin() as tx:
        tx.accounts.renew("ours", NOW + 90)
    ends = {row.lease_token: row.due_at for row in rows(engine, tables.account)}
    assert ends == {"ours": NOW + 90, "other": NOW + 60}


def test_lock_owned_says_which_are_still_ours(store: SqlStore) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, shard_people(store, 2), [target])
    with store.begin() as tx:
        (mine,) = tx.accounts.claim(0, target, 1, lease("ours"))
        (foreign,) = tx.accounts.claim(0, target, 1, lease("other"))
    with store.begin() as tx:
        both = [foreign.account.id, mine.account.id]
        assert tx.accounts.lock_owned(both, "ours") == {mine.account.id}
        assert tx.accounts.lock_owned([], "ours") == set()


def link(store: SqlStore, target: int, remote_ids: list[str]) -> list[int]:
    claims = claim(store, target, lease("link"))
    linked = [replace(c.account, remote_id=r) for c, r in zip(claims, remote_ids, strict=True)]
    with store.begin() as tx:
        tx.accounts.save([Progress(account, settle()) for account in linked], "link")
    return [account.id for account in linked]


def test_owners_are_the_accounts_linked_at_that_target(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    make_due(store, people(store, "E1", "E2"), list(targets.values()))
    one, two = link(store, targets["awx"], ["7", "8"])
    link(store, targets["django"], ["7", "9"])
    with store.begin() as tx:
        assert tx.accounts.owners(targets["awx"], ["7", "8", "9"]) == {"7": one, "8": two}
        assert tx.accounts.owners(targets["awx"], []) == {}


def test_linked_accounts_are_counted_for_each_target(store: SqlStore) -> None:
    targets = register(store, awx=1, django=1)
    make_due(store, people(store, "E1", "E2"), list(targets.values()))
    link(store, targets["awx"], ["7", "8"])
    with store.begin() as tx:
        assert (tx.accounts.count(targets["awx"]), tx.accounts.count(targets["django"])) == (2, 0)


def test_two_accounts_of_a_target_never_share_a_remote_id(store: SqlStore, engine: sa.Engine) -> None:
    target = register(store, awx=1)["awx"]
    make_due(store, people(store, "E1", "E2"), [target])
    with pytest.raises(sa.exc.IntegrityError):
        link(store, target, ["7", "7"])
    assert [row.remote_id for row in rows(engine, tables.account)] == [None, None]


def test_a_sync_never_waits_for_the_person_whom_a_fold_has_locked(postgres_store: SqlStore) -> None:
    """Claimed and written in one transaction: the second write has PostgreSQL look at the foreign key."""
    _, target = one_due(postgres_store)
    with postgres_store.begin() as fold:
        fold.identities.lock(["E1"], NOW)

        def sync() -> int:
            with postgres_store.begin() as tx:
                claims = [tx.accounts.claim(shard, target, 1, lease()) for shard in (0, 1)]
                (found,) = [taken for claimed in claims for taken in claimed]
                tx.accounts.save([Progress(found.account)], "ours")
                return found.account.id

        assert at_once(sync)
