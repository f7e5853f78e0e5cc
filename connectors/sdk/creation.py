"""What the answer to a creation meant: the table of `outcomes`, and whose account came back. Pure.

*Applied* means that the account is there and which one it is; `wrong` names the values that it does not
show. Whatever leaves that open is *ambiguous*: search before anything else, never create again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from connectors.sdk.answers import Answer, NotJsonError, json_of
from connectors.sdk.auth import HIDDEN
from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.outcomes import Expected, account_outcome

SHOWN: Final = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
ANSWERED: Final = frozenset({OutcomeKind.APPLIED, OutcomeKind.NOT_APPLIED, OutcomeKind.UNVERIFIED})


def created_outcome(answer: Answer, expected: Expected) -> Outcome:
    """`expected` has no remote id yet; the answer gives it."""
    remote_id = _id_in(answer, expected.id_key)
    outcome = account_outcome(answer, replace(expected, remote_id=remote_id or ""))
    if outcome.kind is OutcomeKind.MISSING:
        detail = f"nothing is served at {answer.exchange.path}: is the base URL right?"
        return Outcome(OutcomeKind.SUSPECT, answer.exchange, detail=detail)
    if outcome.kind not in ANSWERED:
        return outcome
    if remote_id is None or answer.exchange.status not in SHOWN or _is_of_another(outcome, expected):
        detail = "the answer does not show the account that was to be created"
        return Outcome(OutcomeKind.AMBIGUOUS, answer.exchange, detail=detail)
    return replace(outcome, kind=OutcomeKind.APPLIED, remote_id=remote_id)


def without(answer: Answer, secrets: Iterable[object]) -> Answer:
    """The answer with no trace of these values, should the target repeat them."""
    body = answer.body
    for secret in secrets:
        body = body.replace(str(secret).encode(), HIDDEN) if secret else body
    return replace(answer, body=body)


def _is_of_another(outcome: Outcome, expected: Expected) -> bool:
    return any(expected.fields[name].unique for name in outcome.wrong)


def _id_in(answer: Answer, id_key: str) -> str | None:
    try:
        body = json_of(answer.body)
    except NotJsonError:
        return None
    found = body.get(id_key) if isinstance(body, dict) else None
    return str(found) if isinstance(found, int | str) and not isinstance(found, bool) else None
