"""Changes that send too much, too little or something else, and comparisons that are none."""

# ruff: noqa: ARG002 - a place to break it at has the same arguments in every connector
from __future__ import annotations

import html
import json
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from connectors.sdk.fields import FieldType, Null
from connectors.sdk.model import Json, Outcome, OutcomeKind, Record, Rejection
from tests.kit.broken.base import NONE, Tampered, broken, every_text, leaves
from tests.kit.broken.samples import MINE, OBJECTS, PORTRAITS, MyAcme, ObjectAcme, PortraitAcme

K: Final = OutcomeKind
BETWEEN_S: Final = 0.05
RARE: Final = 0x30000


class Changes(Tampered):
    """Changes accounts in its own way."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        return self.changed(remote_id, changes, super().patch)

    def changed(self, remote_id: str, changes: Record, sound: Callable[[str, Record], Outcome]) -> Outcome:
        return sound(remote_id, changes)

    def bare(self, remote_id: str, values: Mapping[str, Json]) -> None:
        """A change that nobody looked at."""
        self._client.patch(f"/v1/people/{remote_id}/", values)


Sound = Callable[[str, Record], Outcome]

# What leaves.


@broken("patch-only_owned_fields")
class SendsWhatItRead(Changes):
    """A field that was only read is sent along."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        record = self.fetch(remote_id).record
        if not changes or record is None or "contract" not in record:
            return sound(remote_id, changes)
        return sound(remote_id, {"contract": record["contract"], **changes})


@broken("patch-no_change_sends_nothing")
class SendsNothingAtAll(Changes):
    """No change is sent as an empty one."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        if not changes:
            self.bare(remote_id, {})
        return sound(remote_id, changes)


@broken("patch-a_wrong_value_keeps_all_from_leaving")
class SendsTheRest(Changes):
    """What is good of a change is sent, and the whole is refused."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        good = {name: value for name, value in changes.items() if name not in outcome.fields}
        if outcome.kind is K.REJECTED and outcome.exchange.status is None and good and outcome.fields:
            self.bare(remote_id, good)
        return outcome


@broken("patch-a_refusal_names_the_wrong_value_alone")
class RefusesAllFields(Changes):
    """One wrong value refuses every field of a change."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        if outcome.exchange.status is not None or not outcome.fields:
            return outcome
        return replace(outcome, fields=dict.fromkeys(changes, Rejection("refused")))


class Sends(Changes):
    """Sends what has to be refused, and refuses it afterwards."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        if outcome.kind is K.REJECTED and outcome.exchange.status is None and remote_id.isdigit():
            wrong = {name: value for name, value in changes.items() if self.lets_pass(name, value)}
            if wrong:
                self.bare(remote_id, wrong)
        return outcome

    def lets_pass(self, name: str, value: Json) -> bool:
        del name, value
        return False


@broken("patch-a_read_only_field_is_refused")
class SendsReadOnly(Sends):
    """What is read-only is sent, and ignored."""

    def lets_pass(self, name: str, value: Json) -> bool:
        field = self._accounts.fields.get(name)
        return field is not None and field.read_only


@broken("patch-a_forbidden_field_is_refused")
class SendsAPassword(Sends):
    """A password of HR's is sent."""

    def lets_pass(self, name: str, value: Json) -> bool:
        return name == "password"


@broken("patch-an_unknown_field_is_refused")
class SendsUnknown(Sends):
    """What is no field is sent."""

    def lets_pass(self, name: str, value: Json) -> bool:
        return name not in self._accounts.fields


@broken("patch-what_is_too_long_is_refused")
class SendsTooMuch(Sends):
    """What is too long is sent."""

    def lets_pass(self, name: str, value: Json) -> bool:
        field = self._accounts.fields.get(name)
        limit = None if field is None else field.max_length
        return limit is not None and isinstance(value, str) and len(value) > limit


