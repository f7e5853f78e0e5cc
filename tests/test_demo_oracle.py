"""The demo's own reading of events: it must be right by itself, since nothing else checks it."""

from __future__ import annotations

import ast
import json
import random
from pathlib import Path
from typing import Any

from tests.demo import oracle


def line(at: str, data: dict[str, Any], kind: str = "changed", subject: str = "E1") -> str:
    event = {"type": f"hirewire.person.{kind}", "subject": subject, "time": f"2026-01-01T{at}Z", "data": data}
    return json.dumps(event)


def test_the_newest_event_by_time_wins_whatever_the_order_of_lines() -> None:
    lines = [
        line("08:00:00", {"given_name": "Ana", "title": "Cook"}),
        line("09:00:00", {"given_name": "Anna"}),
        line("08:30:00", {"given_name": "Anne", "title": "Chef"}),
    ]
    for _ in range(6):
        random.shuffle(lines)
        assert oracle.read_people(lines, ()) == {"E1": {"given_name": "Anna", "title": "Chef"}}


def test_null_clears_and_an_older_value_does_not_come_back() -> None:
    lines = [line("09:00:00", {"email": None}), line("08:00:00", {"email": "a@example.com"})]
    assert oracle.read_people(lines, ()) == {"E1": {"email": None}}


def test_a_refused_line_says_nothing_even_if_it_is_no_json() -> None:
    lines = [line("08:00:00", {"title": "Cook"}), "{", line("09:00:00", {"title": "Chef"})]
    assert oracle.read_people(lines, {2, 3}) == {"E1": {"title": "Cook"}}


def test_joined_and_returned_mean_active_and_left_means_not() -> None:
    kinds = {"joined": True, "returned": True, "left": False}
    for kind, active in kinds.items():
        assert oracle.read_people([line("08:00:00", {}, kind)], ()) == {"E1": {"active": active}}
    assert oracle.read_people([line("08:00:00", {"active": True}, "left")], ()) == {"E1": {"active": True}}


def test_custom_attributes_and_people_are_kept_apart() -> None:
    lines = [
        line("08:00:00", {"custom": {"operations_admin": True}}),
        line("08:00:00", {"title": "Cook"}, subject="E2"),
    ]
    assert oracle.read_people(lines, ()) == {"E1": {"custom.operations_admin": True}, "E2": {"title": "Cook"}}


def test_a_field_that_hr_never_spoke_of_stays_and_null_is_an_empty_text() -> None:
    before = {"id": 7, "username": "a", "first_name": "A", "last_name": "B", "email": "a@example.com"}
    person = {"given_name": "Ä", "email": None, "title": "Cook"}
    assert oracle.wanted_row("awx", before, person, ()) == {**before, "first_name": "Ä", "email": ""}


def test_a_held_field_must_stay_as_it_was() -> None:
    before = {"username": "a", "is_staff": False, "is_active": True}
    person = {"user_name": "b", "custom.operations_admin": True, "active": False}
    wanted = oracle.wanted_row("django_admin", before, person, {"username", "is_staff"})
    assert wanted == {**before, "is_active": False}


def test_every_field_that_differs_came_or_went_is_told() -> None:
    wanted = {"username": "a", "email": "", "groups": [1]}
    shown = {"username": "a", "email": "x@example.com", "id": 1}
    told = oracle.differences("django_admin", wanted, shown)
    assert [words.partition(":")[0] for words in told] == ["email", "groups", "id"]
    assert oracle.differences("django_admin", wanted, dict(wanted)) == []


def test_a_full_name_is_the_display_name_or_made_of_both_parts_and_never_of_one() -> None:
    both = {"given_name": "Ana", "family_name": None}
    people: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({**both, "display_name": "Dr. Ana"}, {"name": "Dr. Ana"}),
        ({**both, "display_name": None}, {"name": "Ana"}),
        ({"given_name": "Ana", "display_name": None}, {"name": ""}),
        ({"given_name": "Ana"}, {}),
    ]
    for person, wanted in people:
        assert oracle.wanted_row("authentik", {}, person, ()) == wanted


def test_groups_are_only_added_where_none_are_managed() -> None:
    wanted = oracle.wanted_row("authentik", {"groups": ["Chess"]}, {"groups": ["Press"]}, ())
    assert wanted == {"groups": ["Chess", "Press"]}


def test_managed_groups_are_exact_and_a_held_set_only_loses() -> None:
    before = {"groups": ["Chess", "Writers"]}
    person = {"groups": ["Editors", "Press"]}
    assert oracle.wanted_row("staff_users", before, person, ()) == {"groups": ["Chess", "Editors"]}
    assert oracle.wanted_row("staff_users", before, person, {"groups"}) == {"groups": ["Chess"]}


def test_free_attributes_are_fields_of_their_own_and_a_cleared_one_shows_null() -> None:
    before = oracle.flat({"pk": 7, "attributes": {"phone": "1", "desk": 17}})
    assert before == {"pk": 7, "attributes.phone": "1", "attributes.desk": 17}
    wanted = oracle.wanted_row("authentik", before, {"phone_number": None}, ())
    assert wanted == {**before, "attributes.phone": None}


def test_groups_are_read_by_name_in_either_shape() -> None:
    named = [{"name": "Press", "pk": "b"}, {"name": "Chess", "pk": "a"}]
    assert oracle.flat({"groups": ["b", "a"], "groups_obj": named}) == {"groups": ["Chess", "Press"]}
    assert oracle.flat({"groups_data": named}) == {"groups": ["Chess", "Press"]}
    assert oracle.flat({"groups": [3, 1]}) == {"groups": [3, 1]}


def test_a_picture_is_compared_by_what_is_in_the_file() -> None:
    digests = {"a.png": "5f"}
    assert oracle.with_pictures({"picture": "a.png"}, digests) == {"picture": "5f"}
    assert oracle.with_pictures({"picture": None}, digests) == {"picture": None}
    assert oracle.with_pictures({}, digests) == {}


def test_what_awx_derives_from_other_fields_is_not_compared() -> None:
    assert oracle.differences("awx", {"related": {"named_url": "/a"}}, {"related": {"named_url": "/b"}}) == []


def test_the_oracle_imports_none_of_the_code_that_it_checks() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    froms = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    plain = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {name.partition(".")[0] for name in froms | plain} == {
        "__future__",
        "collections",
        "datetime",
        "json",
        "typing",
    }
