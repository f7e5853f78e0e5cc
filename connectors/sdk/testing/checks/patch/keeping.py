"""What a change leaves alone: other fields, other members, other accounts; and doing it twice."""

from __future__ import annotations

from connectors.sdk.fields import Field, FieldType
from connectors.sdk.model import OutcomeKind, Record
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.check import all_of, check, many_accounts, unique_text, with_field
from connectors.sdk.testing.strangers import id_of_nobody


def _is_set(field: Field) -> bool:
    return field.type in {FieldType.NAME_SET, FieldType.ID_SET}


def _lies_in_a_container(field: Field) -> bool:
    return "." in field.name


@check()
def what_is_not_named_stays(bench: Bench) -> None:
    """A change leaves everything else as it was, also what no field names. Catches PUT, and an account that
    is read and sent back.
    """
    (remote_id,) = bench.seed()
    (name,) = bench.change()
    before = bench.row(remote_id)
    bench.connector().patch(remote_id, bench.change())
    after = bench.row(remote_id)
    lost = _different(bench.foreign(before, name), bench.foreign(after, name))
    assert not lost, f"only {name} was to change; {lost} changed with it"


@check(needs=with_field(_lies_in_a_container))
def other_members_of_a_container_stay(bench: Bench) -> None:
    """One key of an object that the server replaces whole is changed: the other keys stay. Catches an object
    that is sent with our keys only, which deletes everybody else's.
    """
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _lies_in_a_container(item))
    before = bench.row(remote_id)
    bench.connector().patch(remote_id, {field.name: bench.samples.other(field, 1)})
    lost = _different(bench.foreign(before, field.name), bench.foreign(bench.row(remote_id), field.name))
    assert not lost, f"only {field.name} was to change; {lost} changed with it"


@check(needs=many_accounts)
def nobody_else_changes(bench: Bench) -> None:
    """A change is one account's. Catches a write that names its account by a filter, which some servers
    ignore.
    """
    first, *others = bench.seed(3)
    before = {other: bench.row(other) for other in others}
    bench.connector().patch(first, bench.change())
    changed = [other for other in others if bench.row(other) != before[other]]
    assert not changed, f"{first} was to change; {changed} changed with it"


@check(needs=with_field(_is_set))
def a_set_becomes_what_was_sent(bench: Bench) -> None:
    """A set of names is sent whole: what it no longer names is gone. Catches a connector that only adds: the
    right stays for ever.
    """
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_set(item))
    connector = bench.connector()
    for wanted in (bench.samples.other(field, 1), bench.samples.value(field, 1)):
        connector.patch(remote_id, {field.name: wanted})
    held = bench.stored(remote_id).get(field.name)
    assert held == wanted, f"{field.name} was to be {wanted} in the end; the server holds {held}"


@check(needs=with_field(_is_set))
def a_set_that_was_read_can_be_sent_back(bench: Bench) -> None:
    """What `fetch` shows of a set is understood again by a new connector. Catches members that are shown by
    a name and lost when they are sent back.
    """
    (remote_id,) = bench.seed()
    field = next(item for item in bench.writable if _is_set(item))
    before = bench.stored(remote_id).get(field.name)
    connector = bench.connector()
    read = (connector.fetch(remote_id).record or {}).get(field.name)
    outcome = connector.patch(remote_id, {field.name: read})
    held = bench.stored(remote_id).get(field.name)
    assert (outcome.kind, held) == (OutcomeKind.APPLIED, before), (
        f"{field.name} was read as {read} and sent back so; the server holds {held} now"
        f" ({outcome.kind.name}: {outcome.detail})"
    )


@check()
def twice_is_once(bench: Bench) -> None:
    """The same change again changes nothing and is APPLIED. Catches values that are added to what is there,
    and a second time that counts as refused: the engine repeats what it is not sure of.
    """
    (remote_id,) = bench.seed()
    change = {item.name: bench.samples.other(item, 1) for item in bench.writable if not item.privileged}
    connector = bench.connector()
    connector.patch(remote_id, change)
    before = bench.stored(remote_id)
    outcome = connector.patch(remote_id, change)
    changed = _different(bench.foreign(before), bench.foreign(bench.stored(remote_id)))
    assert not changed, f"the same change a second time changed {changed}"
    assert outcome.kind is OutcomeKind.APPLIED, (
        f"the same change a second time is APPLIED, it was {outcome.kind.name} ({outcome.detail})"
    )


@check(needs=all_of(many_accounts, unique_text))
def a_clash_changes_nothing(bench: Bench) -> None:
    """A value that somebody else holds is refused by the target, and that is the end. Catches a second try
    with another value, or without the field.
    """
    first, _ = bench.seed(2)
    name = next(field.name for field in bench.texts if field.unique)
    before = bench.server.rows()
    bench.connector().patch(first, {name: bench.person(2)[name]})
    assert bench.server.rows() == before, (
        f"{name} is taken: nothing may change, but the server's accounts did"
    )
    assert len(bench.writes()) == 1, f"{name} is taken: one write tells that, {len(bench.writes())} were sent"


@check(needs=many_accounts)
def nobody_is_made_by_a_change(bench: Bench) -> None:
    """A change of an account that is not there is MISSING, and stays a change. Catches a connector that makes
    the account instead.
    """
    bench.seed()
    before = set(bench.server.rows())
    outcome = bench.connector().patch(id_of_nobody(bench), bench.change())
    made = sorted(set(bench.server.rows()) - before)
    assert not made, f"a change of nobody made {made}"
    assert outcome.kind is OutcomeKind.MISSING, (
        f"a change of an account that is not there is MISSING, it was {outcome.kind.name} ({outcome.detail})"
    )


def _different(before: Record, after: Record) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
