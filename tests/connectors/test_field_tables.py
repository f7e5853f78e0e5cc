"""The field tables of the documents, row by row, and what each rule keeps from being sent."""

from __future__ import annotations

import pytest
from pytest_httpserver import HTTPServer

from connectors.sdk.fields import FieldError, FieldType
from connectors.sdk.model import Json, OutcomeKind
from tests.connectors.styles import AWX, DJANGO, STAFF, StyleCase

AWX_DOCUMENT = "(AWX users API, PATCH /api/v2/users/{id}/)"
DJANGO_DOCUMENT = "(Django admin users API, PATCH /admin/users/{id}/)"
NOWHERE = "http://127.0.0.1:9"

FIELDS = {
    "awx": {
        "writable": {"username", "first_name", "last_name", "email", "is_superuser", "is_system_auditor"},
        "privileged": {"is_superuser", "is_system_auditor"},
        "read_only": {"id", "last_login", "created", "modified", "ldap_dn", "external_account", "auth"},
    },
    "django_admin": {
        "writable": {"username", "first_name", "last_name", "email", "is_superuser", "is_staff", "is_active"}
        | {"last_login", "date_joined", "groups", "user_permissions"},
        "privileged": {"is_superuser", "is_staff", "groups", "user_permissions"},
        "read_only": {"id"},
    },
    "staff_users": {
        "writable": {"username", "mobile_number", "email", "first_name", "last_name", "gender", "avatar"}
        | {"is_staff", "is_admin", "is_active", "groups"},
        "privileged": {"is_staff", "is_admin", "groups"},
        "read_only": {"id", "full_name", "last_login", "created_at", "updated_at", "is_online"}
        | {"groups_data"},
        "never": set(),
        "unique": {"username", "mobile_number", "email"},
    },
}


def test_the_descriptor_lists_the_documented_fields(style: StyleCase) -> None:
    fields = style.style.descriptor.fields
    expected = FIELDS[style.style.descriptor.style]
    assert {f.name for f in fields if not f.read_only and f.never_mapped is None} == expected["writable"]
    assert {field.name for field in fields if field.privileged} == expected["privileged"]
    assert {field.name for field in fields if field.read_only} == expected["read_only"]
    assert {field.name for field in fields if field.never_mapped} == expected.get("never", {"password"})
    assert {field.name for field in fields if field.unique} == expected.get("unique", {"username"})


def test_the_default_mapping_names_only_writable_fields_without_privilege(style: StyleCase) -> None:
    descriptor = style.style.descriptor
    for name in descriptor.default_mapping:
        field = descriptor.field(name)
        assert field is not None
        assert not field.privileged
        assert not field.read_only
        assert field.never_mapped is None
    assert descriptor.correlation in descriptor.default_mapping
    assert descriptor.field("nothing") is None


def test_awx_alone_cannot_deactivate() -> None:
    assert STAFF.style.descriptor.active_field == "is_active"
    assert not STAFF.style.descriptor.can_delete
    assert AWX.style.descriptor.active_field is None
    assert AWX.style.descriptor.can_delete
    assert DJANGO.style.descriptor.active_field == "is_active"
    assert DJANGO.style.descriptor.default_mapping["is_active"] == "active"
    assert not DJANGO.style.descriptor.can_delete


