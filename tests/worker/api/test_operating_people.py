"""Links by hand, other HR keys and merges over HTTP: who may, what is shown first, what the audit says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.targets import ReferenceTarget
from tests.worker.api.office import WHY, Office
from tests.worker.api.test_operating_looking import told
from tests.worker.engine.test_linking import id_of
from tests.worker.engine.test_path import ANNA, OMAR, bodies
from worker.api.operator import answers

LINK, UNLINK = "/v1/accounts/awx/E1/link", "/v1/accounts/awx/E1/unlink"
REKEY, MERGE = "/v1/people/E1/rekey", "/v1/people/E1/merge"
LOOK = {**WHY, "dry_run": True}
REHIRED = {"given_name": "Annika", "family_name": "Berg", "email": "anna.berg@example.com"}


@pytest.fixture
def omar(office: Office) -> Office:
    """HR says of E1 what Omar's account shows, but for the name: no account is found."""
    office.rig.say("E1", {**OMAR, "user_name": "o.haddad"})
    office.rig.work()
    return office


@pytest.fixture
def rehired(office: Office) -> Office:
    """E1 is linked to Anna's account and left; E2 is the same Anna, and has none."""
    office.rig.say("E1", ANNA)
    office.rig.work()
    left, back = office.rig.event("E1", {"active": False}), office.rig.event("E2", REHIRED | {"active": True})
    office.rig.accept(left, back)
    office.rig.work()
    return office


def decided(office: Office, prefix: str) -> list[tuple[Any, ...]]:
    return [(entry["action"], entry["actor"], entry["why"]) for entry in office.rig.audit(prefix)]


def refusals(office: Office, verb: str) -> list[Any]:
    return [entry["reason"] for entry in office.rig.audit(f"{verb}:refused")]


def look(office: Office, path: str, **said: Any) -> Any:
    found = office.post(path, "alice", {**LOOK, **said})
    assert found.status_code == 200, found.text
    return found.json()


def test_an_account_is_shown_and_then_linked_and_gets_what_hr_says(
    omar: Office, awx_target: ReferenceTarget
) -> None:
    remote_id = id_of(awx_target, "omar.haddad")
    shown = told(answers.Linked, look(omar, LINK, id=remote_id))
    assert (shown["name"], shown["former"], shown["done"]) == ("omar.haddad", None, False)
    assert shown["agrees"] == ["email", "first_name", "last_name"]
    assert [one["field"] for one in shown["differs"]] == ["username"]
    assert omar.rig.account("E1", "awx").remote_id is None
    said = {**WHY, "id": remote_id, "hash": shown["hash"][:12]}
    done = told(answers.Linked, omar.post(LINK, "alice", said, key="k").json())
    assert done == {**shown, "done": True}
    assert omar.post(LINK, "alice", said, key="k").json() == done
    omar.rig.work()
    assert bodies(awx_target) == [{"username": "o.haddad"}]
    assert decided(omar, "account:link:decided") == [
        ("account:link:decided", "operator:alice", "ticket 4711")
    ]


def test_what_changed_since_it_was_shown_is_not_linked(omar: Office, awx_target: ReferenceTarget) -> None:
    """Neither where the account is another one, nor where HR says something else."""
    remote_id = id_of(awx_target, "omar.haddad")
    for data in ({"given_name": "Omer"}, {"family_name": "Hadad"}):
        shown = look(omar, LINK, id=remote_id)
        omar.rig.say("E1", data)
        omar.rig.work()
        stale = omar.post(LINK, "alice", {**WHY, "id": remote_id, "hash": shown["hash"]})
        assert (stale.status_code, stale.headers["content-type"]) == (409, "application/problem+json")
    shown = look(omar, LINK, id=remote_id)
    other = {**WHY, "id": id_of(awx_target, "anna.berg"), "hash": shown["hash"]}
    assert omar.post(LINK, "alice", other).status_code == 409
    omar.rig.say("E2", {**OMAR, "user_name": "o.haddad"})
    omar.rig.fold()
    twin = {**WHY, "id": remote_id, "hash": shown["hash"]}
    assert omar.post("/v1/accounts/awx/E2/link", "alice", twin).status_code == 409
    assert omar.rig.account("E1", "awx").remote_id is None
    assert refusals(omar, "account:link") == ["changed"] * 4


