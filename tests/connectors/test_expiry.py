"""When a token ends, of which only the tokens of its owner are known."""

from __future__ import annotations

import pytest

from connectors.sdk.expiry import is_over, sole_expiry

PAST, FUTURE = "2001-01-01T00:00:00Z", "2999-12-31T23:00:00.25+01:00"


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ([FUTURE], "2999-12-31T22:00:00Z"),
        ([PAST, FUTURE, PAST], "2999-12-31T22:00:00Z"),
        ([None], "never"),
        ([PAST, None], "never"),
        ([], None),
        ([PAST], None),
        ([FUTURE, None], None),
        ([FUTURE, FUTURE], None),
        (["some day"], None),
        ([7], None),
    ],
)
def test_the_end_of_the_only_token_that_lives_is_known_and_no_other(
    ends: list[object], told: str | None
) -> None:
    assert sole_expiry(ends) == told


def test_a_token_is_over_from_its_very_end_on() -> None:
    assert [is_over(end) for end in (PAST, FUTURE, None, "some day", 7)] == [True, False, False, False, False]