ACCEPTED: list[tuple[StyleCase, str, Json, Json]] = [
    (AWX, "username", " zoë.o'neil ".replace("'", ""), "zoë.oneil"),
    (AWX, "username", "u" * 150, "u" * 150),
    (AWX, "username", "a@b.c+d-e_f", "a@b.c+d-e_f"),
    (AWX, "first_name", None, ""),
    (AWX, "last_name", None, ""),
    (AWX, "email", None, ""),
    (AWX, "first_name", "بهروز", "بهروز"),
    (AWX, "first_name", "x" * 150, "x" * 150),
    (AWX, "email", " root@localhost ", "root@localhost"),
    (AWX, "is_superuser", False, False),
    (AWX, "is_system_auditor", True, True),
    (DJANGO, "first_name", "x" * 30, "x" * 30),
    (DJANGO, "last_name", "x" * 150, "x" * 150),
    (DJANGO, "email", None, ""),
    (DJANGO, "is_active", False, False),
    (DJANGO, "groups", ["Writers", " Editors ", "#9", "Writers"], ["#9", "Editors", "Writers"]),
    (DJANGO, "groups", None, []),
    (DJANGO, "user_permissions", [], []),
    (DJANGO, "date_joined", "2024-02-29T09:00:00+01:00", "2024-02-29T08:00:00Z"),
]
ACCEPTED += [
    (STAFF, "gender", "non-binary", "non-binary"),
    (STAFF, "first_name", None, ""),
    (STAFF, "mobile_number", " +1-555-0157 ", "+1-555-0157"),
    (STAFF, "groups", ["#3", "Editors"], ["#3", "Editors"]),
    (STAFF, "groups", None, []),
    (STAFF, "avatar", None, None),
    (STAFF, "avatar", "https://pictures.example.com/mira.png", "https://pictures.example.com/mira.png"),
    (STAFF, "is_active", False, False),
]
REFUSED: list[tuple[StyleCase, str, Json, str]] = [
    (AWX, "email", "not-an-email", f"email: 'not-an-email' is not an e-mail address {AWX_DOCUMENT}"),
    (AWX, "email", "a" * 250 + "@b.co", "at most 254 are allowed"),
    (AWX, "username", None, f"username: cannot be cleared {AWX_DOCUMENT}"),
    (AWX, "username", " ", f"username: may not be blank {AWX_DOCUMENT}"),
    (AWX, "username", "al ice", "does not match"),
    (AWX, "username", "u" * 151, "at most 150 are allowed"),
    (AWX, "first_name", "x" * 151, "at most 150 are allowed"),
    (AWX, "last_name", "a\x00", "NUL"),
    (AWX, "is_superuser", "true", "is neither true nor false"),
    (AWX, "is_superuser", None, "cannot be cleared"),
    (AWX, "is_system_auditor", 1, "is neither true nor false"),
    (AWX, "password", "canary-pass", "password: is never sent"),
    (AWX, "id", 8, "id: is read-only"),
    (AWX, "ldap_dn", "cn=x", "ldap_dn: is read-only"),
    (AWX, "is_active", False, f"is_active: no field of this API {AWX_DOCUMENT}"),
    (DJANGO, "email", "not-an-email", f"email: 'not-an-email' is not an e-mail address {DJANGO_DOCUMENT}"),
    (DJANGO, "first_name", "x" * 31, f"has 31 characters, at most 30 are allowed {DJANGO_DOCUMENT}"),
    (DJANGO, "last_name", "x" * 151, "at most 150 are allowed"),
    (DJANGO, "username", "a!b", "does not match"),
    (DJANGO, "username", "u" * 151, "at most 150 are allowed"),
    (DJANGO, "is_active", None, "is_active: cannot be cleared"),
    (DJANGO, "is_staff", "yes", "is neither true nor false"),
    (DJANGO, "groups", ["admins", 1], "is not a list of names"),
    (DJANGO, "groups", ["admins", " "], "a name in it is empty"),
    (DJANGO, "groups", ["adm\x00ins"], "NUL"),
    (DJANGO, "user_permissions", 4, "is not a list of names"),
    (DJANGO, "last_login", "yesterday", "is not a date-time"),
    (DJANGO, "date_joined", None, "date_joined: cannot be cleared"),
    (DJANGO, "password", "canary-pass", "password: is never sent: a plain serializer stores it as it comes"),
    (DJANGO, "id", 8, "id: is read-only"),
]


STAFF_DOCUMENT = "(Staff users API, PATCH /api/users/{id}/)"
REFUSED += [
    (STAFF, "gender", "other", f"gender: 'other' is none of male, female, non-binary {STAFF_DOCUMENT}"),
    (STAFF, "gender", None, "gender: cannot be cleared"),
    (STAFF, "username", None, f"username: cannot be cleared {STAFF_DOCUMENT}"),
    (STAFF, "email", None, "email: cannot be cleared"),
    (STAFF, "email", "not-an-email", "is not an e-mail address"),
    (STAFF, "mobile_number", None, "mobile_number: cannot be cleared"),
    (STAFF, "mobile_number", "  ", "mobile_number: may not be blank"),
    (STAFF, "is_staff", "true", "is neither true nor false"),
    (STAFF, "groups", [3, 1], "is not a list of names"),
    (STAFF, "full_name", "Mira Holm", "full_name: is read-only"),
    (STAFF, "groups_data", {}, "groups_data: is read-only"),
    (STAFF, "is_profile_completed", True, "no field of this API"),
    (STAFF, "avatar", "mira.png", "options.picture_folder is not set"),
    (STAFF, "avatar", "http://pictures.example.com/mira.png", "only an https:// address is fetched"),
    (STAFF, "avatar", "file:///etc/passwd", "only an https:// address is fetched"),
    (STAFF, "avatar", "", "avatar: may not be blank"),
    (STAFF, "avatar", 7, "is not text"),
]


