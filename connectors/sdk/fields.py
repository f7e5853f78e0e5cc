"""Field specifications: one table row of a target's API document, and the rules it implies.

A connector declares its fields once; checking before the send, normalising before comparing and
the documentation all read the same row. Pure functions, no I/O. `encode` is idempotent, and a value
that `encode` returned equals the value that `decode` reads back from a server that stored it.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from connectors.sdk.email import is_plausible_email
from connectors.sdk.model import Json, Record
from connectors.sdk.text import instant, is_storable, quoted, storable, utc_text

SAFE_INTEGER = 2**53  # canonical JSON (RFC 8785) holds no larger integer exactly


class FieldType(enum.Enum):
    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DATETIME = "datetime"  # RFC 3339; compared in UTC
    ID_SET = "id_set"  # unique array of ids; compared without order
    NAME_SET = "name_set"  # names of groups; the connector turns them into the API's ids
    OBJECT = "object"
    JSON = "json"  # any JSON value; compared as it is, but for the order of keys


class Null(enum.Enum):
    """What a cleared attribute is sent as."""

    NULL = "null"
    EMPTY = "empty"  # the empty string, or the empty list
    REFUSE = "refuse"  # the API has no way to clear this field: held


@dataclass(frozen=True, slots=True)
class Field:
    """One documented field. `source` names the document or the observation it is read from."""

    name: str
    type: FieldType
    source: str
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None  # a Python regular expression, matched against the whole value
    email: bool = False
    choices: tuple[str, ...] = ()
    null_as: Null = Null.REFUSE
    read_only: bool = False
    write_only: bool = False  # never shown in an answer: goes by status
    privileged: bool = False  # owned only where the target says so; grants need a policy
    never_mapped: str | None = None  # the reason why no mapping may own this field
    normalise: Callable[[Json], Json] | None = None  # on top of what the type implies; idempotent
    opaque: bool = False  # the answer shows an address, not what was sent: compared by digest
    unique: bool = False  # no two accounts may hold the same value
    sensitive: bool = False  # the audit says that it changed, and not what it holds


class FieldError(ValueError):
    """A value that must not be sent. The message names field, rule and document."""


def encode(field: Field, value: Json) -> Json:
    """The value as it is sent and compared. Raises `FieldError`; never quotes a secret field."""
    _require_writable(field)
    if value is None:
        return _cleared(field)
    match field.type:
        case FieldType.TEXT:
            encoded: Json = _text(field, value)
        case FieldType.BOOLEAN:
            encoded = _boolean(field, value)
        case FieldType.INTEGER:
            encoded = _integer(field, value)
        case FieldType.DATETIME:
            encoded = _datetime(field, value)
        case FieldType.ID_SET:
            encoded = _id_set(field, value)
        case FieldType.NAME_SET:
            encoded = _name_set(field, value)
        case FieldType.OBJECT:
            encoded = _object(field, value)
        case FieldType.JSON:
            encoded = _json(field, value)
    return field.normalise(encoded) if field.normalise else encoded


def encode_all(fields: Mapping[str, Field], values: Record) -> tuple[dict[str, Json], dict[str, str]]:
    """Every value of `values` encoded, and the message for each that must not be sent."""
    encoded: dict[str, Json] = {}
    refused: dict[str, str] = {}
    for name, value in values.items():
        field = fields.get(name)
        if field is None:
            refused[name] = f"{name}: no field of this API"
            continue
        try:
            encoded[name] = encode(field, value)
        except FieldError as error:
            refused[name] = str(error)
    return encoded, refused


def normal(field: Field, value: Json) -> Json:
    """The comparable form of a value, wherever it came from: trimmed, in UTC, sorted. Never raises."""
    if value is None or (field.opaque and value == ""):
        normalised = _empty(field) if field.null_as is Null.EMPTY else None
    elif field.type is FieldType.TEXT and isinstance(value, str):
        normalised = value.strip()
    elif field.type is FieldType.DATETIME and isinstance(value, str):
        at = instant(value)
        normalised = value if at is None else utc_text(at)
    elif field.type is FieldType.ID_SET and isinstance(value, list):
        normalised = _ordered(value)
    elif field.type is FieldType.NAME_SET and isinstance(value, list):
        normalised = _ordered([item.strip() if isinstance(item, str) else item for item in value])
    else:
        normalised = value
    return field.normalise(normalised) if field.normalise else normalised


def same(field: Field, wanted: Json, observed: Json) -> bool:
    """Whether two values mean the same to this field. `true` is never the number 1.

    Of an opaque field only this can be seen: whether anything is there. Which content it is, digests tell.
    """
    left, right = normal(field, wanted), normal(field, observed)
    if field.opaque:
        return (left is None) == (right is None)
    if field.type is FieldType.JSON:
        return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def decode(fields: Iterable[Field], body: Mapping[str, Json]) -> dict[str, Json]:
    """The documented fields of an answer, normalised; what no database could store is replaced.

    Undocumented keys are dropped, absent ones stay absent, secrets and their hashes never get in. A row
    named `attributes.*` lets every key below it in.
    """
    record: dict[str, Json] = {}
    for field in fields:
        if field.write_only or field.never_mapped is not None:
            continue
        if field.name in body:
            record[field.name] = normal(field, storable(body[field.name]))
        elif field.name.endswith(".*"):
            prefix = field.name[:-1]
            below = {name: value for name, value in body.items() if name.startswith(prefix)}
            record |= {name: normal(field, storable(value)) for name, value in below.items()}
    return record


def _require_writable(field: Field) -> None:
    if field.never_mapped is not None:
        raise _refusal(field, f"is never sent: {field.never_mapped}")
    if field.read_only:
        raise _refusal(field, "is read-only")


def _refusal(field: Field, rule: str) -> FieldError:
    return FieldError(f"{field.name}: {rule} ({field.source})")


def _wrong(field: Field, value: Json, rule: str) -> FieldError:
    shown = "the value" if field.write_only else quoted(value)
    return _refusal(field, f"{shown} {rule}")


def _empty(field: Field) -> Json:
    match field.type:
        case FieldType.ID_SET | FieldType.NAME_SET:
            return []
        case FieldType.OBJECT:
            return {}
        case _:
            return ""


def _cleared(field: Field) -> Json:
    match field.null_as:
        case Null.NULL:
            return None
        case Null.EMPTY:
            return _empty(field)
        case Null.REFUSE:
            raise _refusal(field, "cannot be cleared")


def _text(field: Field, value: Json) -> str:
    if not isinstance(value, str):
        raise _wrong(field, value, "is not text")
    if not is_storable(value):
        raise _refusal(field, "the value holds a NUL or a lone surrogate")
    text = value.strip()
    if text or field.null_as is not Null.EMPTY:
        _check_text(field, text)
    return text


def _check_text(field: Field, text: str) -> None:
    if not text and field.min_length:
        raise _refusal(field, "may not be blank")
    if field.min_length is not None and len(text) < field.min_length:
        raise _wrong(field, text, f"is shorter than {field.min_length} characters")
    if field.max_length is not None and len(text) > field.max_length:
        raise _wrong(field, text, f"has {len(text)} characters, at most {field.max_length} are allowed")
    if field.choices and text not in field.choices:
        raise _wrong(field, text, f"is none of {', '.join(field.choices)}")
    if field.email and text and not is_plausible_email(text):
        raise _wrong(field, text, "is not an e-mail address")
    if field.pattern is not None and text and re.fullmatch(field.pattern, text) is None:
        raise _wrong(field, text, f"does not match {field.pattern}")


def _boolean(field: Field, value: Json) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field, value, "is neither true nor false")
    return value


def _integer(field: Field, value: Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(field, value, "is not an integer")
    if abs(value) >= SAFE_INTEGER:
        raise _wrong(field, value, "is beyond the integers that JSON holds exactly (2^53)")
    return value


def _datetime(field: Field, value: Json) -> str:
    at = instant(value) if isinstance(value, str) else None
    if at is None:
        raise _wrong(field, value, "is not a date-time with an offset (RFC 3339)")
    return utc_text(at)


def _id_set(field: Field, value: Json) -> Json:
    if not isinstance(value, list) or not (_all_of(int, value) or _all_of(str, value)):
        raise _wrong(field, value, "is not a list of ids")
    if any(isinstance(item, str) and not is_storable(item) for item in value):
        raise _refusal(field, "an id holds a NUL or a lone surrogate")
    return _ordered(value)


def _name_set(field: Field, value: Json) -> Json:
    if not isinstance(value, list) or not _all_of(str, value):
        raise _wrong(field, value, "is not a list of names")
    names = [str(item).strip() for item in value]
    if not all(names):
        raise _refusal(field, "a name in it is empty")
    if not all(is_storable(name) for name in names):
        raise _refusal(field, "a name holds a NUL or a lone surrogate")
    return _ordered(list(names))


def _all_of(kind: type, items: list[Json]) -> bool:
    return all(isinstance(item, kind) and not isinstance(item, bool) for item in items)


def _ordered(items: list[Json]) -> Json:
    """Sorted, each id once; a list that mixes kinds comes from elsewhere and stays as it is."""
    if _all_of(int, items) or _all_of(str, items):
        return sorted(set(items))  # type: ignore[type-var]  # all of one kind, checked
    return items


def _object(field: Field, value: Json) -> Json:
    if not isinstance(value, dict):
        raise _wrong(field, value, "is not an object")
    if storable(value) != value:
        raise _refusal(field, "a text in it holds a NUL or a lone surrogate")
    return value


def _json(field: Field, value: Json) -> Json:
    if storable(value) != value:
        raise _refusal(field, "a text in it holds a NUL or a lone surrogate, or a number is beyond 2^53")
    return value
