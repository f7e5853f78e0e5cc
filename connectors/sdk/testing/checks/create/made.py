"""What an account is made with, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.testing import echoes
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, creating, not_creating
from connectors.sdk.testing.tap import Turn, writes


@check(needs=creating)
def the_new_account_is_named(bench: Bench) -> None:
    """`remote_id` is the account that was made. Catches an id that is the user name, or missing: the person
    is searched for, or written to under an id of somebody else.
    """
    bench.seed()
    before = set(bench.server.rows())
    outcome = _made(bench)
    new = set(bench.server.rows()) - before
    assert {outcome.remote_id} == new, (
        f"the server made {sorted(new)}, `remote_id` is {outcome.remote_id} ({outcome.kind.name}:"
        f" {outcome.detail})"
    )


@check(needs=creating)
def it_holds_what_was_given(bench: Bench) -> None:
    """Every value is stored. Catches a field that `create` leaves out: a right or a mark that is missing
    until somebody looks.
    """
    bench.seed()
    values = bench.person(2)
    outcome = _made(bench)
    stored = bench.stored(outcome.remote_id or "")
    other = [name for name in values if bench.shown(name) and stored.get(name) != values[name]]
    assert not other, f"a new account was given {sorted(values)}; the server holds other values of {other}"


@check(needs=creating)
def the_record_is_that_of_fetch(bench: Bench) -> None:
    """The record of a new account is what the server shows. Catches one that repeats what was sent."""
    bench.seed()
    outcome = _made(bench)
    read = bench.connector().fetch(outcome.remote_id or "").record or {}
    told = outcome.record or {}
    other = [name for name in bench.person(2) if told.get(name) != read.get(name)]
    assert not other, f"`create` and `fetch` differ in {other} of the new account"


@check(needs=creating)
def a_value_that_was_not_taken_is_seen(bench: Bench) -> None:
    """The account is made, but one value is not the one that was given: the record shows it. Catches a
    record made of what was sent: the difference is never corrected.
    """
    bench.seed()
    (name,) = bench.change(number=2)
    given, shown = str(bench.person(2)[name]), "Quite Another"

    def fault(turn: Turn) -> None:
        answer = turn.forward()
        turn.answer(replace(answer, body=answer.body.replace(given.encode(), shown.encode())))

    bench.misbehave(fault, writes)
    outcome = bench.connector().create(bench.person(2))
    told = (outcome.record or {}).get(name, shown)
    assert told == shown, f"the new account shows {name} = {shown!r}; the record says {told!r}"


@check(needs=creating)
def one_write(bench: Bench) -> None:
    """An account is made with one request. Catches a second one that fills it: if that fails, a half-made
    account stays.
    """
    bench.seed()
    _made(bench)
    sent = [f"{request.method} {request.path}" for request in bench.writes()]
    assert len(sent) == 1, f"making one account took the writes {sent}"


@check(needs=creating)
def its_password_stays_in_the_request(bench: Bench) -> None:
    """What goes along that nobody gave, such as a password, comes back nowhere, also where the server repeats
    it. Catches a password in the database and the logs.
    """
    bench.seed()
    bench.misbehave(echoes.repeated, writes)
    _tells_no_secret(bench)


@check(needs=creating)
def a_refused_password_stays_in_the_request(bench: Bench) -> None:
    """The same where the server refuses, and quotes what it refuses. Catches it in `detail` and messages."""
    bench.seed()
    bench.misbehave(echoes.quoted, writes)
    _tells_no_secret(bench)


@check(needs=not_creating)
def a_style_that_cannot_sends_nothing(bench: Bench) -> None:
    """A style that makes no accounts sends nothing. Catches a POST that nobody documented."""
    bench.seed()
    bench.connector().create(bench.person(2))
    assert not bench.requests(), "a style that makes no accounts asked the target to make one"


@check(needs=not_creating)
def a_style_that_cannot_says_so(bench: Bench) -> None:
    """A style that makes no accounts says so. Catches an exception, and a success that never was."""
    bench.seed()
    outcome = bench.connector().create(bench.person(2))
    expect(outcome, OutcomeKind.REJECTED, "making an account in a style that makes none")
    assert outcome.detail, "a style that makes no accounts must say so in `detail`"


def _made(bench: Bench) -> Outcome:
    outcome = bench.connector().create(bench.person(2))
    expect(outcome, OutcomeKind.APPLIED, "a new account")
    return outcome


def _tells_no_secret(bench: Bench) -> None:
    outcome = bench.connector().create(bench.person(2))
    assert not echoes.secrets_told(bench, outcome, bench.person(2)), (
        "a value that nobody gave, like a password, was sent along and came back in the outcome"
    )
