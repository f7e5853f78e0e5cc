"""The person as one target should show it."""

from __future__ import annotations

from connectors.sdk.fields import encode
from connectors.sdk.model import Json
from tests.worker.domain.builders import FIELDS, NOW
from worker.domain.account import Reason
from worker.domain.event import CHANGED, Event
from worker.domain.identity import Identity, fold
from worker.domain.mapping import compile_expression, compile_mapping
from worker.domain.person import View

MAPPING = {"username": "user_name", "first_name": "given_name", "email": "email", "is_active": "active"}


def _encode(name: str, value: Json, /) -> Json:
    return encode(FIELDS[name], value)


def view(scope: str | None = None, **mapping: str) -> View:
    compiled = compile_mapping({**MAPPING, **mapping})
    return View(compiled, compile_expression(scope) if scope else None, "username", _encode)


def identity(*data: dict[str, Json]) -> Identity:
    said = Identity("E1001")
    for row, values in enumerate(data, 1):
        said = fold(
            said, Event("hr", "e", CHANGED, "E1001", 0.0, f"{row:03}", False, values, ""), row
        ).identity
    return said


MIRA = identity({"user_name": " mira ", "given_name": None, "active": True})


def test_what_hr_never_said_is_not_wanted_and_null_is_wanted_as_the_field_writes_it() -> None:
    person = view().of(MIRA, NOW)
    assert person.wanted == {"username": "mira", "first_name": "", "is_active": True}
    assert person.problems == {}


def test_a_value_that_breaks_the_document_is_a_problem_of_that_field_alone() -> None:
    person = view().of(identity({"user_name": "mira", "given_name": "x" * 151}), NOW)
    assert person.wanted == {"username": "mira"}
    assert person.problems["first_name"].reason is Reason.VALUE
    assert "at most 150" in person.problems["first_name"].message


def test_a_failing_expression_is_a_problem_of_that_field_alone() -> None:
    person = view(email="lower(active)").of(MIRA, NOW)
    assert person.problems["email"].reason is Reason.MAPPING
    assert "email" not in person.wanted
    assert person.wanted["username"] == "mira"


def test_no_value_of_hr_ever_makes_the_person_raise() -> None:
    said = identity({"user_name": "mira", "custom.number": "99999999999999999999", "custom.list": [1]})
    person = view(email="to_number(custom.number)", first_name="join_present(custom.list, '')").of(said, NOW)
    assert set(person.problems) == {"email", "first_name"}


def test_new_data_gives_a_problem_another_hash() -> None:
    long, longer = (identity({"given_name": "x" * size}) for size in (151, 152))
    one, other = (view().of(said, NOW).problems["first_name"] for said in (long, longer))
    assert one.value_hash != other.value_hash


def test_the_correlation_is_the_current_value_first_and_then_the_former_ones() -> None:
    renamed = identity({"user_name": "mira"}, {"user_name": "mberg"}, {"user_name": "mira.berg"})
    assert view().of(renamed, NOW).correlation == ("mira.berg", "mberg", "mira")
    assert view().of(renamed, NOW).correlation_hash != view().of(MIRA, NOW).correlation_hash


def test_a_correlation_value_that_may_not_be_sent_is_not_searched_for() -> None:
    renamed = identity({"user_name": "mira"}, {"user_name": "x" * 151})
    assert view().of(renamed, NOW).correlation == ("mira",)
    assert view().of(identity({"given_name": "Mira"}), NOW).correlation == ()
    assert view(username="active").of(MIRA, NOW).correlation == ()
    assert view(username="").of(MIRA, NOW).correlation == ()


def test_the_scope_says_who_belongs_on_the_target() -> None:
    assert view().of(MIRA, NOW).in_scope
    assert view("active").of(MIRA, NOW).in_scope
    outside = view("!active").of(MIRA, NOW)
    assert (outside.in_scope, outside.scope_known) == (False, True)


def test_a_scope_without_an_answer_is_unknown_and_nobody_belongs() -> None:
    for scope in ("department == 'it'", "user_name", "lower(active)"):
        person = view(scope).of(MIRA, NOW)
        assert (person.in_scope, person.scope_known) == (False, False)


def test_each_field_knows_the_event_that_set_it() -> None:
    person = view(first_name="given_name || user_name").of(
        identity({"user_name": "mira"}, {"given_name": "Mira"}, {"active": False}), NOW
    )
    assert person.origin == {"username": 1, "first_name": 2, "is_active": 3}
    assert (person.revision, person.leaver) == (3, True)
