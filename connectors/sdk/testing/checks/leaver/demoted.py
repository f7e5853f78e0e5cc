"""Demoting, where an API cannot deactivate: every right is taken away, and the password is nobody's."""

from __future__ import annotations

from connectors.sdk.fields import Field, FieldType
from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.testing import echoes, rewriting
from connectors.sdk.testing.attempts import expect
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import all_of, check, declares, demoting
from connectors.sdk.testing.listing_faults import leaves
from connectors.sdk.testing.server import Account
from connectors.sdk.testing.tap import writes


def _is_right(field: Field) -> bool:
    return field.privileged and field.type is FieldType.BOOLEAN and not field.read_only


rights = declares(_is_right)
hidden = declares(lambda field: field.write_only)


@check(needs=all_of(demoting, rights))
def loses_every_right(bench: Bench) -> None:
    """Every flag that is a right is false afterwards. Catches a demotion that forgets one."""
    remote_id = _powerful(bench)
    expect(bench.connector().demote(remote_id), OutcomeKind.APPLIED, "a demotion that the server shows")
    row = bench.row(remote_id)
    kept = [name for name in _rights(bench) if row.get(name) is not False]
    assert not kept, f"a demotion takes every right away; left are {kept}"


@check(needs=demoting)
def keeps_who_it_is(bench: Bench) -> None:
    """Name and address stay. Catches a demotion that makes the account somebody else's."""
    (remote_id,) = bench.seed()
    bench.connector().demote(remote_id)
    person, row = bench.person(1), bench.stored(remote_id)
    lost = [field.name for field in bench.texts if row.get(field.name) != person[field.name]]
    assert not lost, f"a demotion takes rights away and nothing else; {lost} changed with them"


@check(needs=all_of(demoting, rights))
def demoted_twice_is_demoted(bench: Bench) -> None:
    """A second demotion changes no field and is APPLIED. Catches flags that are turned instead of set."""
    remote_id = _powerful(bench)
    connector = bench.connector()
    connector.demote(remote_id)
    before = bench.stored(remote_id)
    expect(connector.demote(remote_id), OutcomeKind.APPLIED, "a second demotion")
    assert bench.stored(remote_id) == before, "a second demotion changed fields of the account"


@check(needs=all_of(demoting, hidden))
def gets_a_password_that_nobody_knows(bench: Bench) -> None:
    """Each demotion sends a password, and never the same. Catches an old password that goes on working, and
    one that is written in a program.
    """
    remote_id = _powerful(bench)
    connector = bench.connector()
    connector.demote(remote_id)
    connector.demote(remote_id)
    first, second = (_texts(request.json()) for request in bench.writes()[:2])
    assert first, "a demotion sent no password: the old one goes on working"
    assert not first & second, "two demotions sent the same password: somebody can know it"


@check(needs=demoting)
def the_password_stays_in_the_request(bench: Bench) -> None:
    """A server that repeats the password repeats it to us only. Catches it in the outcome, and so in the
    audit.
    """
    remote_id = _powerful(bench)
    bench.misbehave(echoes.repeated, writes)
    outcome = bench.connector().demote(remote_id)
    assert not echoes.secrets_told(bench, outcome, bench.person(1)), (
        "the new password came back in the outcome of a demotion"
    )


@check(needs=all_of(demoting, rights))
def a_right_that_stays_is_not_applied(bench: Bench) -> None:
    """The server says 200 and takes nothing away: NOT_APPLIED. Catches an administrator believed to be
    none.
    """
    remote_id = _powerful(bench)
    bench.misbehave(rewriting.ignored, writes)
    outcome = bench.connector().demote(remote_id)
    expect(outcome, OutcomeKind.NOT_APPLIED, "a demotion after which the rights still show")


@check(needs=lambda samples: not samples.descriptor.can_demote)
def a_style_that_cannot_demote_sends_nothing(bench: Bench) -> None:
    """A style without demotion writes nothing and says so. Catches a half-way one: rights without the
    password, and the account counts as done.
    """
    (remote_id,) = bench.seed()
    outcome = bench.connector().demote(remote_id)
    assert not bench.writes(), "a style that cannot demote sent a change nevertheless"
    expect(outcome, OutcomeKind.REJECTED, "a demotion in a style that has none")


def _rights(bench: Bench) -> list[str]:
    return [field.name for field in bench.descriptor.fields if _is_right(field)]


def _powerful(bench: Bench) -> str:
    """An account with every right."""
    rights: dict[str, Json] = {name: True for name in _rights(bench) if name in bench.person(1)}
    (remote_id,) = bench.hold([Account("p1", {**bench.person(1), **rights})])
    return remote_id


def _texts(body: Json) -> set[str]:
    return {leaf for leaf in leaves(body) if isinstance(leaf, str)}
