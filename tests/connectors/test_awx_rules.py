"""What only AWX does, against the reference AWX: each rule of the connector is the name of a test."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from connectors.sdk.contract import Connector, ConnectorConfig, Credential, Timeouts
from connectors.sdk.fields import FieldError
from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.registry import build
from connectors.sdk.rest import request_id
from tests.connectors.styles import AWX
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, TOKEN, ReferenceTarget

PATIENT = Timeouts(connect_s=5.0, read_s=10.0, deadline_s=15.0)
LENA: dict[str, Any] = {
    "id": 7,
    "username": "lena",
    "first_name": "Lena",
    "email": "lena@example.com",
    "ldap_dn": "cn=lena,dc=example,dc=com",
}
LDAP = {
    "AUTH_LDAP_SERVER_URI": "ldap://ldap.example.com",
    "AUTH_LDAP_USER_ATTR_MAP": {"first_name": "givenName", "email": "mail"},
}
GATEWAY = {"ALLOW_LOCAL_RESOURCE_MANAGEMENT": False}
POLICY = {"LOCAL_PASSWORD_MIN_LENGTH": 12, "LOCAL_PASSWORD_MIN_DIGITS": 1, "LOCAL_PASSWORD_MIN_SPECIAL": 1}


def seed(
    target: ReferenceTarget,
    options: Mapping[str, Any] | None = None,
    *more: Mapping[str, Any],
    organizations: tuple[Mapping[str, Any], ...] = (),
) -> Connector:
    tokens = [*DEFAULT_TOKENS, {"token": "of-anna", "username": "anna.berg"}]
    target.reset([*DEFAULT_USERS, LENA, *more], tokens, options, {"organizations": list(organizations)})
    return at(target)


def at(target: ReferenceTarget, token: str = TOKEN) -> Connector:
    def credential() -> Credential:
        return Credential("bearer", token)

    return build("awx", ConnectorConfig("here", target.base_url, credential, timeouts=PATIENT))


# --- the id of a request ------------------------------------------------------------------------------------


def test_the_id_of_our_request_is_sent_taken_over_by_awx_and_kept(awx_target: ReferenceTarget) -> None:
    connector = seed(awx_target)
    ours = uuid.uuid4().hex
    reset = request_id.set(ours)
    try:
        outcome = connector.patch("2", {"first_name": "Ann"})
    finally:
        request_id.reset(reset)
    assert (outcome.kind, outcome.exchange.request_id) == (OutcomeKind.APPLIED, ours)


def test_a_request_without_an_id_of_ours_gets_one_that_awx_takes_over(httpserver: HTTPServer) -> None:
    httpserver.expect_request(AWX.path).respond_with_json(AWX.body())
    connector = AWX.at(httpserver.url_for(""))
    outcomes = [connector.fetch("7"), connector.fetch("7")]
    sent = [request.headers["X-API-Request-Id"] for request, _ in httpserver.log]
    assert [outcome.exchange.request_id for outcome in outcomes] == sent
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in sent)
    assert len(set(sent)) == 2


def test_an_id_that_awx_gives_instead_of_ours_is_the_one_kept(httpserver: HTTPServer) -> None:
    headers = {"X-API-Request-Id": "e306dabaec"}
    httpserver.expect_request(AWX.path).respond_with_json(AWX.body(), headers=headers)
    assert AWX.at(httpserver.url_for("")).fetch("7").exchange.request_id == "e306dabaec"


def test_the_id_of_a_write_that_nobody_answered_is_known(awx_target: ReferenceTarget) -> None:
    connector = seed(awx_target)
    awx_target.faults([{"method": "PATCH", "fault": {"kind": "drop_after"}}])
    outcome = connector.patch("2", {"first_name": "Ann"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert re.fullmatch(r"[0-9a-f]{32}", outcome.exchange.request_id or "")


# --- who is there -------------------------------------------------------------------------------------------


def test_a_short_list_for_lack_of_rights_is_not_nobody(awx_target: ReferenceTarget) -> None:
    seed(awx_target)
    known = at(awx_target, "of-anna")
    hidden = known.find({"username": ("omar.haddad",)})
    assert (hidden.outcome.kind, hidden.matches) == (OutcomeKind.FORBIDDEN, ())
    assert "not found does not mean missing" in hidden.outcome.detail
    assert "is_superuser" in known.check().missing
    assert at(awx_target).find({"username": ("nobody.at.all",)}).outcome.kind is OutcomeKind.OBSERVED


def test_an_administrator_of_an_organization_is_not_believed_either(awx_target: ReferenceTarget) -> None:
    ours = {"id": 1, "name": "Ours", "users": ["omar.haddad"], "admins": ["anna.berg"]}
    seed(awx_target, organizations=(ours,))
    assert at(awx_target, "of-anna").find({"username": ("who",)}).outcome.kind is OutcomeKind.FORBIDDEN


def test_user_names_that_differ_in_case_are_two_people(awx_target: ReferenceTarget) -> None:
    connector = seed(awx_target, {}, {"id": 8, "username": "LENA"})
    found = {name: connector.find({"username": (name,)}).matches for name in ("lena", "LENA", "Lena")}
    assert {name: [match.remote_id for match in matches] for name, matches in found.items()} == {
        "lena": ["7"],
        "LENA": ["8"],
        "Lena": [],
    }


def test_a_walk_by_ids_sees_everybody_once_while_accounts_come_and_go(awx_target: ReferenceTarget) -> None:
    crowd = [{"id": number, "username": f"u{number}"} for number in range(10, 410)]
    connector = seed(awx_target, {}, *crowd)
    page = connector.scan(None)
    seen = [remote_id for remote_id, _ in page.records]
    assert connector.delete("15").kind is OutcomeKind.APPLIED  # every page number behind it now shifts
    assert connector.create({"username": "aaa"}).kind is OutcomeKind.APPLIED
    while page.cursor is not None:
        page = connector.scan(page.cursor)
        seen += [remote_id for remote_id, _ in page.records]
    assert sorted(map(int, seen)) == [1, 2, 3, 7, *range(10, 411)]
    asked = [
        entry["query"] for entry in awx_target.log() if entry["path"] == "/api/v2/users/" and entry["query"]
    ]
    assert all("order_by=id" in query and "id__gt=" in query for query in asked)


def test_no_query_is_ever_sent_to_the_address_of_one_account(awx_target: ReferenceTarget) -> None:
    connector = seed(awx_target)
    connector.fetch("2")
    connector.patch("2", {"first_name": "Ann"})
    connector.demote("2")
    connector.delete("3")
    connector.check()
    entries = [entry for entry in awx_target.log() if re.fullmatch(r"/api/v2/users/\d+/", entry["path"])]
    assert [entry["query"] for entry in entries] == [""] * 4


# --- the password -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", ["$encrypted$", "something else", None, ...])
def test_a_password_is_never_compared_and_never_in_a_record(httpserver: HTTPServer, shown: object) -> None:
    body = {name: value for name, value in AWX.body(first_name="Mia").items() if name != "password"}
    if shown is not ...:
        body["password"] = shown  # type: ignore[assignment]  # whatever a server shows
    httpserver.expect_request(AWX.path).respond_with_json(body)
    outcome = AWX.at(httpserver.url_for("")).patch("7", {"first_name": "Mia"})
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.record is not None
    assert "password" not in outcome.record
    assert b"password" not in httpserver.log[0][0].data


def test_a_password_is_never_sent_for_a_mapping_nor_echoed(awx_target: ReferenceTarget) -> None:
    connector = seed(awx_target)
    with pytest.raises(FieldError, match="HR data holds no passwords"):
        connector.encode("password", "$encrypted$")
    assert connector.patch("2", {"password": "$encrypted$"}).kind is OutcomeKind.REJECTED
    assert awx_target.writes() == []


def test_where_passwords_have_rules_a_new_account_gets_one_that_nobody_knows(
    awx_target: ReferenceTarget,
) -> None:
    connector = seed(awx_target, POLICY)
    made = connector.create({"username": "lou"})
    assert (made.kind, made.remote_id) == (OutcomeKind.APPLIED, str(awx_target.users()["lou"]["id"]))
    assert [entry["status"] for entry in awx_target.writes()] == [400, 201]
    assert connector.demote(str(made.remote_id)).kind is OutcomeKind.APPLIED


# --- who else owns it ---------------------------------------------------------------------------------------


def test_a_field_that_ldap_manages_is_refused_with_the_way_out(awx_target: ReferenceTarget) -> None:
    connector = seed(awx_target, LDAP)
    changes: dict[str, Json] = {"first_name": "Lou", "email": "lou@example.com", "last_name": "Moss"}
    outcome = connector.patch("7", changes)
    assert (outcome.kind, set(outcome.fields)) == (OutcomeKind.REJECTED, {"first_name", "email"})
    message = outcome.fields["first_name"].message
    assert "managed by LDAP" in message
    assert message.endswith(
        'change it in the directory, or disown the field at this target (`mapping.first_name = ""`).'
    )
    assert connector.patch("7", {"last_name": "Moss"}).kind is OutcomeKind.APPLIED


def test_a_field_that_a_gateway_manages_is_refused_with_the_way_out_and_no_fault_of_the_target(
    awx_target: ReferenceTarget,
) -> None:
    connector = seed(awx_target, GATEWAY)
    outcome = connector.patch("2", {"first_name": "Ann"})
    assert (outcome.kind, outcome.exchange.status, set(outcome.fields)) == (
        OutcomeKind.REJECTED,
        403,
        {"first_name"},
    )
    assert "AWX leaves it to the platform gateway: change it there," in outcome.fields["first_name"].message
    assert connector.patch("2", {"is_system_auditor": True}).kind is OutcomeKind.APPLIED


def test_users_that_a_gateway_manages_are_neither_made_nor_deleted_and_the_reason_says_where_to(
    awx_target: ReferenceTarget,
) -> None:
    connector = seed(awx_target, GATEWAY)
    for outcome in (connector.create({"username": "lou"}), connector.delete("2")):
        assert (outcome.kind, outcome.exchange.status) == (OutcomeKind.REJECTED, 403)
        assert "leaves making and deleting users to the platform gateway: do it there." in outcome.detail


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "No."},
        {"first_name": "No.", "detail": "No."},
        {"username": "No."},
        {},
        ["first_name"],
    ],
)
def test_a_403_that_names_anything_but_sent_fields_is_about_us(httpserver: HTTPServer, body: object) -> None:
    httpserver.expect_request(AWX.path).respond_with_json(body, 403)
    outcome = AWX.at(httpserver.url_for("")).patch("7", {"first_name": "Mia"})
    assert outcome.kind is OutcomeKind.FORBIDDEN


def test_a_missing_right_is_still_forbidden_and_names_both_reasons(awx_target: ReferenceTarget) -> None:
    seed(awx_target)
    outcome = at(awx_target, "of-anna").patch("3", {"first_name": "X"})
    assert outcome.kind is OutcomeKind.FORBIDDEN
    assert "the token's scope is `read`, or its owner is no superuser" in outcome.detail
