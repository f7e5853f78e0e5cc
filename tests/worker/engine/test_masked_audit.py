"""The audit says that a masked value changed, and not what it was; rights are shown whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tests.worker.engine.test_path import ANNA
from worker.domain.masking import LONGEST, MASKED
from worker.storage import tables

if TYPE_CHECKING:
    from tests.fixtures.targets import ReferenceTarget
    from tests.worker.engine.conftest import MakeRig
    from tests.worker.engine.rig import Rig

SOURCE = {
    "attributes": ["user_name", "given_name", "family_name", "email", "phone_number", "gender", "custom.*"]
}


def change(rig: Rig, field: str) -> dict[str, Any]:
    """What the newest intent says of a field."""
    changes = rig.audit("account:patch:intended")[-1]["changes"]
    (found,) = [item for item in changes if item["field"] == field]
    return dict(found)


def texts(rig: Rig) -> str:
    with rig.writer.connect() as connection:
        return "\n".join(connection.scalars(sa.select(tables.audit.c.text)))


def test_a_number_is_masked_and_its_change_is_not(
    make_rig: MakeRig, database_url: str, staff_users_target: ReferenceTarget
) -> None:
    rig = make_rig({"staff": staff_users_target}, database=database_url, source=SOURCE)
    rig.say("E1", {**ANNA, "phone_number": "+4915112345678", "gender": "non-binary"})
    rig.work()
    assert staff_users_target.users()["anna.berg"]["mobile_number"] == "+4915112345678"
    told = change(rig, "mobile_number")
    assert (told["after"], told["changed"]) == (MASKED, True)
    assert change(rig, "gender")["after"] == MASKED
    assert "4915112345678" not in texts(rig)
    assert "non-binary" not in texts(rig)


def test_a_field_is_masked_by_its_name_or_by_an_attribute_it_shows(make_rig: MakeRig) -> None:
    masked = {"masked": ["last_name", "custom.*"]}
    mapping = {"first_name": "custom.nick"}
    rig = make_rig(audit=masked, options={"awx": {"mapping": mapping}})
    rig.say("E1", {**ANNA, "custom": {"nick": "Annika"}})
    rig.work()
    rig.say("E1", {"family_name": "Bergman", "email": "anna@example.org"})
    rig.work()
    (first, second) = rig.audit("account:patch:intended")
    assert [(item["field"], item["after"]) for item in first["changes"]] == [("first_name", MASKED)]
    assert {item["field"]: item["after"] for item in second["changes"]} == {
        "email": "anna@example.org",
        "last_name": MASKED,
    }


def test_a_long_value_keeps_its_beginning_and_a_digest(
    make_rig: MakeRig, authentik_target: ReferenceTarget
) -> None:
    mapping = {"attributes.note": "custom.note", "groups": ""}
    rig = make_rig(
        {"authentik": authentik_target}, options={"authentik": {"mapping": mapping}}, source=SOURCE
    )
    rig.say("E1", {**ANNA, "custom": {"note": "long " * LONGEST}})
    rig.work()
    after = change(rig, "attributes.note")["after"]
    assert after.startswith("long long ")
    assert f"({5 * LONGEST} characters, sha256 " in after
    assert len(after) < LONGEST
