"""Names of groups and the ids they stand for."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sdk.fields import Field, FieldError, FieldType, Null, encode, normal, same
from connectors.sdk.model import Json
from connectors.sdk.names import Id, NamedSets, NameIds, UnknownNameError, configured_names

GROUPS = Field("groups", FieldType.NAME_SET, "a test", null_as=Null.EMPTY)


def known(**configured: Id) -> NameIds:
    return NameIds("group", configured)


def test_a_configured_name_means_its_id_and_back() -> None:
    names = known(Editors=3)
    assert (names.id_of("Editors"), names.name_of(3)) == (3, "Editors")


def test_a_name_seen_in_an_answer_means_the_id_it_was_seen_with() -> None:
    names = known()
    names.learn(9, " Writers ")
    assert (names.id_of("Writers"), names.name_of(9)) == (9, "Writers")


def test_an_id_without_a_name_is_shown_as_its_number_and_understood_again() -> None:
    names = known(Editors=3)
    assert names.name_of(12) == "#12"
    assert names.id_of("#12") == 12


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    names = known(Writers=9, Editors=3)
    names.learn(1, "Admins")
    with pytest.raises(UnknownNameError) as raised:
        names.id_of("x")
    assert str(raised.value) == "unknown group 'x'; known: Admins, Editors, Writers"
    with pytest.raises(UnknownNameError, match="known: none"):
        known().id_of("x")


def test_the_configuration_outweighs_what_answers_show() -> None:
    names = known(Editors=3)
    names.learn(3, "Redaction")
    names.learn(9, "Editors")
    assert (names.id_of("Editors"), names.name_of(3), names.name_of(9)) == (3, "Editors", "#9")
    with pytest.raises(UnknownNameError):
        names.id_of("Redaction")


def test_a_name_seen_with_two_ids_means_neither() -> None:
    names = known()
    names.learn(3, "Editors")
    names.learn(9, "Editors")
    with pytest.raises(UnknownNameError) as raised:
        names.id_of("Editors")
    assert str(raised.value) == (
        "the group name 'Editors' belongs to several ids (3, 9): configure which one is meant"
    )
    assert (names.name_of(3), names.name_of(9)) == ("#3", "#9")


def test_a_group_that_was_renamed_answers_to_its_new_name_only() -> None:
    names = known()
    names.learn(3, "Editors")
    names.learn(3, "Writers")
    assert (names.id_of("Writers"), names.name_of(3)) == (3, "Writers")
    with pytest.raises(UnknownNameError, match="known: Writers"):
        names.id_of("Editors")


@pytest.mark.parametrize("name", ["", "  ", "#4"])
def test_a_name_that_could_be_mistaken_is_not_learned(name: str) -> None:
    names = known()
    names.learn(3, name)
    assert names.name_of(3) == "#3"


def test_many_threads_learn_the_same() -> None:
    names = known()
    together = threading.Barrier(4)

    def learn() -> None:
        together.wait()
        for number in range(1, 200):
            names.learn(number, f"group {number}")

    threads = [threading.Thread(target=learn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [names.id_of(f"group {number}") for number in range(1, 200)] == list(range(1, 200))


@pytest.mark.parametrize(
    ("shown", "names"),
    [
        ([3, 1], ["Editors", "#1"]),
        ([{"id": 3, "name": "Editors"}, {"id": 9, "name": "Writers", "notes": ""}], ["Editors", "Writers"]),
        ([], []),
        (None, None),
        ("3", "3"),
        ([True], [True]),
        ([{"name": "Editors"}], [{"name": "Editors"}]),
        ([{"id": 4}], ["#4"]),
    ],
)
def test_ids_and_objects_are_shown_as_names_and_the_rest_as_it_came(shown: Json, names: Json) -> None:
    assert NamedSets({"groups": known(Editors=3)}).shown({"id": 7, "groups": shown}) == {
        "id": 7,
        "groups": names,
    }


def test_a_field_that_is_absent_stays_absent() -> None:
    assert NamedSets({"groups": known()}).shown({"id": 7}) == {"id": 7}
    assert NamedSets({"groups": known()}).sent({"email": "a@example.com"}) == ({"email": "a@example.com"}, {})


def test_names_are_sent_as_ids_each_once_and_unknown_ones_are_told_by_field() -> None:
    sets = NamedSets({"groups": known(Editors=3), "user_permissions": NameIds("permission", {})})
    wire, unknown = sets.sent({"groups": ["Editors", "#12", "#3"], "user_permissions": ["Fly"]})
    assert wire["groups"] == [3, 12]
    assert unknown == {"user_permissions": "unknown permission 'Fly'; known: none"}


@given(st.sets(st.integers(1, 10**9)), st.dictionaries(st.integers(1, 10**9), st.from_regex(r"[a-z]{1,8}")))
def test_foreign_members_survive_being_shown_and_sent_again(ids: set[int], named: dict[int, str]) -> None:
    names = known()
    for number, name in named.items():
        names.learn(number, name)
    sets = NamedSets({"groups": names})
    wire, unknown = sets.sent({"groups": sets.shown({"groups": sorted(ids)})["groups"]})
    assert (wire, unknown) == ({"groups": sorted(ids)}, {})


@given(st.lists(st.text(min_size=1), max_size=5))
def test_an_encoded_set_of_names_equals_what_is_read_back(names: list[str]) -> None:
    try:
        encoded = encode(GROUPS, list(names))
    except FieldError:
        return
    assert isinstance(encoded, list)
    assert encode(GROUPS, encoded) == encoded == normal(GROUPS, encoded)
    assert same(GROUPS, encoded, list(reversed(encoded)))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([], "options.groups must be a table of name = id"),
        ({"Editors": "3"}, "options.groups.Editors must be an id"),
        ({"Editors": True}, "options.groups.Editors must be an id"),
        ({"Editors": 0}, "options.groups.Editors must be an id"),
        ({"#4": 4}, "'#4' cannot be a name"),
        ({" ": 4}, "' ' cannot be a name"),
        ({"Editors": 3, "Writers": 3}, "the id 3 has two names"),
    ],
)
def test_a_table_of_names_that_cannot_work_is_refused(table: Json, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        configured_names({"groups": table}, "groups")


def test_without_a_table_no_name_is_configured() -> None:
    assert configured_names({}, "groups") == {}
    assert configured_names({"groups": {"Editors": 3}}, "groups") == {"Editors": 3}
