"""A write that could outlast our lease on the account is not sent."""

from __future__ import annotations

import time

import pytest

from connectors.awx import AwxConnector
from connectors.sdk.contract import ConnectorConfig, Credential, Timeouts
from connectors.sdk.model import OutcomeKind
from connectors.sdk.rest import write_until
from tests.fixtures.targets import ReferenceTarget


@pytest.mark.parametrize(
    ("left_s", "kind"), [(1.0, OutcomeKind.UNREACHABLE), (60.0, OutcomeKind.APPLIED)], ids=["late", "in time"]
)
def test_a_write_is_sent_only_with_its_whole_deadline_left(
    awx_target: ReferenceTarget, left_s: float, kind: OutcomeKind
) -> None:
    config = ConnectorConfig(
        "awx", awx_target.base_url, lambda: Credential("bearer", awx_target.token), Timeouts(1, 2, 5)
    )
    until = write_until.set(time.monotonic() + left_s)
    try:
        outcome = AwxConnector(config).patch("2", {"first_name": "Annika"})
    finally:
        write_until.reset(until)
    assert outcome.kind is kind
    assert len(awx_target.writes()) == (kind is OutcomeKind.APPLIED)
