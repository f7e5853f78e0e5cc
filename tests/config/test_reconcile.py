"""When a target is reconciled: an expression and a zone that exist, and a share that means something."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.targets import Reconcile


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"schedule": "every night"}, "is not a cron expression of five fields"),
        ({"schedule": "60 2 * * *"}, "is not a cron expression of five fields"),
        ({"schedule": ""}, "is not a cron expression of five fields"),
        ({"schedule": "0 2 30 2 *"}, "is not a cron expression of five fields"),
        ({"timezone": "Berlin"}, "is not the IANA name of a time zone"),
        ({"policy": "mend"}, "'report' or 'repair'"),
        ({"least_seen": 0}, "greater than 0"),
        ({"jitter_s": -1}, "greater than or equal to 0"),
    ],
)
def test_what_could_never_run_is_refused(options: dict[str, Any], expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        Reconcile.model_validate(options)


@pytest.mark.parametrize("schedule", ["30 2 * * *", "0 6 * * mon-fri", "*/15 * * * *", "0 0 L * *"])
def test_the_usual_expressions_are_taken(schedule: str) -> None:
    assert Reconcile(schedule=schedule).schedule == schedule


def test_without_a_line_nothing_runs_and_nothing_is_repaired() -> None:
    assert (Reconcile().schedule, Reconcile().policy) == (None, "report")
