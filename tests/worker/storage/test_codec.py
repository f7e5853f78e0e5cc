"""Round trips: any identity and any account survives its row, on both databases."""

from __future__ import annotations

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sdk.model import Json
from tests.worker.storage.world import NORMAL, NOW, account_row, claim, lease, one_due, people, rows
from worker.domain.account import Account, Approval, Doubt, Hold, Ignored, Reason
from worker.domain.identity import Asserted, Identity, Mark
from worker.engine.rows import Progress, Settled
from worker.storage import tables
from worker.storage.codec import read_account
from worker.storage.store import SqlStore

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
TIMES = st.floats(0, 4e9)
COUNTS = st.integers(0, 2**31 - 1)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()
VALUES: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
RECORDS = st.dictionaries(st.text(), VALUES, max_size=4)
DOUBTS = st.builds(Doubt, PLAIN, RECORDS, TIMES, COUNTS, st.booleans())
HOLDS = st.builds(Hold, st.sampled_from(Reason), st.text(), PLAIN, TIMES)
ACCOUNTS = st.builds(
    Account,
    id=st.just(0),
    identity_id=st.just(0),
    target_id=st.just(0),
    remote_id=st.none() | PLAIN,
    applied_revision=COUNTS,
    observed=st.none() | RECORDS,
    observed_at=TIMES,
    must_read=st.booleans(),
    doubt=st.none() | DOUBTS,
    recheck_at=st.none() | TIMES,
    level=COUNTS,
    attempts=COUNTS,
    failure=st.text(),
    crashes=COUNTS,
    ignored=st.dictionaries(st.text(), st.builds(Ignored, PLAIN, COUNTS), max_size=3),
    held=st.dictionaries(st.text(), HOLDS, max_size=3),
    approvals=st.dictionaries(st.text(), st.builds(Approval, COUNTS, PLAIN, TIMES, PLAIN), max_size=3),
    heeded=COUNTS,
)
ASSERTED = st.builds(
    Asserted, VALUES, st.text(), COUNTS, COUNTS, st.text(), st.lists(VALUES, max_size=5).map(tuple)
)
IDENTITIES = st.builds(
    Identity,
    st.just("E1"),
    COUNTS,
    st.dictionaries(st.text(), ASSERTED, max_size=4),
    st.dictionaries(st.text(), st.builds(Mark, st.text(), COUNTS), max_size=2),
)


def with_rows_of(account: Account, row: Account) -> Account:
    names = {name: getattr(account, name) for name in Account.__dataclass_fields__}
    return Account(**names | {"id": row.id, "identity_id": row.identity_id, "target_id": row.target_id})


@FEW
@given(account=ACCOUNTS, settled=st.booleans())
def test_any_account_survives_its_row(engine: sa.Engine, *, account: Account, settled: bool) -> None:
    store = SqlStore(engine, 2)
    row = leased(store, engine)
    saved = with_rows_of(account, row)
    end = Settled(NOW, NOW, None, NORMAL) if settled else None
    with store.begin() as tx:
        tx.accounts.save([Progress(saved, end)], "ours")
    assert read_account(account_row(engine)) == saved


def leased(store: SqlStore, engine: sa.Engine) -> Account:
    """The only account under our lease, whatever the example before left of it."""
    if not rows(engine, tables.account):
        one_due(store)
    with store.begin() as tx:
        target = tx.targets.all()[0].id
    claim(store, target, lease(now=NOW + 1_000))
    claim(store, target, lease())
    return read_account(account_row(engine))


@FEW
@given(identity=IDENTITIES)
def test_any_identity_survives_its_row(engine: sa.Engine, identity: Identity) -> None:
    store = SqlStore(engine, 2)
    (row,) = people(store, "E1")
    with store.begin() as tx:
        tx.identities.save({row: identity}, {})
    with store.begin() as tx:
        assert tx.identities.lock(["E1"], NOW) == {"E1": (row, identity)}


def test_an_account_without_holds_is_not_in_the_index_of_held_ones(
    store: SqlStore, engine: sa.Engine
) -> None:
    one_due(store)
    assert account_row(engine).held is None
