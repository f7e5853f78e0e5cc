"""Two identities that are one person: their values are those of one person who was told everything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from worker.domain.event import Event
from worker.domain.identity import Identity, fold
from worker.domain.one_person import merged

OF_SOURCE = {"hr": ("user_name", "email", "active"), "it": ("title", "phone_number")}
WORDS = st.sampled_from(["a", "b", None])
NAMES = {source: st.dictionaries(st.sampled_from(names), WORDS) for source, names in OF_SOURCE.items()}


def said(subject: str, source: str, order: str, row: int, *, snapshot: bool, **data: Json) -> Event:
    return Event(source, f"e{row}", "hirewire.person.changed", subject, 0.0, order, snapshot, data, f"{row}")


@st.composite
def events(draw: st.DrawFn) -> Event:
    source = draw(st.sampled_from(sorted(OF_SOURCE)))
    data = draw(NAMES[source])
    number = draw(st.integers(0, 10_000))
    subject, order = draw(st.sampled_from("FI")), draw(st.sampled_from("012345"))
    return said(subject, source, order, number, snapshot=draw(st.booleans()), **data)


def folded(person: Identity, said: Sequence[tuple[int, Event]]) -> Identity:
    for row, event in said:
        person = fold(person, event, row).identity
    return person


@given(st.lists(events(), max_size=12), st.data())
def test_a_merge_ends_in_the_values_of_one_person_whenever_it_comes(
    happened: list[Event], data: st.DataObject
) -> None:
    """Events arrive in one order and may be folded in any; those after the merge all reach who remains."""
    told = data.draw(st.permutations([*enumerate(happened, 1)]))
    place = data.draw(st.integers(0, len(told)))
    before, after = told[:place], told[place:]
    gone = folded(Identity("F"), [one for one in before if one[1].subject == "F"])
    into = folded(Identity("I"), [one for one in before if one[1].subject == "I"])
    remaining = folded(merged(into, gone).identity, after)
    always = folded(Identity("I"), told)
    assert remaining.values() == always.values()
    behind = {name: (held.order, held.event) for name, held in remaining.attributes.items()}
    assert behind == {name: (held.order, held.event) for name, held in always.attributes.items()}


@given(st.lists(events(), max_size=8))
def test_who_goes_and_who_remains_makes_no_difference_for_the_values(happened: list[Event]) -> None:
    rows = [*enumerate(happened, 1)]
    one = folded(Identity("F"), [item for item in rows if item[1].subject == "F"])
    other = folded(Identity("I"), [item for item in rows if item[1].subject == "I"])
    assert merged(one, other).identity.values() == merged(other, one).identity.values()


def test_a_merge_is_a_revision_of_its_own_and_says_what_moved() -> None:
    into = folded(Identity("I"), [(2, said("I", "hr", "1", 2, snapshot=False, user_name="b", email="x"))])
    gone = folded(Identity("F"), [(1, said("F", "hr", "2", 1, snapshot=False, user_name="a", email="x"))])
    done = merged(into, gone)
    assert (done.identity.subject, done.identity.revision, done.changed) == ("I", 2, ("user_name",))
    assert done.identity.attributes["user_name"].revision == 2
    assert done.identity.attributes["email"].revision == 1


def test_what_either_was_called_is_a_former_name() -> None:
    """Accounts are searched by it."""
    into = folded(Identity("I"), [(2, said("I", "hr", "2", 2, snapshot=False, user_name="new"))])
    old = [
        (row, said("F", "hr", "1", row, snapshot=False, user_name=name)) for row, name in ((3, "x"), (4, "y"))
    ]
    done = merged(into, folded(Identity("F"), old)).identity
    assert done.attributes["user_name"].former == ("y", "x")
    assert ("user_name", "x") in done.names()


def test_nobody_said_anything_of_a_person_who_was_only_named() -> None:
    assert merged(Identity("I", 3), Identity("F")).identity == replace(Identity("I"), revision=4)
