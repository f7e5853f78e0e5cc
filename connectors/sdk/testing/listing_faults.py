"""Faults for listings that need no knowledge of an API, and walking through one to its end.

A link is known by where it leads: to the address that was asked. A filter is known by the value in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.sdk.contract import Connector
from connectors.sdk.model import Json, OutcomeKind, Page, Record
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.exchange import Answer
from connectors.sdk.testing.tap import Fault, Turn

PEOPLE = 8  # accounts that fill several pages of a reference server
MOST_PAGES = 30


def people(bench: Bench) -> list[str]:
    """As many accounts as fill several pages, or the one there can be."""
    return bench.seed(1 if bench.descriptor.owner_only else PEOPLE)


@dataclass(frozen=True, slots=True)
class Walk:
    """The pages of a listing up to its end, its failure or `MOST_PAGES`."""

    pages: tuple[Page, ...]

    @property
    def ids(self) -> list[str]:
        return [remote_id for page in self.pages for remote_id, _ in page.records]

    @property
    def records(self) -> dict[str, Record]:
        return {remote_id: record for page in self.pages for remote_id, record in page.records}

    @property
    def whole(self) -> bool:
        """Every page was read."""
        return all(page.outcome.kind is OutcomeKind.OBSERVED for page in self.pages)

    @property
    def ended(self) -> bool:
        """The connector says that there is no more."""
        return self.whole and self.pages[-1].cursor is None


Step = Callable[[str | None], Page]


def walk(step: Step, cursor: str | None = None) -> Walk:
    """Page after page, as `Connector.scan` or `Connector.superusers` gives them."""
    pages: list[Page] = []
    for _ in range(MOST_PAGES):
        page = step(cursor)
        pages.append(page)
        cursor = page.cursor
        if cursor is None or page.outcome.kind is not OutcomeKind.OBSERVED:
            break
    return Walk(tuple(pages))


def walk_with(connector: Connector, between: Callable[[Page], object]) -> Walk:
    """A scan during which something happens after the first page."""
    first = connector.scan(None)
    between(first)
    if first.cursor is None:
        return Walk((first,))
    return Walk((first, *walk(connector.scan, first.cursor).pages))


def well(turn: Turn) -> None:
    """No fault."""
    turn.answer(turn.forward())


def unfiltered(*values: str, then: Fault = well) -> Fault:
    """The server never heard of filters with these values in them."""

    def fault(turn: Turn) -> None:
        asked = turn.request.target
        turn.request.target = _stripped(asked, values)
        then(turn)
        turn.request.target = asked

    return fault


def after(passed: int, fault: Fault, meanwhile: Fault = well) -> Fault:
    """The first turns are answered as `meanwhile` has it."""
    turns = count()

    def later(turn: Turn) -> None:
        chosen = meanwhile if next(turns) < passed else fault
        chosen(turn)

    return later


def leads(to: str) -> Fault:
    """Every link to a page of this listing leads elsewhere."""

    def fault(turn: Turn) -> None:
        turn.answer(led(turn.forward(), turn.request.path, to))

    return fault


def led(answer: Answer, path: str, to: str) -> Answer:
    """The answer, its links to pages of the listing at `path` leading elsewhere."""
    return each_value(answer, lambda value: to if _is_link(value, path) else value)


def without_text(text: str) -> Fault:
    """Answers lack every key whose value is this text."""

    def fault(turn: Turn) -> None:
        turn.answer(_each_object(turn.forward(), lambda _, value: value != text))

    return fault


def without_ids(*remote_ids: str) -> Fault:
    """Answers lack every key whose value is one of these ids."""

    def fault(turn: Turn) -> None:
        turn.answer(_each_object(turn.forward(), lambda _, value: not _is_one(value, remote_ids)))

    return fault


def each_value(answer: Answer, change: Callable[[Json], Json]) -> Answer:
    """The answer with each value in its JSON changed, from the inside out."""
    return replace(answer, body=json.dumps(_changed(answer.json(), change)).encode()) if answer.ok else answer


def leaves(body: Json) -> Iterator[Json]:
    """The values in a JSON text that hold no others; an empty list or object is one."""
    inner = list(body.values()) if isinstance(body, dict) else body if isinstance(body, list) else []
    if not inner:
        yield body
    for value in inner:
        yield from leaves(value)


def _changed(body: Json, change: Callable[[Json], Json]) -> Json:
    if isinstance(body, dict):
        return change({key: _changed(value, change) for key, value in body.items()})
    if isinstance(body, list):
        return change([_changed(value, change) for value in body])
    return change(body)


def _each_object(answer: Answer, kept: Callable[[str, Json], bool]) -> Answer:
    def thinned(value: Json) -> Json:
        if not isinstance(value, dict):
            return value
        return {key: inner for key, inner in value.items() if kept(key, inner)}

    return each_value(answer, thinned)


def _stripped(target: str, values: tuple[str, ...]) -> str:
    parts = urlsplit(target)
    query = [
        (name, said)
        for name, said in parse_qsl(parts.query, keep_blank_values=True)
        if not any(value in said for value in values)
    ]
    return parts._replace(query=urlencode(query)).geturl()


def _is_link(value: Json, path: str) -> bool:
    if not isinstance(value, str) or not value.startswith(("http://", "https://", "/", "?")):
        return False
    return value.startswith("?") or urlsplit(value).path == path


def _is_one(value: Json, remote_ids: tuple[str, ...]) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and str(value) in remote_ids
