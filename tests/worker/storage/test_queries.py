"""Held fields, subjects and runs are shown as the rows say, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.worker.storage.world import NOW, claim, lease, make_due, people, register, settle
from worker.domain.account import Hold, Reason
from worker.storage import queries

if TYPE_CHECKING:
    import sqlalchemy as sa

    from worker.storage.store import SqlStore


def test_held_fields_are_listed_by_target_and_subject(engine: sa.Engine, store: SqlStore) -> None:
    ids = register(store, awx=4, django=4)
    make_due(store, people(store, "E2", "E1"), [ids["awx"], ids["django"]])
    for name in ("django", "awx"):
        for taken in claim(store, ids[name], lease()):
            holds = {
                "title": Hold(Reason.REJECTED, "no", "0", NOW),
                "email": Hold(Reason.VALUE, "b", "0", 5.0),
            }
            settle(store, taken, held=holds)
    with engine.connect() as connection:
        everything = queries.held(connection, None, 100)
        one = queries.held(connection, "django", 1)
    assert [(item.target, item.subject, item.field) for item in everything] == [
        (target, subject, field)
        for target in ("awx", "django")
        for subject in ("E1", "E2")
        for field in ("email", "title")
    ]
    assert [(item.target, item.subject, item.reason, item.since) for item in one] == [
        ("django", "E1", "value", 5.0),
        ("django", "E1", "rejected", NOW),
    ]


def test_a_subject_that_nobody_spoke_of_is_found_and_its_neighbours_named(
    engine: sa.Engine, store: SqlStore
) -> None:
    people(store, "E1001", "E1002", "E%", "X1")
    with engine.connect() as connection:
        assert queries.unknown_subjects(connection, ["E1001", "E9", "e1001"]) == ["E9", "e1001"]
        assert queries.like_subject(connection, "e1003") == ["E1001", "E1002"]
        assert queries.like_subject(connection, "%") == []
