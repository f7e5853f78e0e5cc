"""Answers that are misread, one at a time."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

from connectors.sdk.answers import Answer
from connectors.sdk.model import Outcome, OutcomeKind, Record, Rejection
from tests.kit.broken.base import (
    NONE,
    Tampered,
    answers,
    both,
    broken,
    header,
    html,
    kind,
    misreads,
    reading,
    said,
    status,
    without,
    writing,
)

K: Final = OutcomeKind

# No whole answer.

misreads(
    "outcomes-refused_connection_is_unreachable",
    "A refused connection may have been a write.",
    said("connection refused"),
    K.AMBIGUOUS,
)
misreads(
    "outcomes-unknown_name_is_unreachable",
    "A name that does not resolve is a suspect target.",
    said("does not resolve"),
    K.SUSPECT,
)
misreads(
    "outcomes-failed_handshake_is_suspect",
    "A TLS failure is a target that is away.",
    said("TLS handshake"),
    K.UNREACHABLE,
)
misreads(
    "outcomes-reset_is_ambiguous",
    "A connection that was reset was never made.",
    both(said("the connection was closed"), writing),
    K.UNREACHABLE,
)
misreads(
    "outcomes-answer_cut_in_its_headers_is_ambiguous",
    "An empty 200 without a type of content is success.",
    both(status(200), said("(0 bytes)"), without(header("content-type"))),
    K.APPLIED,
)
misreads(
    "outcomes-answer_cut_in_its_body_is_ambiguous",
    "What came of an answer is enough.",
    both(status(200), said("was cut"), without(header("transfer-encoding"))),
    K.APPLIED,
)
misreads(
    "outcomes-answer_cut_between_chunks_is_ambiguous",
    "The end of the connection is the end of the chunks.",
    both(status(200), said("was cut"), header("transfer-encoding")),
    K.APPLIED,
)


class Looks(Tampered):
    """After a write that nobody answered it looks itself."""

    shown: ClassVar[OutcomeKind] = K.AMBIGUOUS
    not_shown: ClassVar[OutcomeKind] = K.AMBIGUOUS

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        if "no answer" not in outcome.detail and "nothing came" not in outcome.detail:
            return outcome
        record = self.fetch(remote_id).record or {}
        done = all(record.get(name) == value for name, value in changes.items())
        return replace(outcome, kind=self.shown if done else self.not_shown)


@broken("outcomes-silence_before_the_effect_is_ambiguous")
class SaysNotAppliedTooSoon(Looks):
    """After silence it looks, and says not_applied of a write that may still land."""

    not_shown = K.NOT_APPLIED


@broken("outcomes-silence_after_the_effect_is_ambiguous")
class SaysAppliedOfSilence(Looks):
    """After silence it looks, and takes what it sees for its own doing."""

    shown = K.APPLIED


# Refusals.

REJECTED: Final = kind(K.REJECTED)
ANY: Final = {"given_name": Rejection("something is wrong")}


class Blames(Tampered):
    """Names the fields of a refusal in its own way."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        if outcome.kind is not K.REJECTED or outcome.exchange.status is None:
            return outcome
        return replace(outcome, fields=self.blamed(outcome, changes))

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del changes
        return outcome.fields


@broken("outcomes-refused_field_is_named")
class BlamesNobody(Blames):
    """Every refusal is of the whole request."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del outcome, changes
        return {}


@broken("outcomes-only_the_refused_field_is_named")
class BlamesAllThatWasSent(Blames):
    """A refusal that names a field holds everything that was sent."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        said_ = next(iter(outcome.fields.values()), None)
        return {} if said_ is None else dict.fromkeys(changes, said_)


@broken("outcomes-refusals_say_why")
class SaysOnlyThat(Blames):
    """Refusals lose the target's words."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del changes
        return {name: Rejection("refused", fault.unique) for name, fault in outcome.fields.items()}


@broken("outcomes-refusal_of_an_unsent_field_holds_nothing")
class BlamesTheUnsent(Blames):
    """A refusal of a field that was not sent holds it."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del changes
        body = json.loads(self.last.body)
        unsent = {name: Rejection(str(words)) for name, words in body.items() if name != "detail"}
        return {**unsent, **outcome.fields}


@broken("outcomes-refusal_without_a_name_holds_nothing")
class BlamesForNoName(Blames):
    """A refusal that names nobody holds everything that was sent."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        if "detail" not in json.loads(self.last.body):
            return outcome.fields
        return {name: Rejection(outcome.detail) for name in changes}


@broken("outcomes-taken_value_is_a_clash")
class KnowsNoClash(Blames):
    """A value that is taken is a bad value."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del changes
        return {name: replace(fault, unique=False) for name, fault in outcome.fields.items()}


