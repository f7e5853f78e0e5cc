"""Building a connector: nothing is opened, nothing is read, nothing is shown."""

from __future__ import annotations

from connectors.sdk.contract import Credential
from connectors.sdk.testing.bench import Bench, Keys
from connectors.sdk.testing.check import check
from connectors.sdk.testing.virtual import watched

SECRET = "canary-secret-9d27"  # noqa: S105  # nobody's


@check()
def constructor_opens_nothing(bench: Bench) -> None:
    """A connector is built in any process and forked. Catches a connection, a look-up, a first request."""
    calls: list[str] = []
    with (
        watched("create_connection", lambda: calls.append("create_connection")),
        watched("getaddrinfo", lambda: calls.append("getaddrinfo")),
    ):
        bench.connector()
    assert not calls, f"building a connector must open nothing, it called {calls} of `socket`"
    asked = [request.target for request in bench.requests()]
    assert not asked, f"building a connector must ask nothing, it asked for {asked}"


@check()
def constructor_reads_no_credential(bench: Bench) -> None:
    """The secret is read when it is needed. Catches one that is kept for the life of a process."""
    keys = Keys(bench.server.credential())
    bench.connector(keys=keys)
    assert keys.asked == 0, "building a connector must not read the credential"


@check()
def connector_shows_no_secret(bench: Bench) -> None:
    """`repr` and `str` end up in logs and exceptions. Catches a dataclass that shows its fields."""
    (remote_id,) = bench.seed()
    connector = bench.connector()
    connector.fetch(remote_id)  # now it has read its credential
    for text in (repr(connector), str(connector), repr(vars(connector))):
        assert bench.secret not in text, "repr, str or an attribute of the connector shows its secret"


@check()
def errors_of_building_show_no_secret(bench: Bench) -> None:
    """A base URL that cannot be is refused without naming the credential. Catches one that is quoted."""
    keys = Keys(Credential("bearer", SECRET))
    said = _refusal(bench, f"ftp://user:{SECRET}@example.com", keys)
    assert said is not None, "a base URL with ftp:// and a password in it must be refused with ValueError"
    assert SECRET not in said, f"the error of the constructor quotes a secret: {said}"


def _refusal(bench: Bench, base_url: str, keys: Keys) -> str | None:
    try:
        bench.connector(base_url=base_url, keys=keys)
    except ValueError as error:
        return str(error)
    return None