@broken("patch-a_word_is_no_truth_value")
class SendsWords(Sends):
    """A word is sent for a flag."""

    def lets_pass(self, name: str, value: Json) -> bool:
        field = self._accounts.fields.get(name)
        return field is not None and field.type is FieldType.BOOLEAN and isinstance(value, str)


@broken("patch-what_cannot_be_cleared_is_refused")
class ClearsAnything(Sends):
    """Null is sent for what has to hold something."""

    def lets_pass(self, name: str, value: Json) -> bool:
        field = self._accounts.fields.get(name)
        return value is None and field is not None and field.null_as is Null.REFUSE


@broken("patch-an_unknown_name_in_a_set_is_refused")
class LeavesUnknownNamesOut(Changes):
    """A team that nobody knows is left out."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        teams = changes.get("teams")
        if "teams" not in outcome.fields or not isinstance(teams, list):
            return outcome
        return sound(remote_id, {**changes, "teams": [name for name in teams if "No such" not in str(name)]})


@broken("patch-what_just_fits_is_sent")
class CountsBytes(Changes):
    """A limit counts bytes."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        limits = {row.name: row.max_length for row in self.descriptor.fields if row.max_length}
        long = [
            name
            for name, value in changes.items()
            if isinstance(value, str) and len(value.encode("utf-8", "replace")) > limits.get(name, 1000)
        ]
        if not long:
            return sound(remote_id, changes)
        refused = dict.fromkeys(long, "is too long")
        return self._accounts.refused("PATCH", remote_id, refused, "nothing was sent")


leaves(
    "patch-a_truth_value_leaves_as_one",
    "Flags are numbers.",
    lambda values: {name: int(value) if isinstance(value, bool) else value for name, value in values.items()},
)
leaves(
    "patch-a_truth_value_leaves_as_one",
    "A flag goes with a word of why.",
    lambda values: {**values, "why": "HR"} if {bool} & set(map(type, values.values())) else values,
    name="ExplainsFlags",
)
leaves(
    "patch-a_number_leaves_as_one",
    "Numbers are texts.",
    lambda values: {name: str(value) if type(value) is int else value for name, value in values.items()},
)


@broken("patch-another_subject_is_refused", MINE)
class ChangesTheOwner(MyAcme):
    """Whoever is meant, the owner is changed."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        del remote_id, digests
        return self._accounts.patch(self._me.read()[1] or "", changes)


# What is left alone.

leaves(
    "patch-what_is_not_named_stays",
    "A key that no field names is emptied.",
    lambda values: {**values, "desk": ""},
)


@broken("patch-nobody_else_changes")
class ChangesANeighbour(Changes):
    """The next account is changed too."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        if outcome.kind is K.APPLIED:
            self.bare(str(int(remote_id) + 1), changes)
        return outcome


@broken("patch-a_set_becomes_what_was_sent")
class OnlyAdds(Changes):
    """What a set no longer names stays."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        teams, record = changes.get("teams"), self.fetch(remote_id).record
        held = record.get("teams") if record else None
        if not teams or not isinstance(teams, list) or not isinstance(held, list):
            return sound(remote_id, changes)
        return sound(remote_id, {**changes, "teams": [*held, *teams]})


@broken("patch-a_set_that_was_read_can_be_sent_back")
class NamesItCannotRead(Tampered):
    """Members of a set are shown by names that nobody understands."""

    def judged(self, outcome: Outcome) -> Outcome:
        teams = (outcome.record or {}).get("teams")
        if outcome.exchange.method != "GET" or not isinstance(teams, list) or outcome.record is None:
            return outcome
        return replace(outcome, record={**outcome.record, "teams": [f"team {name}" for name in teams]})


@broken("patch-twice_is_once")
class RefusesWhatIsThere(Changes):
    """A change that is there already is a conflict."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        record = self.fetch(remote_id).record or {}
        outcome = sound(remote_id, changes)
        there = all(record.get(name) == value for name, value in changes.items())
        return replace(outcome, kind=K.CONFLICT) if there and outcome.kind is K.APPLIED else outcome