@broken("outcomes-bad_value_is_no_clash")
class KnowsOnlyClashes(Blames):
    """Every refused value is taken by somebody."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del changes
        return {name: replace(fault, unique=True) for name, fault in outcome.fields.items()}


@broken("outcomes-details_are_short_lines")
class TellsPages(Blames):
    """The target's words are handed on as they came."""

    def blamed(self, outcome: Outcome, changes: Record) -> Mapping[str, Rejection]:
        del changes
        body = json.loads(self.last.body)
        return {name: replace(fault, message=str(body[name][0])) for name, fault in outcome.fields.items()}


misreads(
    "outcomes-unprocessable_is_refused",
    "422 is of the whole request.",
    status(422),
    fields={},
)
misreads(
    "outcomes-page_with_a_400_is_suspect",
    "A proxy's page with 400 refuses our values.",
    both(status(400), html),
    K.REJECTED,
)
misreads("outcomes-unauthorised_is_suspect", "401 refuses a value.", status(401), K.REJECTED)
misreads("outcomes-forbidden_is_forbidden", "403 is a bad token.", status(403), K.SUSPECT)
misreads(
    "outcomes-absent_account_is_missing",
    "410 and a 404 to a write are refused values.",
    both(status(404, 410), writing),
    K.REJECTED,
)
misreads(
    "outcomes-absent_account_is_missing_to_a_read",
    "A 404 to a read is a wrong address.",
    both(status(404), reading),
    K.SUSPECT,
)
misreads(
    "outcomes-refused_method_is_suspect",
    "405 refuses a value.",
    both(status(405), without(html)),
    K.REJECTED,
)
misreads(
    "outcomes-masked_fault_is_ambiguous",
    "A masked fault is a refused method.",
    both(status(405), html),
    K.SUSPECT,
)
misreads("outcomes-refused_type_is_suspect", "415 refuses a value.", status(415), K.REJECTED)
misreads("outcomes-conflict_is_a_conflict", "409 refuses a value.", status(409), K.REJECTED)
misreads(
    "outcomes-failed_precondition_is_a_conflict",
    "The table of conflicts knows 409 only.",
    status(412, 428),
    K.REJECTED,
)
misreads("outcomes-redirect_is_suspect", "A redirect says where it was done.", status(302), K.AMBIGUOUS)
misreads(
    "outcomes-servers_fault_is_ambiguous",
    "5xx to a write refuses a value.",
    both(status(500, 502, 504), writing),
    K.REJECTED,
)
misreads(
    "outcomes-servers_fault_is_ambiguous_to_a_read",
    "A read that fails at the server found nobody.",
    both(status(500, 502, 504), reading),
    K.MISSING,
)

# Successes.

WELL: Final = kind(K.APPLIED)

misreads("outcomes-shown_values_are_applied", "Nothing is applied before it is read.", WELL, K.UNVERIFIED)
misreads("outcomes-written_account_is_kept", "The answer to a write is not kept.", writing, record=None)
misreads(
    "outcomes-read_account_is_observed", "A read is applied.", both(reading, kind(K.OBSERVED)), K.APPLIED
)
misreads("outcomes-ignored_write_is_not_applied", "200 is success.", kind(K.NOT_APPLIED), K.APPLIED)
misreads(
    "outcomes-field_not_shown_is_unverified",
    "What the answer does not show is applied.",
    both(status(200), kind(K.UNVERIFIED)),
    K.APPLIED,
)
misreads("outcomes-no_content_is_unverified", "204 is success.", status(204), K.APPLIED)
misreads("outcomes-accepted_is_unverified", "202 is success.", status(202), K.APPLIED)
misreads(
    "outcomes-unverified_names_its_fields",
    "What has to be read back is not said.",
    kind(K.UNVERIFIED),
    wrong=(),
)
misreads(
    "outcomes-page_instead_of_an_account_is_suspect",
    "A page with 200 is a write that worked.",
    both(status(200), html, writing),
    K.APPLIED,
)
misreads(
    "outcomes-page_instead_of_a_read_is_suspect",
    "A page with 200 is a read to repeat.",
    both(status(200), html, reading),
    K.AMBIGUOUS,
)
misreads(
    "outcomes-nothing_is_ambiguous",
    "An empty answer with a type of content is success.",
    both(status(200), said("(0 bytes)"), header("content-type")),
    K.APPLIED,
)
misreads(
    "outcomes-half_an_account_is_ambiguous",
    "Half a JSON text is better than none.",
    both(status(200), said("not a whole JSON text"), without(said("(0 bytes)"))),
    K.APPLIED,
)


