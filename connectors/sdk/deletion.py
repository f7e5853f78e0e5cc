"""What the answer to a deletion meant: the table of `outcomes`, for an account that is to be gone. Pure.

*Applied* means that the account is not there any more. A success that does not say so, and a page that is
not the API's, are *ambiguous*: read before anything else.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from connectors.sdk.answers import Answer, is_html
from connectors.sdk.model import Outcome, OutcomeKind
from connectors.sdk.outcomes import Expected, account_outcome

SUCCESS: Final = frozenset(
    {OutcomeKind.OBSERVED, OutcomeKind.APPLIED, OutcomeKind.NOT_APPLIED, OutcomeKind.UNVERIFIED}
)


def deleted_outcome(answer: Answer, expected: Expected) -> Outcome:
    """`expected` names the account; nothing is sent along with a deletion."""
    outcome = account_outcome(answer, replace(expected, sent={}))
    if outcome.kind is OutcomeKind.MISSING and not is_html(answer):
        return Outcome(OutcomeKind.APPLIED, answer.exchange, detail="there is no such account any more")
    if answer.exchange.status == HTTPStatus.NO_CONTENT and outcome.kind in SUCCESS:
        return Outcome(OutcomeKind.APPLIED, answer.exchange)
    if outcome.kind in SUCCESS or outcome.kind is OutcomeKind.MISSING:
        detail = "the answer does not say whether the account is gone"
        return Outcome(OutcomeKind.AMBIGUOUS, answer.exchange, detail=detail)
    return outcome