@broken("patch-values_are_kept_apart")
class KeepsTheLastChange(Changes):
    """A change is kept in the connector until it is sent."""

    pending: Record = NONE

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        self.pending = changes
        time.sleep(BETWEEN_S)
        return sound(remote_id, self.pending)


@broken("patch-answers_are_kept_apart")
class ComparesWithTheLastChange(Changes):
    """An answer is held against what was sent last."""

    pending: Record = NONE

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        self.pending = changes
        outcome = sound(remote_id, changes)
        if outcome.kind is K.APPLIED and self.pending is not changes:
            return replace(outcome, kind=K.NOT_APPLIED)
        return outcome


@broken("patch-a_clash_changes_nothing")
class TriesAnotherName(Changes):
    """A name that is taken is tried with a number."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        taken = [name for name, refusal in outcome.fields.items() if refusal.unique]
        if not taken:
            return outcome
        self.bare(remote_id, {**changes, **{name: f"{changes[name]}2" for name in taken}})
        return outcome


@broken("patch-nobody_is_made_by_a_change")
class MakesWhoIsMissing(Changes):
    """Who is not there is made."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        if outcome.kind is K.MISSING and "no such thing" in outcome.detail:
            self._client.post("/v1/people/", {"login": f"new{remote_id}", **changes})
        return outcome


# What becomes of a value.

leaves(
    "patch-every_field_can_be_changed",
    "A date leaves without its time.",
    lambda values: {**values, "hired_at": values["hired_at"][:10]} if values.get("hired_at") else values,
)
leaves(
    "patch-null_is_null",
    "Null is left out of a change.",
    lambda values: {name: value for name, value in values.items() if value is not None},
)
leaves(
    "patch-null_is_empty",
    "An empty text leaves as null.",
    lambda values: {name: None if value == "" else value for name, value in values.items()},
)
leaves(
    "patch-all_letters_arrive",
    "Letters beyond Latin-1 are question marks.",
    every_text(
        lambda text: text.encode("latin-1", "replace").decode("latin-1") if "\u0308" not in text else text
    ),
)
leaves(
    "patch-letters_are_not_composed_anew",
    "Letters are composed before they leave.",
    every_text(lambda text: unicodedata.normalize("NFC", text)),
)
leaves(
    "patch-blanks_inside_stay",
    "Blanks are drawn together.",
    every_text(lambda text: " ".join(text.split())),
)
leaves("patch-signs_of_markup_arrive", "Signs of markup leave as escapes.", every_text(html.escape))
leaves(
    "patch-whatever_is_valid_arrives",
    "Signs that are rare are left out.",
    every_text(lambda text: "".join(sign for sign in text if ord(sign) < RARE)),
)


@broken("patch-all_fields_can_be_changed_at_once")
class StumblesOverMany(Changes):
    """Of many fields it does not say whether they are there."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        many = len(changes) == len([row for row in self.descriptor.fields if not row.read_only]) - 1
        return replace(outcome, kind=K.UNVERIFIED) if many and outcome.kind is K.APPLIED else outcome


@broken("patch-blanks_at_the_ends_go")
class KeepsBlanks(Changes):
    """Blanks at the ends are meant."""

    def encode(self, name: str, value: Json) -> Json:
        encoded = super().encode(name, value)
        return value if name == "given_name" and isinstance(value, str) and value.strip() else encoded

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        padded = any(isinstance(value, str) and value != value.strip() for value in changes.values())
        return replace(outcome, kind=K.NOT_APPLIED) if padded and outcome.kind is K.APPLIED else outcome


class Compares(Changes):
    """Compares what was sent with what the answer shows in its own way."""

    def changed(self, remote_id: str, changes: Record, sound: Sound) -> Outcome:
        outcome = sound(remote_id, changes)
        if outcome.kind not in {K.APPLIED, K.NOT_APPLIED}:
            return outcome
        body: dict[str, Any] = json.loads(self.last.body)
        kinds = [
            kind for name, value in changes.items() if (kind := self.compared(name, value, body.get(name)))
        ]
        return replace(outcome, kind=kinds[0], wrong=()) if kinds else outcome

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        """What this pair makes of the outcome; None where the sound connector decides."""
        del name, sent, shown
        return None


@broken("patch-another_case_is_another_value")
class ComparesSmallLetters(Compares):
    """Texts are compared without case."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        texts = isinstance(sent, str) and isinstance(shown, str)
        return K.APPLIED if texts and sent.lower() == shown.lower() else None


