"""What is wrong with a target, in a sentence that says the way out. Pure."""

from __future__ import annotations

from http import HTTPStatus

from connectors.sdk.answers import Answer, Failure
from connectors.sdk.model import CheckReport, Outcome, OutcomeKind


def failed_report(answer: Answer, outcome: Outcome, base_url: str, root: str) -> CheckReport:
    """The report of a check that ends with this answer. `root` says what `base_url` must be."""
    reachable = answer.exchange.status is not None
    return CheckReport(
        reachable=reachable, healthy=False, problems=(problem(answer, outcome, base_url, root),)
    )


def problem(answer: Answer, outcome: Outcome, base_url: str, root: str) -> str:
    """One sentence about an answer that is not what it should be."""
    if answer.failure is not None:
        return _no_answer(answer.failure, outcome.detail, base_url)
    status = answer.exchange.status or 0
    match outcome.kind:
        case OutcomeKind.SUSPECT if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return (
                f"{base_url} refuses our credential ({status}): it is wrong, expired or revoked, or of"
                " another scheme than this server expects. Make a new token and set `credential`."
            )
        case OutcomeKind.SUSPECT if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return f"{base_url} {outcome.detail}: set `base_url` to the address that it redirects to."
        case OutcomeKind.FORBIDDEN:
            return f"Our token may not read the accounts (403: {outcome.detail}): give its owner the right."
        case OutcomeKind.THROTTLED:
            return f"{base_url} asks us to wait ({outcome.detail}): try again later."
        case OutcomeKind.AMBIGUOUS if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"{base_url} fails by itself ({outcome.detail}): look into its own log."
        case _:
            said = outcome.detail or "the answer lacks what it should hold"
            return f"{base_url} does not answer as this API does ({said}): {root}"


def _no_answer(failure: Failure, detail: str, base_url: str) -> str:
    match failure:
        case Failure.UNSENT:
            return f"{base_url} cannot be reached ({detail}): check `base_url`, name service and firewall."
        case Failure.CREDENTIAL:
            return f"{detail[:1].upper()}{detail[1:]}: check `credential` and the secret file's permissions."
        case Failure.TLS:
            return f"{base_url}: {detail}. Set `tls_verify` to the bundle of the authority that signed it."
        case Failure.LOST | Failure.OVERSIZE:
            return (
                f"{base_url} was reached but gave no whole answer ({detail}): try again, or raise `timeouts`."
            )
