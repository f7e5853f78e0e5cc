"""Where the Django-admin document contradicts itself, Django, or what it is for: each test is the reading."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from connectors.django_admin import DjangoAdminConnector
from connectors.sdk.contract import ConnectorConfig, Credential
from connectors.sdk.fields import FieldError
from connectors.sdk.model import Json, OutcomeKind
from tests.connectors.styles import DJANGO
from tests.fixtures.targets import ReferenceTarget

NAMED: dict[str, Json] = {"groups": {"Editors": 3, "Writers": 5}}


def at(target: ReferenceTarget) -> DjangoAdminConnector:
    known = Credential("token", target.token)
    return DjangoAdminConnector(ConnectorConfig("here", target.base_url, lambda: known, options=NAMED))


def sent(target: ReferenceTarget) -> list[Any]:
    return [entry["body"] for entry in target.writes()]


def test_reading_a_patch_sends_what_changed_although_username_and_password_are_marked_required(
    django_admin_target: ReferenceTarget,
) -> None:
    assert at(django_admin_target).patch("2", {"first_name": "Ann"}).kind is OutcomeKind.APPLIED
    assert sent(django_admin_target) == [{"first_name": "Ann"}]


def test_reading_a_server_that_insists_on_the_username_gets_it_along_and_never_a_password(
    django_admin_target: ReferenceTarget,
) -> None:
    django_admin_target.reset(options={"enforce_required": ["username"]})
    connector = at(django_admin_target)
    refused = connector.patch("2", {"first_name": "Ann"})
    assert (refused.kind, dict(refused.fields)) == (OutcomeKind.REJECTED, {})
    assert "username: This field is required." in refused.detail
    together: dict[str, Json] = {"first_name": "Ann", "username": "anna.berg"}
    assert connector.patch("2", together).kind is OutcomeKind.APPLIED
    assert "password" not in str(sent(django_admin_target))


def test_reading_a_password_is_a_field_that_no_mapping_may_own_and_no_record_shows(
    django_admin_target: ReferenceTarget,
) -> None:
    connector = at(django_admin_target)
    with pytest.raises(FieldError, match="which locks the account"):
        connector.encode("password", "secret")
    assert connector.patch("2", {"password": "secret"}).kind is OutcomeKind.REJECTED
    assert "password" not in (connector.fetch("2").record or {"password": ""})
    assert sent(django_admin_target) == []


def test_reading_a_new_account_gets_the_required_password_and_nobody_knows_it(
    django_admin_target: ReferenceTarget,
) -> None:
    outcomes = [at(django_admin_target).create({"username": name}) for name in ("lou", "mia")]
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.APPLIED] * 2
    passwords = {body["password"] for body in sent(django_admin_target)}
    assert len(passwords) == 2
    assert all(64 <= len(password) <= 128 for password in passwords)
    assert not any(password in repr(outcomes) for password in passwords)


def test_reading_a_first_name_has_30_characters_although_a_last_name_has_150(
    django_admin_target: ReferenceTarget,
) -> None:
    connector = at(django_admin_target)
    with pytest.raises(FieldError, match="has 31 characters, at most 30 are allowed"):
        connector.encode("first_name", "x" * 31)
    changes: dict[str, Json] = {"first_name": "x" * 30, "last_name": "y" * 150}
    assert connector.patch("2", changes).kind is OutcomeKind.APPLIED


@pytest.mark.parametrize("name", ["müller", "иван", "a.b@c+d-e_f"])
def test_reading_letters_of_a_username_are_those_of_any_script(
    django_admin_target: ReferenceTarget, name: str
) -> None:
    assert at(django_admin_target).patch("2", {"username": name}).kind is OutcomeKind.APPLIED


def test_reading_the_end_of_the_pattern_is_the_end_of_the_name_and_no_line_break(
    django_admin_target: ReferenceTarget,
) -> None:
    connector = at(django_admin_target)
    assert connector.encode("username", "anna\n") == "anna"  # `$` would let it through
    with pytest.raises(FieldError, match="does not match"):
        connector.encode("username", "an\nna")


@pytest.mark.parametrize("name", ["last_login", "date_joined", "is_active", "username"])
def test_reading_what_is_not_called_nullable_cannot_be_cleared(
    django_admin_target: ReferenceTarget, name: str
) -> None:
    with pytest.raises(FieldError, match="cannot be cleared"):
        at(django_admin_target).encode(name, None)


def test_reading_unique_items_are_a_set_of_ids_whatever_their_order(
    django_admin_target: ReferenceTarget,
) -> None:
    django_admin_target.reset(
        [{"id": 1, "username": "admin", "is_staff": True, "is_superuser": True, "groups": [3, 5]}]
    )
    connector = at(django_admin_target)
    assert connector.encode("groups", ["Writers", "Editors", "Writers"]) == ["Editors", "Writers"]
    outcome = connector.patch("1", {"groups": ["Writers", "Editors", "Writers"]})
    assert outcome.kind is OutcomeKind.APPLIED
    assert sent(django_admin_target) == [{"groups": [3, 5]}]


def test_reading_a_leaver_is_unselected_and_never_deleted(django_admin_target: ReferenceTarget) -> None:
    connector = at(django_admin_target)
    assert connector.descriptor.active_field == "is_active"
    assert connector.patch("2", {"is_active": False}).kind is OutcomeKind.APPLIED
    assert connector.delete("2").kind is OutcomeKind.REJECTED
    assert connector.demote("2").kind is OutcomeKind.REJECTED
    assert [entry["method"] for entry in django_admin_target.writes()] == ["PATCH"]


def test_reading_the_id_in_the_body_is_the_servers_and_never_sent(
    django_admin_target: ReferenceTarget,
) -> None:
    outcome = at(django_admin_target).patch("2", {"first_name": "Ann", "id": 9})
    assert (outcome.kind, set(outcome.fields)) == (OutcomeKind.REJECTED, {"id"})
    assert sent(django_admin_target) == []


def test_reading_200_is_no_success_where_the_answer_does_not_show_the_value(httpserver: HTTPServer) -> None:
    httpserver.expect_request(DJANGO.path).respond_with_json(DJANGO.body(is_staff=False))
    outcome = DJANGO.at(httpserver.url_for("")).patch("7", {"is_staff": True})
    assert (outcome.kind, outcome.wrong) == (OutcomeKind.NOT_APPLIED, ("is_staff",))


def test_reading_a_taken_username_is_a_conflict_of_two_people(django_admin_target: ReferenceTarget) -> None:
    outcome = at(django_admin_target).patch("2", {"username": "omar.haddad"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert outcome.fields["username"].unique


def test_reading_the_slash_of_the_heading_is_always_sent(django_admin_target: ReferenceTarget) -> None:
    connector = at(django_admin_target)
    connector.fetch("2")
    connector.patch("2", {"first_name": "Ann"})
    connector.find({"username": ("anna.berg",)})
    connector.scan(None)
    connector.check()
    assert all(entry["path"].endswith("/") for entry in django_admin_target.log())
