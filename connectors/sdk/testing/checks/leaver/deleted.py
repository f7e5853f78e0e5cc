"""Deleting, where the style can and an operator approved it."""

from __future__ import annotations

from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, deleting, not_deleting
from connectors.sdk.testing.tap import Fault, writes


@check(needs=deleting)
def is_deleted(bench: Bench) -> None:
    """The account is gone, and no other. Catches a deletion that only hides, and one of too many."""
    remote_id, *_ = bench.seed(2)
    before = set(bench.server.rows())
    outcome = bench.connector().delete(remote_id)
    gone = before - set(bench.server.rows())
    assert gone == {remote_id}, f"{remote_id} was to be deleted; gone are {sorted(gone)}"
    expect(outcome, OutcomeKind.APPLIED, "a deletion")


@check(needs=deleting)
def deleted_twice_is_deleted(bench: Bench) -> None:
    """An account that is gone already is APPLIED. Catches a MISSING that looks for it for ever."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.delete(remote_id)
    expect(connector.delete(remote_id), OutcomeKind.APPLIED, "deleting an account that is gone")


@check(needs=deleting)
def a_page_that_is_not_found_deletes_nobody(bench: Bench) -> None:
    """404 as a page for people is a proxy's: nobody is gone. Catches a leaver who is believed to be deleted
    while a proxy was being changed.
    """
    outcome = _deleted(bench, faults.html(404))
    assert outcome.kind is not OutcomeKind.APPLIED, "a proxy's page with 404 was taken for a deletion"


@check(needs=deleting)
def a_promised_deletion_is_ambiguous(bench: Bench) -> None:
    """202 and 200 do not say that the account is gone. Catches a status taken for the deed."""
    for fault in (faults.says(202, {"status": "queued"}), faults.says(200, {"status": "ok"})):
        bench.behave()
        expect(
            _deleted(bench, fault),
            OutcomeKind.AMBIGUOUS,
            "a deletion answered without saying that it was done",
        )


@check(needs=deleting)
def a_lost_deletion_is_ambiguous(bench: Bench) -> None:
    """The answer got lost: it may be gone. Catches *not sent*."""
    outcome = _deleted(bench, faults.resets(effect=True))
    expect(outcome, OutcomeKind.AMBIGUOUS, "a deletion whose answer got lost")


@check(needs=deleting)
def a_lost_deletion_is_sent_once(bench: Bench) -> None:
    """One write, whatever comes. Catches a repeated deletion, which may meet whoever has the id by then."""
    _deleted(bench, faults.resets(effect=False))
    assert len(bench.writes()) == 1, f"a deletion without an answer was sent {len(bench.writes())} times"


@check(needs=not_deleting)
def a_style_that_cannot_delete_sends_nothing(bench: Bench) -> None:
    """A style without deletion sends nothing. Catches a DELETE that nobody declared and nobody approved."""
    (remote_id,) = bench.seed()
    bench.connector().delete(remote_id)
    assert not bench.writes(), "a style that cannot delete sent a deletion nevertheless"


@check(needs=not_deleting)
def a_style_that_cannot_delete_says_so(bench: Bench) -> None:
    """A style without deletion says so. Catches a success that never was: the leaver counts as gone."""
    (remote_id,) = bench.seed()
    outcome = bench.connector().delete(remote_id)
    expect(outcome, OutcomeKind.REJECTED, "a deletion in a style that has none")
    assert outcome.detail, "a style that cannot delete must say so in `detail`"


def _deleted(bench: Bench, fault: Fault) -> Outcome:
    remote_id, *_ = bench.seed(2)
    bench.misbehave(fault, writes)
    return bench.connector().delete(remote_id)
