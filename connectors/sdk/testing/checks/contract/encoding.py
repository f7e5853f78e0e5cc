"""`encode`: what must not be sent is refused before anything leaves, in words that help."""

from __future__ import annotations

from connectors.sdk.contract import Connector
from connectors.sdk.fields import Field, FieldError, FieldType, decode
from connectors.sdk.model import Json
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, declares
from connectors.sdk.testing.samples import may_own, wrong_values
from connectors.sdk.testing.strategies import for_all_values

UNKNOWN = "no_such_field_7c"
PASSWORD = "canary-4f1b9c"  # noqa: S105  # nobody's


@check()
def valid_values_are_taken(bench: Bench) -> None:
    """A value within all limits is encoded. Catches a rule that no document has."""
    connector = bench.connector()
    for field in bench.writable:
        for value in (bench.samples.value(field, 1), bench.samples.other(field, 1)):
            refusal = _refusal(connector, field.name, value)
            assert refusal is None, f"encode refuses {value!r} for {field.name}: {refusal}"


@check(needs=declares(lambda field: field.read_only))
def read_only_fields_are_refused(bench: Bench) -> None:
    """Catches a value that the server takes no notice of, and that looks applied to nobody."""
    connector = bench.connector()
    for field in bench.descriptor.fields:
        if field.read_only:
            refused = _refusal(connector, field.name, _any_value(field)) is not None
            assert refused, f"{field.name} is read-only: encode must raise FieldError"


@check()
def unknown_fields_are_refused(bench: Bench) -> None:
    """Catches a misspelt mapping, which many servers answer with 200."""
    refused = _refusal(bench.connector(), UNKNOWN, "x") is not None
    assert refused, f"{UNKNOWN} is no field: encode must raise FieldError"


@check(needs=declares(lambda field: field.never_mapped is not None))
def fields_that_are_never_mapped_are_refused(bench: Bench) -> None:
    """Catches a password that HR data sets."""
    connector = bench.connector()
    for field in bench.descriptor.fields:
        if field.never_mapped is not None:
            refused = _refusal(connector, field.name, "x") is not None
            assert refused, (
                f"{field.name} is never mapped ({field.never_mapped}): encode must raise FieldError"
            )


@check(needs=declares(lambda field: may_own(field) and field.max_length is not None))
def values_that_are_too_long_are_refused(bench: Bench) -> None:
    """Catches a value that is cut at the server, or refused there again and again."""
    connector = bench.connector()
    for field in _owned(bench):
        if field.type is FieldType.TEXT and field.max_length is not None:
            refused = _refusal(connector, field.name, "a" * (field.max_length + 1)) is not None
            assert refused, f"{field.name} holds {field.max_length} characters: one more must be refused"


@check()
def values_that_break_a_rule_are_refused(bench: Bench) -> None:
    """Wrong types, unknown choices, what is blank, no address, not storable. Catches a rule of the table
    that is declared and not applied.
    """
    connector = bench.connector()
    for field in _owned(bench):
        for why, value in wrong_values(field):
            refused = _refusal(connector, field.name, value) is not None
            assert refused, f"{field.name}: a value that {why} must be refused with FieldError"


@check()
def refusals_name_field_and_document(bench: Bench) -> None:
    """Catches `invalid value`, with which no operator can do anything."""
    connector = bench.connector()
    for field in _owned(bench):
        for _, value in wrong_values(field):
            said = str(_refusal(connector, field.name, value))
            assert field.name in said, f"a refusal must name its field {field.name}; it says {said!r}"
            assert field.source in said, f"a refusal must name the document {field.source!r}: {said!r}"


@check(needs=declares(lambda field: field.write_only))
def refusals_quote_no_password(bench: Bench) -> None:
    """Catches a secret in a hold, an audit row and a console page."""
    connector = bench.connector()
    for field in bench.descriptor.fields:
        if field.write_only:
            values: list[Json] = [PASSWORD, PASSWORD * 200, [PASSWORD]]
            for value in values:
                said = str(_refusal(connector, field.name, value))
                assert PASSWORD not in said, f"the refusal of {field.name} quotes the value: {said[:80]!r}"


@check()
def encoding_twice_is_encoding_once(bench: Bench) -> None:
    """What encode returned, encode takes and leaves as it is. Catches drift that never ends."""
    connector = bench.connector()

    def holds(field: Field, value: Json) -> None:
        once = connector.encode(field.name, value)
        twice = connector.encode(field.name, once)
        assert twice == once, f"{field.name}: encode returned {once!r}, and makes {twice!r} of it"

    for field in _owned(bench):
        if not field.opaque:
            for_all_values(field, holds)


@check()
def what_is_sent_is_read_back_alike(bench: Bench) -> None:
    """A server that stores what it is sent shows the same value. Catches a value that is sent otherwise
    than it is compared, such as a text with a blank at its end.
    """
    connector = bench.connector()

    def holds(field: Field, value: Json) -> None:
        sent = connector.encode(field.name, value)
        seen = decode(bench.descriptor.fields, {field.name: sent})[field.name]
        assert sent == seen, f"{field.name}: {sent!r} is sent and read back as {seen!r}"

    for field in _owned(bench):
        if bench.shown(field.name) and not field.opaque:
            for_all_values(field, holds)


@check()
def encoding_asks_nobody(bench: Bench) -> None:
    """`encode` is called inside a transaction. Catches a look-up at the target."""
    connector = bench.connector()
    for field in bench.writable:
        connector.encode(field.name, bench.samples.value(field, 1))
    asked = [request.target for request in bench.requests()]
    assert not asked, f"encode sent requests: {asked}"


def _owned(bench: Bench) -> list[Field]:
    rows = (bench.samples.concrete(field) for field in bench.descriptor.fields)
    return [field for field in rows if may_own(field)]


def _refusal(connector: Connector, name: str, value: Json) -> FieldError | None:
    try:
        connector.encode(name, value)
    except FieldError as error:
        return error
    return None


def _any_value(field: Field) -> Json:
    return {FieldType.BOOLEAN: True, FieldType.INTEGER: 1}.get(field.type, "x")
