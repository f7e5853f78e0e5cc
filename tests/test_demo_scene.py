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


def test_somebody_is_unknown_to_one_target_only() -> None:
    assert [target for target in STYLES if "E1015" not in SCENE.starts[target].ids] == ["awx"]
    assert held("awx")["E1015", "@account"] == "missing"


def test_a_privileged_flag_is_denied_beside_a_name_change() -> None:
    event = next(event for event in of("E1016") if "custom" in event["data"])
    assert event["data"]["custom"] == {"operations_admin": True}
    assert "family_name" in event["data"]
    assert held("awx")["E1016", "is_superuser"] == "privileged"
    assert held("django_admin")["E1016", "is_staff"] == "privileged"


def test_a_target_fails_then_throttles_and_an_answer_gets_lost() -> None:
    faults = [rule["fault"] for start in SCENE.starts.values() for rule in start.faults]
    assert [(fault["kind"], fault.get("status")) for fault in faults] == [
        ("status", 500),
        ("status", 429),
        ("drop_after", None),
    ]
    assert faults[1]["headers"]["Retry-After"] == "1"


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


def test_the_sandbox_serves_every_target() -> None:
    settings = load(scene.CONFIGURATION, {})
    assert settings.targets.keys() == STYLES.keys()
    assert {sidecar.target for sidecar in settings.stack.sidecars.values()} == STYLES.keys()
