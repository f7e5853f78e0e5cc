"""Accounts that are made wrongly, twice, or not told of."""

# ruff: noqa: ARG002 - a place to break it at has the same arguments in every connector
from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from connectors.sdk.model import Json, Outcome, OutcomeKind, Record
from tests.kit.broken.base import Tampered, both, broken, misreads, status
from tests.kit.broken.samples import MODEST, ModestAcme

K: Final = OutcomeKind
Sound = Callable[[Record], Outcome]


class Makes(Tampered):
    """Makes accounts in its own way."""

    def create(self, values: Record) -> Outcome:
        return self.made(values, super().create)

    def made(self, values: Record, sound: Sound) -> Outcome:
        return sound(values)

    def bare(self, values: Mapping[str, Json]) -> None:
        """A creation that nobody looked at."""
        self._client.post("/v1/people/", values)


@broken("create-the_new_account_is_named")
class CallsItByItsLogin(Makes):
    """The id of a new account is its login."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        return replace(outcome, remote_id=str(values.get("login"))) if outcome.remote_id else outcome


@broken("create-it_holds_what_was_given")
class LeavesSomethingOut(Makes):
    """A value is left out of a new account."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        return sound({name: value for name, value in values.items() if name != "phone"})


@broken("create-the_record_is_that_of_fetch")
class TellsNothingOfIt(Makes):
    """A new account has no record."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        return replace(sound(values), record=None)


@broken("create-a_value_that_was_not_taken_is_seen")
class TellsWhatItSent(Makes):
    """The record of a new account is what was sent."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        return replace(outcome, record={**outcome.record, **values}) if outcome.record else outcome


@broken("create-one_write")
class FillsAfterwards(Makes):
    """A new account is made, and then filled."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        if outcome.remote_id is not None:
            self._client.patch(f"/v1/people/{outcome.remote_id}/", dict.fromkeys(("desk",), "1.1"))
        return outcome


class Tells(Makes):
    """Tells what a creation was answered."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        if not self.tells(outcome):
            return outcome
        return replace(outcome, detail=self.last.body.decode())

    def tells(self, outcome: Outcome) -> bool:
        del outcome
        return False


@broken("create-its_password_stays_in_the_request")
class TellsTheAnswer(Tells):
    """The answer to a creation is told, with the password in it."""

    def tells(self, outcome: Outcome) -> bool:
        return outcome.kind is K.APPLIED


@broken("create-a_refused_password_stays_in_the_request")
class TellsTheRefusal(Tells):
    """The refusal of a creation is told, with the password in it."""

    def tells(self, outcome: Outcome) -> bool:
        return outcome.exchange.status == 400


@broken("create-a_style_that_cannot_sends_nothing", MODEST)
class TriesToMake(ModestAcme):
    """A style that makes no accounts tries."""

    def create(self, values: Record) -> Outcome:
        self._client.post("/v1/people/", dict(values))
        return super().create(values)


@broken("create-a_style_that_cannot_says_so", MODEST)
class SaysThatItMade(ModestAcme):
    """A style that makes no accounts says that it had."""

    def create(self, values: Record) -> Outcome:
        return replace(super().create(values), kind=K.APPLIED)


def _misreads(check: str, what: str, when: Any, to: OutcomeKind | None = None, **changes: Any) -> None:
    posted = both(lambda outcome, _answer: outcome.exchange.method == "POST", when)
    misreads(check, what, posted, to, **changes)


@broken("create-a_taken_name_is_a_clash")
class KnowsNoClashOfNewcomers(Makes):
    """A taken name is a bad name for a new account."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        refused = {name: replace(refusal, unique=False) for name, refusal in outcome.fields.items()}
        return replace(outcome, fields=refused)


@broken("create-a_taken_name_changes_nobody")
class UpdatesTheHolder(Makes):
    """Whoever has the name gets the values."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        if any(refusal.unique for refusal in outcome.fields.values()):
            for match in self.find({"login": (str(values["login"]),)}).matches:
                self._client.patch(f"/v1/people/{match.remote_id}/", {"given_name": "Another"})
        return outcome


_misreads(
    "create-a_lost_answer_is_ambiguous",
    "A creation without an answer was not sent.",
    status(None),
    K.UNREACHABLE,
)


@broken("create-a_lost_answer_is_not_asked_for_again")
class MakesAgain(Makes):
    """A creation without an answer is repeated."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        outcome = sound(values)
        return sound(values) if "no answer" in outcome.detail else outcome


_misreads("create-an_answer_without_an_account_is_ambiguous", "201 is success.", status(201), K.APPLIED)
_misreads(
    "create-an_accepted_creation_is_ambiguous", "A promise to create is success.", status(202), K.APPLIED
)
_misreads(
    "create-a_missing_list_is_suspect", "404 to a creation is a missing account.", status(404), K.MISSING
)


class Drops(Makes):
    """What must not be sent is dropped, and the account is made."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        good = {name: value for name, value in values.items() if not self.dropped(name, value)}
        return sound(good)

    def dropped(self, name: str, value: Json) -> bool:
        del name, value
        return False


@broken("create-a_refused_value_sends_nothing")
class DropsBadValues(Drops):
    """A bad value is dropped, and the account is made without."""

    def dropped(self, name: str, value: Json) -> bool:
        return isinstance(value, str) and "\x00" in value


@broken("create-an_unknown_field_sends_nothing")
class DropsUnknownFields(Drops):
    """A field that nobody knows is dropped."""

    def dropped(self, name: str, value: Json) -> bool:
        return name not in self._accounts.fields


@broken("create-a_read_only_field_sends_nothing")
class DropsReadOnlyFields(Drops):
    """A read-only field is dropped."""

    def dropped(self, name: str, value: Json) -> bool:
        field = self._accounts.fields.get(name)
        return field is not None and field.read_only


@broken("create-no_values_send_nothing")
class MakesNobody(Makes):
    """An account without values is made of defaults."""

    def made(self, values: Record, sound: Sound) -> Outcome:
        if not values:
            self.bare({})
        return sound(values)
