"""Answers that say no: which no it is decides whether a field, an account or a whole target waits."""

from __future__ import annotations

from typing import Final

from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect, fetched, patched
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import all_of, check, many_accounts, two_texts, unique_text

LONGEST: Final = 300  # characters
NOT_SO: Final = "Not like this."
REFUSED: Final[dict[str, Json]] = {"detail": "Refused."}
MASKED: Final = {"Allow": "GET, HEAD, OPTIONS"}


@check()
def refused_field_is_named(bench: Bench) -> None:
    """A 400 that names a sent field is REJECTED with that field. Catches a refusal of the whole request."""
    (name,) = bench.change()
    outcome = patched(bench, faults.says(400, bench.server.refusal({name: NOT_SO})))
    expect(outcome, OutcomeKind.REJECTED, "a 400 that names a field")
    assert set(outcome.fields) == {name}, f"the 400 names {name}; `fields` must too: {dict(outcome.fields)}"


@check(needs=two_texts)
def only_the_refused_field_is_named(bench: Bench) -> None:
    """Of two sent fields the refused one is held. Catches a connector that holds all that was sent."""
    refused = list(bench.change(2))[1]
    outcome = patched(bench, faults.says(400, bench.server.refusal({refused: NOT_SO})), count=2)
    assert set(outcome.fields) == {refused}, (
        f"a 400 names {refused} only, of two sent fields; `fields` must too: {sorted(outcome.fields)}"
    )


@check()
def refusals_say_why(bench: Bench) -> None:
    """A refusal carries the target's own words. Catches a message that says 400 and no more."""
    (name,) = bench.change()
    outcome = patched(bench, faults.says(400, bench.server.refusal({name: NOT_SO})))
    messages = [rejection.message for rejection in outcome.fields.values()]
    assert any(NOT_SO in message for message in messages), (
        f"the target said {NOT_SO!r} about {name}; `fields` must hold these words, it holds {messages}"
    )


@check()
def unprocessable_is_refused(bench: Bench) -> None:
    """422 is the other status for refused values. Catches a table that knows 400 only."""
    (name,) = bench.change()
    outcome = patched(bench, faults.says(422, bench.server.refusal({name: NOT_SO})))
    assert (outcome.kind, set(outcome.fields)) == (OutcomeKind.REJECTED, {name}), (
        f"a 422 that names {name} is REJECTED with that field, it was {outcome.kind.name} {outcome.fields}"
    )


@check(needs=two_texts)
def refusal_of_an_unsent_field_holds_nothing(bench: Bench) -> None:
    """A 400 about a field that was not sent holds no field. Catches a hold that no new data releases."""
    other = list(bench.change(2))[1]
    outcome = patched(bench, faults.says(400, bench.server.refusal({other: "This field is required."})))
    expect(outcome, OutcomeKind.REJECTED, "a 400 about a field that was not sent")
    assert not outcome.fields, f"{other} was not sent and cannot be held: {dict(outcome.fields)}"


@check()
def refusal_without_a_name_holds_nothing(bench: Bench) -> None:
    """A 400 that names no field is of the whole request. Catches blaming whatever was sent."""
    outcome = patched(bench, faults.says(400, REFUSED))
    expect(outcome, OutcomeKind.REJECTED, "a 400 that names no field")
    assert not outcome.fields, f"the answer blames no field, `fields` does: {dict(outcome.fields)}"


@check()
def page_with_a_400_is_suspect(bench: Bench) -> None:
    """A proxy's 400 in HTML says nothing about our values. Catches a hold for somebody else's error."""
    expect(patched(bench, faults.html(400)), OutcomeKind.SUSPECT, "a 400 with an HTML page")


@check(needs=all_of(many_accounts, unique_text))
def taken_value_is_a_clash(bench: Bench) -> None:
    """A value that another account holds is `unique`. Catches a clash held as if the value were bad."""
    name, remote_id, outcome = _clash(bench)
    assert name in outcome.fields, f"{name} of {remote_id} is taken: `fields` must say so: {outcome}"
    assert outcome.fields[name].unique, f"another account holds this {name}: the rejection must be `unique`"


@check()
def bad_value_is_no_clash(bench: Bench) -> None:
    """An ordinary refusal is not `unique`. Catches a field that waits for a holder who does not exist."""
    (name,) = bench.change()
    outcome = patched(bench, faults.says(400, bench.server.refusal({name: NOT_SO})))
    assert not any(rejection.unique for rejection in outcome.fields.values()), (
        f"{NOT_SO!r} speaks of no other account, but the rejection is `unique`"
    )


@check()
def unauthorised_is_suspect(bench: Bench) -> None:
    """401: our token is wrong, not the account. Catches a person held for our own expired token."""
    expect(patched(bench, faults.says(401, REFUSED)), OutcomeKind.SUSPECT, "a 401")


