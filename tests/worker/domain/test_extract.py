"""From an event's data to assertions: attributes as sent, or a vendor's payload through a mapping."""

from __future__ import annotations

import pytest

from connectors.sdk.model import Json
from worker.domain.extract import Mapped, as_sent
from worker.domain.strict_json import RefusedError


def test_the_keys_of_data_are_attributes_and_custom_may_be_an_object() -> None:
    data: dict[str, Json] = {"email": "a", "custom.desk": 1, "custom": {"badge": 7}}
    assert as_sent(data) == {"email": "a", "custom.desk": 1, "custom.badge": 7}


def test_custom_that_is_no_object_is_refused() -> None:
    with pytest.raises(RefusedError) as caught:
        as_sent({"custom": [1]})
    assert caught.value.refusal.pointer == "/data/custom"


def test_a_key_that_a_vendor_left_out_says_nothing_and_a_null_clears() -> None:
    mapped = Mapped.compile({"email": "contact.mail", "title": "jobs[0].name", "given_name": "first"})
    assert mapped({"contact": {"mail": "a@example.com"}}) == {"email": "a@example.com"}
    assert mapped({"contact": None, "first": "Mira"}) == {"email": None, "given_name": "Mira"}
    assert mapped({"jobs": [{"name": "Captain"}]}) == {"title": "Captain"}


def test_an_expression_over_several_keys_needs_one_of_them() -> None:
    mapped = Mapped.compile({"display_name": "join_present([first, last], ' ')"})
    assert mapped({"other": 1}) == {}
    assert mapped({"last": "Berg"}) == {"display_name": "Berg"}


def test_a_failing_expression_refuses_the_event() -> None:
    with pytest.raises(RefusedError) as caught:
        Mapped.compile({"email": "lower(mail)"})({"mail": 7})
    assert caught.value.refusal.pointer == "/data"
    assert caught.value.refusal.reason.startswith("mapping of email: ")