@pytest.mark.parametrize(
    "body",
    [
        {"id": "3"},
        {"id": "3", "dry_run": True, "hash": "0" * 64},
        {"id": "3", "hash": "0"},
        {"id": "", "dry_run": True},
        {"dry_run": True},
    ],
)
def test_nothing_is_linked_that_was_not_shown(omar: Office, body: dict[str, Any]) -> None:
    assert omar.post(LINK, "alice", {**WHY, **body}).status_code == 422
    assert omar.rig.account("E1", "awx").remote_id is None


def test_the_guards_of_a_link_hold_over_http(omar: Office, awx_target: ReferenceTarget) -> None:
    """Protected: the owner of our token. Missing, owned, linked already, paused: as at the command line."""
    owner, anna = id_of(awx_target, "admin"), id_of(awx_target, "anna.berg")
    assert omar.post(LINK, "alice", {**LOOK, "id": owner}).status_code == 409
    assert omar.post(LINK, "alice", {**LOOK, "id": "4711"}).status_code == 404
    omar.rig.say("E2", ANNA)
    omar.rig.work()
    assert omar.post(LINK, "alice", {**LOOK, "id": anna}).status_code == 409
    other = "/v1/accounts/awx/E2/link"
    free = {**LOOK, "id": id_of(awx_target, "omar.haddad")}
    assert omar.post(other, "alice", free).status_code == 409
    assert look(omar, other, **free, replace=True)["former"] == anna
    omar.post("/v1/targets/awx/pause")
    assert omar.post(LINK, "alice", free).status_code == 409
    found = refusals(omar, "account:link")
    assert found == ["protected", "missing", "owned", "linked", "paused"]


def test_a_link_is_taken_away_by_an_operator(office: Office, awx_target: ReferenceTarget) -> None:
    office.rig.say("E1", ANNA)
    office.rig.work()
    anna, before = id_of(awx_target, "anna.berg"), len(awx_target.log())
    gone = told(answers.Unlinked, office.post(UNLINK).json())
    assert gone == {"target": "awx", "subject": "E1", "former": anna, "remote_id": None}
    office.rig.say("E1", {"given_name": "Annika"})
    office.rig.work()
    assert len(awx_target.log()) == before
    assert decided(office, "account:unlink:decided")[0][1:] == ("operator:bert", "ticket 4711")
    assert office.post(UNLINK).status_code == 409
    assert refusals(office, "account:unlink") == ["not_linked"]


def test_roles_and_scopes_are_those_of_the_command_line(omar: Office, awx_target: ReferenceTarget) -> None:
    """A link at one target may be a scoped token's act; what is said of a person everywhere is not."""
    wanted = {**LOOK, "id": id_of(awx_target, "omar.haddad")}
    may = {
        (LINK, "bert"): 403,
        (LINK, "sam"): 200,
        (LINK, None): 401,
        ("/v1/accounts/spare/E1/link", "sam"): 403,
        (UNLINK, "vera"): 403,
        (UNLINK, "sam"): 409,
        ("/v1/accounts/spare/E1/unlink", "sam"): 403,
    }
    for (path, who), status in may.items():
        body = wanted if path.endswith("/link") else WHY
        assert omar.post(path, who, body).status_code == status, (path, who)
    for path, body in ((REKEY, {**LOOK, "to": "P-1"}), (MERGE, {**LOOK, "into": "E1"})):
        assert [omar.post(path, who, body).status_code for who in ("bert", "sam")] == [403, 403]
    asked = {entry["what"] for entry in omar.rig.audit("operator:access:refused")}
    assert {"identity:rekey:E1", "identity:merge:E1:E1", "account:link:E1:awx"} <= asked


