"""Who only looks cannot write: the database itself refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from worker.domain.decisions import Word
from worker.engine.operator_ports import DecisionRow
from worker.storage.database import reader, writer
from worker.storage.view import SqlViewer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def viewer(database_url: str) -> Iterator[SqlViewer]:
    rows, looking = writer(database_url), reader(database_url)
    yield SqlViewer(looking)
    looking.dispose()
    rows.dispose()


def test_a_view_cannot_write(viewer: SqlViewer) -> None:
    row = DecisionRow(1, "email", Word.RETRY, "binds", "cli:test", "why", 1.0)
    with viewer.begin() as view, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read-?only"):
        view.decisions.add(row)


def test_an_empty_database_shows_nobody(viewer: SqlViewer) -> None:
    with viewer.begin() as view:
        assert (view.person("E1"), view.accounts({}, 0, 10), view.waiting("E1")) == (None, [], [])
        assert (view.events_called("e1"), view.body_hash("hr", "e1"), view.targets()) == ([], None, {})
