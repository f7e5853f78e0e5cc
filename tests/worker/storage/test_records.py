"""What happened is told as the rows have it, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.worker.storage.world import NOW, arrival, people
from worker.engine.rows import Entry
from worker.storage import records
from worker.storage.records import AuditFilter

if TYPE_CHECKING:
    import sqlalchemy as sa

    from worker.storage.store import SqlStore


def test_the_audit_is_filtered_and_the_newest_is_last(engine: sa.Engine, store: SqlStore) -> None:
    (person,) = people(store, "E1")
    with store.begin() as tx:
        tx.audit(Entry("intake", "event:accept:accepted", "x", {"subject": "E9"}))
    with store.begin() as tx:
        tx.audit(Entry("target:awx", "account:patch:intended", "x", {"n": 1}, identity_id=person))
        tx.audit(Entry("target:awx", "account_patch", "x", {"n": 2}))

    def seqs(**wanted: object) -> list[tuple[str, int]]:
        with engine.connect() as connection:
            found = records.audit_records(connection, AuditFilter(**{"limit": 10, **wanted}))  # type: ignore[arg-type]
        return [(record.stream, record.seq) for record in found]

    assert seqs() == [("intake", 1), ("target:awx", 1), ("target:awx", 2)]
    assert seqs(limit=1) == [("target:awx", 2)]
    assert seqs(stream="target:awx") == [("target:awx", 1), ("target:awx", 2)]
    assert seqs(subject="E1") == [("target:awx", 1)]
    assert seqs(action="account:patch") == [("target:awx", 1)]
    assert seqs(action="account_") == [("target:awx", 2)]
    assert seqs(since=NOW) == seqs()
    assert seqs(since=9e9) == []


def test_a_story_has_events_requests_and_what_was_turned_away(engine: sa.Engine, store: SqlStore) -> None:
    with store.begin() as tx:
        tx.events.store([arrival("ev-1")])
    with store.begin() as tx:
        for subject in ("E1", "E10"):
            facts = {"subject": subject, "event": "ev-1", "reason": "another body"}
            tx.audit(Entry("intake", "event:accept:refused", "x", facts))
    with engine.connect() as connection:
        waiting = records.story(connection, "E1")
        nobody = records.story(connection, "E%")
    assert nobody is None
    assert waiting is not None
    assert [(event.id, event.effect, event.asserts, event.correlation) for event in waiting.events] == [
        ("ev-1", None, ("title",), "c-ev-1")
    ]
    assert [record.subject for record in waiting.records] == ["E1"]
