"""Values for each row of a field table: valid ones by account number, other valid ones, wrong ones. Pure.

What a table cannot tell (names of groups that exist, pictures, odd patterns) comes from the reference
server's `samples`; a field for which nothing valid is known is left out of what is seeded and changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from connectors.sdk.contract import Descriptor
from connectors.sdk.fields import SAFE_INTEGER, Field, FieldError, FieldType, Null, encode
from connectors.sdk.model import Json


@dataclass(frozen=True, slots=True)
class Documented:
    """One row of the table in the API's document, as a reader wrote it down, not as the connector has it."""

    type: FieldType
    read_only: bool = False
    max_length: int | None = None
    choices: tuple[str, ...] = ()


Document = Mapping[str, Documented]
KEY = "badge"  # what stands below a row like `attributes.*`
ENOUGH = 40  # values that are tried for one field


@dataclass(frozen=True, slots=True)
class Samples:
    """`given` are the reference server's own, `document` the author's reading of the API's document."""

    descriptor: Descriptor
    given: Mapping[str, Sequence[Json]]
    document: Document | None = None

    def writable(self) -> tuple[Field, ...]:
        """The fields that a mapping may own and of which two valid values are known, none of them opaque."""
        return tuple(field for field in self._known() if not field.opaque)

    def opaque(self) -> tuple[Field, ...]:
        """The same of fields whose content no answer shows: never seeded, changed where a check says so."""
        return tuple(field for field in self._known() if field.opaque)

    def value(self, field: Field, number: int) -> Json:
        """A valid encoded value, the same each time; another account's is another where it is unique."""
        return self._values(field, number, 1)[0]

    def other(self, field: Field, number: int) -> Json:
        """A valid encoded value that the account does not have from `value`."""
        return self._values(field, number, 2)[1]

    def concrete(self, field: Field) -> Field:
        """The row itself; of a row like `attributes.*` one field below it."""
        return replace(field, name=field.name[:-1] + KEY) if field.name.endswith(".*") else field

    def _known(self) -> Iterator[Field]:
        rows = (self.concrete(field) for field in self.descriptor.fields)
        return (field for field in rows if may_own(field) and len(self._values(field, 0, 2)) > 1)

    def _values(self, field: Field, number: int, count: int) -> list[Json]:
        """The first `count` distinct valid ones."""
        found: list[Json] = []
        for candidate in islice(self._candidates(field, number), ENOUGH):
            encoded = _encoded(field, candidate)
            if encoded is not None and encoded not in found:
                found.append(encoded)
                if len(found) == count:
                    break
        return found

    def _candidates(self, field: Field, number: int) -> Iterator[Json]:
        given = self.given.get(field.name)
        if given is None:
            return _invented(field, number)
        start = number % len(given) if field.unique else 0
        return iter([*given[start:], *given[:start]])


def may_own(field: Field) -> bool:
    """Whether a mapping may own the field."""
    return not field.read_only and field.never_mapped is None


def wrong_values(field: Field) -> Iterator[tuple[str, Json]]:
    """What must be refused before it is sent, each with the rule that it breaks."""
    for kind, value in _OF_ANOTHER_TYPE.items():
        if _encoded(field, value) is None and field.type is not FieldType.JSON:
            yield f"is {kind}", value
    if field.null_as is Null.REFUSE:
        yield "clears what cannot be cleared", None
    if field.type is FieldType.TEXT:
        yield from _wrong_texts(field)
    if field.type is FieldType.INTEGER:
        yield "is beyond the integers that JSON holds exactly", SAFE_INTEGER


_OF_ANOTHER_TYPE: dict[str, Json] = {
    "a number with a fraction": 1.5,
    "a number": 1,
    "a truth value": True,
    "a text": "true",
    "an object": {"a": 1},
    "a list of lists": [[1]],
}


def _wrong_texts(field: Field) -> Iterator[tuple[str, Json]]:
    yield "holds a NUL", "a\x00b"
    yield "holds a lone surrogate", "a\ud800b"
    if field.max_length is not None:
        yield f"is longer than {field.max_length} characters", "a" * (field.max_length + 1)
    if field.min_length and field.null_as is not Null.EMPTY:
        yield "is blank", " "
    if field.choices:
        yield "is none of the choices", "no such choice"
    if field.email:
        yield "is no e-mail address", "nobody"
    if field.pattern is not None and _encoded(replace(field, pattern=None), "/ /") is not None:
        yield f"does not match {field.pattern}", "/ /"


def _encoded(field: Field, value: Json) -> Json:
    """None where the field refuses it."""
    try:
        return encode(field, value)
    except FieldError:
        return None


def _invented(field: Field, number: int) -> Iterator[Json]:
    match field.type:
        case FieldType.TEXT:
            yield from _texts(field, number)
        case FieldType.BOOLEAN:
            yield from (not field.privileged, field.privileged)
        case FieldType.INTEGER:
            yield from (number * 10 + step for step in range(ENOUGH))
        case FieldType.DATETIME:
            yield from (f"2024-{step + 1:02}-{number % 28 + 1:02}T08:30:00Z" for step in range(12))
        case FieldType.ID_SET:
            yield from (_list(number * 10 + step) for step in range(ENOUGH))
        case FieldType.NAME_SET:
            return  # only the server knows which there are
        case FieldType.OBJECT:
            yield from (_object(f"{number}-{step}") for step in range(ENOUGH))
        case FieldType.JSON:
            yield from (f"{KEY}-{number}-{step}" for step in range(ENOUGH))


def _list(number: int) -> Json:
    return [number]


def _object(value: str) -> Json:
    return {KEY: value}


def _texts(field: Field, number: int) -> Iterator[str]:
    if field.opaque:
        return  # what may be sent as a picture, only the server knows
    if field.choices:
        yield from field.choices
        return
    word = "".join(part for part in field.name if part.isalnum())
    steps = range(ENOUGH // 3)
    if field.email:
        yield from (f"{word}{number}.{step}@example.com" for step in steps)
    yield from (f"{word}{number}x{step}" for step in steps)
    yield from (f"+1555{number:04}{step:03}" for step in steps)
    yield from (f"{number * 100 + step}" for step in steps)
