"""The promises of the HTTP client, over real sockets."""

from __future__ import annotations

import base64
import contextlib
import logging
import multiprocessing
import socket
import ssl
import threading
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from connectors.sdk.answers import Failure
from connectors.sdk.contract import ConnectorConfig, Credential, CredentialSource, Timeouts
from connectors.sdk.deadline import watchdog
from connectors.sdk.rest import RestClient, correlation, request_id
from connectors.sdk.urls import ForeignOriginError
from connectors.sdk.wire import MAX_BODY
from tests.connectors.styles import SECRET, SHORT
from tests.connectors.wires import (
    TRICKLE_LIMIT,
    Wires,
    answer,
    keeping,
    reset,
    resetting,
    saying,
    silent,
    wires,
)

CERTIFICATES = Path(__file__).parent / "certificates"
OK = answer(b"{}")
FORKING = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)  # on purpose


def client(
    url: str,
    source: CredentialSource | None = None,
    timeouts: Timeouts = SHORT,
    *,
    verify: bool | str = True,
) -> RestClient:
    known = source or (lambda: Credential("bearer", SECRET))
    return RestClient(ConnectorConfig("here", url, known, timeouts=timeouts, verify=verify))


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_each_request_says_what_it_takes_who_asks_and_as_whom() -> None:
    with wires(keeping(OK)) as server:
        rest = client(f"{server.url}/base/")
        assert rest.get("/x/", {"q": "a b&c"}).body == b"{}"
        assert rest.patch("/x/", {"name": "Zoë"}).exchange.path == "/base/x/"
    first, second = server.requests
    assert first.startswith(b"GET /base/x/?q=a+b%26c HTTP/1.1\r\n")
    assert headers_of(first)["accept"] == "application/json"
    assert headers_of(first)["user-agent"].startswith("hirewire/")
    assert headers_of(first)["authorization"] == f"Bearer {SECRET}"
    assert "content-type" not in headers_of(first)
    assert headers_of(second)["content-type"] == "application/json"
    assert second.endswith('{"name":"Zoë"}'.encode())


def test_a_connection_is_used_again() -> None:
    with wires(keeping(OK)) as server:
        rest = client(server.url)
        for _ in range(5):
            assert rest.get("/").failure is None
    assert server.accepted == 1


@pytest.mark.parametrize("scheme", ["token", "basic"])
def test_the_scheme_of_the_credential_is_the_scheme_of_the_header(scheme: str) -> None:
    with wires(keeping(OK)) as server:
        client(server.url, lambda: Credential(scheme, SECRET, "opsé")).get("/")
    pair = base64.b64encode(f"opsé:{SECRET}".encode()).decode()
    expected = {"token": f"Token {SECRET}", "basic": f"Basic {pair}"}
    assert headers_of(server.requests[0])["authorization"] == expected[scheme]


@pytest.mark.parametrize(
    "credential",
    [
        Credential("bearer", ""),
        Credential("bearer", "two words"),
        Credential("bearer", f"{SECRET}\r\nX-Evil: 1"),
        Credential("bearer", "tökén"),
        Credential("basic", SECRET),
        Credential("basic", SECRET, "a:b"),
        Credential("digest", SECRET, "a"),
    ],
)
def test_a_credential_that_no_header_can_carry_is_not_sent(credential: Credential) -> None:
    with wires(keeping(OK)) as server:
        received = client(server.url, lambda: credential).patch("/", {})
    assert received.failure is Failure.CREDENTIAL
    assert SECRET not in received.detail
    assert server.accepted == 0


def test_a_credential_that_cannot_be_read_sends_nothing() -> None:
    def source() -> Credential:
        raise FileNotFoundError(f"/run/secrets/{SECRET}")

    with wires(keeping(OK)) as server:
        received = client(server.url, source).get("/")
    assert received.failure is Failure.CREDENTIAL
    assert received.detail == "the credential cannot be read (FileNotFoundError)"
    assert server.accepted == 0


def test_the_credential_is_read_once_and_again_after_a_401_or_a_refresh(httpserver: HTTPServer) -> None:
    secrets = iter(["old", "new", "newest"])

    def answering(request: Request) -> Response:
        return Response("{}", 200 if request.headers["Authorization"] != "Bearer old" else 401)

    httpserver.expect_request("/").respond_with_handler(answering)
    rest = client(httpserver.url_for(""), lambda: Credential("bearer", next(secrets)))
    statuses = [rest.get("/").exchange.status for _ in range(3)]
    rest.refresh()
    rest.get("/")
    sent = [request.headers["Authorization"] for request, _ in httpserver.log]
    assert statuses == [401, 200, 200]
    assert sent == ["Bearer old", "Bearer new", "Bearer new", "Bearer newest"]


