"""What the answers to a deletion mean."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from connectors.awx import AwxConnector
from connectors.django_admin import DjangoAdminConnector
from connectors.sdk.contract import ConnectorConfig, Credential
from connectors.sdk.model import OutcomeKind
from tests.fixtures.targets import ReferenceTarget


def awx(target: ReferenceTarget) -> AwxConnector:
    return AwxConnector(ConnectorConfig("awx", target.base_url, lambda: Credential("bearer", target.token)))


def test_a_deleted_account_is_gone_and_twice_is_once(awx_target: ReferenceTarget) -> None:
    connector = awx(awx_target)
    first, second = connector.delete("2"), connector.delete("2")
    assert (first.kind, first.exchange.status) == (OutcomeKind.APPLIED, HTTPStatus.NO_CONTENT)
    assert (second.kind, second.exchange.status) == (OutcomeKind.APPLIED, HTTPStatus.NOT_FOUND)
    assert set(awx_target.users()) == {"admin", "omar.haddad"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"id": 2, "username": "anna.berg"}, OutcomeKind.AMBIGUOUS),
        (202, {}, OutcomeKind.AMBIGUOUS),
        (403, {"detail": "This user may not be deleted."}, OutcomeKind.FORBIDDEN),
        (404, "<html>no such site</html>", OutcomeKind.AMBIGUOUS),
        (409, {"detail": "busy"}, OutcomeKind.CONFLICT),
        (500, {"detail": "oops"}, OutcomeKind.AMBIGUOUS),
    ],
)
def test_only_an_account_that_is_gone_is_deleted(
    awx_target: ReferenceTarget, status: int, body: object, kind: OutcomeKind
) -> None:
    html = {"headers": {"Content-Type": "text/html"}} if isinstance(body, str) else {}
    fault = {"kind": "status", "status": status, "body": body, **html}
    awx_target.faults([{"method": "DELETE", "fault": fault}])
    assert awx(awx_target).delete("2").kind is kind
    assert "anna.berg" in awx_target.users()


def test_who_cannot_delete_sends_nothing(django_admin_target: ReferenceTarget) -> None:
    config = ConnectorConfig(
        "admin", django_admin_target.base_url, lambda: Credential("token", django_admin_target.token)
    )
    assert DjangoAdminConnector(config).delete("2").kind is OutcomeKind.REJECTED
    assert awx(django_admin_target).delete("../2").kind is OutcomeKind.REJECTED
    assert django_admin_target.writes() == []
