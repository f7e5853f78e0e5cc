"""What AWX leaves to somebody else is held with the way out, and the rest of the person goes on."""

from __future__ import annotations

from typing import Any

from tests.fixtures.targets import DEFAULT_TOKENS, DEFAULT_USERS, ReferenceTarget
from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.rig import Rig
from worker.storage.queries import held

LENA: dict[str, Any] = {"id": 7, "username": "lena", "email": "lena@example.com", "ldap_dn": "cn=lena"}
KNOWN = {"user_name": "lena", "email": "lena@example.com"}
SAID = {**KNOWN, "given_name": "Lou", "family_name": "Moss", "email": "lou@example.com"}
LDAP = {
    "AUTH_LDAP_SERVER_URI": "ldap://ldap.example.com",
    "AUTH_LDAP_USER_ATTR_MAP": {"first_name": "givenName", "email": "mail"},
}
GATEWAY = {"ALLOW_LOCAL_RESOURCE_MANAGEMENT": False}


def told(make_rig: MakeRig, target: ReferenceTarget, options: dict[str, Any], *people: str) -> Rig:
    more = [_account(place, name) for place, name in enumerate(people, 10)]
    target.reset([*DEFAULT_USERS, LENA, *more], DEFAULT_TOKENS, options)
    rig = make_rig({"awx": target})
    rig.say("E1", KNOWN)
    rig.work(20)
    rig.say("E1", SAID)
    for account in more:
        known = {"user_name": account["username"], "email": account["email"]}
        rig.say(f"E{account['id']}", {**known, "given_name": "New"})
    rig.work(20)
    return rig


def _account(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "username": name, "email": f"{name}@example.com"}


def reasons(rig: Rig) -> dict[str, str]:
    """As `hirewire held` shows them."""
    with rig.writer.connect() as connection:
        return {item.field: item.message for item in held(connection, None, 100) if item.subject == "E1"}


def test_what_ldap_manages_is_held_and_the_rest_is_sent(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = told(make_rig, awx_target, LDAP)
    messages = reasons(rig)
    assert set(messages) == {"first_name", "email"}
    assert 'disown the field at this target (`mapping.email = ""`)' in messages["email"]
    assert awx_target.users()["lena"]["last_name"] == "Moss"


def test_what_a_gateway_manages_is_held_field_by_field_and_pauses_nobody(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    rig = told(make_rig, awx_target, GATEWAY, "mia", "noa", "tim", "uwe")
    messages = reasons(rig)
    assert set(messages) == {"first_name", "last_name", "email"}
    assert all(
        "AWX leaves it to the platform gateway: change it there," in each for each in messages.values()
    )
    assert rig.actions("target:pause") == []
    assert len(awx_target.writes()) == 3 + 4


def test_the_id_of_each_request_stands_in_the_audit_also_where_nobody_answered(
    make_rig: MakeRig, awx_target: ReferenceTarget
) -> None:
    awx_target.reset([*DEFAULT_USERS, LENA], DEFAULT_TOKENS)
    awx_target.faults([{"method": "PATCH", "fault": {"kind": "drop_before"}}])
    rig = make_rig({"awx": awx_target})
    rig.say("E1", {**KNOWN, "given_name": "Lou"})
    rig.work(20)
    outcomes = [record for record in rig.audit("account:patch:") if record.get("remote_request")]
    assert {record["action"].rpartition(":")[2] for record in outcomes} == {"ambiguous", "applied"}
    assert all(record["remote_request"] == record["request"] for record in outcomes)
