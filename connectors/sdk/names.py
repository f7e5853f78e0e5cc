"""Names of groups for the engine, ids for the API: known from the configuration and from answers.

A configured name always means its configured id. A name seen in answers means the id it was seen with;
seen with two ids it means neither, because a guess would grant somebody's rights. An id without a name is
shown as `#ID` and understood again, so that foreign members survive. Safe from many threads.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from connectors.sdk.model import Json, Record

Id: TypeAlias = int | str
NUMBERED: Final = re.compile(r"#([1-9][0-9]{0,15})")


class UnknownNameError(LookupError):
    """No id, or no single one, is known for a name; the message lists the known names."""


class NameIds:
    """The names of one kind of thing. `noun` is what it is called in messages, `marks` how `#ID` looks."""

    def __init__(self, noun: str, configured: Mapping[str, Id], marks: re.Pattern[str] = NUMBERED) -> None:
        self._noun = noun
        self._marks = marks
        self._configured = dict(configured)
        self._names = {number: name for name, number in configured.items()}
        self._seen: dict[str, set[Id]] = {}
        self._lock = threading.Lock()

    def learn(self, number: Id, name: str) -> None:
        """An answer shows that this id has this name."""
        name = name.strip()
        if not name or self._marks.fullmatch(name) or name in self._configured:
            return
        with self._lock:
            old = self._names.setdefault(number, name)
            if old in self._configured:
                return
            if old != name:
                self._seen[old].discard(number)
                self._names[number] = name
            self._seen.setdefault(name, set()).add(number)

    def relearn(self, named: Iterable[tuple[Id, str]]) -> None:
        """The whole list of what there is: names seen before that are not in it are forgotten."""
        with self._lock:
            self._names = {number: name for name, number in self._configured.items()}
            self._seen.clear()
        for number, name in named:
            self.learn(number, name)

    def name_of(self, number: Id) -> str:
        """The name that means this id, else `#ID`."""
        with self._lock:
            name = self._names.get(number)
            return f"#{number}" if name is None or not self._is_single(name) else name

    def id_of(self, name: str) -> Id:
        """Raises `UnknownNameError`."""
        marked = self._marks.fullmatch(name)
        if marked is not None:
            return int(marked.group(1)) if marked.group(1).isdigit() else marked.group(1)
        with self._lock:
            if name in self._configured:
                return self._configured[name]
            seen = sorted(self._seen.get(name, ()), key=str)
            if len(seen) == 1:
                return seen[0]
            raise UnknownNameError(self._unknown(name, seen))

    def _is_single(self, name: str) -> bool:
        return name in self._configured or len(self._seen.get(name, ())) == 1

    def _unknown(self, name: str, seen: list[Id]) -> str:
        if seen:
            ids = ", ".join(str(number) for number in seen)
            return (
                f"the {self._noun} name '{name}' belongs to several ids ({ids}): configure which one is meant"
            )
        single = (other for other in self._seen if self._is_single(other))
        known = ", ".join(sorted({*self._configured, *single})) or "none"
        return f"unknown {self._noun} '{name}'; known: {known}"


class NamedSets:
    """A dialect: lists of ids, or of objects with `id` and `name`, are sets of names to the engine."""

    def __init__(self, sets: Mapping[str, NameIds]) -> None:
        self._sets = sets

    def shown(self, body: Mapping[str, Json]) -> Mapping[str, Json]:
        present = {name: body[name] for name in self._sets if name in body}
        return {**body, **{name: _names(self._sets[name], value) for name, value in present.items()}}

    def sent(self, values: Record) -> tuple[dict[str, Json], dict[str, str]]:
        wire = dict(values)
        unknown: dict[str, str] = {}
        for field, known in self._sets.items():
            names = values.get(field)
            try:
                if isinstance(names, list):
                    wire[field] = _ids(known, names)
            except UnknownNameError as error:
                unknown[field] = str(error)
        return wire, unknown


def configured_names(options: Mapping[str, Json], option: str) -> dict[str, Id]:
    """The table `options.<option>` of name = id. Raises `ValueError`."""
    table = options.get(option, {})
    if not isinstance(table, dict):
        raise ValueError(f"options.{option} must be a table of name = id")  # noqa: TRY004  # as for any option
    named: dict[str, Id] = {}
    for name, number in table.items():
        if not name.strip() or name != name.strip() or NUMBERED.fullmatch(name):
            raise ValueError(f"options.{option}: {name!r} cannot be a name")
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise ValueError(f"options.{option}.{name} must be an id, a whole number")
        if number in named.values():
            raise ValueError(f"options.{option}: the id {number} has two names")
        named[name] = number
    return named


def _names(known: NameIds, value: Json) -> Json:
    """The names of a list; what is no list of ids or objects stays as it came."""
    if not isinstance(value, list):
        return value
    for item in value:
        if isinstance(item, dict) and _is_id(item.get("id")) and isinstance(item.get("name"), str):
            known.learn(item["id"], item["name"])  # type: ignore[arg-type]  # checked the line before
    ids = [item.get("id") if isinstance(item, dict) else item for item in value]
    return (
        [known.name_of(number) for number in ids if isinstance(number, int | str)] if _all_ids(ids) else value
    )


def _all_ids(ids: Iterable[Json]) -> bool:
    return all(_is_id(number) for number in ids)


def _is_id(value: Json) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _ids(known: NameIds, names: list[Json]) -> Json:
    """Each id once, in order. Raises `UnknownNameError`."""
    ids = {known.id_of(name) for name in names if isinstance(name, str)}
    return sorted(ids, key=lambda number: (isinstance(number, str), number))