@pytest.mark.parametrize(
    ("variable", "header"), [(request_id, "x-request-id"), (correlation, "x-correlation-id")]
)
def test_the_ids_of_a_request_travel_along(variable: ContextVar[str | None], header: str) -> None:
    with wires(keeping(OK)) as server:
        rest = client(server.url)
        for value in ("c-17", "two words", "x\r\nX-Evil: 1", "", None):
            token = variable.set(value)
            rest.get("/")
            variable.reset(token)
    assert [headers_of(request).get(header) for request in server.requests] == ["c-17", *[None] * 4]
    assert not any("x-evil" in headers_of(request) for request in server.requests)


def test_a_redirect_is_not_followed_and_its_body_not_read_beyond_the_limit(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data("", 302, {"Location": httpserver.url_for("/b")})
    assert client(httpserver.url_for("")).patch("/a", {"x": 1}).exchange.status == 302
    assert [request.path for request, _ in httpserver.log] == ["/a"]
    huge = answer(b"x" * (MAX_BODY + 1), "302 Found", "Location: /b\r\n")
    with wires(saying(huge)) as server:
        received = client(server.url, timeouts=Timeouts(1, 5, 5)).get("/a")
    assert received.failure is Failure.OVERSIZE
    assert len(server.requests) == 1


def test_netrc_and_proxies_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed_port: int
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login evil password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("no_proxy", "")
    with wires(keeping(OK)) as server:
        assert client(server.url).get("/").failure is None
    assert headers_of(server.requests[0])["authorization"] == f"Bearer {SECRET}"


def test_a_cookie_is_not_sent_back(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/").respond_with_data("{}", headers={"Set-Cookie": "sessionid=1; Path=/"})
    rest = client(httpserver.url_for(""))
    rest.get("/")
    rest.get("/")
    assert [dict(request.cookies) for request, _ in httpserver.log] == [{}, {}]


def test_an_answer_of_just_the_limit_is_read_and_one_byte_more_is_not() -> None:
    patient = Timeouts(1, 5, 10)
    with wires(keeping(answer(b"x" * MAX_BODY))) as server:
        assert len(client(server.url, timeouts=patient).get("/").body) == MAX_BODY
    with wires(keeping(answer(b"x" * (MAX_BODY + 1)))) as server:
        received = client(server.url, timeouts=patient).get("/")
    assert (received.failure, received.body) == (Failure.OVERSIZE, b"")


def test_an_endless_chunked_answer_is_oversize() -> None:
    def script(conn: socket.socket, over: threading.Event) -> None:
        conn.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not over.is_set():
            conn.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    with wires(script) as server:
        received = client(server.url, timeouts=Timeouts(1, 5, 10)).get("/")
    assert received.failure is Failure.OVERSIZE


def test_a_body_that_does_not_unpack_is_lost() -> None:
    head = "Content-Encoding: gzip\r\n"
    with wires(keeping(answer(b"not gzip at all", head=head))) as server:
        received = client(server.url).patch("/", {})
    assert (received.failure, received.detail) == (Failure.LOST, "the answer could not be read")


def test_what_is_no_http_is_lost() -> None:
    with wires(saying(b"220 mail.example.com ESMTP\r\n")) as server:
        assert client(server.url).patch("/", {}).failure is Failure.LOST
    assert len(server.requests) == 1


def test_a_read_is_repeated_while_nothing_came_back_and_at_most_three_times() -> None:
    with wires(resetting) as server:
        assert client(server.url).get("/").failure is Failure.LOST
    assert len(server.requests) == 3


def test_a_read_succeeds_when_the_second_try_does() -> None:
    def script(conn: socket.socket, over: threading.Event) -> None:
        (resetting if len(server.requests) == 1 else keeping(OK))(conn, over)

    with wires(script) as server:
        assert client(server.url).get("/").body == b"{}"
    assert len(server.requests) == 2


def test_a_read_is_not_repeated_once_a_status_came() -> None:
    with wires(saying(answer(b"{}")[:-1])) as server:
        received = client(server.url).get("/")
    assert (received.failure, received.exchange.status) == (Failure.LOST, 200)
    assert received.detail == "the answer was cut"
    assert len(server.requests) == 1


def test_a_write_that_never_left_is_sent_when_the_target_is_back(
    monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    servers: list[Wires] = []

    def coming_back(_seconds: float) -> None:
        servers.append(Wires(keeping(OK), port=closed_port))
        servers[0].start()

    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=coming_back))
    received = client(f"http://127.0.0.1:{closed_port}").patch("/", {"x": 1})
    servers[0].stop()
    assert received.body == b"{}"
    assert len(servers[0].requests) == 1


def test_a_deadline_ends_a_silent_exchange_though_the_read_timeout_is_longer() -> None:
    with wires(silent) as server:
        received = client(server.url, timeouts=Timeouts(1, 30, 0.3)).patch("/", {})
    assert received.failure is Failure.LOST
    assert received.detail == "not complete within 0.3 s"
    assert received.exchange.duration_s < 5


def test_an_answer_after_the_deadline_counts_for_nothing() -> None:
    def script(conn: socket.socket, over: threading.Event) -> None:
        conn.sendall(OK[:-2])
        over.wait(0.4)
        conn.sendall(OK[-2:])

    with wires(script) as server:
        received = client(server.url, timeouts=Timeouts(1, 30, 0.2)).patch("/", {})
    assert (received.failure, received.body) == (Failure.LOST, b"")


def test_a_connection_that_says_close_is_still_under_the_deadline() -> None:
    def script(conn: socket.socket, over: threading.Event) -> None:
        conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{")
        for _ in range(TRICKLE_LIMIT):
            if over.wait(0.02):
                return
            conn.sendall(b" ")

    with wires(script) as server:
        received = client(server.url, timeouts=Timeouts(1, 5, 0.3)).patch("/", {})
    assert received.failure is Failure.LOST
    assert received.exchange.duration_s < 2


def test_many_exchanges_share_one_thread_that_keeps_each_deadline() -> None:
    with wires(silent) as server:
        rest = client(server.url, timeouts=Timeouts(1, 30, 0.4))
        results: list[Failure | None] = []
        threads = [
            threading.Thread(target=lambda: results.append(rest.patch("/", {}).failure)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    keepers = [thread for thread in threading.enumerate() if thread.name == "http-deadlines"]
    assert results == [Failure.LOST] * 8
    assert len(keepers) == 1
    assert keepers[0].daemon


def test_a_nearer_deadline_does_not_wait_for_a_farther_one() -> None:
    with wires(silent) as server:
        far = client(server.url, timeouts=Timeouts(1, 30, 3))
        thread = threading.Thread(target=far.patch, args=("/", {}))
        thread.start()
        near = client(server.url, timeouts=Timeouts(1, 30, 0.2)).patch("/", {})
        assert near.exchange.duration_s < 2
    thread.join(30)


def _in_child(url: str, said: multiprocessing.connection.Connection) -> None:
    received = client(url, timeouts=Timeouts(1, 30, 0.3)).patch("/", {})
    alive = [thread.name for thread in threading.enumerate() if thread.name == "http-deadlines"]
    said.send((received.failure, alive))


@FORKING
def test_a_forked_child_keeps_deadlines_with_a_thread_of_its_own() -> None:
    with wires(silent) as server:
        client(server.url, timeouts=Timeouts(1, 30, 0.1)).patch("/", {})
        mine = watchdog()
        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(
            target=_in_child, args=(server.url, there), daemon=True
        )
        child.start()
        assert here.poll(10)
        assert here.recv() == (Failure.LOST, ["http-deadlines"])
        child.join(30)
        assert watchdog() is mine


def _ask(rest: RestClient, said: multiprocessing.connection.Connection) -> None:
    said.send(rest.get("/").body)


@FORKING
def test_a_forked_child_does_not_talk_over_its_parents_connection() -> None:
    with wires(keeping(OK)) as server:
        rest = client(server.url)
        rest.get("/")
        here, there = multiprocessing.Pipe()
        child = multiprocessing.get_context("fork").Process(target=_ask, args=(rest, there), daemon=True)
        child.start()
        assert here.poll(10)
        assert here.recv() == b"{}"
        child.join(30)
        assert rest.get("/").body == b"{}"
    assert server.accepted == 2


def test_no_secret_shows_in_repr_log_or_answer(
    httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    def echo(request: Request) -> Response:
        return Response(str(request.headers), 500)

    httpserver.expect_request("/").respond_with_handler(echo)
    config = ConnectorConfig("here", httpserver.url_for(""), lambda: Credential("basic", SECRET, "ops"))
    rest = RestClient(config)
    with caplog.at_level(logging.DEBUG):
        received = rest.get("/")
    pair = base64.b64encode(f"ops:{SECRET}".encode()).decode()
    shown = "".join(
        [repr(rest), repr(config), repr(config.credential()), repr(rest.__dict__), repr(received)]
    )
    assert b"<hidden>" in received.body
    for text in (shown, caplog.text):
        assert SECRET not in text
        assert pair not in text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.com", "http:// or https://"),
        ("example.com", "http:// or https://"),
        ("https://", "name a host"),
        (f"https://ops:{SECRET}@example.com", "belong into the credential"),
        ("https://example.com/?a=b", "no query"),
        ("https://example.com/#a", "no fragment"),
    ],
)
def test_a_base_url_that_cannot_be_meant_is_refused_with_its_reason(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as raised:
        client(url)
    assert SECRET not in str(raised.value)


def test_verification_cannot_be_turned_off() -> None:
    with pytest.raises(ValueError, match="TLS verification cannot be turned off"):
        client("https://example.com", verify=False)


def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.cert.pem", CERTIFICATES / "localhost.key.pem")
    return context


def test_a_certificate_of_a_configured_authority_is_trusted() -> None:
    with wires(keeping(OK), _tls()) as server:
        rest = client(f"https://localhost:{server.port}", verify=str(CERTIFICATES / "localhost.cert.pem"))
        assert rest.get("/").body == b"{}"


def test_an_untrusted_certificate_gets_no_request() -> None:
    with wires(keeping(OK), _tls()) as server:
        received = client(f"https://localhost:{server.port}").patch("/", {})
    assert received.failure is Failure.TLS
    assert received.detail.startswith("the certificate is not trusted: ")
    assert server.requests == []


def test_a_server_without_tls_is_a_tls_failure(httpserver: HTTPServer) -> None:
    received = client(f"https://localhost:{httpserver.port}").patch("/", {})
    assert received.failure is Failure.TLS
    assert received.detail.startswith("the TLS handshake failed (")


def test_a_missing_bundle_of_authorities_is_a_tls_failure(tmp_path: Path) -> None:
    with wires(keeping(OK), _tls()) as server:
        received = client(f"https://localhost:{server.port}", verify=str(tmp_path / "none.pem")).patch(
            "/", {}
        )
    assert received.failure is Failure.TLS
    assert received.detail == "the file of trusted certificates cannot be read"


def test_a_bundle_of_authorities_that_is_none_is_a_tls_failure(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    with wires(keeping(OK), _tls()) as server:
        received = client(f"https://localhost:{server.port}", verify=str(junk)).patch("/", {})
    assert received.failure is Failure.TLS
    assert server.requests == []


def test_a_reset_inside_the_handshake_is_unsent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_reset_all, args=(listener,), daemon=True)
        thread.start()
        received = client(f"https://localhost:{listener.getsockname()[1]}").patch("/", {})
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(30)
    assert (received.failure, received.detail) == (Failure.UNSENT, "no connection")


def _reset_all(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            conn, _ = listener.accept()
            conn.recv(1)
            reset(conn)


def test_a_connection_that_nobody_accepts_is_unsent() -> None:
    with socket.socket() as listener, contextlib.ExitStack() as waiting:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # the queue of connections nobody accepts is full
            filler = waiting.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        received = client(f"http://127.0.0.1:{port}", timeouts=Timeouts(0.1, 5, 5)).patch("/", {})
    assert (received.failure, received.detail) == (Failure.UNSENT, "no connection in time")


def test_a_connection_made_after_the_deadline_carries_nothing() -> None:
    with wires(keeping(OK)) as server:
        received = client(server.url, timeouts=Timeouts(1, 1, 0.0)).patch("/", {})
    assert received.failure is Failure.UNSENT
    assert server.requests == []


def test_a_handshake_that_never_ends_is_unsent_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        rest = client(f"https://localhost:{listener.getsockname()[1]}", timeouts=Timeouts(30, 30, 0.3))
        received = rest.patch("/", {})
    assert received.failure is Failure.UNSENT
    assert received.exchange.duration_s < 5


def test_a_deadline_holds_over_tls() -> None:
    with wires(silent, _tls()) as server:
        rest = client(
            f"https://localhost:{server.port}",
            timeouts=Timeouts(1, 30, 0.5),
            verify=str(CERTIFICATES / "localhost.cert.pem"),
        )
        received = rest.patch("/", {})
    assert received.failure is Failure.LOST
    assert received.exchange.duration_s < 5


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("/base/users/?page=2", "/users/?page=2"),
        ("?page=2", "/users/?page=2"),
        ("http://here.example.com/base/users/?page=2", "/users/?page=2"),
        ("HTTP://HERE.example.com:80/base/users/?page=2", "/users/?page=2"),
    ],
)
def test_a_next_page_on_the_same_origin_is_found_below_the_base(link: str, path: str) -> None:
    rest = client("http://here.example.com/base")
    assert rest.follow(rest.unsent("GET", "/users/?page=1"), link) == path


@pytest.mark.parametrize(
    "link",
    [
        "http://evil.example.com/base/users/?page=2",
        "https://here.example.com/base/users/?page=2",
        "http://here.example.com:8080/base/users/?page=2",
        "http://here.example.com:port/base/users/",
        "//evil.example.com/base/users/",
        "/elsewhere/users/?page=2",
        "/base/../elsewhere/",
        "/based/users/",
        "file:///etc/passwd",
    ],
)
def test_a_next_page_elsewhere_is_refused(link: str) -> None:
    rest = client("http://here.example.com/base")
    with pytest.raises(ForeignOriginError):
        rest.follow(rest.unsent("GET", "/users/?page=1"), link)
