"""Our credential goes to one server: whatever a redirect, a link or the environment says."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from connectors.sdk.model import Json, OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import expect, fetched, patched
from connectors.sdk.testing.bench import Bench
from connectors.sdk.testing.certificate import untrusted_server
from connectors.sdk.testing.check import check, scanning
from connectors.sdk.testing.exchange import Answer
from connectors.sdk.testing.tap import reads
from connectors.sdk.testing.virtual import virtual_time

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
THEIRS = base64.b64encode(b"somebody:else").decode()
DIRECT = ("NO_PROXY", "no_proxy")


@check()
def read_follows_no_redirect(bench: Bench) -> None:
    """A redirect to an answer that looks right is still a wrong address. Catches `allow_redirects`."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    moved = f"{urlsplit(bench.tap.url).path}{connector.path_of(remote_id)}?moved=1"
    bench.misbehave(faults.redirects(moved), reads, times=1)
    connector.fetch(remote_id)
    followed = [request.target for request in bench.requests() if "moved" in request.query]
    assert not followed, f"a read followed a redirect to {followed}"


@check()
def redirected_read_is_suspect(bench: Bench) -> None:
    """Catches a redirect that is followed, or taken for a missing account."""
    outcome = fetched(bench, faults.redirects("/login/"))
    expect(outcome, OutcomeKind.SUSPECT, "a 302 to a read")


@check()
def write_follows_no_redirect(bench: Bench) -> None:
    """307 and 308 have a client send the write again. Catches a write at another address."""
    for status in (302, 307, 308):
        bench.tap.calm()
        patched(bench, faults.redirects(f"{bench.tap.origin}/moved/", status))
        followed = [f"{request.method} {request.target}" for request in bench.requests()]
        followed = [line for line in followed if "/moved/" in line]
        assert not followed, f"a write followed a {status}: {followed}"


@check()
def redirect_leads_nowhere_else(bench: Bench) -> None:
    """Another origin sees nothing of ours, credential or not. Catches a redirect followed across origins."""
    fetched(bench, faults.redirects(f"{bench.tap.elsewhere}/"))
    _nobody_came(bench, "a redirect")


@check(needs=scanning)
def next_page_leads_nowhere_else(bench: Bench) -> None:
    """A listing whose `next` is another origin. Catches a link that is followed with our credential."""
    bench.seed()
    bench.misbehave(faults.rewrites(_abroad(bench.tap.elsewhere)), reads)
    connector = bench.connector()
    page = connector.scan(None)
    if page.cursor is not None:
        connector.scan(page.cursor)
    _nobody_came(bench, "the `next` of a listing")


@check(needs=scanning)
def cursor_leads_nowhere_else(bench: Bench) -> None:
    """A cursor comes back from a database. Catches one that is an address and is believed."""
    bench.seed()
    connector = bench.connector()
    with contextlib.suppress(ValueError):  # no cursor of this connector: as good an answer
        connector.scan(f"{bench.tap.elsewhere}/?page=2")
    _nobody_came(bench, "a cursor")


@check()
def proxies_of_the_environment_are_ignored(bench: Bench) -> None:
    """A worker's environment is not the target's configuration. Catches `trust_env`."""
    (remote_id,) = bench.seed()
    clean = {name: value for name, value in os.environ.items() if name not in DIRECT}
    with patch.dict(os.environ, {**clean, **dict.fromkeys(PROXIES, bench.tap.elsewhere)}, clear=True):
        bench.connector().fetch(remote_id)
    _nobody_came(bench, "a proxy of the environment")


@check()
def netrc_is_ignored(bench: Bench) -> None:
    """`requests` lets ~/.netrc override our header. Catches requests under somebody else's name."""
    (remote_id,) = bench.seed()
    with tempfile.TemporaryDirectory() as folder:
        netrc = Path(folder) / "netrc"
        netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
        netrc.chmod(0o600)
        with patch.dict(os.environ, {"NETRC": str(netrc)}):
            bench.connector().fetch(remote_id)
    others = [request for request in bench.requests() if THEIRS in request.headers.get("authorization", "")]
    assert not others, "a netrc file replaced our credential"


@check()
def cookies_are_not_kept(bench: Bench) -> None:
    """A session cookie makes later requests somebody's, whatever our header says. Catches a cookie jar."""
    (remote_id,) = bench.seed()
    bench.misbehave(faults.rewrites(_with_cookie), reads)
    connector = bench.connector()
    connector.fetch(remote_id)
    connector.fetch(remote_id)
    sent = [request.target for request in bench.requests() if "cookie" in request.headers]
    assert not sent, f"a cookie that the server set was sent back to {sent}"


@check()
def certificate_must_be_trusted(bench: Bench) -> None:
    """Catches TLS without verification: our token for whoever answers."""
    (remote_id,) = bench.seed()
    with untrusted_server() as server, virtual_time():
        outcome = bench.connector(base_url=server.url).patch(remote_id, bench.change())
    assert not server.requests, "a request was sent to a server whose certificate nobody has signed"
    expect(outcome, OutcomeKind.SUSPECT, "a certificate that nobody has signed")


@check()
def verification_cannot_be_turned_off(bench: Bench) -> None:
    """`verify=False` is refused, or does nothing. Catches a configuration that opens the door."""
    (remote_id,) = bench.seed()
    with untrusted_server() as server, virtual_time(), contextlib.suppress(ValueError):
        bench.connector(base_url=server.url, verify=False).fetch(remote_id)
    assert not server.requests, "with verify=False a request was sent to a server nobody vouches for"


def _nobody_came(bench: Bench, led_by: str) -> None:
    came = [f"{request.method} {request.target}" for request in bench.requests() if request.elsewhere]
    assert not came, f"{led_by} led the connector to another origin: {came}"


def _abroad(elsewhere: str) -> Callable[[Answer], Answer]:
    """Each `next` of an answer, wherever it stands in it, at the other origin."""

    def changed(answer: Answer) -> Answer:
        headers = {**answer.headers, "Link": f'<{elsewhere}/?page=2>; rel="next"'}
        body = json.dumps(_moved(answer.json(), f"{elsewhere}/?page=2")).encode()
        return Answer(answer.status, headers, body)

    return changed


def _moved(body: Json, link: str) -> Json:
    match body:
        case dict():
            found = {name: _moved(value, link) for name, value in body.items()}
            nexts = (name for name, value in found.items() if "next" in name and not isinstance(value, dict))
            return {**found, **{name: link for name in nexts if not isinstance(body[name], int)}}
        case _:
            return body


def _with_cookie(answer: Answer) -> Answer:
    return replace(answer, headers={**answer.headers, "Set-Cookie": "session=somebody; Path=/"})
