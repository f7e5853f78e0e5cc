"""What is wrong with a target, in a sentence that says the way out. Pure.

Where a server gives one answer for several reasons, the sentence names all of them: a guess would send
somebody to the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin, urlsplit

from connectors.sdk.answers import Answer, Failure
from connectors.sdk.contract import Descriptor
from connectors.sdk.model import CheckReport, Outcome, OutcomeKind
from connectors.sdk.text import one_line

SCHEMES: Final = frozenset({"bearer", "token", "basic"})
NOT_SEEN: Final = re.compile(r"not provided", re.IGNORECASE)
UNKNOWN: Final = re.compile(r"\binvalid\b", re.IGNORECASE)
EXPIRED: Final = re.compile(r"\bexpired\b", re.IGNORECASE)
INACTIVE: Final = re.compile(r"\b(inactive|deactivated|disabled)\b", re.IGNORECASE)


def failed_report(
    answer: Answer, outcome: Outcome, base_url: str, root: str, scheme: str | None = None
) -> CheckReport:
    """The report of a check that ends with this answer. `root` says what `base_url` must be.

    `scheme` is how our credential was sent, where the server's challenge tells what it wants instead.
    """
    reachable = answer.exchange.status is not None
    return CheckReport(
        reachable=reachable, healthy=False, problems=(problem(answer, outcome, base_url, root, scheme),)
    )


def problem(answer: Answer, outcome: Outcome, base_url: str, root: str, scheme: str | None = None) -> str:
    """One sentence about an answer that is not what it should be."""
    if answer.failure is not None:
        return _no_answer(answer.failure, outcome.detail, base_url)
    status = answer.exchange.status or 0
    match outcome.kind:
        case OutcomeKind.SUSPECT if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            why = _why_refused(answer, outcome.detail, scheme)
            return f"{base_url} refuses our credential ({status}): {why}"
        case OutcomeKind.SUSPECT if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            return f"{base_url} {outcome.detail}: {_redirected(answer, base_url)}"
        case OutcomeKind.FORBIDDEN:
            return f"Our token may not read the accounts (403: {outcome.detail}): give its owner the right."
        case OutcomeKind.THROTTLED:
            return f"{base_url} asks us to wait ({outcome.detail}): try again later."
        case OutcomeKind.AMBIGUOUS if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"{base_url} fails by itself ({outcome.detail}): look into its own log."
        case _:
            said = outcome.detail or "the answer lacks what it should hold"
            twice = _said_twice(base_url, answer.exchange.path)
            return f"{base_url} does not answer as this API does ({said}): {twice}{root}"


def unseen(descriptor: Descriptor, owned: Iterable[str], shown: frozenset[str] | None) -> tuple[str, ...]:
    """The owned fields whose changes nobody could verify, since the server shows no such field."""
    if shown is None:
        return ()
    fields = {name: descriptor.field(name) for name in owned}
    there = shown | {name.partition(".")[0] for name in shown}
    expected = [name for name, field in fields.items() if field is not None and not field.write_only]
    return tuple(name for name in expected if not {name, name.partition(".")[0]} & there)


def not_shown(name: str) -> str:
    """The sentence about an owned field of that kind."""
    return (
        f"{name} is owned, but the server shows no such field: no change of it could be verified."
        f' Disown it (`mapping.{name} = ""`), or use a server that has it.'
    )


def _why_refused(answer: Answer, detail: str, scheme: str | None) -> str:
    """From the server's own words where they tell one reason from the others."""
    wanted = answer.headers.get("www-authenticate", "").partition(" ")[0].lower()
    if NOT_SEEN.search(detail) and scheme and wanted in SCHEMES - {scheme}:
        return f"it wants the scheme `{wanted}` and we send `{scheme}`. Set `credential.scheme`."
    if INACTIVE.search(detail):
        return f"{detail.rstrip('.')}. Activate the owner of the token there, or use somebody else's token."
    if EXPIRED.search(detail) and UNKNOWN.search(detail) is None:
        return f"the token has expired ({detail.rstrip('.')}). Make a new one and set `credential`."
    if UNKNOWN.search(detail) and EXPIRED.search(detail) is None:
        return (
            f"it does not know it ({detail.rstrip('.')}). It is wrong or was revoked: set `credential` anew."
        )
    return (
        "it is wrong, expired or revoked, or of another scheme than this server expects, or its owner is"
        " inactive. Make a new token and set `credential`."
    )


def _redirected(answer: Answer, base_url: str) -> str:
    """What to do about a redirect, by where it leads: to the same path, elsewhere, or to a web page."""
    asked = urlsplit(base_url)._replace(path=answer.exchange.path.partition("?")[0])
    to = urlsplit(urljoin(asked.geturl(), answer.headers.get("location", "")))
    if (to.scheme, to.netloc) == (asked.scheme, asked.netloc) and to.path.rstrip("/") == asked.path.rstrip(
        "/"
    ):
        return (
            "the slash at the end of the address was lost or is refused on the way. Have what stands in"
            " front of the server pass addresses on as they are."
        )
    below = asked.path.removeprefix(urlsplit(base_url).path)
    if to.path.rstrip("/").endswith(below.rstrip("/")) and below.strip("/"):
        base = f"{to.scheme}://{to.netloc}{to.path.rstrip('/').removesuffix(below.rstrip('/'))}"
        return f"set `base_url` to {one_line(base, 100)}."
    return (
        "set `base_url` to the address that it redirects to if the API is there, or let our requests past"
        " what asks people to sign in."
    )


def _said_twice(base_url: str, path: str) -> str:
    """What `base_url` ends with although it is added to it."""
    base = urlsplit(base_url).path
    parts = path.removeprefix(base).strip("/").split("/")
    for count in range(len(parts), 0, -1):
        start = "/" + "/".join(parts[:count])
        if base.endswith(start):
            return f"`base_url` ends with {start}, which is added to it; "
    return ""


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
