"""What becomes of a value: it arrives as it was meant, and whether it did is seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final

from connectors.sdk.fields import Field, FieldError, FieldType, Null
from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, with_field
from connectors.sdk.testing.listing_faults import each_value
from connectors.sdk.testing.naming import free_text
from connectors.sdk.testing.tap import Fault, Turn, writes

UNICODE: Final = ("Łukasz 🧭 Żółć", "שלום עליכם", "李小龍", "O\u2019Neill — “Pat”")
DECOMPOSED: Final = "Zoe\u0308 A\u030angstro\u0308m"


def _is_set(field: Field) -> bool:
    return field.type in {FieldType.NAME_SET, FieldType.ID_SET}


def _is_time(field: Field) -> bool:
    return field.type is FieldType.DATETIME


@check()
def every_field_can_be_changed(bench: Bench) -> None:
    """Each writable field arrives as it was sent. Catches a field whose wire form nobody tried."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    for field in bench.writable:
        wanted = bench.samples.other(field, 1)
        outcome = connector.patch(remote_id, {field.name: wanted})
        held = bench.stored(remote_id).get(field.name)
        assert not bench.shown(field.name) or held == wanted, (
            f"{field.name} was to be {wanted!r}; the server holds {held!r}"
            f" ({outcome.kind.name}: {outcome.detail})"
        )


@check()
def all_fields_can_be_changed_at_once(bench: Bench) -> None:
    """A change of every field is APPLIED. Catches a comparison that stumbles over one of them."""
    (remote_id,) = bench.seed()
    change = {field.name: bench.samples.other(field, 1) for field in bench.writable}
    outcome = bench.connector().patch(remote_id, change)
    assert outcome.kind is OutcomeKind.APPLIED, (
        f"all fields were changed and the server took them; this was {outcome.kind.name}: {outcome.wrong}"
        f" {dict(outcome.fields)} ({outcome.detail})"
    )


@check(needs=with_field(lambda field: field.null_as is Null.NULL))
def null_is_null(bench: Bench) -> None:
    """A field that is cleared by null is null afterwards. Catches a null that is left out of the request, as
    many JSON writers do.
    """
    for field, outcome, held in _cleared(bench, Null.NULL):
        assert held is None, f"{field.name} was cleared with null; the server holds {held!r}"
        expect(outcome, OutcomeKind.APPLIED, f"{field.name} cleared with null")


@check(needs=with_field(lambda field: field.null_as is Null.EMPTY))
def null_is_empty(bench: Bench) -> None:
    """A field that is cleared by the empty value is empty afterwards. Catches a null that the server refuses,
    and an empty text that counts as *nothing to do*.
    """
    for field, outcome, held in _cleared(bench, Null.EMPTY):
        assert held in ("", [], {}), (
            f"{field.name} was cleared with the empty value; the server holds {held!r}"
        )
        expect(outcome, OutcomeKind.APPLIED, f"{field.name} cleared with the empty value")


@check(needs=with_field(lambda field: field.null_as is Null.REFUSE))
def what_cannot_be_cleared_is_refused(bench: Bench) -> None:
    """A field that has to hold something is not cleared: nothing is sent. Catches a null that some servers
    make a default of.
    """
    field = next(item for item in bench.writable if item.null_as is Null.REFUSE)
    (remote_id,) = bench.seed()
    outcome = bench.connector().patch(remote_id, {field.name: None})
    assert not bench.writes(), f"{field.name} cannot be cleared; the change was sent nevertheless"
    expect(outcome, OutcomeKind.REJECTED, f"clearing {field.name}")


@check(needs=with_field(free_text))
def all_letters_arrive(bench: Bench) -> None:
    """Names of all languages and signs arrive as they are. Catches Latin-1, `?` in place of letters, and a
    surrogate pair that is cut in two.
    """
    for text in UNICODE:
        _arrives(bench, text)


@check(needs=with_field(free_text))
def letters_are_not_composed_anew(bench: Bench) -> None:
    """A decomposed letter stays decomposed. Catches a normal form that is compared or sent: the account
    differs for ever from what HR says.
    """
    _arrives(bench, DECOMPOSED)


@check(needs=with_field(free_text))
def blanks_inside_stay(bench: Bench) -> None:
    """Only the ends are trimmed. Catches blanks that are drawn together."""
    _arrives(bench, "Anna  Maria\u00a0Berg")


@check(needs=with_field(free_text))
def signs_of_markup_arrive(bench: Bench) -> None:
    """`<`, `&`, quotes and backslashes are text. Catches escapes that stay in the account."""
    _arrives(bench, 'R&D <"A\\B"> 100% + {x}')


@check(needs=with_field(free_text))
def blanks_at_the_ends_go(bench: Bench) -> None:
    """A value is trimmed by `encode`, as servers do. Catches a blank that counts as a difference for ever."""
    (remote_id,) = bench.seed()
    name = _free(bench)
    connector = bench.connector()
    outcome = connector.patch(remote_id, {name: connector.encode(name, "  Trimmed\u2003")})
    held = bench.row(remote_id).get(name)
    assert held == "Trimmed", f"'  Trimmed ' was sent to {name}; the server holds {held!r}"
    expect(outcome, OutcomeKind.APPLIED, "a value whose blanks at the ends the server does not keep")


