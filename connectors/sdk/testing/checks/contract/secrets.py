"""The credential goes into one header of requests to one server, and nowhere else."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from connectors.sdk.contract import Credential
from connectors.sdk.model import OutcomeKind
from connectors.sdk.testing import faults
from connectors.sdk.testing.attempts import fetched, patched
from connectors.sdk.testing.bench import Bench, Keys
from connectors.sdk.testing.check import check
from connectors.sdk.testing.tap import Turn

LEAK = "canary-in-an-error-51c0"


@check()
def every_request_carries_the_credential(bench: Bench) -> None:
    """In the header `Authorization`. Catches a look-up that asks as nobody and sees only what is public."""
    _everything(bench)
    bare = [request.target for request in bench.requests() if "authorization" not in request.headers]
    assert not bare, f"requests without `Authorization`: {bare}"


@check()
def secret_stays_in_its_header(bench: Bench) -> None:
    """Addresses and bodies are logged by servers and proxies. Catches a token in a query."""
    _everything(bench)
    for request in bench.requests():
        others = {name: value for name, value in request.headers.items() if name != "authorization"}
        for place in (request.target, request.body.decode("latin-1"), str(others)):
            assert bench.secret not in place, (
                f"{request.method} {request.path} shows the secret: {place[:80]}"
            )


@check()
def logs_show_no_secret(bench: Bench) -> None:
    """At DEBUG, of every library below. Catches a header in a debug line."""
    (remote_id,) = bench.seed()
    with _logged() as lines:
        _everything(bench)
        bench.misbehave(_echoes)
        bench.connector().patch(remote_id, bench.change())
    leaks = [line for line in lines if bench.secret in line]
    assert not leaks, f"a log line shows the secret: {leaks[0].replace(bench.secret, '<secret>')[:200]!r}"


@check()
def refusal_that_echoes_shows_no_secret(bench: Bench) -> None:
    """A server may quote our header in a 400. Catches its words handed on as they came."""
    outcome = patched(bench, _echoes)
    assert bench.secret not in repr(outcome), "the server quoted our credential, and the outcome does too"


@check()
def read_that_echoes_shows_no_secret(bench: Bench) -> None:
    """The same for a read that fails. Catches a place that is hidden for writes only."""
    outcome = fetched(bench, _echoes)
    assert bench.secret not in repr(outcome), "the server quoted our credential, and the outcome does too"


@check()
def report_that_echoes_shows_no_secret(bench: Bench) -> None:
    """The same for `check`, whose problems are printed. Catches a sentence built from the raw answer."""
    bench.misbehave(_echoes)
    report = bench.connector().check()
    assert bench.secret not in repr(report), "the server quoted our credential, and the report does too"


@check()
def unreadable_credential_is_suspect(bench: Bench) -> None:
    """A secret file that is gone is an outcome, and nothing is sent. Catches the exception it raises."""
    (remote_id,) = bench.seed()
    keys = _Broken(bench.server.credential())
    outcome = bench.connector(keys=keys).fetch(remote_id)
    assert outcome.kind is OutcomeKind.SUSPECT, f"a credential that cannot be read was {outcome.kind.name}"
    assert not bench.requests(), "without a credential nothing must be sent"


@check()
def unreadable_credential_is_not_quoted(bench: Bench) -> None:
    """What its source says may hold the secret. Catches an error message handed on."""
    (remote_id,) = bench.seed()
    connector = bench.connector(keys=_Broken(bench.server.credential()))
    told = f"{connector.fetch(remote_id)!r} {connector.check()!r}"
    assert LEAK not in told, "the error of the credential's source is handed on; it may hold the secret"


@check()
def refused_credential_is_read_again(bench: Bench) -> None:
    """A secret file that was mended is used at once. Catches a token that lives as long as the process."""
    (remote_id,) = bench.seed()
    keys = bench.wrong_keys()
    connector = bench.connector(keys=keys)
    connector.fetch(remote_id)
    keys.credential = bench.server.credential()
    connector.probe()  # what the engine does after a suspect answer
    outcome = connector.fetch(remote_id)
    assert outcome.kind is OutcomeKind.OBSERVED, (
        f"the credential was mended and `probe` was called, and a read is still {outcome.kind.name}"
    )


@check()
def probe_reads_the_credential_anew(bench: Bench) -> None:
    """A token that was exchanged while the old one still works. Catches the old one used for ever."""
    keys = Keys(bench.server.credential())
    connector = bench.connector(keys=keys)
    connector.probe()
    asked = keys.asked
    connector.probe()
    assert keys.asked > asked, "`probe` must read the credential from its source"


class _Broken(Keys):
    def __call__(self) -> Credential:
        raise OSError(LEAK)


def _everything(bench: Bench) -> None:
    """One call of each kind that sends something."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.check()
    connector.find(bench.wanted(1))
    connector.fetch(remote_id)
    connector.patch(remote_id, bench.change())


def _echoes(turn: Turn) -> None:
    header = turn.request.headers.get("authorization", "")
    faults.says(400, {"detail": f"not with {header}", "secret": header})(turn)


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    """Every log line of this process from DEBUG up, with what was raised."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{self.format(record)} {record.__dict__}")

    root, listener = logging.getLogger(), Listener(logging.DEBUG)
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(listener)
