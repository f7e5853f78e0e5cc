"""What counts as drift, what it is put down to, and what a repair would send for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from connectors.sdk.fields import Field, FieldType, Null, encode
from connectors.sdk.model import Json
from tests.worker.domain.builders import FIELDS, NOW, POLICY
from worker.domain.account import Account, Hold, Reason
from worker.domain.drift import Cause, differences
from worker.domain.identity import Asserted, Identity
from worker.domain.mapping import compile_expression, compile_mapping
from worker.domain.person import View

HASH = "the mapping"
MORE = {
    "attributes.team": Field("attributes.team", FieldType.TEXT, "document", null_as=Null.EMPTY),
    "picture": Field("picture", FieldType.TEXT, "document", null_as=Null.NULL, opaque=True),
}
ALL = {**FIELDS, **MORE}
MAPPING = {
    "username": "user_name",
    "first_name": "given_name",
    "is_staff": "custom.staff",
    "attributes.team": "custom.team",
    "picture": "picture",
}
SAID: dict[str, Json] = {"user_name": "mira", "given_name": "Mira"}
SHOWN: dict[str, Json] = {"username": "mira", "first_name": "Mira", "is_staff": False}


def encoded(name: str, value: Json, /) -> Json:
    return encode(ALL[name], value)


def found(
    listed: dict[str, Json], *, scope: str | None = None, more: dict[str, Json] | None = None, **known: Any
) -> list[tuple[str, Cause, bool]]:
    """Field, cause, and whether it would be mended; the account was right when we last looked."""
    said = {name: Asserted(value, "1", 1, 1, "hr") for name, value in {**SAID, **(more or {})}.items()}
    start = Account(1, 1, 1, remote_id="7", applied_revision=1, observed=SHOWN, mapping_hash=HASH)
    mapping = {
        name: text for name, text in MAPPING.items() if name in listed or name in known.get("maps", ())
    }
    account = replace(start, **{name: value for name, value in known.items() if name != "maps"})
    view = View(compile_mapping(mapping), compile_expression(scope) if scope else None, "username", encoded)
    policy = replace(POLICY, fields=ALL)
    seen = differences(account, Identity("E1", 1, said), view, policy, HASH, listed, NOW)
    return [(one.field, one.cause, one.mends) for one in seen]


def test_what_is_as_hr_says_is_no_drift() -> None:
    assert found(SHOWN) == []
    assert found({**SHOWN, "first_name": " Mira "}) == []  # normalised as every answer is


def test_what_was_right_and_is_not_any_more_was_changed() -> None:
    assert found({**SHOWN, "first_name": "Mirjam"}) == [("first_name", Cause.CHANGED, True)]


def test_what_shows_as_it_always_did_was_never_applied() -> None:
    observed = {**SHOWN, "first_name": "Mirjam"}
    listed = {**SHOWN, "first_name": "Mirjam"}
    assert found(listed, observed=observed) == [("first_name", Cause.NEVER, True)]
    assert found(listed, observed=None, applied_revision=0) == [("first_name", Cause.NEVER, True)]
    assert found(listed, observed=observed, mapping_hash="another") == [("first_name", Cause.MAPPING, False)]


@pytest.mark.parametrize("name", ["first_name", "@account", "@fault"])
def test_what_is_held_waits(name: str) -> None:
    held = {name: Hold(Reason.REJECTED, "no", "", NOW)}
    assert [cause for _, cause, _ in found({**SHOWN, "first_name": "Mirjam"}, held=held)] == [Cause.HELD]


def test_a_right_that_was_taken_outside_is_drift_that_a_denied_grant_does_not_mend() -> None:
    said: dict[str, Json] = {"custom.staff": True}
    observed = {**SHOWN, "is_staff": True}
    assert found(SHOWN, more=said, observed=observed) == [("is_staff", Cause.CHANGED, False)]


def test_what_a_listing_does_not_show_is_not_compared() -> None:
    assert found({"username": "mira"}, maps=("first_name",)) == []


def test_a_key_that_is_gone_from_a_container_that_is_listed_is_drift() -> None:
    said: dict[str, Json] = {"custom.team": "North"}
    observed = {**SHOWN, "attributes.team": "North"}
    gone = {**SHOWN, "attributes.other": "x"}
    assert found(SHOWN, more=said, observed=observed, maps=("attributes.team",)) == []
    seen = found(gone, more=said, observed=observed, maps=("attributes.team",))
    assert [(name, cause) for name, cause, _ in seen] == [("attributes.team", Cause.CHANGED)]


def test_of_a_picture_only_that_its_address_moved_can_be_seen() -> None:
    said: dict[str, Json] = {"picture": "https://hr.example.com/mira.png"}
    observed = {**SHOWN, "picture": "/media/1.png"}
    assert found({**SHOWN, "picture": "/media/1.png"}, more=said, observed=observed) == []
    seen = found({**SHOWN, "picture": "/media/2.png"}, more=said, observed=observed)
    assert [(name, cause) for name, cause, _ in seen] == [("picture", Cause.CHANGED)]


def test_who_is_out_of_scope_is_not_compared() -> None:
    assert found({**SHOWN, "first_name": "Mirjam"}, scope="given_name == 'Nobody'") == []
