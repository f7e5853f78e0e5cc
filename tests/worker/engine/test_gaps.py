"""Gaps in the `sequence` of a source that publishes to the broker are told until they are filled."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.worker.engine.conftest import MakeRig
from tests.worker.engine.crowd import alarms
from tests.worker.engine.rig import Rig

COUNTING = {"ingest": True, "order": "integer"}


def numbered(rig: Rig, number: int) -> dict[str, Any]:
    return {**rig.event("E1", {"user_name": "anna"}), "id": f"n{number}", "sequence": str(number)}


def publish(rig: Rig, *numbers: int) -> None:
    for number in numbers:
        rig.runtime.ingest([numbered(rig, number)], {})


def missing(rig: Rig) -> list[int]:
    with rig.runtime.store.begin() as tx:
        found = tx.sequences.older(tx.now + 1)
    return [number for gap in found for number in range(gap.first, gap.last + 1)]


def test_a_gap_is_an_alarm_until_what_is_missing_was_sent_again(make_rig: MakeRig, database_url: str) -> None:
    rig = make_rig(source=COUNTING, engine={"gap_alarm_s": 0.01}, database=database_url)
    publish(rig, 7, 8, 12)
    assert missing(rig) == [9, 10, 11]
    rig.runtime.stopping.wait(0.05)
    rig.runtime.relay.run()
    assert alarms(rig) == ["sequence_gap"]
    rig.accept(numbered(rig, 10))  # by another way in
    publish(rig, 11, 9, 9)
    rig.runtime.relay.run()
    assert (missing(rig), alarms(rig)) == ([], [])
    assert [one["action"] for one in rig.audit("sequence:")] == [
        "sequence:gap:opened",
        "sequence:gap:closed",
        "sequence:gap:closed",
        "sequence:gap:closed",
    ]


def test_a_young_gap_is_no_alarm_and_an_old_one_is_given_up(make_rig: MakeRig) -> None:
    rig = make_rig(source=COUNTING, engine={"gap_kept_s": 0.3})
    publish(rig, 1, 3)
    rig.runtime.relay.run()
    assert (alarms(rig), missing(rig)) == ([], [2])
    rig.runtime.stopping.wait(0.4)
    rig.runtime.relay.run()
    assert (missing(rig), rig.actions("sequence:gap:given_up")) == ([], ["sequence:gap:given_up"])


def test_numbers_that_count_nothing_are_not_watched(make_rig: MakeRig) -> None:
    rig = make_rig(source={**COUNTING, "report_gaps": False})
    publish(rig, 1, 9)
    assert missing(rig) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(came=st.lists(st.integers(0, 30), min_size=1, max_size=40), size=st.integers(1, 5))
def test_what_is_missing_is_what_lies_between_and_did_not_come(rig: Rig, came: list[int], size: int) -> None:
    source = json.dumps([came, size])  # rows of its own for each example
    with rig.runtime.store.begin() as tx:
        for start in range(0, len(came), size):
            tx.sequences.note(source, came[start : start + size], tx.now)
        found = [gap for gap in tx.sequences.older(tx.now + 1) if gap.source == source]
    absent = {number for gap in found for number in range(gap.first, gap.last + 1)}
    first = min(came[:size])
    assert absent == set(range(first, max(came))) - set(came)