@pytest.mark.parametrize(("case", "name", "value", "sent"), ACCEPTED)
def test_a_documented_value_is_sent_in_its_normal_form(
    case: StyleCase, name: str, value: Json, sent: Json
) -> None:
    assert case.at(NOWHERE).encode(name, value) == sent


@pytest.mark.parametrize(("case", "name", "value", "words"), REFUSED)
def test_a_value_against_the_document_is_refused_and_not_sent(
    httpserver: HTTPServer, case: StyleCase, name: str, value: Json, words: str
) -> None:
    connector = case.at(httpserver.url_for(""))
    with pytest.raises(FieldError) as raised:
        connector.encode(name, value)
    outcome = connector.patch("7", {"last_name": "Berg", name: value})
    assert words in str(raised.value)
    assert "canary" not in str(raised.value)
    assert outcome.kind is OutcomeKind.REJECTED
    assert list(outcome.fields) == [name]
    assert outcome.exchange.status is None
    assert httpserver.log == []


@pytest.mark.parametrize("remote_id", ["0", "", "alice", "7/../8", "7?x=1", "-1", "\u0667", "1" * 30])
def test_what_is_no_id_is_not_asked_for(httpserver: HTTPServer, style: StyleCase, remote_id: str) -> None:
    connector = style.at(httpserver.url_for(""))
    for outcome in (connector.fetch(remote_id), connector.patch(remote_id, {"first_name": "Lou"})):
        assert outcome.kind is OutcomeKind.REJECTED
        assert outcome.fields == {}
    assert httpserver.log == []


def test_a_change_of_nothing_is_not_sent(httpserver: HTTPServer, style: StyleCase) -> None:
    assert style.at(httpserver.url_for("")).patch("7", {}).kind is OutcomeKind.REJECTED
    assert httpserver.log == []


def test_a_read_shows_the_documented_fields_in_their_normal_form(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    body = style.body(first_name="  Mira ", undocumented="x")
    httpserver.expect_request(style.path).respond_with_json(body)
    outcome = style.at(httpserver.url_for("")).fetch("7")
    assert outcome.kind is OutcomeKind.OBSERVED
    assert outcome.record is not None
    assert outcome.record["first_name"] == "Mira"
    assert outcome.record["id"] == 7
    shown = {"django_admin": ["#1", "#3"], "staff_users": ["Admins", "Editors"]}
    assert outcome.record.get("groups") == shown.get(style.style.descriptor.style)
    assert not {"password", "undocumented"} & set(outcome.record)


def test_only_the_changed_fields_are_sent(httpserver: HTTPServer, style: StyleCase) -> None:
    httpserver.expect_request(style.path, method="PATCH").respond_with_json(style.body(last_name=""))
    outcome = style.at(httpserver.url_for("")).patch("7", {"last_name": ""})
    assert outcome.kind is OutcomeKind.APPLIED
    assert [request.get_json() for request, _ in httpserver.log] == [{"last_name": ""}]


def test_the_path_named_before_a_send_is_the_path_that_is_used(
    httpserver: HTTPServer, style: StyleCase
) -> None:
    httpserver.expect_request(f"/base{style.path}").respond_with_json(style.body(last_name=""))
    connector = style.at(httpserver.url_for("/base"))
    assert connector.path_of("7") == f"/base{style.path}"
    for outcome in (
        connector.fetch("7"),
        connector.patch("7", {"last_name": ""}),
        connector.patch("7", {"id": 1}),
    ):
        assert outcome.exchange.path == connector.path_of("7")


def test_types_are_those_of_the_documents() -> None:
    kinds = {field.name: field.type for field in DJANGO.style.descriptor.fields}
    assert kinds["groups"] is kinds["user_permissions"] is FieldType.NAME_SET
    assert kinds["date_joined"] is kinds["last_login"] is FieldType.DATETIME
    assert kinds["is_active"] is FieldType.BOOLEAN