@check()
def forbidden_is_forbidden(bench: Bench) -> None:
    """403 is about this account's rights. Catches a 403 taken for a bad token or a bad value."""
    expect(patched(bench, faults.says(403, REFUSED)), OutcomeKind.FORBIDDEN, "a 403")


@check()
def absent_account_is_missing(bench: Bench) -> None:
    """404 and 410 with JSON: the account is not there. Catches a 404 that counts as refused."""
    expect(
        patched(bench, faults.says(404, {"detail": "Not found."})), OutcomeKind.MISSING, "a 404 to a write"
    )
    bench.behave()
    expect(patched(bench, faults.says(410, {"detail": "Gone."})), OutcomeKind.MISSING, "a 410 to a write")


@check(needs=many_accounts)
def absent_account_is_missing_to_a_read(bench: Bench) -> None:
    """The same for a read, in the server's own words. Catches a read that makes 404 an error of ours."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.fetch(remote_id)
    bench.misbehave(faults.says(404, {"detail": "Not found."}), lambda request: not request.is_write)
    expect(connector.fetch(remote_id), OutcomeKind.MISSING, "a 404 to a read")


@check()
def refused_method_is_suspect(bench: Bench) -> None:
    """405 in JSON: the address or the API is another. Catches a 405 taken for a refused value."""
    outcome = patched(bench, faults.says(405, REFUSED, {"Allow": "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"}))
    expect(outcome, OutcomeKind.SUSPECT, "a 405 in JSON")


@check()
def masked_fault_is_ambiguous(bench: Bench) -> None:
    """405, HTML, `Allow: GET, HEAD, OPTIONS`: a fault's own error page refused the method (authentik).
    The write may have been applied. Catches a target that is paused, or a write that is repeated.
    """
    expect(patched(bench, faults.html(405, MASKED)), OutcomeKind.AMBIGUOUS, "a masked 405")


@check()
def refused_type_is_suspect(bench: Bench) -> None:
    """415: what listens there speaks another language. Catches a 415 taken for a refused value."""
    expect(patched(bench, faults.says(415, REFUSED)), OutcomeKind.SUSPECT, "a 415")


@check()
def conflict_is_a_conflict(bench: Bench) -> None:
    """409: read and plan again. Catches a conflict held as a refused value."""
    expect(patched(bench, faults.says(409, REFUSED)), OutcomeKind.CONFLICT, "a 409")


@check()
def failed_precondition_is_a_conflict(bench: Bench) -> None:
    """412 and 428 are conflicts too. Catches a table that knows 409 only."""
    for status in (412, 428):
        bench.behave()
        expect(patched(bench, faults.says(status, REFUSED)), OutcomeKind.CONFLICT, f"a {status}")


@check()
def redirect_is_suspect(bench: Bench) -> None:
    """302: the base URL is wrong or a login page is near. Catches a redirect taken for success."""
    outcome = patched(bench, faults.redirects("/login/"))
    expect(outcome, OutcomeKind.SUSPECT, "a 302 to a write")


@check()
def servers_fault_is_ambiguous(bench: Bench) -> None:
    """5xx: it may have been applied. Catches a 500 taken for a refusal, which nobody reads again."""
    for status in (500, 502, 504):
        bench.behave()
        expect(patched(bench, faults.says(status, REFUSED)), OutcomeKind.AMBIGUOUS, f"a {status}")


@check()
def servers_fault_is_ambiguous_to_a_read(bench: Bench) -> None:
    """A read that fails at the server saw nothing. Catches a 500 that counts as a missing account."""
    expect(fetched(bench, faults.says(500, REFUSED)), OutcomeKind.AMBIGUOUS, "a 500 to a read")


@check()
def details_are_short_lines(bench: Bench) -> None:
    """`detail` and messages are one line of at most 300 characters. Catches a page in the audit."""
    (name,) = bench.change()
    outcome = patched(bench, faults.says(400, bench.server.refusal({name: "word\n" * 500})))
    texts = [outcome.detail, *(rejection.message for rejection in outcome.fields.values())]
    for text in texts:
        assert len(text) <= LONGEST, f"a text of the target's reaches the audit with {len(text)} characters"
        assert "\n" not in text, "a text of the target's reaches the audit with line breaks"


def _clash(bench: Bench) -> tuple[str, str, Outcome]:
    """A unique field, an account, and what came of giving it the value that another account holds."""
    remote_id, _ = bench.seed(2)
    name = next(field.name for field in bench.texts if field.unique)
    outcome = bench.connector().patch(remote_id, {name: bench.person(2)[name]})
    return name, remote_id, outcome
