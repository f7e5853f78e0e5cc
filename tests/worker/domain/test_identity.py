"""Folding: newest wins by the source's order, in whatever order events are folded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.model import Json
from worker.domain.event import CHANGED, Event
from worker.domain.identity import Asserted, Folded, Identity, fold

NAMES = {"hr": ("given_name", "email"), "directory": ("title", "user_name"), "desk": ("custom.badge",)}
ORDERS = {
    "hr": ["0203", "0210", "0299"],
    "directory": ["2026-01-31T09:30:00.000000000", "2026-01-31T09:30:00.000000001"],
    "desk": ["10", "9", "A"],
}


def event(
    order: str, data: dict[str, Json], *, source: str = "hr", snapshot: bool = False, name: str = "e"
) -> Event:
    return Event(source, name, CHANGED, "E1001", 0.0, order, snapshot, data, "")


def fold_all(events: Sequence[tuple[int, Event]]) -> Identity:
    identity = Identity("E1001")
    for row, said in events:
        identity = fold(identity, said, row).identity
    return identity


def after(*events: Event) -> Folded:
    """Fold in the order of arrival; what the last one did."""
    identity = fold_all(list(enumerate(events[:-1], 1)))
    return fold(identity, events[-1], len(events))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, Event]]:
    """Up to five events of three sources, each with its own order and payload."""
    snapshots = {source: draw(st.booleans()) for source in NAMES}
    events: list[tuple[int, Event]] = []
    for row in range(1, draw(st.integers(1, 5)) + 1):
        source = draw(st.sampled_from(sorted(NAMES)))
        values = st.sampled_from([None, "a", "b"])
        data = draw(st.dictionaries(st.sampled_from(NAMES[source]), values, max_size=2))
        order = draw(st.sampled_from(ORDERS[source]))
        said = event(order, dict(data), source=source, snapshot=snapshots[source])
        events.append((row, said))
    return events


@given(histories())
def test_every_permutation_of_deltas_and_snapshots_ends_in_the_same_values(
    history: list[tuple[int, Event]],
) -> None:
    ends = [fold_all(order) for order in permutations(history)]
    assert all(end.values() == ends[0].values() for end in ends)


@given(histories())
def test_the_newest_assertion_wins_and_equal_orders_are_broken_by_arrival(
    history: list[tuple[int, Event]],
) -> None:
    expected: dict[str, Json] = {}
    for _, said in sorted(history, key=lambda item: (item[1].source, item[1].order, item[0])):
        cleared = {name: None for name in NAMES[said.source] if said.snapshot and name in expected}
        expected |= {**cleared, **said.assertions}
    assert fold_all(history).values() == expected


@given(histories().flatmap(st.permutations))
def test_the_revision_grows_by_one_with_each_event_that_changes_a_value_and_with_no_other(
    history: list[tuple[int, Event]],
) -> None:
    identity = Identity("E1001")
    for row, said in history:
        folded = fold(identity, said, row)
        moved = folded.identity.values() != identity.values()
        assert folded.identity.revision == identity.revision + moved
        assert bool(folded.changed) == moved
        identity = folded.identity


@given(histories())
def test_the_same_event_again_changes_nothing(history: list[tuple[int, Event]]) -> None:
    once = fold_all(history)
    again = once
    for row, said in history:
        again = fold(again, said, row).identity
    assert again == once


def test_a_cleared_attribute_keeps_its_version_so_that_an_older_event_cannot_bring_it_back() -> None:
    folded = after(event("02", {"email": None}), event("01", {"email": "old@example.com"}))
    assert folded.identity.values() == {"email": None}
    assert folded.superseded == ("email",)
    assert folded.identity.revision == 1


def test_an_event_changes_only_the_attributes_that_it_wins() -> None:
    folded = after(event("02", {"email": "b"}), event("01", {"email": "a", "given_name": "Mira"}))
    assert folded.identity.values() == {"email": "b", "given_name": "Mira"}
    assert (folded.changed, folded.superseded) == (("given_name",), ("email",))


def test_an_attribute_remembers_the_event_that_set_it() -> None:
    held = after(event("01", {"email": "a"}), event("02", {"email": "b"})).identity.attributes["email"]
    assert (held.event, held.order, held.revision, held.source) == (2, "02", 2, "hr")


def test_saying_the_same_again_moves_the_version_and_not_the_revision() -> None:
    folded = after(event("01", {"email": "a"}), event("03", {"email": "a"}), event("02", {"email": "b"}))
    assert folded.identity.values() == {"email": "a"}
    assert folded.identity.revision == 1


def test_a_tie_is_broken_by_arrival_and_counted() -> None:
    folded = after(event("01", {"email": "a"}), event("01", {"email": "b"}))
    assert (folded.identity.values(), folded.ties) == ({"email": "b"}, 1)
    assert after(event("01", {"email": "a"}), event("01", {"email": "a"})).ties == 0


def test_a_tie_is_counted_whichever_of_the_two_is_folded_first() -> None:
    later = fold(Identity("E1001"), event("01", {"email": "b"}), 2)
    earlier = fold(later.identity, event("01", {"email": "a"}), 1)
    assert (earlier.identity.values(), earlier.ties) == ({"email": "b"}, 1)


def test_a_snapshot_clears_what_its_source_asserted_before_and_names_no_more() -> None:
    identity = fold_all(
        [
            (1, event("01", {"email": "a", "given_name": "Mira"}, snapshot=True)),
            (2, event("01", {"title": "Captain"}, source="directory")),
            (3, event("02", {"given_name": "Mira"}, snapshot=True)),
        ]
    )
    assert identity.values() == {"email": None, "given_name": "Mira", "title": "Captain"}


def test_a_snapshot_says_nothing_of_an_attribute_that_was_never_asserted() -> None:
    assert after(event("01", {"given_name": "Mira"}, snapshot=True)).identity.values() == {
        "given_name": "Mira"
    }


def test_an_older_snapshot_that_comes_late_makes_a_change_when_it_reveals_what_was_cleared() -> None:
    newer = event("02", {"given_name": "Mira"}, snapshot=True)
    folded = after(newer, event("01", {"email": "a"}, snapshot=True))
    assert folded.identity.values() == {"given_name": "Mira", "email": None}
    assert (folded.changed, folded.identity.revision) == (("email",), 2)


def test_a_snapshot_of_the_same_order_that_arrived_later_wins_though_it_was_folded_first() -> None:
    first = (1, event("01", {"email": "a"}, snapshot=True))
    second = (2, event("01", {"given_name": "Mira"}, snapshot=True))
    assert fold_all([second, first]).values() == fold_all([first, second]).values()


def test_an_attribute_that_moved_to_another_source_follows_the_new_one() -> None:
    before = (1, event("2026-01-31T09:30:00.000000000", {"email": "a"}, source="directory"))
    now = (2, event("0107", {"email": "b"}))
    assert fold_all([before, now]).values() == {"email": "b"}
    assert fold_all([now, before]).values() == {"email": "b"}


def test_former_values_of_what_accounts_are_found_by_are_kept_newest_first() -> None:
    names = ["a", "b", None, "c", "a", "d", "e", "f", "g"]
    said = [event(f"{place:02}", {"user_name": name}) for place, name in enumerate(names)]
    held = after(*said).identity.attributes["user_name"]
    assert (held.value, held.former) == ("g", ("f", "e", "d", "a", "c"))


def test_former_values_of_other_attributes_are_not_kept() -> None:
    folded = after(event("01", {"given_name": "a"}), event("02", {"given_name": "b"}))
    assert folded.identity.attributes["given_name"].former == ()


@pytest.mark.parametrize(("value", "leaver"), [(False, True), (True, False), (None, False)])
def test_a_person_whom_hr_calls_inactive_is_a_leaver(value: Json, leaver: bool) -> None:
    assert after(event("01", {"active": value})).identity.leaver is leaver
    assert not Identity("E1001").leaver


def test_a_person_is_known_by_all_names_and_addresses_of_now_and_before_without_regard_to_case() -> None:
    said = {
        "user_name": Asserted("Mira.Berg", "1", 1, 1, "hr", ("mira", None)),
        "email": Asserted(None, "1", 1, 1, "hr", ("Mira@example.com ",)),
        "employee_number": Asserted("7" * 1000, "1", 1, 1, "hr"),
        "title": Asserted("Engineer", "1", 1, 1, "hr"),
    }
    assert Identity("E1", attributes=said).names() == {
        ("user_name", "mira.berg"),
        ("user_name", "mira"),
        ("email", "mira@example.com"),
        ("employee_number", "7" * 200),
    }
