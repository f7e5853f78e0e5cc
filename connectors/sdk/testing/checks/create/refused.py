"""Where no account is made, or nobody knows: what is left behind, and what is said."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import SHORT, Bench
from connectors.sdk.testing.check import all_of, check, creating, declares, unique_text
from connectors.sdk.testing.tap import Fault, writes


@check(needs=all_of(creating, unique_text))
def a_taken_name_is_a_clash(bench: Bench) -> None:
    """A name that somebody has is REJECTED with `unique`, naming the field. Catches a clash held as a bad
    value: the person waits for ever instead of for the holder of the name.
    """
    name, outcome = _clash(bench)
    expect(outcome, OutcomeKind.REJECTED, f"making an account with a taken {name}")
    assert name in outcome.fields, f"{name} is taken; `fields` must say so: {dict(outcome.fields)}"
    assert outcome.fields[name].unique, f"another account has this {name}: the rejection must be `unique`"


@check(needs=all_of(creating, unique_text))
def a_taken_name_changes_nobody(bench: Bench) -> None:
    """The holder of a taken name stays as it was, and nobody is added. Catches a `create` that updates whom
    it finds, and one that tries `anna2`.
    """
    bench.seed()
    before = bench.server.rows()
    _clash(bench)
    assert bench.server.rows() == before, "making an account with a taken name changed what the server holds"


@check(needs=creating)
def a_lost_answer_is_ambiguous(bench: Bench) -> None:
    """The account was made and the answer got lost. Catches *not sent*: the account would be made again."""
    outcome = _created(bench, faults.resets(effect=True))
    expect(outcome, OutcomeKind.AMBIGUOUS, "a creation whose answer got lost")


@check(needs=creating)
def a_lost_answer_is_not_asked_for_again(bench: Bench) -> None:
    """A creation that may have been done is never repeated. Catches a retry: two accounts for one person."""
    _created(bench, faults.hangs(effect=True))
    assert len(bench.writes()) == 1, f"a creation without an answer was sent {len(bench.writes())} times"


@check(needs=creating)
def an_answer_without_an_account_is_ambiguous(bench: Bench) -> None:
    """201 and no account: which one it is, nobody knows. Catches APPLIED without an id."""
    outcome = _created(bench, faults.says(201, {"status": "ok"}, effect=True))
    expect(outcome, OutcomeKind.AMBIGUOUS, "a 201 that shows no account")


@check(needs=creating)
def an_accepted_creation_is_ambiguous(bench: Bench) -> None:
    """202 is a promise: the account may be there, or never. Catches a promise taken for the deed."""
    outcome = _created(bench, faults.restated(202))
    expect(outcome, OutcomeKind.AMBIGUOUS, "a 202 to a creation")


@check(needs=creating)
def a_missing_list_is_suspect(bench: Bench) -> None:
    """404 to a creation: the base URL is wrong; nobody is missing. Catches an answer after which the engine
    looks for a lost account.
    """
    outcome = _created(bench, faults.says(404, {"detail": "Not found."}))
    expect(outcome, OutcomeKind.SUSPECT, "a 404 to a creation")


@check(needs=creating)
def a_refused_value_sends_nothing(bench: Bench) -> None:
    """A value that must not be sent keeps the whole account from being made. Catches rules that hold for
    changes only, and an account made without the value.
    """
    (name,) = bench.change(number=2)
    outcome = _sends_nothing(bench, {**bench.person(2), name: "a\x00b"}, f"a NUL in {name}")
    assert set(outcome.fields) == {name}, f"{name} was wrong; `fields` names {sorted(outcome.fields)}"


@check(needs=creating)
def an_unknown_field_sends_nothing(bench: Bench) -> None:
    """A field of no document is not sent. Catches a key that reaches the API unseen, or is dropped."""
    _sends_nothing(bench, {**bench.person(2), "no_such_field": "x"}, "an unknown field")


@check(needs=all_of(creating, declares(lambda field: field.read_only)))
def a_read_only_field_sends_nothing(bench: Bench) -> None:
    """What only the server writes is not sent. Catches an id of ours for an account of theirs."""
    field = next(item for item in bench.descriptor.fields if item.read_only)
    _sends_nothing(bench, {**bench.person(2), field.name: 5}, f"the read-only field {field.name}")


@check(needs=creating)
def no_values_send_nothing(bench: Bench) -> None:
    """No values, no account. Catches an account that consists of defaults."""
    _sends_nothing(bench, {}, "no values")


def _clash(bench: Bench) -> tuple[str, Outcome]:
    """A unique field, and what came of making an account with the value that account 1 holds."""
    bench.seed()
    name = next(field.name for field in bench.texts if field.unique)
    return name, bench.connector().create({**bench.person(2), name: bench.person(1)[name]})


def _created(bench: Bench, fault: Fault) -> Outcome:
    bench.seed()
    bench.misbehave(fault, writes)
    return bench.connector(SHORT).create(bench.person(2))


def _sends_nothing(bench: Bench, values: Mapping[str, Json], what: str) -> Outcome:
    bench.seed()
    outcome = bench.connector().create(values)
    assert not bench.writes(), f"{what} must keep an account from being made; the request was sent"
    expect(outcome, OutcomeKind.REJECTED, f"a new account with {what}")
    return outcome
