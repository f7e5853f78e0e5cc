"""Rows of any number, read in the order of their numbers: memory holds one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from worker.storage.verify import Ask

_PAGE = 500


def in_pages(ask: Ask, query: sa.Select[Any], row: sa.Column[int], after: int) -> Iterator[Any]:
    """All behind this one. `row` is the column of the numbers, and in the result as `id`."""
    while True:
        page = list(ask(query.where(row > after).order_by(row).limit(_PAGE)))
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].id
