"""Property checks over the values of a field: the same examples in each run, for one file of a report."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.sdk.fields import SAFE_INTEGER, Field, FieldError, FieldType, encode
from connectors.sdk.model import Json

EXAMPLES = 12  # for each field
_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def for_all_values(field: Field, holds: Callable[[Field, Json], None]) -> None:
    """Call `holds` with many values that the field accepts; what it raises is raised for the plainest one."""

    @_settings
    @given(valid_values(field))
    def example(value: Json) -> None:
        holds(field, value)

    example()


def valid_values(field: Field) -> st.SearchStrategy[Json]:
    """What `encode` accepts, before it is encoded."""
    return _RAW[field.type](field).filter(lambda value: _accepts(field, value))


def _accepts(field: Field, value: Json) -> bool:
    try:
        encode(field, value)
    except FieldError:
        return False
    return True


def _any_text(field: Field) -> st.SearchStrategy[Json]:
    if field.choices:
        return st.sampled_from(field.choices)
    if field.email:
        local = st.text(string.ascii_letters + string.digits, min_size=1, max_size=20)
        return local.map(lambda name: f" {name}@example.com")
    size = min(field.max_length or 200, 200)
    if field.pattern is not None:
        return st.from_regex(field.pattern, fullmatch=True).map(lambda text: text[:size])
    return st.text(min_size=field.min_length or 0, max_size=size)


_SCALARS = st.none() | st.booleans() | st.integers(-SAFE_INTEGER + 1, SAFE_INTEGER - 1) | st.text(max_size=20)
_VALUES: st.SearchStrategy[Json] = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_OFFSETS = st.sampled_from([dt.timezone(dt.timedelta(minutes=minutes)) for minutes in (0, 60, -570, 840)])
_RAW: dict[FieldType, Callable[[Field], st.SearchStrategy[Json]]] = {
    FieldType.TEXT: _any_text,
    FieldType.BOOLEAN: lambda _: st.booleans(),
    FieldType.INTEGER: lambda _: st.integers(-SAFE_INTEGER + 1, SAFE_INTEGER - 1),
    FieldType.DATETIME: lambda _: st.datetimes(timezones=_OFFSETS).map(lambda at: at.isoformat()),
    FieldType.ID_SET: lambda _: st.lists(st.integers(1, 10**6), max_size=5),
    FieldType.NAME_SET: lambda _: st.lists(st.text(min_size=1, max_size=20), max_size=5),
    FieldType.OBJECT: lambda _: st.dictionaries(st.text(max_size=8), _VALUES, max_size=3),
    FieldType.JSON: lambda _: _VALUES,
}
