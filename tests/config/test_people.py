"""What a person's dates mean: zones that exist, meanings that are known."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from config.sections import People


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"])
def test_a_zone_that_exists_is_taken(name: str) -> None:
    assert People(timezone=name).timezone == name


@pytest.mark.parametrize("name", ["", "Europe", "Berlin", "../../etc/passwd", "/etc/localtime", "UTC+1"])
def test_a_zone_that_does_not_exist_is_refused_before_a_worker_starts(name: str) -> None:
    with pytest.raises(ValidationError, match="is not the IANA name of a time zone"):
        People(timezone=name)
