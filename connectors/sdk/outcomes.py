"""What one answer meant: the one table of the design, in one place.

Pure functions from a raw answer, what was sent and the field table to an `Outcome`. 200 is not
success: DRF ignores unknown and read-only fields and a cut answer may look like an empty 200, so a
write counts as applied only when the answer shows it. Never raises for anything a target answers,
never retries, never quotes a credential. A style may add how it recognises a unique clash; it has
no table of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from connectors.sdk.answers import (
    Answer,
    Failure,
    NotJsonError,
    is_html,
    json_of,
    message_of,
    retry_after_s,
    title_of,
)
from connectors.sdk.dialect import PLAIN, Dialect
from connectors.sdk.fields import Field, decode, same
from connectors.sdk.model import Json, Outcome, OutcomeKind, Record, Rejection
from connectors.sdk.text import one_line

MASKED_405_ALLOW: Final = frozenset({"GET", "HEAD", "OPTIONS"})
FAILURES: Final[Mapping[Failure, OutcomeKind]] = {
    Failure.UNSENT: OutcomeKind.UNREACHABLE,
    Failure.CREDENTIAL: OutcomeKind.SUSPECT,
    Failure.TLS: OutcomeKind.SUSPECT,
    Failure.LOST: OutcomeKind.AMBIGUOUS,
    Failure.OVERSIZE: OutcomeKind.AMBIGUOUS,
}
STATUSES: Final[Mapping[int, OutcomeKind]] = {
    HTTPStatus.UNAUTHORIZED: OutcomeKind.SUSPECT,
    HTTPStatus.FORBIDDEN: OutcomeKind.FORBIDDEN,
    HTTPStatus.NOT_FOUND: OutcomeKind.MISSING,
    HTTPStatus.METHOD_NOT_ALLOWED: OutcomeKind.SUSPECT,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: OutcomeKind.SUSPECT,
    HTTPStatus.REQUEST_TIMEOUT: OutcomeKind.AMBIGUOUS,  # what it did with the part it read is its secret
    HTTPStatus.CONFLICT: OutcomeKind.CONFLICT,
    HTTPStatus.GONE: OutcomeKind.MISSING,
    HTTPStatus.PRECONDITION_FAILED: OutcomeKind.CONFLICT,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: OutcomeKind.SUSPECT,
    HTTPStatus.MISDIRECTED_REQUEST: OutcomeKind.SUSPECT,
    HTTPStatus.LOCKED: OutcomeKind.CONFLICT,
    HTTPStatus.TOO_EARLY: OutcomeKind.AMBIGUOUS,
    HTTPStatus.UPGRADE_REQUIRED: OutcomeKind.SUSPECT,
    HTTPStatus.PRECONDITION_REQUIRED: OutcomeKind.CONFLICT,
}
NAMES_FIELDS: Final = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
NOT_SHOWN: Final = frozenset({HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT})  # accepted or done, but not shown
CLASH: Final = re.compile(
    r"already exists|must be unique|already in use|duplicate key|unique constraint", re.IGNORECASE
)
CLASH_KEY: Final = re.compile(r"Key \((\w+)\)")


@dataclass(frozen=True, slots=True)
class Expected:
    """What the answer is held against. `sent` is None for a read; its values are encoded."""

    fields: Mapping[str, Field]
    remote_id: str
    sent: Record | None = None
    id_key: str = "id"
    clash: re.Pattern[str] = CLASH  # how this server words a unique clash
    dialect: Dialect = PLAIN


def account_outcome(answer: Answer, expected: Expected) -> Outcome:
    """The class of an answer about one account."""
    refusal = _refusal(answer, expected.sent or {}, expected)
    if refusal is not None:
        return refusal
    parsed = _parsed(answer)
    record = _record(parsed, expected)
    if expected.sent is not None and answer.exchange.status in NOT_SHOWN and not is_html(answer):
        return _unverified(answer, tuple(expected.sent), record)
    if isinstance(parsed, Outcome):
        return parsed
    if record is None:
        return _outcome(OutcomeKind.AMBIGUOUS, answer, "the answer is not the account that was asked for")
    if expected.sent is None:
        return Outcome(OutcomeKind.OBSERVED, answer.exchange, record=record)
    return _compared(answer, expected, _meant(expected.dialect, expected.sent), record)


def document_outcome(answer: Answer) -> tuple[Outcome, dict[str, Json]]:
    """The class of an answer that is no account (a listing, a version), and its JSON object.

    Such a path is always there: a 404 means that the base URL is wrong, never that anyone is missing.
    """
    nobody = Expected(fields={}, remote_id="")
    refusal = _refusal(answer, {}, nobody)
    if refusal is not None:
        return (_always_there(refusal, answer), {})
    parsed = _parsed(answer)
    if isinstance(parsed, Outcome):
        return parsed, {}
    if not isinstance(parsed, dict):
        return _outcome(OutcomeKind.AMBIGUOUS, answer, "the answer is not a JSON object"), {}
    return Outcome(OutcomeKind.OBSERVED, answer.exchange), parsed


def _always_there(refusal: Outcome, answer: Answer) -> Outcome:
    if refusal.kind is not OutcomeKind.MISSING:
        return refusal
    return _outcome(
        OutcomeKind.SUSPECT, answer, f"nothing is served at {answer.exchange.path}: is the base URL right?"
    )


def _refusal(answer: Answer, sent: Record, expected: Expected) -> Outcome | None:
    """Every row of the table but 2xx."""
    if answer.failure is not None:
        return _outcome(FAILURES[answer.failure], answer, answer.detail)
    status = answer.exchange.status or 0
    if status < HTTPStatus.OK:
        return _outcome(OutcomeKind.AMBIGUOUS, answer, f"status {status} is no answer")
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    if status < HTTPStatus.BAD_REQUEST:
        return _outcome(OutcomeKind.SUSPECT, answer, _redirect_detail(answer))
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return _throttled(answer, status)
    masked = status == HTTPStatus.METHOD_NOT_ALLOWED and _is_masked_fault(answer)
    if masked or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _outcome(OutcomeKind.AMBIGUOUS, answer, _said(answer))
    if status in STATUSES and not (status == HTTPStatus.FORBIDDEN and _is_about(sent, answer)):
        return _outcome(STATUSES[status], answer, _said(answer))
    return _rejected(answer, status, sent, expected)


def _throttled(answer: Answer, status: int) -> Outcome:
    wait = retry_after_s(answer)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and wait is None:
        return _outcome(OutcomeKind.AMBIGUOUS, answer, _said(answer))
    return Outcome(OutcomeKind.THROTTLED, answer.exchange, retry_after_s=wait, detail=_said(answer))


def _is_masked_fault(answer: Answer) -> bool:
    """A fault whose error page refuses the method in turn (observed on authentik 2025.12)."""
    allow = {method.strip() for method in answer.headers.get("allow", "").split(",")}
    return allow == MASKED_405_ALLOW and (not answer.body.strip() or is_html(answer))


def _rejected(answer: Answer, status: int, sent: Record, expected: Expected) -> Outcome:
    if status in NAMES_FIELDS and is_html(answer):
        return _outcome(OutcomeKind.SUSPECT, answer, _said(answer))
    try:
        body = json_of(answer.body)
    except NotJsonError:
        body = None
    names_fields = status in NAMES_FIELDS or status == HTTPStatus.FORBIDDEN
    fields = _named_fields(body, sent, expected) if names_fields else {}
    return Outcome(OutcomeKind.REJECTED, answer.exchange, fields=fields, detail=_said(answer))


def _is_about(sent: Record, answer: Answer) -> bool:
    """Whether an answer names nothing but fields that were sent: it is about them then, not about us.

    So AWX refuses, with 403, a field that it leaves to a platform gateway.
    """
    try:
        body = json_of(answer.body)
    except NotJsonError:
        return False
    return isinstance(body, dict) and bool(body) and body.keys() <= sent.keys()


def _named_fields(body: Json, sent: Record, expected: Expected) -> dict[str, Rejection]:
    """The sent fields that the answer names. One that was not sent cannot be held for its value."""
    if not isinstance(body, dict):
        return {}
    named = {name: message_of(body[key]) for name in sent if (key := _named_as(name, body)) is not None}
    if not named:
        named = _clash_without_name(body, sent, expected)
    return {
        name: Rejection(message, unique=expected.clash.search(message) is not None)
        for name, message in named.items()
    }


def _named_as(name: str, body: Mapping[str, Json]) -> str | None:
    """The key under which a refusal speaks of a field: its own name, or that of the container it lies in."""
    container = name.partition(".")[0]
    return name if name in body else container if container in body else None


def _clash_without_name(body: Mapping[str, Json], sent: Record, expected: Expected) -> dict[str, str]:
    """A database's own words for a unique clash (a race on AWX) name the column at best."""
    message = message_of(body.get("detail"))
    if expected.clash.search(message) is None:
        return {}
    column = CLASH_KEY.search(message)
    if column is not None and column.group(1) in sent:
        return {column.group(1): message}
    candidates = [name for name in sent if name in expected.fields and expected.fields[name].unique]
    in_words = [name for name in candidates if name in message]
    return dict.fromkeys(in_words or candidates, message)


