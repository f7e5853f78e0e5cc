"""More contradictions of the two staff users documents; those of test_staff_users.py come before these."""

from __future__ import annotations

import pytest

from connectors.sdk.fields import FieldError
from connectors.sdk.model import Json, OutcomeKind
from tests.connectors.test_staff_users import ADMIN, ANNA, GROUPS, OMAR, anna, at, me
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, ReferenceTarget


def answering(target: ReferenceTarget, **changes: Json) -> None:
    """The next two answers are this changed account, whatever is asked."""
    shown = at(target).fetch(ANNA).record or {}
    body = {**shown, "id": 2, **changes}
    target.faults([{"times": 2, "fault": {"kind": "status", "status": 200, "body": body}}])


def test_reading_update_me_needs_no_id_although_its_table_demands_one(
    staff_users_target: ReferenceTarget,
) -> None:
    assert me(staff_users_target).path_of(ADMIN) == "/api/users/me/"
    assert me(staff_users_target).patch(ADMIN, {"first_name": "Ada"}).kind is OutcomeKind.APPLIED
    assert {entry["path"] for entry in staff_users_target.log()} == {"/api/users/me/"}


def test_reading_groups_that_update_me_shows_as_plain_ids_are_read_as_well(
    staff_users_target: ReferenceTarget,
) -> None:
    """Its table says ids, its example shows objects."""
    answering(staff_users_target, id=1, groups=[3, 8])
    record = me(staff_users_target, groups={"Editors": 3}).fetch(ADMIN).record or {}
    assert record["groups"] == ["#8", "Editors"]


def test_reading_the_answer_counts_although_the_example_shows_other_values_than_it_sends(
    staff_users_target: ReferenceTarget,
) -> None:
    """The example sends one name, number and set of groups and shows another: that is no success."""
    staff_users_target.reset(more=GROUPS)
    answering(staff_users_target, last_name="Berg", groups_data=[{"id": 3, "name": "Editors"}])
    changes: dict[str, Json] = {"last_name": "Berg-Holm", "groups": ["#3", "#5"]}
    outcome = at(staff_users_target).patch(ANNA, changes)
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.NOT_APPLIED, ("last_name", "groups"))


def test_reading_a_gender_that_only_the_answer_knows_is_seen_and_never_sent(
    staff_users_target: ReferenceTarget,
) -> None:
    """An answer knows two words, a request three, the other document a fourth."""
    connector = at(staff_users_target)
    answering(staff_users_target, gender="Other")
    assert (connector.fetch(ANNA).record or {})["gender"] == "other"
    with pytest.raises(FieldError, match="is none of male, female, non-binary"):
        connector.encode("gender", "other")


def test_reading_update_me_too_is_for_staff_and_admin_only(staff_users_target: ReferenceTarget) -> None:
    """It asks for no right beyond one's own account, and still names both."""
    staff_users_target.reset(tokens=[*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    outcome = me(staff_users_target, "annas").patch(ANNA, {"first_name": "Ann"})
    assert outcome.kind is OutcomeKind.FORBIDDEN
    assert staff_users_target.writes() == []


def test_reading_a_mobile_number_is_unique_at_both_endpoints_although_one_table_does_not_say_so(
    staff_users_target: ReferenceTarget,
) -> None:
    staff_users_target.reset([*DEFAULT_USERS[:2], {**DEFAULT_USERS[2], "mobile_number": "+1-555-0100"}])
    for connector, remote_id in ((at(staff_users_target), ANNA), (me(staff_users_target), ADMIN)):
        outcome = connector.patch(remote_id, {"mobile_number": "+1-555-0100"})
        assert outcome.kind is OutcomeKind.REJECTED
        assert outcome.fields["mobile_number"].unique
    assert anna(staff_users_target)["mobile_number"] is None
    assert OMAR in [str(row["id"]) for row in staff_users_target.rows()]


def test_reading_update_me_has_no_flags_so_nobody_is_deactivated_or_promoted_there(
    staff_users_target: ReferenceTarget,
) -> None:
    outcome = me(staff_users_target).patch(ADMIN, {"is_active": False, "is_admin": True})
    assert (outcome.kind, set(outcome.fields)) == (OutcomeKind.REJECTED, {"is_active", "is_admin"})
    assert staff_users_target.writes() == []
