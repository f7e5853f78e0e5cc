"""Answers with a status of 2xx: success is what the answer shows, never the status."""

from __future__ import annotations

from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.testing import faults, rewriting
from connectors.sdk.testing.attempts import expect, fetched, patched
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, two_texts


@check()
def shown_values_are_applied(bench: Bench) -> None:
    """A whole account that shows what was sent is APPLIED. Catches a connector that trusts nothing."""
    (remote_id,) = bench.seed()
    outcome = bench.connector().patch(remote_id, bench.change())
    expect(outcome, OutcomeKind.APPLIED, "an answer that shows the new value")


@check()
def written_account_is_kept(bench: Bench) -> None:
    """The answer to a write is handed on as a record. Catches a connector that keeps the kind only."""
    (remote_id,) = bench.seed()
    change = bench.change()
    record = bench.connector().patch(remote_id, change).record or {}
    assert {name: record.get(name) for name in change} == change, (
        f"`record` must hold the account as the answer showed it, with {change}; it holds {dict(record)}"
    )


@check()
def read_account_is_observed(bench: Bench) -> None:
    """A whole account is OBSERVED. Catches a read that is reported as a write."""
    (remote_id,) = bench.seed()
    expect(bench.connector().fetch(remote_id), OutcomeKind.OBSERVED, "a whole account")


@check()
def read_account_is_what_is_stored(bench: Bench) -> None:
    """Every writable field is read back as it was stored. Catches a field that is decoded wrongly."""
    (remote_id,) = bench.seed()
    record = bench.connector().fetch(remote_id).record or {}
    person = bench.person(1)
    wrong = [name for name in person if bench.shown(name) and record.get(name) != person[name]]
    assert not wrong, f"`fetch` reads {wrong} otherwise than the server stores them"


@check()
def padded_values_are_applied(bench: Bench) -> None:
    """A server may pad a text: the value is the same. Catches a comparison without normalisation."""
    expect(patched(bench, rewriting.padded), OutcomeKind.APPLIED, "an answer that pads the new value")


@check()
def ignored_write_is_not_applied(bench: Bench) -> None:
    """A 200 with the account as it was is NOT_APPLIED. Catches trust in the status."""
    outcome = patched(bench, rewriting.ignored)
    expect(outcome, OutcomeKind.NOT_APPLIED, "a 200 that shows the old value")


@check(needs=two_texts)
def ignored_field_is_named(bench: Bench) -> None:
    """Of two fields the ignored one, and only that, is `wrong`. Catches holding the whole request."""
    change = bench.change(2)
    outcome = patched(bench, rewriting.first_field_ignored, count=2)
    ignored = bench.writes()[-1].json()
    assert isinstance(ignored, dict)
    wanted = [name for name in change if change[name] == next(iter(ignored.values()))]
    assert list(outcome.wrong) == wanted, (
        f"the server ignored {wanted} and did the rest; `wrong` must name it alone, it is {outcome.wrong}"
    )


@check()
def field_not_shown_is_unverified(bench: Bench) -> None:
    """A sent field that the answer lacks is UNVERIFIED. Catches a comparison of what is there only."""
    expect(patched(bench, rewriting.not_shown), OutcomeKind.UNVERIFIED, "an answer without the sent field")


@check()
def no_content_is_unverified(bench: Bench) -> None:
    """204 shows nothing: UNVERIFIED. Catches a 204 taken for success, or for an empty answer."""
    expect(patched(bench, faults.says(204, effect=True)), OutcomeKind.UNVERIFIED, "a 204")


@check()
def accepted_is_unverified(bench: Bench) -> None:
    """202 is a promise, even where it shows the value: UNVERIFIED. Catches a promise taken for the deed."""
    outcome = patched(bench, faults.restated(202))
    expect(outcome, OutcomeKind.UNVERIFIED, "a 202 that shows the new value")


@check()
def unverified_names_its_fields(bench: Bench) -> None:
    """What must be read back is named in `wrong`. Catches an UNVERIFIED that nobody can act on."""
    outcome = patched(bench, faults.says(204, effect=True))
    assert set(outcome.wrong) == set(bench.change()), (
        f"a 204 to {sorted(bench.change())} must name these fields in `wrong`, it is {outcome.wrong}"
    )


@check()
def page_instead_of_an_account_is_suspect(bench: Bench) -> None:
    """HTML with status 200 is somebody's login page: SUSPECT. Catches a page taken for success."""
    expect(patched(bench, faults.html()), OutcomeKind.SUSPECT, "an HTML page with status 200 to a write")


@check()
def page_instead_of_a_read_is_suspect(bench: Bench) -> None:
    """The same for a read. Catches a page taken for a broken answer, which is read again for ever."""
    expect(fetched(bench, faults.html()), OutcomeKind.SUSPECT, "an HTML page with status 200 to a read")


@check()
def half_an_account_is_ambiguous(bench: Bench) -> None:
    """A JSON text that ends early is AMBIGUOUS. Catches an exception, or a status that is believed."""
    outcome = patched(bench, faults.rewrites(rewriting.cut_json))
    expect(outcome, OutcomeKind.AMBIGUOUS, "a 200 with half a JSON text")


@check()
def nothing_is_ambiguous(bench: Bench) -> None:
    """An empty 200 is AMBIGUOUS: a cut inside the headers looks like it. Catches `200 is success`."""
    expect(patched(bench, faults.says(200, effect=True)), OutcomeKind.AMBIGUOUS, "an empty 200")


@check()
def another_shape_is_ambiguous(bench: Bench) -> None:
    """JSON that is no object is AMBIGUOUS. Catches a connector that takes the first item for the account."""
    (remote_id,) = bench.seed()
    account: Json = dict(bench.connector().fetch(remote_id).record or {})
    shapes: list[Json] = [[], 7, None, "done", [account]]
    for body in shapes:
        bench.behave()
        bench.misbehave(faults.says(200, body))
        outcome = bench.connector().fetch(remote_id)
        assert outcome.kind is OutcomeKind.AMBIGUOUS, (
            f"a 200 with the JSON text {str(body)[:40]} was taken as {outcome.kind.name}; it is AMBIGUOUS"
        )


@check()
def write_answered_with_another_account_is_ambiguous(bench: Bench) -> None:
    """An answer of another id says nothing about this one. Catches a write verified on somebody else."""
    (remote_id,) = bench.seed()
    bench.misbehave(rewriting.of_another(remote_id))
    outcome = bench.connector().patch(remote_id, bench.change())
    assert outcome.kind not in {OutcomeKind.APPLIED, OutcomeKind.NOT_APPLIED, OutcomeKind.UNVERIFIED}, (
        f"the answer to a write was another account's; it was taken as {outcome.kind.name}"
    )


@check()
def read_answered_with_another_account_is_ambiguous(bench: Bench) -> None:
    """The same for a read. Catches a record that is believed to be the account's without looking."""
    (remote_id,) = bench.seed()
    bench.misbehave(rewriting.of_another(remote_id))
    outcome = bench.connector().fetch(remote_id)
    assert outcome.kind is not OutcomeKind.OBSERVED, "another account's record was taken for this one's"
    assert outcome.record is None, "`record` holds another account than the one that was asked for"