def _compared(answer: Answer, expected: Expected, sent: Record, record: Record) -> Outcome:
    shown = [name for name in sent if not (name in expected.fields and expected.fields[name].write_only)]
    absent = [name for name in shown if name not in record]
    unchanged = [
        name for name in shown if name in record and not same(expected.fields[name], sent[name], record[name])
    ]
    if unchanged:
        wrong = tuple(name for name in shown if name in absent or name in unchanged)
        detail = f"the answer does not show what was sent: {', '.join(wrong)}"
        return Outcome(OutcomeKind.NOT_APPLIED, answer.exchange, record=record, wrong=wrong, detail=detail)
    if absent:
        return _unverified(answer, tuple(absent), record)
    return Outcome(OutcomeKind.APPLIED, answer.exchange, record=record)


def _meant(dialect: Dialect, sent: Record) -> Record:
    """What was sent in the words of the answer, which may just have taught the name of an id."""
    wire, _ = dialect.sent(sent)
    shown = dialect.shown(wire)
    return {name: shown.get(name, value) for name, value in sent.items()}


def _unverified(answer: Answer, names: tuple[str, ...], record: Record | None) -> Outcome:
    detail = one_line(f"status {answer.exchange.status} without showing {', '.join(names)}")
    return Outcome(OutcomeKind.UNVERIFIED, answer.exchange, record=record, wrong=names, detail=detail)


