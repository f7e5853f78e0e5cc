"""Connectors that go where an answer, an environment or an id leads them."""

# ruff: noqa: ARG002 - a place to break it at has the same arguments in every connector
from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

import requests

from connectors.sdk.answers import Answer
from connectors.sdk.contract import ConnectorConfig
from connectors.sdk.model import Outcome, OutcomeKind, Page, Record
from tests.kit.broken.base import (
    NONE,
    Tampered,
    both,
    broken,
    header,
    misreads,
    reading,
    said,
    status,
    without,
)
from tests.kit.broken.contract import Sends

K: Final = OutcomeKind
REDIRECTS: Final = frozenset({301, 302, 307, 308})


class Goes(Tampered):
    """Sends requests of its own, with our credential."""

    def go(self, url: str, **how: Any) -> None:
        secret = self.config.credential().secret
        with requests.Session() as session:
            session.trust_env = False
            session.get(
                url, allow_redirects=False, headers={"Authorization": f"Bearer {secret}"}, timeout=2, **how
            )


class Follows(Goes):
    """Follows a redirect."""

    def answered(self, answer: Answer) -> Answer:
        if answer.exchange.status not in REDIRECTS:
            return answer
        return self.followed(answer, answer.headers.get("location", ""))

    def followed(self, answer: Answer, to: str) -> Answer:
        return answer


@broken("safety-read_follows_no_redirect")
class FollowsAtHome(Follows):
    """A read follows a redirect on the same server."""

    def followed(self, answer: Answer, to: str) -> Answer:
        if answer.exchange.method != "GET" or not to.startswith("/") or "moved" not in to:
            return answer
        return self.exchange("GET", to, None, 5.0)


misreads(
    "safety-redirected_read_is_suspect",
    "A read that is redirected found nobody.",
    both(reading, status(*REDIRECTS)),
    K.MISSING,
)


@broken("safety-write_follows_no_redirect")
class WritesWhereItIsSent(Follows):
    """A write follows a redirect."""

    def followed(self, answer: Answer, to: str) -> Answer:
        if answer.exchange.method == "PATCH" and "moved" in to:
            self.exchange("PATCH", urlsplit(to).path, b"{}", 5.0)
        return answer


@broken("safety-redirect_leads_nowhere_else")
class FollowsAbroad(Follows):
    """A redirect is followed to another server."""

    def followed(self, answer: Answer, to: str) -> Answer:
        if to.startswith("http") and answer.exchange.method == "GET":
            self.go(to)
        return answer


@broken("safety-next_page_leads_nowhere_else")
class FollowsTheLinkHeader(Goes):
    """A link in a header is followed wherever it leads."""

    def scan(self, cursor: str | None) -> Page:
        page = super().scan(cursor)
        link = self.last.headers.get("link", "")
        if 'rel="next"' in link:
            self.go(link.partition(">")[0].lstrip("<"))
        return page


@broken("safety-next_page_leads_nowhere_else")
class FollowsAnyLink(Goes):
    """A link in a list is followed wherever it leads."""

    def scan(self, cursor: str | None) -> Page:
        page = super().scan(cursor)
        if "said to be at" in page.outcome.detail:
            self.go(json.loads(self.last.body)["next_page"])
        return page


@broken("safety-cursor_leads_nowhere_else")
class BelievesItsCursor(Goes):
    """A cursor that is an address is asked."""

    def scan(self, cursor: str | None) -> Page:
        if cursor is not None and cursor.startswith("http"):
            self.go(cursor)
        return super().scan(cursor)


@broken("safety-proxies_of_the_environment_are_ignored")
class UsesProxies(Goes):
    """Requests go through the proxies of the environment."""

    def fetch(self, remote_id: str) -> Outcome:
        outcome = super().fetch(remote_id)
        proxies = getproxies()
        if outcome.kind is K.OBSERVED and proxies.get("http"):
            self.go(f"{self.config.base_url}{self.path_of(remote_id)}", proxies=proxies)
        return outcome


