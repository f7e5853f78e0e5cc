"""Leavers who stay, and others who leave with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from connectors.sdk.declared.api import Api
from connectors.sdk.model import Outcome, OutcomeKind, Record
from tests.kit.broken.base import ACME, Tampered, both, broken, html, kind, leaves, misreads, said, status
from tests.kit.broken.samples import MODEST, ModestAcme

K: Final = OutcomeKind


def _deactivation(values: Mapping[str, Any]) -> bool:
    return values.get("enabled") is False


leaves(
    "leaver-is_deactivated",
    "False is left out of a change.",
    lambda values: {name: value for name, value in values.items() if name != "enabled" or value},
)
leaves(
    "leaver-comes_back",
    "Who left stays away.",
    lambda values: {name: value for name, value in values.items() if name != "enabled" or not value},
)
leaves(
    "leaver-keeps_everything_else",
    "Who leaves loses the teams.",
    lambda values: {**values, "teams": []} if _deactivation(values) else values,
)


@broken("leaver-still_active_is_not_applied")
class BelievesThatTheyLeft(Tampered):
    """Who is still active counts as gone."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = {}) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        left = _deactivation(changes) and outcome.kind is K.NOT_APPLIED
        return replace(outcome, kind=K.APPLIED) if left else outcome


# Demoted.


def _api(**changes: Any) -> Api:
    return replace(ACME.style.api, **changes)


@broken("leaver-loses_every_right")
class LeavesARight(Tampered):
    """A demotion forgets a right."""

    api: ClassVar[Api] = _api(demoted={"enabled": False})


@broken("leaver-keeps_who_it_is")
class TakesTheName(Tampered):
    """A demotion empties a name."""

    api: ClassVar[Api] = _api(demoted={"admin": False, "given_name": ""})


@broken("leaver-demoted_twice_is_demoted")
class TurnsFlags(Tampered):
    """A demotion turns the flag."""

    def demote(self, remote_id: str) -> Outcome:
        record = self.fetch(remote_id).record or {}
        return self._accounts.overwrite(remote_id, {"admin": not record.get("admin")}, self.api.secret())


@broken("leaver-gets_a_password_that_nobody_knows")
class HasOnePassword(Tampered):
    """A demotion sets a password that is written in the program."""

    api: ClassVar[Api] = _api(secret=lambda: {"password": "Correct-horse-7"})


@broken("leaver-the_password_stays_in_the_request")
class TellsThePassword(Tampered):
    """The answer to a demotion is told, with the password in it."""

    def demote(self, remote_id: str) -> Outcome:
        outcome = super().demote(remote_id)
        return replace(outcome, detail=self.last.body.decode())


@broken("leaver-a_right_that_stays_is_not_applied")
class BelievesInDemotion(Tampered):
    """Rights that still show count as gone."""

    def demote(self, remote_id: str) -> Outcome:
        outcome = super().demote(remote_id)
        return replace(outcome, kind=K.APPLIED) if outcome.kind is K.NOT_APPLIED else outcome


@broken("leaver-a_style_that_cannot_demote_sends_nothing", MODEST)
class DemotesNevertheless(ModestAcme):
    """A style without demotion takes rights away."""

    def demote(self, remote_id: str) -> Outcome:
        self._client.patch(f"/v1/people/{remote_id}/", {"admin": False})
        return super().demote(remote_id)


# Deleted.


@broken("leaver-is_deleted")
class DeletesANeighbour(Tampered):
    """The next account goes too."""

    def delete(self, remote_id: str) -> Outcome:
        outcome = super().delete(remote_id)
        if outcome.exchange.status == 204:
            self._client.delete(f"/v1/people/{int(remote_id) + 1}/")
        return outcome


@broken("leaver-a_lost_deletion_is_sent_once")
class DeletesAgain(Tampered):
    """A deletion without an answer is repeated."""

    def delete(self, remote_id: str) -> Outcome:
        outcome = super().delete(remote_id)
        return super().delete(remote_id) if outcome.exchange.status is None and outcome.detail else outcome


@broken("leaver-a_style_that_cannot_delete_sends_nothing", MODEST)
class DeletesNevertheless(ModestAcme):
    """A style without deletion deletes."""

    def delete(self, remote_id: str) -> Outcome:
        self._client.delete(f"/v1/people/{remote_id}/")
        return super().delete(remote_id)


@broken("leaver-a_style_that_cannot_delete_says_so", MODEST)
class SaysThatItDeleted(ModestAcme):
    """A style without deletion says that it had."""

    def delete(self, remote_id: str) -> Outcome:
        return replace(super().delete(remote_id), kind=K.APPLIED)


def _misreads(check: str, what: str, when: Any, to: OutcomeKind) -> None:
    misreads(check, what, both(lambda outcome, _answer: outcome.exchange.method == "DELETE", when), to)


_misreads(
    "leaver-deleted_twice_is_deleted",
    "Who is gone already is missing.",
    said("no such account any more"),
    K.MISSING,
)
_misreads(
    "leaver-a_page_that_is_not_found_deletes_nobody",
    "A proxy's 404 is a deletion.",
    both(status(404), html),
    K.APPLIED,
)
_misreads(
    "leaver-a_promised_deletion_is_ambiguous",
    "A promise to delete is a deletion.",
    status(200, 202),
    K.APPLIED,
)
_misreads(
    "leaver-a_lost_deletion_is_ambiguous",
    "A deletion without an answer was not sent.",
    both(status(None), kind(K.AMBIGUOUS)),
    K.UNREACHABLE,
)
