"""Deactivating, and coming back."""

from __future__ import annotations

from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.testing import rewriting
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import check, deactivating
from connectors.sdk.testing.server import Account
from connectors.sdk.testing.tap import writes


@check(needs=deactivating)
def is_deactivated(bench: Bench) -> None:
    """`active_field = false` deactivates. Catches a field that is declared and never sent."""
    _becomes(bench, now=True, then=False)


@check(needs=deactivating)
def comes_back(bench: Bench) -> None:
    """`active_field = true` activates again. Catches a connector that can say no only."""
    _becomes(bench, now=False, then=True)


@check(needs=deactivating)
def keeps_everything_else(bench: Bench) -> None:
    """Who is deactivated keeps name, address and groups. Catches an account that is emptied on the way, and
    cannot come back.
    """
    remote_id, outcome = _changed(bench, now=True, then=False)
    name = bench.descriptor.active_field or ""
    expect(outcome, OutcomeKind.APPLIED, "a deactivation")
    person, stored = bench.person(1), bench.stored(remote_id)
    lost = [
        field
        for field in person
        if field != name and bench.shown(field) and stored.get(field) != person[field]
    ]
    assert not lost, f"only {name} was to change; {lost} changed with it"


@check(needs=deactivating)
def still_active_is_not_applied(bench: Bench) -> None:
    """The server says 200 and leaves the account active: NOT_APPLIED. Catches a leaver who is believed to be
    locked out because the status said so.
    """
    field = bench.descriptor.active_field or ""
    (remote_id,) = bench.hold([Account("p1", {**bench.person(1), field: True})])
    bench.misbehave(rewriting.ignored, writes)
    outcome = bench.connector().patch(remote_id, {field: False})
    expect(outcome, OutcomeKind.NOT_APPLIED, "a deactivation after which the account shows as active")


def _becomes(bench: Bench, *, now: bool, then: bool) -> None:
    remote_id, outcome = _changed(bench, now=now, then=then)
    name = bench.descriptor.active_field or ""
    stored = bench.row(remote_id).get(name)
    assert stored is then, f"{name} was {now} and was to be {then}; the server holds {stored!r}"
    expect(outcome, OutcomeKind.APPLIED, f"a change of {name} to {then} that the server shows")


def _changed(bench: Bench, *, now: bool, then: bool) -> tuple[str, Outcome]:
    name = bench.descriptor.active_field or ""
    values: dict[str, Json] = {**bench.person(1), name: now}
    (remote_id,) = bench.hold([Account("p1", values)])
    return remote_id, bench.connector().patch(remote_id, {name: then})