@broken("patch-a_part_is_not_the_whole")
class ComparesBeginnings(Compares):
    """Five letters that agree are enough."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        texts = isinstance(sent, str) and isinstance(shown, str)
        return K.APPLIED if texts and len(shown) == 5 and sent.startswith(shown) else None


@broken("patch-applied_exactly_when_it_shows")
class BelievesDigits(Compares):
    """A short text with a digit in it is believed."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        digits = isinstance(sent, str) and sent.startswith("zq") and any(map(str.isdigit, sent))
        return K.APPLIED if digits else None


@broken("patch-the_order_of_a_set_says_nothing")
class ComparesLists(Compares):
    """Sets are compared as lists."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        return K.NOT_APPLIED if isinstance(shown, list) and shown != sorted(shown) else None


@broken("patch-the_same_moment_is_the_same")
class ComparesTimesAsTexts(Compares):
    """Times are compared as texts."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        return K.NOT_APPLIED if name == "hired_at" and shown != sent else None


@broken("patch-another_moment_is_another")
class ComparesDays(Compares):
    """Of a time the day counts."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        times = name == "hired_at" and isinstance(sent, str) and isinstance(shown, str)
        return K.APPLIED if times and sent[:10] == shown[:10] else None


@broken("patch-one_is_not_true")
class ComparesAsPythonDoes(Compares):
    """One is true."""

    def compared(self, name: str, sent: Any, shown: Any) -> OutcomeKind | None:
        return K.APPLIED if isinstance(sent, bool) and type(shown) is int and sent == shown else None


# What is replaced whole, and what no answer shows.


@broken("patch-other_members_of_a_container_stay", OBJECTS)
class SendsItsOwnKeysOnly(ObjectAcme):
    """An object that is replaced whole is sent with our keys only."""

    def others(self, remote_id: str) -> Mapping[str, Json]:
        del remote_id
        return {}


@broken("patch-content_arrives", PORTRAITS)
class SendsNoContent(PortraitAcme):
    """A picture is left out of a change."""

    def said(self, content: bytes) -> str | None:
        del content
        return None


@broken("patch-content_is_told_by_its_digest", PORTRAITS)
class DigestsTheReference(PortraitAcme):
    """The digest of a picture is that of its name."""

    def digest(self, reference: str) -> str:
        return sha256(reference.encode()).hexdigest()


@broken("patch-the_same_content_is_not_sent_again", PORTRAITS)
class SendsContentAgain(PortraitAcme):
    """A picture is sent with each change."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        return super().patch(remote_id, changes)


@broken("patch-other_content_is_sent", PORTRAITS)
class SendsContentOnce(PortraitAcme):
    """A picture that was sent is never replaced."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        reference = changes.get("portrait")
        known = {"portrait": self.digest(reference)} if digests and isinstance(reference, str) else digests
        return super().patch(remote_id, changes, known)


@broken("patch-lost_content_is_sent_again", PORTRAITS)
class TrustsTheDigest(PortraitAcme):
    """A picture that was sent is there for ever."""

    def is_lost(self, outcome: Outcome) -> bool:
        del outcome
        return False


@broken("patch-the_rest_leaves_without_the_content", PORTRAITS)
class DropsTheRest(PortraitAcme):
    """What changes beside a known picture is dropped."""

    def beside(self, changes: Record) -> dict[str, Json]:
        del changes
        return {}