def _record(parsed: Json | Outcome, expected: Expected) -> Record | None:
    """The account, if the answer is the whole JSON object of the right id."""
    if not isinstance(parsed, dict) or not _is_id(parsed.get(expected.id_key), expected.remote_id):
        return None
    return decode(expected.fields.values(), expected.dialect.shown(parsed))


def _parsed(answer: Answer) -> Json | Outcome:
    """The body of a 2xx, or what it means that it is no JSON."""
    if is_html(answer):
        return _outcome(OutcomeKind.SUSPECT, answer, f"{title_of(answer)} instead of JSON")
    try:
        return json_of(answer.body)
    except NotJsonError:
        size = len(answer.body)
        return _outcome(OutcomeKind.AMBIGUOUS, answer, f"not a whole JSON text ({size} bytes)")


def _is_id(found: Json, remote_id: str) -> bool:
    """AWX's document shows ids as text, its servers send numbers."""
    return isinstance(found, int | str) and not isinstance(found, bool) and str(found) == remote_id


def _redirect_detail(answer: Answer) -> str:
    where = answer.headers.get("location", "").split("?")[0]
    return f"redirects to {where or 'nowhere'}; redirects are not followed"


def _said(answer: Answer) -> str:
    """The target's own words, else the status."""
    status = f"status {answer.exchange.status}"
    if is_html(answer):
        return f"{status}, {title_of(answer)}"
    try:
        body = json_of(answer.body)
    except NotJsonError:
        return status
    only_detail = isinstance(body, dict) and body.keys() == {"detail"}
    words = message_of(body["detail"] if only_detail and isinstance(body, dict) else body)
    return words or status


def _outcome(kind: OutcomeKind, answer: Answer, detail: str) -> Outcome:
    return Outcome(kind, answer.exchange, detail=one_line(detail))
