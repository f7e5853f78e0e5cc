"""The shipped events are the hard ones, and the files around them fit each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from config.settings import load
from tests.demo import oracle, scene
from tests.demo.styles import STYLES
from worker.domain.event import as_object, read_event
from worker.domain.extract import as_sent
from worker.domain.strict_json import Limits, RefusedError, parse

SCENE = scene.load()
ACTIVE = ("authentik", "django_admin", "staff_users")
SAME_ID = 42  # parses well by itself: only its id was used before


def good_events() -> list[dict[str, Any]]:
    """The accepted events, in the order of lines."""
    left_out = {*SCENE.expected.refused, *SCENE.expected.duplicates}
    return [json.loads(text) for number, text in enumerate(SCENE.lines, start=1) if number not in left_out]


def of(subject: str) -> list[dict[str, Any]]:
    return [event for event in good_events() if event["subject"] == subject]


def said(subject: str, attribute: str) -> list[Any]:
    return [event["data"][attribute] for event in of(subject) if attribute in event["data"]]


def seeded(target: str, subject: str) -> dict[str, Any]:
    start = SCENE.starts[target]
    return next(dict(user) for user in start.users if user["id"] == start.ids[subject])


def strangers(target: str) -> list[dict[str, Any]]:
    start = SCENE.starts[target]
    return [dict(user) for user in start.users if user["id"] not in start.ids.values()]


def held(target: str) -> dict[tuple[str, str], str]:
    return {(h.subject, h.field): h.reason for h in SCENE.expected.held if h.target == target}


def test_there_are_at_least_sixty_events_about_some_fifteen_people() -> None:
    assert len(good_events()) >= 60
    assert len({event["subject"] for event in good_events()}) in range(14, 19)


def test_what_is_sent_later_is_accepted_too() -> None:
    settings = load(scene.CONFIGURATION, {})
    for text in SCENE.later:
        body = as_object(parse(text.encode(), Limits()))
        read_event(body, "hr", settings.sources["hr"], as_sent)
    known = {event["id"] for event in good_events()}
    assert not known & {json.loads(text)["id"] for text in SCENE.later}


def test_each_line_is_accepted_or_refused_at_the_place_that_is_expected() -> None:
    settings = load(scene.CONFIGURATION, {})
    refused: dict[int, str] = {}
    for number, text in enumerate(SCENE.lines, start=1):
        try:
            body = as_object(parse(text.encode(), Limits()))
            read_event(body, "hr", settings.sources["hr"], as_sent)
        except RefusedError as error:
            refused[number] = error.refusal.pointer
    assert refused == {n: p for n, p in SCENE.expected.refused.items() if n != SAME_ID}


def test_the_same_id_comes_twice_and_once_with_another_body() -> None:
    bodies = [json.loads(text) for text in SCENE.lines[: max(SCENE.expected.duplicates)]]
    for number in SCENE.expected.duplicates:
        assert bodies.index(bodies[number - 1]) < number - 1
    changed = bodies[SAME_ID - 1]
    first = next(body for body in bodies if body["id"] == changed["id"])
    assert first["data"] != changed["data"]
    assert SCENE.expected.refused[SAME_ID] == "/id"


def test_no_id_is_used_twice_otherwise() -> None:
    assert [i for i, count in Counter(event["id"] for event in good_events()).items() if count > 1] == []


def test_ten_rapid_events_for_one_person_stand_side_by_side() -> None:
    (subject,) = SCENE.expected.one_patch
    places = [place for place, event in enumerate(good_events()) if event["subject"] == subject]
    assert len(places) == 10
    assert all(after == before + 1 for before, after in pairwise(places))
    assert places[-1] < 50  # within one batch of the sender, whatever its size


def test_a_typo_is_mended() -> None:
    assert said("E1002", "given_name") == [seeded("awx", "E1002")["first_name"], "Tomas"]


def test_somebody_moves_to_another_department() -> None:
    assert len(set(said("E1003", "department"))) == 2


def test_a_marriage_changes_name_username_and_address() -> None:
    for attribute in ("family_name", "user_name", "email"):
        assert len(set(said("E1004", attribute))) >= 2


def test_somebody_leaves_and_awx_cannot_say_so() -> None:
    assert of("E1005")[-1]["type"].endswith(".left")
    assert held("awx")["E1005", "@leaver"] == "leaver"
    assert not any(subject == "E1005" for subject, _ in held("django_admin"))


def test_somebody_returns_without_the_rights_of_old() -> None:
    assert [event["type"].rpartition(".")[2] for event in of("E1006")][:2] == ["left", "returned"]
    assert seeded("django_admin", "E1006")["is_active"] is False
    assert seeded("django_admin", "E1006")["is_staff"] is True
    assert seeded("awx", "E1006")["is_superuser"] is True
    assert of("E1006")[-1]["data"]["custom"] == {"operations_admin": False}


def test_null_clears_a_field_that_the_targets_have() -> None:
    assert said("E1007", "family_name")[-1] is None
    assert said("E1007", "email")[-1] is None
    assert seeded("awx", "E1007")["last_name"]


def test_hr_never_speaks_of_a_field_that_the_targets_have() -> None:
    assert said("E1008", "family_name") == []
    assert {seeded(target, "E1008")["last_name"] for target in STYLES} == {"Almeida Prado"}


def test_names_are_unicode_and_right_to_left() -> None:
    assert not str(said("E1009", "family_name")[-1]).isascii()
    assert re.fullmatch(r"[\u0600-\u06ff]+", said("E1010", "given_name")[-1])
    assert re.fullmatch(r"[\u0600-\u06ff]+", said("E1010", "family_name")[-1])


def test_two_events_come_in_the_wrong_order() -> None:
    times = [event["time"] for event in of("E1012")]
    assert times != sorted(times)
    newest = max(of("E1012"), key=lambda event: event["time"])
    assert said("E1012", "family_name")[-1] != newest["data"]["family_name"]


def test_an_invalid_address_comes_with_a_good_number_and_a_good_name() -> None:
    event = next(event for event in of("E1013") if "@@" in str(event["data"].get("email")))
    assert event["data"].keys() >= {"phone_number", "family_name"}
    for target in STYLES:
        assert held(target)["E1013", "email"] == "value"


def test_a_username_is_taken_by_a_stranger_at_one_target_only() -> None:
    wanted = said("E1014", "user_name")[-1]
    taken = [target for target in STYLES if any(user["username"] == wanted for user in strangers(target))]
    assert taken == ["django_admin"]
    assert held("django_admin")["E1014", "username"] == "unique"


def test_a_joiner_is_created_at_one_target_and_held_at_another() -> None:
    assert {target for target in STYLES if "E1015" not in SCENE.starts[target].ids} == {"awx", "authentik"}
    assert held("awx")["E1015", "@account"] == "missing"
    assert SCENE.expected.created == {("authentik", "E1015")}


def test_a_leaver_can_be_deactivated_wherever_there_is_a_flag() -> None:
    assert not any(subject == "E1005" for target in ACTIVE for subject, _ in held(target))


def test_foreign_attributes_and_groups_stand_beside_ours() -> None:
    ifeoma = seeded("authentik", "E1003")
    assert ifeoma["attributes"].keys() > {"department"}
    assert not set(ifeoma["groups"]) & set(said("E1003", "groups")[-1])
    assert not any(subject == "E1003" for subject, _ in held("authentik"))


def test_an_unknown_group_ends_held_and_the_known_ones_are_named() -> None:
    known = {group["name"] for group in SCENE.starts["authentik"].groups}
    assert set(said("E1016", "groups")[-1]) - known == {"Rooftop Garden"}
    (item,) = (h for h in SCENE.expected.held if (h.target, h.field) == ("authentik", "groups"))
    assert item.subject == "E1016"
    assert all(name in item.words for name in known)


def test_a_managed_group_is_taken_away_while_a_grant_is_denied() -> None:
    names = {group["id"]: group["name"] for group in SCENE.starts["staff_users"].groups}
    have = {names[number] for number in seeded("staff_users", "E1011")["groups"]}
    managed = oracle.MANAGED["staff_users"]
    assert have & managed - set(said("E1011", "groups")[-1])
    assert have - managed
    assert held("staff_users")["E1011", "groups"] == "privileged"


def test_a_service_account_is_somebodys_former_account() -> None:
    assert seeded("authentik", "E1014")["type"] == "service_account"
    assert held("authentik")["E1014", "username"] == "rejected"


def test_a_gender_is_held_where_the_endpoint_has_no_word_for_it() -> None:
    assert said("E1008", "gender") == ["female"]
    assert said("E1010", "gender") == ["other"]
    assert held("staff_users")["E1010", "gender"] == "value"


def test_a_telephone_number_is_taken_by_a_stranger() -> None:
    taken = {user.get("mobile_number") for user in strangers("staff_users")}
    assert said("E1009", "phone_number")[-1] in taken
    assert held("staff_users")["E1009", "mobile_number"] == "unique"


def test_the_same_picture_is_named_again_in_other_words() -> None:
    (first,) = said("E1002", "picture")
    (again,) = (json.loads(text)["data"]["picture"] for text in SCENE.later)
    assert first != again
    assert SCENE.pictures[first] == SCENE.pictures[again]
    assert SCENE.expected.unchanged == {("staff_users", "E1002")}
    settings = load(scene.CONFIGURATION, {})
    assert settings.targets["staff_users"].options["picture_folder"] == str(scene.PICTURES)


def test_a_privileged_flag_is_denied_beside_a_name_change() -> None:
    event = next(event for event in of("E1016") if "custom" in event["data"])
    assert event["data"]["custom"] == {"operations_admin": True}
    assert "family_name" in event["data"]
    assert held("awx")["E1016", "is_superuser"] == "privileged"
    assert held("django_admin")["E1016", "is_staff"] == "privileged"


def test_a_target_fails_then_throttles_another_hides_success_and_an_answer_gets_lost() -> None:
    faults = [rule["fault"] for start in SCENE.starts.values() for rule in start.faults]
    assert [(fault["kind"], fault.get("status")) for fault in faults] == [
        ("status", 500),
        ("status", 429),
        ("status", 405),
        ("drop_after", None),
    ]
    assert faults[1]["headers"]["Retry-After"] == "1"
    assert faults[2]["effect"] is True


def test_at_least_four_fields_end_held_each_with_words() -> None:
    assert len(SCENE.expected.held) >= 4
    assert all(item.words for item in SCENE.expected.held)


@pytest.mark.parametrize("target", STYLES)
def test_the_oracle_knows_the_fields_that_the_target_owns(target: str) -> None:
    assert oracle.FIELDS.keys() == oracle.DERIVED.keys() == STYLES.keys()
    settings = load(scene.CONFIGURATION, {})
    own = settings.targets[target].mapping
    assert own.items() <= oracle.FIELDS[target].items()
    assert settings.targets[target].mode == "enforce"
    managed = {frozenset(names) for names in settings.targets[target].managed.values()}
    assert managed == {names for name, names in oracle.MANAGED.items() if name == target}


def test_the_sandbox_serves_every_target() -> None:
    settings = load(scene.CONFIGURATION, {})
    assert settings.targets.keys() == STYLES.keys()
    assert {sidecar.target for sidecar in settings.stack.sidecars.values()} == STYLES.keys()
