"""Choosing: which accounts a run is about. What SQL can tell is asked of the rows, the rest is told here.

A selection is a JSON object, and every key narrows it: `subjects` and `targets` are lists, `held` is true
for accounts with a held field, `where` is a JMESPath expression over the person's attributes, as a scope is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from connectors.sdk.model import Json
from worker.domain.dates import Dates
from worker.domain.identity import Identity
from worker.domain.mapping import compile_expression
from worker.engine.target import Target

Takes: TypeAlias = Callable[[Identity], bool]
WHERE = "where"


def check_selection(selection: Mapping[str, Json]) -> None:
    """Raise ValueError, with the reason, for an expression that can choose nobody."""
    where = selection.get(WHERE)
    if where is None:
        return
    if not compile_expression(str(where)).reads:
        raise ValueError("names no attribute of a person: department, email, custom.NAME and so on")


def taking(selection: Mapping[str, Json], dates: Dates, now: float) -> Takes:
    """Whether somebody is among them. An expression that answers neither true nor false takes nobody."""
    where = selection.get(WHERE)
    if where is None:
        return _everybody
    expression = compile_expression(str(where))
    return lambda person: expression.evaluate(dates.values(person, now)) is True


def dates_of(targets: Iterable[Target]) -> Dates:
    """What days mean is one thing for all targets."""
    return next((target.view.dates for target in targets), Dates())


def _everybody(person: Identity) -> bool:  # noqa: ARG001 - a `Takes`
    return True
