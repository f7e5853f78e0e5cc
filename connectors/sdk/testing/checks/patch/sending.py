"""What leaves, and what never does: a change is exactly what the engine asked for, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.sdk.fields import Field, FieldType
from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, declares, owner_only, two_texts, with_field
from connectors.sdk.testing.listing_faults import leaves
from connectors.sdk.testing.strangers import id_of_nobody

STRANGE: Final = "No such name 4c1d"


def _is_flag(field: Field) -> bool:
    return field.type is FieldType.BOOLEAN


def _is_number(field: Field) -> bool:
    return field.type is FieldType.INTEGER


def _is_limited(field: Field) -> bool:
    ruled = field.pattern is not None or field.email or field.choices
    return field.type is FieldType.TEXT and field.max_length is not None and not ruled


def _names_others(field: Field) -> bool:
    return field.type is FieldType.NAME_SET


@check()
def only_owned_fields(bench: Bench) -> None:
    """One changed field, one value in the request. Catches a connector that sends the whole account: it
    overwrites what somebody else changed since.
    """
    (remote_id,) = bench.seed()
    change = bench.change()
    bench.connector().patch(remote_id, change)
    sent = [leaf for request in bench.writes() for leaf in leaves(request.json())]
    assert sent == list(change.values()), f"the change is {change}; the request held {sent}"


@check()
def no_change_sends_nothing(bench: Bench) -> None:
    """An empty change writes nothing. Catches an empty PATCH, which moves `last modified`, and on some
    servers more.
    """
    (remote_id,) = bench.seed()
    bench.connector().patch(remote_id, {})
    assert not bench.writes(), "a change of nothing was sent"


@check(needs=two_texts)
def a_wrong_value_keeps_all_from_leaving(bench: Bench) -> None:
    """One value that must not be sent keeps the others back too: the engine sends these, not we. Catches a
    change of which a part arrives while the whole counts as refused.
    """
    first, second = bench.change(2)
    _refused(bench, {**bench.change(2), second: "a\x00b"}, f"a NUL in {second}, beside a good {first}")


@check(needs=two_texts)
def a_refusal_names_the_wrong_value_alone(bench: Bench) -> None:
    """Of two fields the wrong one is named. Catches a good value that is held for a bad one."""
    (remote_id,) = bench.seed()
    _, second = bench.change(2)
    outcome = bench.connector().patch(remote_id, {**bench.change(2), second: "a\x00b"})
    assert set(outcome.fields) == {second}, (
        f"{second} must not be sent; `fields` must name it alone, it names {sorted(outcome.fields)}"
    )


@check(needs=declares(lambda field: field.read_only))
def a_read_only_field_is_refused(bench: Bench) -> None:
    """What only the server writes is never sent. Catches a field that the server ignores without a word, so
    that the change is tried for ever.
    """
    field = next(item for item in bench.descriptor.fields if item.read_only)
    _refused(bench, {field.name: 5}, f"the read-only field {field.name}")


@check(needs=declares(lambda field: field.never_mapped is not None))
def a_forbidden_field_is_refused(bench: Bench) -> None:
    """A field that no mapping may own is never sent. Catches a password out of HR's data."""
    field = next(item for item in bench.descriptor.fields if item.never_mapped is not None)
    _refused(bench, {field.name: "word1x0"}, f"{field.name}, which is never sent,")


@check()
def an_unknown_field_is_refused(bench: Bench) -> None:
    """A field of no document is not sent. Catches a misspelt mapping that reaches the API unseen."""
    _refused(bench, {"no_such_field": "x"}, "a field of no document")


@check(needs=with_field(_is_limited))
def what_is_too_long_is_refused(bench: Bench) -> None:
    """One character more than the document allows is refused before sending. Catches a limit that only the
    server knows, and one that is cut in silence.
    """
    field = next(item for item in bench.writable if _is_limited(item))
    _refused(bench, {field.name: "a" * ((field.max_length or 0) + 1)}, f"a {field.name} that is too long")


@check(needs=with_field(_is_limited))
def what_just_fits_is_sent(bench: Bench) -> None:
    """As many characters as the document allows are sent, and arrive. Catches a limit that counts bytes, or
    one too few.
    """
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_limited(item))
    text = "é" * (field.max_length or 0)
    outcome = bench.connector().patch(remote_id, {field.name: text})
    expect(outcome, OutcomeKind.APPLIED, f"a {field.name} of exactly {field.max_length} characters")


@check(needs=with_field(_is_flag))
def a_word_is_no_truth_value(bench: Bench) -> None:
    """`"false"` is refused for a flag. Catches a text that some servers read as true."""
    field = next(item for item in bench.writable if _is_flag(item))
    _refused(bench, {field.name: "false"}, f"the text 'false' for {field.name}")


@check(needs=with_field(_is_flag))
def a_truth_value_leaves_as_one(bench: Bench) -> None:
    """A flag is `true` or `false` in JSON. Catches `"True"`, `1` and a form."""
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_flag(item))
    wanted = bench.samples.other(field, 1)
    bench.connector().patch(remote_id, {field.name: wanted})
    sent = [leaf for request in bench.writes() for leaf in leaves(request.json())]
    assert len(sent) == 1, f"{field.name} was to be sent alone, the request held {sent}"
    assert sent[0] is wanted, f"{field.name} is a truth value; it left as {sent[0]!r}"


@check(needs=with_field(_is_number))
def a_number_leaves_as_one(bench: Bench) -> None:
    """An integer is a number in JSON. Catches `"7"`."""
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_number(item))
    wanted = bench.samples.other(field, 1)
    bench.connector().patch(remote_id, {field.name: wanted})
    sent = [leaf for request in bench.writes() for leaf in leaves(request.json())]
    assert [(type(leaf), leaf) for leaf in sent] == [(int, wanted)], (
        f"{field.name} is the integer {wanted}; it left as {sent}"
    )


@check(needs=with_field(_names_others))
def an_unknown_name_in_a_set_is_refused(bench: Bench) -> None:
    """A group that the target does not have keeps the change back. Catches a name that is left out: the
    account loses the groups that were not meant, or a group is made by its name.
    """
    field = next(item for item in bench.writable if _names_others(item))
    wanted = [*_names(bench, field), STRANGE]
    outcome = _refused(bench, {field.name: wanted}, f"a name in {field.name} that nobody has")
    assert field.name in outcome.fields, f"{field.name} holds an unknown name; `fields` must say so"


@check(needs=owner_only)
def another_subject_is_refused(bench: Bench) -> None:
    """Where the API acts on the token's owner, nobody else can be meant. Catches a change of somebody else
    that changes the owner.
    """
    bench.seed()
    outcome = bench.connector().patch(id_of_nobody(bench), bench.change())
    assert not bench.writes(), "a change of somebody else was sent to an address that acts on the owner"
    expect(outcome, OutcomeKind.REJECTED, "a change of another account than the token owner's")


def _refused(bench: Bench, changes: Mapping[str, Json], what: str) -> Outcome:
    (remote_id,) = bench.seed()
    before = bench.row(remote_id)
    outcome = bench.connector().patch(remote_id, changes)
    assert not bench.writes(), f"{what} must be refused before sending; a change was sent"
    expect(outcome, OutcomeKind.REJECTED, what)
    assert bench.row(remote_id) == before, f"{what} was refused, and the account changed nevertheless"
    return outcome


def _names(bench: Bench, field: Field) -> list[Json]:
    value = bench.samples.value(field, 1)
    return value if isinstance(value, list) else []
