"""Staff users against a real server. Where the documents contradict each other, a test is named after the
reading that was chosen.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.sdk.contract import ConnectorConfig, Credential, Timeouts
from connectors.sdk.fields import FieldError, FieldType
from connectors.sdk.model import Json, Outcome, OutcomeKind
from connectors.sdk.pictures import Pictures
from connectors.sdk.public_web import PublicWeb
from connectors.sdk.registry import build, style_named
from connectors.staff_users import EVERYBODY, TOKEN_OWNER, StaffUsersConnector
from tests.connectors.images import picture
from tests.connectors.test_public_web import CERTIFICATE, at_home, tls
from tests.connectors.wires import answer, saying, wires
from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, ReferenceTarget

PATIENT = Timeouts(connect_s=5.0, read_s=10.0, deadline_s=15.0)
GROUPS = {"groups": [{"id": 3, "name": "Editors"}, {"id": 5, "name": "Writers"}, {"id": 8, "name": "Ops"}]}
ADMIN, ANNA, OMAR = "1", "2", "3"
NEEDED = "Such a token changes no other user: use one of a staff or admin user."
NOWHERE = "http://127.0.0.1:9"


def at(target: ReferenceTarget | str, secret: str | None = None, **options: Json) -> StaffUsersConnector:
    base_url, token = (target, "x") if isinstance(target, str) else (target.base_url, target.token)
    known = Credential("token", secret or token)
    return StaffUsersConnector(
        ConnectorConfig("here", base_url, lambda: known, timeouts=PATIENT, options=options)
    )


def me(target: ReferenceTarget | str, secret: str | None = None, **options: Json) -> StaffUsersConnector:
    return at(target, secret, endpoint="me", **options)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def anna(target: ReferenceTarget) -> dict[str, Any]:
    return target.users()["anna.berg"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mira.png").write_bytes(picture())
    (tmp_path / "same.png").write_bytes(picture())
    (tmp_path / "other.jpg").write_bytes(picture("JPEG", colour="red"))
    (tmp_path / "evil.svg").write_bytes(b"<svg/>")
    return tmp_path


def test_the_style_is_known_by_its_name() -> None:
    config = ConnectorConfig("here", NOWHERE, lambda: Credential("token", "x"), options={"endpoint": "me"})
    assert style_named("staff_users").descriptor is EVERYBODY
    assert build("staff_users", config).descriptor is TOKEN_OWNER


def test_each_endpoint_has_the_fields_of_its_document() -> None:
    assert {field.name for field in TOKEN_OWNER.fields if not field.read_only} == {
        *("first_name", "last_name", "username", "mobile_number", "email", "gender", "avatar"),
    }
    assert {field.name for field in TOKEN_OWNER.fields if field.read_only} == {
        *("id", "full_name", "is_profile_completed", "groups", "last_login", "created_at"),
    }
    assert not any(field.privileged for field in TOKEN_OWNER.fields)
    assert (TOKEN_OWNER.active_field, "is_active" in TOKEN_OWNER.default_mapping) == (None, False)
    assert (EVERYBODY.active_field, EVERYBODY.default_mapping["is_active"]) == ("is_active", "active")
    assert EVERYBODY.default_mapping == {**TOKEN_OWNER.default_mapping, "is_active": "active"}
    for descriptor in (EVERYBODY, TOKEN_OWNER):
        avatar = descriptor.field("avatar")
        assert avatar is not None
        assert (avatar.opaque, avatar.type) == (True, FieldType.TEXT)
        assert not descriptor.can_create


# --- the readings -----------------------------------------------------------------------------------------


def test_reading_the_slash_is_always_sent(staff_users_target: ReferenceTarget) -> None:
    connector = at(staff_users_target)
    outcomes = [connector.fetch(ANNA), connector.patch(ANNA, {"first_name": "Ann"}), connector.probe()]
    assert [outcome.exchange.status for outcome in outcomes] == [200, 200, 200]
    connector.find({"username": ("anna.berg",)})
    connector.scan(None)
    connector.check()
    assert me(staff_users_target).patch(ADMIN, {"first_name": "Ada"}).kind is OutcomeKind.APPLIED
    assert all(entry["path"].endswith("/") for entry in staff_users_target.log())


def test_reading_a_500_is_ambiguous_and_never_a_reason_to_try_without_the_slash(
    staff_users_target: ReferenceTarget,
) -> None:
    staff_users_target.faults([{"method": "PATCH", "fault": {"kind": "status", "status": 500}}])
    outcome = at(staff_users_target).patch(ANNA, {"first_name": "Ann"})
    assert outcome.kind is OutcomeKind.AMBIGUOUS
    assert [entry["path"] for entry in staff_users_target.log()] == ["/api/users/2/"]
    assert anna(staff_users_target)["first_name"] == "Anna"


def test_reading_update_me_is_a_patch_as_its_heading_says_not_the_put_of_its_example(
    staff_users_target: ReferenceTarget,
) -> None:
    assert me(staff_users_target).patch(ADMIN, {"first_name": "Ada"}).kind is OutcomeKind.APPLIED
    assert [entry["method"] for entry in staff_users_target.writes()] == ["PATCH"]
    assert staff_users_target.users()["admin"]["first_name"] == "Ada"


def test_reading_an_avatar_goes_out_as_a_form_and_everything_else_as_json(
    staff_users_target: ReferenceTarget, folder: Path
) -> None:
    staff_users_target.reset(more=GROUPS)
    connector = at(staff_users_target, picture_folder=str(folder), groups={"Editors": 3, "Writers": 5})
    changes: dict[str, Json] = {
        "avatar": "mira.png",
        "first_name": "Zoë",
        "is_staff": True,
        "is_admin": False,
        "groups": ["Writers", "Editors"],
    }
    outcome = connector.patch(ANNA, changes)
    assert (outcome.kind, outcome.digests) == (OutcomeKind.APPLIED, {"avatar": sha256(picture())})
    after = anna(staff_users_target)
    assert after["avatar_sha256"] == sha256(picture())
    assert (after["first_name"], after["is_staff"], after["is_admin"]) == ("Zoë", True, False)
    assert after["groups"] == [3, 5]
    connector.patch(ANNA, {"first_name": "Ann"})
    form, plain = (entry["body"] for entry in staff_users_target.writes())
    assert 'name="groups"\r\n\r\n3' in form
    assert 'name="groups"\r\n\r\n5' in form
    assert 'name="is_staff"\r\n\r\ntrue' in form
    assert plain == {"first_name": "Ann"}


@pytest.mark.parametrize("endpoint", ["users", "me"])
def test_reading_an_avatar_is_removed_by_null_in_json(
    staff_users_target: ReferenceTarget, folder: Path, endpoint: str
) -> None:
    connector = at(staff_users_target, endpoint=endpoint, picture_folder=str(folder))
    assert connector.patch(ADMIN, {"avatar": "mira.png"}).kind is OutcomeKind.APPLIED
    outcome = connector.patch(ADMIN, {"avatar": None}, {"avatar": sha256(picture())})
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.record is not None
    assert outcome.record["avatar"] is None
    assert staff_users_target.users()["admin"]["avatar"] is None
    assert staff_users_target.writes()[-1]["body"] == {"avatar": None}


@pytest.mark.parametrize(
    ("endpoint", "allowed", "refused"), [("users", "non-binary", "other"), ("me", "other", "non-binary")]
)
def test_reading_each_endpoint_has_its_own_genders_and_names_them_before_anything_is_sent(
    staff_users_target: ReferenceTarget, endpoint: str, allowed: str, refused: str
) -> None:
    connector = at(staff_users_target, endpoint=endpoint)
    connector.probe()
    assert connector.patch(ADMIN, {"gender": allowed}).kind is OutcomeKind.APPLIED
    with pytest.raises(FieldError, match=f"'{refused}' is none of male, female, {allowed}"):
        connector.encode("gender", refused)
    outcome = connector.patch(ADMIN, {"gender": refused})
    assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, ["gender"])
    assert f"male, female, {allowed}" in outcome.fields["gender"].message
    assert [entry["body"] for entry in staff_users_target.writes()] == [{"gender": allowed}]


def test_reading_a_gender_is_compared_without_case_as_update_mes_table_spells_it(
    staff_users_target: ReferenceTarget,
) -> None:
    shown = {"id": 1, "gender": "Female"}
    staff_users_target.faults(
        [{"method": "PATCH", "fault": {"kind": "status", "status": 200, "body": shown}}]
    )
    assert me(staff_users_target).patch(ADMIN, {"gender": "female"}).kind is OutcomeKind.APPLIED


def test_reading_groups_are_sent_as_ids_and_read_as_names_from_groups_data(
    staff_users_target: ReferenceTarget,
) -> None:
    staff_users_target.reset(more=GROUPS)
    connector = at(staff_users_target, groups={"Editors": 3})
    outcome = connector.patch(ANNA, {"groups": ["Editors", "#5"]})
    assert outcome.kind is OutcomeKind.APPLIED
    assert outcome.record is not None
    assert outcome.record["groups"] == ["Editors", "Writers"]
    assert "groups_data" not in outcome.record
    assert staff_users_target.writes()[0]["body"] == {"groups": [3, 5]}
    assert anna(staff_users_target)["groups"] == [3, 5]


def test_reading_groups_of_update_me_are_objects_and_never_sent(staff_users_target: ReferenceTarget) -> None:
    staff_users_target.reset([{**DEFAULT_USERS[0], "groups": [3, 8]}], more=GROUPS)
    connector = me(staff_users_target)
    assert (connector.fetch(ADMIN).record or {})["groups"] == ["Editors", "Ops"]
    outcome = connector.patch(ADMIN, {"groups": ["Editors"]})
    assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, ["groups"])
    assert "is read-only" in outcome.fields["groups"].message
    assert staff_users_target.writes() == []


@pytest.mark.parametrize("field", ["username", "email", "mobile_number"])
def test_reading_null_clears_only_where_the_endpoint_says_nullable(
    staff_users_target: ReferenceTarget, field: str
) -> None:
    everybody, mine = at(staff_users_target), me(staff_users_target)
    with pytest.raises(FieldError, match="cannot be cleared"):
        everybody.encode(field, None)
    assert everybody.patch(ANNA, {field: None}).kind is OutcomeKind.REJECTED
    assert staff_users_target.writes() == []
    assert mine.encode(field, None) is None
    assert mine.patch(ADMIN, {field: None}).kind is OutcomeKind.APPLIED
    assert staff_users_target.rows()[0][field] is None


def test_reading_a_name_is_cleared_by_the_empty_text_at_update_user_and_by_null_at_update_me(
    staff_users_target: ReferenceTarget,
) -> None:
    everybody, mine = at(staff_users_target), me(staff_users_target)
    cleared = everybody.patch(ANNA, {"first_name": everybody.encode("first_name", None)})
    assert cleared.kind is OutcomeKind.APPLIED
    assert anna(staff_users_target)["first_name"] == ""
    assert mine.patch(ADMIN, {"last_name": mine.encode("last_name", None)}).kind is OutcomeKind.APPLIED
    assert staff_users_target.users()["admin"]["last_name"] is None


@pytest.mark.parametrize("misspelt", [False, True])
def test_reading_is_profile_compeleted_is_the_same_field_well_spelt(
    staff_users_target: ReferenceTarget, *, misspelt: bool
) -> None:
    staff_users_target.reset(options={"misspelt": misspelt})
    record = me(staff_users_target).fetch(ADMIN).record or {}
    assert record["is_profile_completed"] is False
    assert "is_profile_compeleted" not in record


@pytest.mark.parametrize("endpoint", ["users", "me"])
@pytest.mark.parametrize(
    "field", ["id", "full_name", "is_online", "groups_data", "last_login", "created_at", "updated_at"]
)
def test_reading_what_the_server_keeps_for_itself_is_never_sent(
    staff_users_target: ReferenceTarget, endpoint: str, field: str
) -> None:
    outcome = at(staff_users_target, endpoint=endpoint).patch(ADMIN, {"first_name": "Ada", field: None})
    assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, [field])
    assert staff_users_target.writes() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "omar.haddad"),
        ("email", "omar.haddad@example.com"),
        ("mobile_number", "+1-555-0100"),
    ],
)
def test_reading_username_email_and_mobile_number_clash_as_unique(
    staff_users_target: ReferenceTarget, field: str, value: str
) -> None:
    at(staff_users_target).patch(OMAR, {"mobile_number": "+1-555-0100"})
    for connector, remote_id in ((at(staff_users_target), ANNA), (me(staff_users_target), ADMIN)):
        outcome = connector.patch(remote_id, {field: value, "first_name": "X"})
        assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, [field])
        assert outcome.fields[field].unique


def test_reading_a_leaver_is_deactivated_by_is_active(staff_users_target: ReferenceTarget) -> None:
    assert at(staff_users_target).patch(ANNA, {"is_active": False}).kind is OutcomeKind.APPLIED
    assert anna(staff_users_target)["is_active"] is False


def test_reading_401_is_the_key_and_403_the_right(staff_users_target: ReferenceTarget) -> None:
    staff_users_target.reset(tokens=[*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    for secret, kind in (("wrong", OutcomeKind.SUSPECT), ("annas", OutcomeKind.FORBIDDEN)):
        assert at(staff_users_target, secret).patch(ANNA, {"first_name": "X"}).kind is kind
        assert me(staff_users_target, secret).patch(ANNA, {"first_name": "X"}).kind is kind
        assert at(staff_users_target, secret).probe().kind is kind
    assert anna(staff_users_target)["first_name"] == "Anna"


# --- the token's owner ------------------------------------------------------------------------------------


def test_reading_update_me_acts_on_the_tokens_owner_so_any_other_subject_is_refused_before_sending(
    staff_users_target: ReferenceTarget,
) -> None:
    connector = me(staff_users_target)
    for outcome in (connector.patch(ANNA, {"first_name": "X"}), connector.fetch(ANNA)):
        assert outcome.kind is OutcomeKind.REJECTED
        assert "the token's owner only, which is 1; nothing was sent" in outcome.detail
        assert outcome.exchange.path == connector.path_of(ANNA) == "/api/users/me/"
    assert staff_users_target.writes() == []
    assert [user["first_name"] for user in staff_users_target.rows()] == ["", "Anna", "Omar"]


def test_only_the_owner_is_found_and_listed(staff_users_target: ReferenceTarget) -> None:
    connector = me(staff_users_target)
    found = connector.find({"username": ("admin", "formerly"), "email": ("admin@example.com",)})
    assert [(match.remote_id, match.matched) for match in found.matches] == [(ADMIN, ("username", "email"))]
    nobody = connector.find({"username": ("anna.berg",)})
    assert (nobody.outcome.kind, nobody.matches) == (OutcomeKind.OBSERVED, ())
    assert connector.find({"gender": ()}).outcome.kind is OutcomeKind.REJECTED
    page = connector.scan(None)
    assert ([remote_id for remote_id, _ in page.records], page.cursor, page.total) == ([ADMIN], None, 1)


def test_whose_token_it_is_is_asked_once(staff_users_target: ReferenceTarget) -> None:
    connector = me(staff_users_target)
    connector.probe()
    for name in ("Ada", "Ida", "Eda"):
        connector.patch(ADMIN, {"first_name": name})
    methods = [entry["method"] for entry in staff_users_target.log()]
    assert methods.count("GET") <= 2
    assert methods[-2:] == ["PATCH", "PATCH"]


def test_a_token_of_somebody_else_asks_anew_and_writes_nothing_for_the_old_subject(
    staff_users_target: ReferenceTarget,
) -> None:
    users = [DEFAULT_USERS[0], {**DEFAULT_USERS[1], "is_staff": True}]
    staff_users_target.reset(users, [*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    secrets = [staff_users_target.token]
    connector = StaffUsersConnector(
        ConnectorConfig(
            "here",
            staff_users_target.base_url,
            lambda: Credential("token", secrets[-1]),
            timeouts=PATIENT,
            options={"endpoint": "me"},
        )
    )
    for name in ("Ada", "Ida"):
        assert connector.patch(ADMIN, {"first_name": name}).kind is OutcomeKind.APPLIED
    secrets.append("annas")
    connector.probe()
    assert connector.patch(ADMIN, {"first_name": "Stolen"}).kind is OutcomeKind.REJECTED
    assert connector.patch(ANNA, {"first_name": "Anne"}).kind is OutcomeKind.APPLIED
    assert [user["first_name"] for user in staff_users_target.rows()] == ["Ida", "Anne"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 500}, OutcomeKind.AMBIGUOUS),
        ({"kind": "status", "status": 404}, OutcomeKind.SUSPECT),
        ({"kind": "status", "status": 200, "body": {"username": "admin"}}, OutcomeKind.AMBIGUOUS),
        ({"kind": "html"}, OutcomeKind.SUSPECT),
        ({"kind": "redirect"}, OutcomeKind.SUSPECT),
    ],
)
def test_where_the_owner_cannot_be_learned_nothing_is_written(
    staff_users_target: ReferenceTarget, fault: Mapping[str, Json], kind: OutcomeKind
) -> None:
    staff_users_target.faults([{"method": "GET", "times": None, "fault": fault}])
    connector = me(staff_users_target)
    assert connector.patch(ADMIN, {"first_name": "Ada"}).kind is kind
    assert connector.find({"username": ("admin",)}).outcome.kind is kind
    assert connector.scan(None).outcome.kind is kind
    assert staff_users_target.writes() == []


# --- groups by name ---------------------------------------------------------------------------------------


def test_an_unknown_group_is_refused_with_the_known_ones_and_nothing_is_sent(
    staff_users_target: ReferenceTarget,
) -> None:
    outcome = at(staff_users_target, groups={"Editors": 3}).patch(ANNA, {"groups": ["Editors", "x"]})
    assert outcome.kind is OutcomeKind.REJECTED
    assert {name: why.message for name, why in outcome.fields.items()} == {
        "groups": "unknown group 'x'; known: Editors"
    }
    assert staff_users_target.log() == []


def test_a_group_seen_in_an_answer_can_be_named_from_then_on(staff_users_target: ReferenceTarget) -> None:
    users = [*DEFAULT_USERS[:2], {**DEFAULT_USERS[2], "groups": [5]}]
    staff_users_target.reset(users, more=GROUPS)
    connector = at(staff_users_target)
    assert connector.patch(ANNA, {"groups": ["Writers"]}).kind is OutcomeKind.REJECTED
    connector.fetch(OMAR)
    assert connector.patch(ANNA, {"groups": ["Writers"]}).kind is OutcomeKind.APPLIED
    assert anna(staff_users_target)["groups"] == [5]


def test_foreign_members_survive_a_write_of_the_whole_set(staff_users_target: ReferenceTarget) -> None:
    staff_users_target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "groups": [8]}], more=GROUPS)
    connector = at(staff_users_target, groups={"Editors": 3})
    shown = (connector.fetch(ANNA).record or {})["groups"]
    assert shown == ["Ops"]
    assert connector.patch(ANNA, {"groups": [*shown, "Editors"]}).kind is OutcomeKind.APPLIED  # type: ignore[list-item,misc]  # a list of names
    assert anna(staff_users_target)["groups"] == [3, 8]


# --- avatars ----------------------------------------------------------------------------------------------


def test_a_picture_from_an_https_address_arrives_byte_for_byte(staff_users_target: ReferenceTarget) -> None:
    head = "Content-Type: image/png\r\n"
    web = PublicWeb(PATIENT, resolve=at_home, ca_bundle=CERTIFICATE)
    known = Credential("token", staff_users_target.token)
    config = ConnectorConfig("here", staff_users_target.base_url, lambda: known, timeouts=PATIENT)
    connector = StaffUsersConnector(config, Pictures(None, web))
    with wires(saying(answer(picture(), head=head)), tls()) as server:
        reference = connector.encode("avatar", f"https://localhost:{server.port}/mira.png")
        outcome = connector.patch(ANNA, {"avatar": reference, "first_name": "Ann"})
    assert (outcome.kind, outcome.digests) == (OutcomeKind.APPLIED, {"avatar": sha256(picture())})
    assert anna(staff_users_target)["avatar_sha256"] == sha256(picture())
    assert staff_users_target.token.encode() not in server.requests[0]


def test_an_unchanged_picture_is_not_sent_again(staff_users_target: ReferenceTarget, folder: Path) -> None:
    connector = at(staff_users_target, picture_folder=str(folder))
    first = connector.patch(ANNA, {"avatar": "mira.png"})
    again = connector.patch(ANNA, {"avatar": "same.png"}, first.digests)
    along = connector.patch(ANNA, {"avatar": "mira.png", "first_name": "Ann"}, again.digests)
    assert [outcome.kind for outcome in (first, again, along)] == [OutcomeKind.APPLIED] * 3
    assert first.digests == again.digests == along.digests == {"avatar": sha256(picture())}
    assert [entry["body"] for entry in staff_users_target.writes()][1:] == [{"first_name": "Ann"}]


def test_a_new_picture_replaces_the_old_one(staff_users_target: ReferenceTarget, folder: Path) -> None:
    connector = at(staff_users_target, picture_folder=str(folder))
    first = connector.patch(ANNA, {"avatar": "mira.png"})
    second = connector.patch(ANNA, {"avatar": "other.jpg"}, first.digests)
    assert second.digests == {"avatar": sha256(picture("JPEG", colour="red"))}
    assert anna(staff_users_target)["avatar_sha256"] == second.digests["avatar"]


@pytest.mark.parametrize("rest", [{}, {"first_name": "Ann"}])
def test_a_picture_that_somebody_removed_is_sent_again_although_unchanged(
    staff_users_target: ReferenceTarget, folder: Path, rest: dict[str, Json]
) -> None:
    connector = at(staff_users_target, picture_folder=str(folder))
    outcome = connector.patch(ANNA, {"avatar": "mira.png", **rest}, {"avatar": sha256(picture())})
    assert (outcome.kind, outcome.digests) == (OutcomeKind.APPLIED, {"avatar": sha256(picture())})
    after = anna(staff_users_target)
    assert after["avatar_sha256"] == sha256(picture())
    assert after["first_name"] == rest.get("first_name", "Anna")


def test_what_no_form_can_say_goes_before_the_picture_as_json(
    staff_users_target: ReferenceTarget, folder: Path
) -> None:
    staff_users_target.reset([DEFAULT_USERS[0], {**DEFAULT_USERS[1], "groups": [3]}], more=GROUPS)
    connector = at(staff_users_target, picture_folder=str(folder))
    outcome = connector.patch(ANNA, {"avatar": "mira.png", "groups": []})
    assert (outcome.kind, outcome.digests) == (OutcomeKind.APPLIED, {"avatar": sha256(picture())})
    after = anna(staff_users_target)
    assert (after["groups"], after["avatar_sha256"]) == ([], sha256(picture()))
    mine = me(staff_users_target, picture_folder=str(folder))
    assert mine.patch(ADMIN, {"avatar": "mira.png", "email": None}).kind is OutcomeKind.APPLIED
    assert staff_users_target.rows()[0]["email"] is None


def test_a_picture_waits_where_what_goes_before_it_fails(
    staff_users_target: ReferenceTarget, folder: Path
) -> None:
    connector = me(staff_users_target, picture_folder=str(folder))
    changes: dict[str, Json] = {"avatar": "mira.png", "email": None, "username": "omar.haddad"}
    outcome = connector.patch(ADMIN, changes)
    assert (outcome.kind, outcome.digests) == (OutcomeKind.REJECTED, {})
    assert len(staff_users_target.writes()) == 1
    assert staff_users_target.rows()[0]["avatar"] is None


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("evil.svg", "neither a JPEG nor a PNG"),
        ("nobody.png", "cannot be read"),
        ("../mira.png", "named by its place below"),
        ("http://pictures.example.com/x.png", "only an https"),
        ("https://localhost/x.png", "not a public address"),
    ],
)
def test_a_picture_that_cannot_be_had_keeps_all_from_leaving(
    staff_users_target: ReferenceTarget, folder: Path, reference: str, words: str
) -> None:
    connector = at(staff_users_target, picture_folder=str(folder))
    outcome = connector.patch(ANNA, {"avatar": reference, "first_name": "X"})
    assert (outcome.kind, list(outcome.fields)) == (OutcomeKind.REJECTED, ["avatar"])
    assert words in outcome.fields["avatar"].message
    assert str(folder) not in repr(outcome)
    assert staff_users_target.log() == []


def test_a_picture_that_the_server_refuses_is_told_in_its_own_words(
    staff_users_target: ReferenceTarget, folder: Path
) -> None:
    refusal = {"kind": "status", "status": 400, "body": {"avatar": ["Too large."]}}
    staff_users_target.faults([{"method": "PATCH", "fault": refusal}])
    outcome = at(staff_users_target, picture_folder=str(folder)).patch(ANNA, {"avatar": "mira.png"})
    assert (outcome.kind, outcome.fields["avatar"].message) == (OutcomeKind.REJECTED, "Too large.")
    assert outcome.digests == {}


@pytest.mark.parametrize(
    ("fault", "kind", "told"),
    [
        ({"kind": "drop_after"}, OutcomeKind.AMBIGUOUS, False),
        ({"kind": "drop_before"}, OutcomeKind.AMBIGUOUS, False),
        ({"kind": "status", "status": 204}, OutcomeKind.UNVERIFIED, True),
        (
            {"kind": "status", "status": 200, "body": {"id": 2, "avatar": None}},
            OutcomeKind.NOT_APPLIED,
            False,
        ),
        ({"kind": "status", "status": 200, "body": {"id": 2}}, OutcomeKind.UNVERIFIED, True),
    ],
)
def test_the_digest_is_told_only_where_the_target_said_that_it_took_the_picture(
    staff_users_target: ReferenceTarget,
    folder: Path,
    fault: Mapping[str, Json],
    kind: OutcomeKind,
    *,
    told: bool,
) -> None:
    staff_users_target.faults([{"method": "PATCH", "fault": fault}])
    outcome = at(staff_users_target, picture_folder=str(folder)).patch(ANNA, {"avatar": "mira.png"})
    assert (outcome.kind, "avatar" in outcome.digests) == (kind, told)


def test_a_server_that_shows_no_avatar_at_all_leaves_an_unchanged_one_unverified(
    staff_users_target: ReferenceTarget, folder: Path
) -> None:
    fault = {"kind": "status", "status": 200, "body": {"id": 2, "first_name": "Ann"}}
    staff_users_target.faults([{"times": 2, "fault": fault}])
    connector = at(staff_users_target, picture_folder=str(folder))
    known = {"avatar": sha256(picture())}
    for changes in ({"avatar": "mira.png"}, {"avatar": "mira.png", "first_name": "Ann"}):
        outcome = connector.patch(ANNA, changes, known)
        assert (outcome.kind, outcome.wrong) == (OutcomeKind.UNVERIFIED, ("avatar",))


def test_an_unchanged_picture_of_a_missing_account_is_missing(
    staff_users_target: ReferenceTarget, folder: Path
) -> None:
    connector = at(staff_users_target, picture_folder=str(folder))
    outcome = connector.patch("99", {"avatar": "mira.png"}, {"avatar": sha256(picture())})
    assert outcome.kind is OutcomeKind.MISSING


# --- finding and listing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("filters", [[], ["username", "email"]])
def test_an_account_is_found_with_and_without_a_filter(
    staff_users_target: ReferenceTarget, filters: list[str]
) -> None:
    staff_users_target.reset(options={"filters": filters, "page_size": 2})
    connector = at(staff_users_target)
    found = connector.find({"username": ("omar.haddad", "former"), "email": ("omar.haddad@example.com",)})
    assert [(match.remote_id, match.matched) for match in found.matches] == [(OMAR, ("username", "email"))]
    nobody = connector.find({"username": ("nobody",)})
    assert (nobody.outcome.kind, nobody.matches) == (OutcomeKind.OBSERVED, ())
    assert connector.find({"username": ("Omar.Haddad",)}).matches == ()


def test_a_search_that_was_not_finished_is_ambiguous(staff_users_target: ReferenceTarget) -> None:
    staff_users_target.reset(options={"page_size": 1})
    found = at(staff_users_target, find_page_cap=2).find({"username": ("omar.haddad",)})
    assert (found.outcome.kind, found.matches) == (OutcomeKind.AMBIGUOUS, ())


def test_every_account_is_listed_once(staff_users_target: ReferenceTarget) -> None:
    staff_users_target.reset(options={"page_size": 2})
    connector = at(staff_users_target)
    first = connector.scan(None)
    second = connector.scan(first.cursor)
    assert [remote_id for remote_id, _ in (*first.records, *second.records)] == [ADMIN, ANNA, OMAR]
    assert (first.total, second.cursor) == (3, None)


# --- the connection check ---------------------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", ["users", "me"])
def test_a_check_tells_whose_token_it_is(staff_users_target: ReferenceTarget, endpoint: str) -> None:
    report = at(staff_users_target, endpoint=endpoint).check()
    assert (report.reachable, report.healthy, report.problems) == (True, True, ())
    assert (report.owner, report.owner_id) == ("admin", ADMIN)
    assert report.rights == {"users": ("is_staff",), "me": ()}[endpoint]
    assert len(staff_users_target.log()) <= 2
    assert staff_users_target.writes() == []


def test_a_check_tells_the_owner_of_a_null_user_name_by_id(staff_users_target: ReferenceTarget) -> None:
    me(staff_users_target).patch(ADMIN, {"username": None})
    report = at(staff_users_target).check()
    assert (report.owner, report.owner_id, report.healthy) == (None, ADMIN, True)


def test_a_check_reads_the_flags_where_update_me_shows_them(staff_users_target: ReferenceTarget) -> None:
    for flags, healthy in (({"is_admin": True}, True), ({}, False)):
        shown = {"id": 9, "username": "ops", "is_staff": False, "is_admin": False, **flags}
        staff_users_target.faults([{"fault": {"kind": "status", "status": 200, "body": shown}}])
        report = at(staff_users_target).check()
        assert (report.rights, report.healthy) == (tuple(flags), healthy)
    assert report.problems == (f"ops, who owns the token, is neither staff nor admin. {NEEDED}",)


def test_a_check_tells_where_other_accounts_cannot_be_read(staff_users_target: ReferenceTarget) -> None:
    forbidden = {"kind": "status", "status": 403, "body": {"detail": "Staff only."}}
    staff_users_target.faults([{"path": "/1/$", "fault": forbidden}])
    report = at(staff_users_target).check()
    assert (report.healthy, report.owner) == (False, "admin")
    unread = "Our token's own account cannot be read at /api/users/1/ (Staff only.)"
    assert report.problems == (f"{unread}. {NEEDED}",)


@pytest.mark.parametrize("endpoint", ["users", "me"])
@pytest.mark.parametrize(
    ("secret", "path", "fault", "words"),
    [
        ("wrong", "", None, "refuses our credential (401)"),
        ("annas", "", None, "may not read the accounts (403: "),
        (None, "/v2", None, "so that /api/users/ lies directly below it."),
        (None, "", {"kind": "status", "status": 500}, "fails by itself (Scripted fault.)"),
        (None, "", {"kind": "redirect"}, "redirects to /login/"),
        (None, "", {"kind": "html"}, "does not answer as this API does"),
        (None, "", {"kind": "status", "status": 200, "body": {}}, "does not answer as this API does"),
    ],
)
def test_a_check_says_the_way_out(
    staff_users_target: ReferenceTarget,
    endpoint: str,
    secret: str | None,
    path: str,
    fault: Mapping[str, Json] | None,
    words: str,
) -> None:
    staff_users_target.reset(tokens=[*DEFAULT_TOKENS, {"token": "annas", "username": "anna.berg"}])
    staff_users_target.faults([{"fault": fault}] if fault else [])
    known = Credential("token", secret or staff_users_target.token)
    base_url = staff_users_target.base_url + path
    options: dict[str, Json] = {"endpoint": endpoint}
    config = ConnectorConfig("here", base_url, lambda: known, timeouts=PATIENT, options=options)
    report = StaffUsersConnector(config).check()
    assert (report.reachable, report.healthy, len(report.problems)) == (True, False, 1)
    assert words in report.problems[0]


def test_a_server_that_is_not_there_is_unreachable(closed_port: int) -> None:
    for connector in (at(f"http://127.0.0.1:{closed_port}"), me(f"http://127.0.0.1:{closed_port}")):
        assert connector.check().reachable is False
        assert connector.patch(ADMIN, {"first_name": "X"}).kind is OutcomeKind.UNREACHABLE


# --- configuration ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"endpoint": "all"}, 'options.endpoint must be "users" or "me"'),
        ({"endpont": "me"}, "options.endpont is not known; there are endpoint, groups"),
        ({"groups": ["Editors"]}, "options.groups must be a table"),
        ({"picture_folder": 1}, "options.picture_folder must be"),
        ({"picture_hosts": "x"}, "options.picture_hosts must be"),
        ({"find_page_cap": 0}, "options.find_page_cap must be"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Json], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        at(NOWHERE, **options)


def test_building_opens_nothing_and_shows_no_secret(tmp_path: Path) -> None:
    connector = at(NOWHERE, "canary-secret", picture_folder=str(tmp_path / "not there yet"))
    outcome: Outcome = connector.patch("0", {"first_name": "X"})
    assert outcome.kind is OutcomeKind.REJECTED
    assert "canary" not in repr([connector, outcome, dataclasses.asdict(connector.descriptor).keys()])