def test_who_and_what_is_unknown_is_said(omar: Office) -> None:
    for path, body in (
        ("/v1/accounts/awx/E9/link", {**LOOK, "id": "3"}),
        ("/v1/accounts/nowhere/E1/link", {**LOOK, "id": "3"}),
        ("/v1/accounts/awx/E9/unlink", WHY),
        ("/v1/people/E9/rekey", {**LOOK, "to": "P-1"}),
        ("/v1/people/E9/merge", {**LOOK, "into": "E1"}),
        (MERGE, {**LOOK, "into": "E9"}),
    ):
        assert omar.post(path, "alice", body).status_code == 404, path
    assert omar.post(REKEY, "alice", {**WHY, "to": " P-1"}).status_code == 422


def test_a_rekeyed_person_is_found_by_either_number_and_nothing_is_sent(office: Office) -> None:
    office.rig.say("E1", ANNA)
    office.rig.fold()
    shown = told(answers.Rekeyed, look(office, REKEY, to="P-1"))
    assert (shown["subject"], shown["alias"], shown["done"]) == ("P-1", "E1", False)
    assert office.get("/v1/people/P-1").status_code == 404
    done = office.post(REKEY, "alice", {**WHY, "to": "P-1"}, key="k").json()
    assert done == {**shown, "done": True}
    assert {office.get(f"/v1/people/{name}").json()["subject"] for name in ("E1", "P-1")} == {"P-1"}
    again = office.post(REKEY, "alice", {**WHY, "to": "P-2"})
    assert (again.status_code, "alias of P-1" in again.json()["detail"]) == (409, True)
    assert decided(office, "identity:rekey:rekeyed")[0][1:] == ("operator:alice", "ticket 4711")
    assert refusals(office, "identity:rekey") == ["alias"]


def test_people_are_shown_and_then_merged_and_go_on_with_their_account(
    rehired: Office, awx_target: ReferenceTarget
) -> None:
    anna, before = id_of(awx_target, "anna.berg"), len(bodies(awx_target))
    shown = told(answers.Merged, look(rehired, MERGE, into="E2"))
    assert (shown["from"], shown["into"], shown["leaver"], shown["done"]) == ("E1", "E2", False, False)
    awx, _ = shown["accounts"]
    assert awx == {"target": "awx", "from": anna, "into": None, "fate": "moves"}
    assert rehired.get("/v1/people/E1").json()["subject"] == "E1"
    said = {**WHY, "into": "E2", "hash": shown["hash"]}
    done = rehired.post(MERGE, "alice", said, key="k")
    assert told(answers.Merged, done.json()) == {**shown, "done": True}
    assert rehired.post(MERGE, "alice", said, key="k").json() == done.json()
    rehired.rig.work()
    assert rehired.rig.account("E2", "awx").remote_id == anna
    assert {"first_name": "Annika"}.items() <= bodies(awx_target)[before:][0].items()
    assert decided(rehired, "identity:merge:merged")[0][1:] == ("operator:alice", "ticket 4711")


def test_what_was_said_since_it_was_shown_is_not_merged(rehired: Office) -> None:
    """Also where it is of the person who goes."""
    for subject in ("E1", "E2"):
        shown = look(rehired, MERGE, into="E2")
        rehired.rig.say(subject, {"given_name": "Anneke"})
        rehired.rig.fold()
        stale = rehired.post(MERGE, "alice", {**WHY, "into": "E2", "hash": shown["hash"]})
        assert stale.status_code == 409
    assert rehired.post(MERGE, "alice", {**WHY, "into": "E2"}).status_code == 422
    assert rehired.get("/v1/people/E1").json()["subject"] == "E1"
    assert refusals(rehired, "identity:merge") == ["changed", "changed"]
