"""What a server in memory takes and refuses: the field table, as a validating server has it. Pure.

What it does not know and what is read-only is ignored without a word, as Django REST framework does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from connectors.sdk.fields import Field, FieldError, FieldType, Null, encode
from connectors.sdk.model import Json, Record


class InvalidError(ValueError):
    """Why values are refused: field -> message."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = fields


def stored(
    fields: Sequence[Field], options: Mapping[str, Json], values: Record, row: Record
) -> dict[str, Json]:
    """What of `values` is stored, and how. What `row` has beside the fields may be written too.

    Raises `InvalidError`.
    """
    taken: dict[str, Json] = {}
    wrong: dict[str, str] = {}
    known = {field.name: field for field in fields}
    for name, value in values.items():
        field = known.get(name)
        try:
            if field is not None and not field.read_only:
                taken[name] = _one(field, options, value)
            elif field is None and name in row:
                taken[name] = value
        except FieldError as error:
            wrong[name] = str(error)
    if wrong:
        raise InvalidError(wrong)
    return taken


def unique_clashes(fields: Sequence[Field], values: Record, others: Iterable[Record]) -> dict[str, str]:
    """Field -> message for each value that another row holds."""
    rows = list(others)
    return {
        field.name: f"An account with this {field.name} already exists."
        for field in fields
        if field.unique and values.get(field.name) not in (None, "")
        if any(row.get(field.name) == values[field.name] for row in rows)
    }


def _one(field: Field, options: Mapping[str, Json], value: Json) -> Json:
    if value is None and field.null_as is not Null.NULL:
        raise FieldError("This field may not be null.")
    if field.write_only:
        return hashlib.sha256(str(value).encode()).hexdigest()
    if field.type is FieldType.NAME_SET:
        return _known_ids(options.get(field.name), value)
    return encode(field, value)


def _known_ids(table: Json, value: Json) -> Json:
    if not isinstance(value, list) or not isinstance(table, dict):
        raise FieldError("A list of ids is expected.")
    for number in value:
        if number not in table.values():
            raise FieldError(f"Invalid id {number!r}: there is no such object.")
    return value