@broken("safety-netrc_is_ignored")
class ReadsNetrc(Sends):
    """A netrc file replaces our credential."""

    def signed(self, request: requests.PreparedRequest) -> None:
        found = requests.utils.get_netrc_auth(str(request.url))
        if found is not None:
            request.prepare_auth(found)


@broken("safety-cookies_are_not_kept")
class KeepsCookies(Sends):
    """Cookies are kept and sent back."""

    def signed(self, request: requests.PreparedRequest) -> None:
        cookie = self.last.headers.get("set-cookie")
        if cookie is not None:
            request.headers["Cookie"] = cookie.partition(";")[0]


class Trusts(Tampered):
    """Trusts any certificate."""

    def fetch(self, remote_id: str) -> Outcome:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return super().fetch(remote_id)

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return super().patch(remote_id, changes, digests)


@broken("safety-certificate_must_be_trusted")
class TrustsAnybody(Trusts):
    """Certificates are not looked at."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(config)
        self._client._wire._verify = False


@broken("safety-verification_cannot_be_turned_off")
class TrustsIfTold(Trusts):
    """Verification can be turned off."""

    def __init__(self, config: ConnectorConfig) -> None:
        super().__init__(replace(config, verify=True))
        self._client._wire._verify = config.verify


# What leaves and what is let in.


@broken("safety-reads_write_nothing")
class ListsByPosting(Tampered):
    """Superusers are searched for with a POST."""

    def superusers(self, cursor: str | None) -> Page:
        self._client.post("/v1/people/search/", {})
        return super().superusers(cursor)


@broken("safety-nothing_is_put")
class Puts(Tampered):
    """A change is followed by a PUT."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        outcome = super().patch(remote_id, changes, digests)
        if outcome.kind is K.APPLIED:
            self._client._exchange("PUT", outcome.exchange.path, b"{}", 5.0)
        return outcome


@broken("safety-odd_ids_are_not_read")
class TrimsIdsToRead(Tampered):
    """What stands around an id is left out when it is read."""

    def fetch(self, remote_id: str) -> Outcome:
        return super().fetch(remote_id.strip())


@broken("safety-odd_ids_are_not_written")
class TrimsIdsToWrite(Tampered):
    """What stands around an id is left out when it is written."""

    def patch(self, remote_id: str, changes: Record, digests: Mapping[str, str] = NONE) -> Outcome:
        return super().patch(remote_id.strip(), changes, digests)


@broken("safety-odd_ids_are_not_deleted")
class TrimsIdsToDelete(Tampered):
    """What stands around an id is left out when it is deleted."""

    def delete(self, remote_id: str) -> Outcome:
        return super().delete(remote_id.strip())


@broken("safety-account_addresses_have_no_query")
class AsksForEverything(Tampered):
    """An account is asked for with a query."""

    def sending(self, method: str, target: str, body: bytes | None) -> tuple[str, str, bytes | None]:
        own = method == "GET" and target.rstrip("/").rpartition("/")[2].isdigit()
        return method, f"{target}?expand=all" if own else target, body


@broken("safety-changes_are_json_objects")
class CallsItText(Sends):
    """A change is sent as text."""

    def signed(self, request: requests.PreparedRequest) -> None:
        if request.method == "PATCH":
            request.headers["Content-Type"] = "text/plain; was=application/json"


misreads(
    "safety-oversized_answers_are_not_read",
    "However long an answer is, it is read.",
    both(said("the answer is longer"), without(header("content-encoding"))),
    K.APPLIED,
)
misreads(
    "safety-packed_answers_are_measured_unpacked",
    "What is packed is short enough.",
    both(said("the answer is longer"), header("content-encoding")),
    K.APPLIED,
)


@broken("safety-threads_are_kept_apart")
class RemembersWhomItAsks(Tampered):
    """Who is asked for is kept in the connector."""

    asked = ""

    def fetch(self, remote_id: str) -> Outcome:
        self.asked = remote_id
        time.sleep(0.02)
        return super().fetch(self.asked)