@check(needs=with_field(free_text))
def another_case_is_another_value(bench: Bench) -> None:
    """`berg` where `Berg` was sent is not what was sent: NOT_APPLIED. Catches a comparison without case."""
    outcome = _shown_as(bench, "McBerg", "mcberg")
    expect(outcome, OutcomeKind.NOT_APPLIED, "'mcberg' shown where 'McBerg' was sent")


@check(needs=with_field(free_text))
def a_part_is_not_the_whole(bench: Bench) -> None:
    """A server that cuts a value did not take it: NOT_APPLIED. Catches a comparison of beginnings."""
    outcome = _shown_as(bench, "Annabella", "Annab")
    expect(outcome, OutcomeKind.NOT_APPLIED, "'Annab' shown where 'Annabella' was sent")


@check(needs=with_field(_is_set))
def the_order_of_a_set_says_nothing(bench: Bench) -> None:
    """The same members in another order are the same set: APPLIED. Catches a list that is compared."""
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_set(item))
    wanted = max(bench.samples.value(field, 1), bench.samples.other(field, 1), key=_size)
    bench.misbehave(_changed_answers(lambda value: value[::-1] if isinstance(value, list) else value), writes)
    outcome = bench.connector().patch(remote_id, {field.name: wanted})
    expect(outcome, OutcomeKind.APPLIED, f"the members of {field.name} in another order")


@check(needs=with_field(_is_time))
def the_same_moment_is_the_same(bench: Bench) -> None:
    """`10:30+02:00` is `08:30Z`: APPLIED. Catches times that are compared as text."""
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_time(item))
    bench.misbehave(_changed_answers(_two_hours_east), writes)
    outcome = bench.connector().patch(remote_id, {field.name: bench.samples.other(field, 1)})
    expect(outcome, OutcomeKind.APPLIED, f"{field.name} shown with another offset")


@check(needs=with_field(_is_time))
def another_moment_is_another(bench: Bench) -> None:
    """`10:30Z` is not `08:30Z`: NOT_APPLIED. Catches times without their offset, and days."""
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_time(item))
    wanted = bench.samples.other(field, 1)
    bench.misbehave(_changed_answers(lambda value: _two_hours_east(value, same=False)), writes)
    outcome = bench.connector().patch(remote_id, {field.name: wanted})
    expect(outcome, OutcomeKind.NOT_APPLIED, f"{field.name} two hours later than {wanted}")


@check(needs=with_field(lambda field: field.type is FieldType.BOOLEAN))
def one_is_not_true(bench: Bench) -> None:
    """A flag that shows as the number 1 or 0 is not what was sent. Catches `1 == True`: another API answers,
    and counts as ours.
    """
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if item.type is FieldType.BOOLEAN)
    bench.misbehave(_changed_answers(lambda value: int(value) if isinstance(value, bool) else value), writes)
    outcome = bench.connector().patch(remote_id, {field.name: bench.samples.other(field, 1)})
    assert outcome.kind is not OutcomeKind.APPLIED, (
        f"{field.name} shows as a number and counts as the truth value"
    )


def _cleared(bench: Bench, null: Null) -> Iterator[tuple[Field, Outcome, Json]]:
    """Each field that is cleared so, what came of clearing it, and what the server holds then."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    for field in [item for item in bench.writable if item.null_as is null]:
        try:
            value = connector.encode(field.name, None)
        except FieldError as error:
            raise AssertionError(f"{field.name} can be cleared, but `encode` refuses null: {error}") from None
        outcome = connector.patch(remote_id, {field.name: value})
        yield field, outcome, bench.row(remote_id).get(field.name)


def _free(bench: Bench) -> str:
    return next(item.name for item in bench.texts if free_text(item))


def _arrives(bench: Bench, text: str) -> None:
    (remote_id,) = bench.seed()
    name = _free(bench)
    connector = bench.connector()
    outcome = connector.patch(remote_id, {name: connector.encode(name, text)})
    held = bench.row(remote_id).get(name)
    assert held == text, f"{name} was to be {text!r}; the server holds {held!r} ({outcome.detail})"
    expect(outcome, OutcomeKind.APPLIED, f"{text!r} in {name}, as the server shows it,")


def _shown_as(bench: Bench, sent: str, shown: str) -> Outcome:
    """What comes of a text that the answer shows otherwise."""
    (remote_id,) = bench.seed()
    bench.misbehave(_changed_answers(lambda value: shown if value == sent else value), writes)
    return bench.connector().patch(remote_id, {_free(bench): sent})


def _changed_answers(change: Callable[[Json], Json]) -> Fault:
    def fault(turn: Turn) -> None:
        turn.answer(each_value(turn.forward(), change))

    return fault


def _two_hours_east(value: Json, *, same: bool = True) -> Json:
    """A time of the answer as a clock two hours east tells it, or two hours later."""
    try:
        at = dt.datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        return value
    east = dt.timezone(dt.timedelta(hours=2))
    return (at.astimezone(east) if same else at + dt.timedelta(hours=2)).isoformat()


def _size(value: Json) -> int:
    return len(value) if isinstance(value, list) else 0
