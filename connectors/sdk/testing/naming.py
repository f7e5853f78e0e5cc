"""Names for accounts as a check needs them, and which styles can have them."""

from __future__ import annotations

from connectors.sdk.fields import Field, FieldError, FieldType, Null, encode
from connectors.sdk.model import Found, Record
from connectors.sdk.testing.bench import Bench, plain_texts
from connectors.sdk.testing.check import Needs, many_accounts
from connectors.sdk.testing.samples import Samples

MAIL = "@example.com"
LONG = 30


def found_ids(found: Found) -> list[str]:
    return [match.remote_id for match in found.matches]


def called(bench: Bench, number: int, text: str) -> Record:
    """Account `number` with a correlation value made of `text`."""
    return {**bench.person(number), bench.descriptor.correlation: spelled(bench.samples, text)}


def spelled(samples: Samples, text: str) -> str:
    """The text as a correlation value: an address where one is asked for."""
    field = samples.descriptor.field(samples.descriptor.correlation)
    return f"{text}{MAIL}" if field is not None and field.email else text


def can_be_called(text: str) -> Needs:
    """The correlation field takes this text."""

    def needed(samples: Samples) -> bool:
        field = samples.descriptor.field(samples.descriptor.correlation)
        value = spelled(samples, text)
        return field is not None and _taken(field, value) == value

    return needed


def shared_text(samples: Samples) -> bool:
    """Two accounts may have the same value in some plain text field."""
    texts = plain_texts(samples.writable())
    return many_accounts(samples) and any(not field.unique for field in texts)


def two_correlations(samples: Samples) -> bool:
    """There is a text to search by beside the correlation field."""
    texts = [field for field in plain_texts(samples.writable()) if not field.email]
    return any(field.name != samples.descriptor.correlation for field in texts)


def blank_text(field: Field) -> bool:
    """A text that may be empty."""
    return field.type is FieldType.TEXT and field.null_as is Null.EMPTY and not field.opaque


def free_text(field: Field) -> bool:
    """A text that may say anything, for 30 characters at least."""
    ruled = field.pattern is not None or field.email or field.choices or field.opaque or field.privileged
    long = field.max_length is None or field.max_length >= LONG
    return field.type is FieldType.TEXT and not ruled and not field.unique and long and "." not in field.name


def _taken(field: Field, value: str) -> object:
    try:
        return encode(field, value)
    except FieldError:
        return None