def _first(answer: Answer) -> Answer:
    body = json.loads(answer.body or b"null") if answer.body[:1] == b"[" else None
    return replace(answer, body=json.dumps(body[0]).encode()) if body else answer


answers("outcomes-another_shape_is_ambiguous", "The first of a list is the account.", _first)


@broken("outcomes-read_account_is_what_is_stored")
class ReadsAnotherColumn(Tampered):
    """One field is read from another column."""

    def judged(self, outcome: Outcome) -> Outcome:
        if outcome.exchange.method != "GET" or outcome.record is None:
            return outcome
        return replace(outcome, record={**outcome.record, "contract": "external"})


@broken("outcomes-padded_values_are_applied")
class ComparesBytes(Tampered):
    """Values are compared without normalising them."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        if outcome.kind is not K.APPLIED:
            return outcome
        shown = json.loads(self.last.body)
        wrong = tuple(
            name for name, value in changes.items() if isinstance(value, str) and shown[name] != value
        )
        return replace(outcome, kind=K.NOT_APPLIED, wrong=wrong) if wrong else outcome


@broken("outcomes-ignored_field_is_named")
class HoldsAllThatWasSent(Tampered):
    """One ignored field is all of them."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        return replace(outcome, wrong=tuple(changes)) if outcome.kind is K.NOT_APPLIED else outcome


class Careless(Tampered):
    """An answer of another id is somebody's all the same: whoever was asked for."""

    method: ClassVar[str] = ""

    def answered(self, answer: Answer) -> Answer:
        asked = answer.exchange.path.rstrip("/").rpartition("/")[2]
        if answer.exchange.method != self.method or not asked.isdigit() or answer.exchange.status != 200:
            return answer
        try:
            body = json.loads(answer.body)
        except ValueError:
            return answer
        if not isinstance(body, dict):
            return answer
        return replace(answer, body=json.dumps({**body, "id": int(asked)}).encode())


@broken("outcomes-write_answered_with_another_account_is_ambiguous")
class TakesAnyAnswerToAWrite(Careless):
    """A write is verified on whichever account the answer shows."""

    method = "PATCH"


@broken("outcomes-read_answered_with_another_account_is_ambiguous")
class TakesAnyAnswerToARead(Careless):
    """Whatever account a read shows is the one that was asked for."""

    method = "GET"


# Answers that ask to wait.

misreads(
    "outcomes-throttled_by_a_word",
    "What nobody can read is a minute.",
    lambda _outcome, answer: answer.headers.get("retry-after") == "soon",
    retry_after_s=60.0,
)
misreads(
    "outcomes-throttled_without_a_time",
    "A bare 429 refuses a value.",
    both(status(429), without(header("retry-after"))),
    K.REJECTED,
)
misreads(
    "outcomes-unavailable_for_a_time_is_throttled",
    "Every 503 may have been applied.",
    both(status(503), kind(K.THROTTLED)),
    K.AMBIGUOUS,
)
misreads(
    "outcomes-unavailable_is_ambiguous",
    "Every 503 asks to wait.",
    both(status(503), kind(K.AMBIGUOUS)),
    K.THROTTLED,
)


class Waits(Tampered, ABC):
    """Reads `Retry-After` in its own way."""

    def judged(self, outcome: Outcome) -> Outcome:
        text = self.last.headers.get("retry-after", "")
        return replace(outcome, retry_after_s=self.wait_s(text, outcome.retry_after_s))

    @abstractmethod
    def wait_s(self, text: str, sound: float | None) -> float | None:
        """Seconds to wait; `sound` is what the sound connector reads."""


@broken("outcomes-throttled_for_seconds")
class MakesUpAWait(Waits):
    """A 429 waits a minute, whatever the target asks for."""

    def wait_s(self, text: str, sound: float | None) -> float | None:
        return 60.0 if text == "90" else sound


@broken("outcomes-throttled_until_a_date")
class TrustsItsOwnClock(Waits):
    """A date is measured against the local clock."""

    def wait_s(self, text: str, sound: float | None) -> float | None:
        return 0.0 if "GMT" in text else sound


@broken("outcomes-throttled_for_ages")
class WaitsForAges(Waits):
    """The target's wish has no limit."""

    def wait_s(self, text: str, sound: float | None) -> float | None:
        return float(text) if text.isdigit() else sound
