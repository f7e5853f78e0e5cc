"""Fetching what somebody else named: from public addresses only, and never more than was asked for."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sdk.contract import Timeouts
from connectors.sdk.public_address import AddressError, first_public, is_public, public_address
from connectors.sdk.public_web import MAX_BYTES, FetchError, PublicWeb
from tests.connectors.images import picture
from tests.connectors.wires import Script, answer, saying, silent, trickling, wires

CERTIFICATES = Path(__file__).parent / "certificates"
CERTIFICATE = str(CERTIFICATES / "localhost.cert.pem")
PNG = "Content-Type: image/png\r\n"


def tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, CERTIFICATES / "localhost.key.pem")
    return context


def at_home(_host: str, _port: int) -> str:
    """Instead of the real resolver, which refuses this machine."""
    return "127.0.0.1"


def web(timeouts: Timeouts = Timeouts(1, 1, 2)) -> PublicWeb:  # noqa: B008  # frozen
    return PublicWeb(timeouts, resolve=at_home, ca_bundle=CERTIFICATE)


def fetched(script: Script, timeouts: Timeouts = Timeouts(1, 1, 2)) -> bytes:  # noqa: B008  # frozen
    with wires(script, tls()) as server:
        return web(timeouts).fetch(f"https://localhost:{server.port}/mira.png")


def test_a_picture_is_fetched_with_nothing_that_tells_who_we_are() -> None:
    with wires(saying(answer(picture(), head=PNG)), tls()) as server:
        port = server.port
        content = web().fetch(f"https://localhost:{port}/people/mira.png?size=1#x")
    assert content == picture()
    head = server.requests[0].decode("latin-1").lower()
    assert head.startswith("get /people/mira.png?size=1 http/1.1\r\n")
    assert f"\r\nhost: localhost:{port}\r\n" in head
    assert not any(name in head for name in ("authorization", "cookie", "referer", "#x"))


def test_credentials_and_proxies_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, closed_port: int
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login evil password evil\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    with wires(saying(answer(picture(), head=PNG)), tls()) as server:
        assert web().fetch(f"https://localhost:{server.port}/") == picture()
    assert b"uthorization" not in server.requests[0]


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    """Asked a second time, the name would be somewhere else."""
    asked: list[tuple[str, int]] = []

    def changing(host: str, port: int) -> str:
        asked.append((host, port))
        return "127.0.0.1" if len(asked) == 1 else "127.0.0.2"

    with wires(saying(answer(picture(), head=PNG)), tls()) as server:
        known = PublicWeb(Timeouts(1, 1, 2), resolve=changing, ca_bundle=CERTIFICATE)
        assert known.fetch(f"https://localhost:{server.port}/") == picture()
        assert asked == [("localhost", server.port)]


def test_the_certificate_must_be_of_the_name_although_an_address_is_connected_to() -> None:
    with wires(saying(answer(picture(), head=PNG)), tls()) as server, pytest.raises(FetchError) as raised:
        web().fetch(f"https://pictures.example.com:{server.port}/mira.png")
    assert "pictures.example.com gave no whole answer (SSLError)" in str(raised.value)
    assert server.requests == []


def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    with (
        wires(saying(answer(picture(), head=PNG)), tls()) as server,
        pytest.raises(FetchError, match="SSLError"),
    ):
        PublicWeb(Timeouts(1, 1, 2), resolve=at_home).fetch(f"https://localhost:{server.port}/")
    assert server.requests == []


@pytest.mark.parametrize("url", ["https://localhost/x.png", "https://127.0.0.1/x.png", "https://[::1]/x.png"])
def test_this_machine_is_not_asked(url: str) -> None:
    with pytest.raises(FetchError, match="which is not a public address"):
        PublicWeb().fetch(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
def test_this_machine_under_another_spelling_is_not_asked(host: str) -> None:
    with pytest.raises(FetchError, match=r"not a public address|does not resolve"):
        PublicWeb().fetch(f"https://{host}/x.png")


def test_a_name_that_does_not_resolve_is_told() -> None:
    for host in ("nowhere.invalid", "x" * 70 + ".example.com"):
        with pytest.raises(FetchError, match="does not resolve"):
            PublicWeb().fetch(f"https://{host}/x.png")


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.1", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1"),
        *("192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.1.1.1"),
        *("240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "ff0e::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "::8.8.8.8"),
        *("2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
        *(
            "64:ff9b:1::808:808",
            "2001::1",
            "2001:0:808:808::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "5f00::1",
        ),
    ],
)
def test_an_address_of_our_own_or_of_nobody_is_not_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2002:808:808::", "64:ff9b::808:808"]
)
def test_an_address_of_one_public_host_is_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


def test_one_address_of_ours_spoils_all_of_a_name() -> None:
    assert first_public("a.example.com", ["8.8.8.8", "2606:4700::1111"]) == "8.8.8.8"
    with pytest.raises(AddressError, match=r"a\.example\.com is at 10\.0\.0\.1"):
        first_public("a.example.com", ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressError, match="does not resolve"):
        first_public("a.example.com", [])


def test_an_address_is_looked_up_once_and_judged() -> None:
    assert public_address("8.8.8.8", 443) == "8.8.8.8"
    with pytest.raises(AddressError):
        public_address("localhost", 443)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://localhost/x.png", "only an https"),
        ("https:///x.png", "only an https"),
        ("https://ops:pass@localhost/x.png", "user name or a password"),
        ("https://localhost:0/x.png", "no address may hold"),
        ("https://localhost:99999/x.png", "this is no address"),
        ("https://localhost/a b.png", "no address may hold"),
        ("https://localhost/a\r\nX-Evil: 1", "no address may hold"),
        ("https://löcalhost/x.png", "no address may hold"),
        ("https://[::1/x.png", "this is no address"),
    ],
)
def test_an_address_that_is_none_is_refused_before_anything_is_asked(url: str, words: str) -> None:
    def never(host: str, port: int) -> str:
        raise AssertionError((host, port))

    known = PublicWeb(resolve=never)
    for act in (known.check, known.fetch):
        with pytest.raises(FetchError, match=words) as raised:
            act(url)
        assert "pass" not in str(raised.value).replace("password", "")


def test_only_the_listed_hosts_are_asked() -> None:
    with wires(saying(answer(picture(), head=PNG)), tls()) as server:
        listed = PublicWeb(Timeouts(1, 1, 2), ["LOCALHOST"], at_home, CERTIFICATE)
        assert listed.fetch(f"https://localhost:{server.port}/") == picture()
        with pytest.raises(FetchError, match=r"other\.example\.com is not among options\.picture_hosts"):
            listed.fetch(f"https://other.example.com:{server.port}/")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary", "206 Partial", "404 Gone", "500 Oh"]
)
def test_only_a_plain_success_is_a_picture_and_no_redirect_is_followed(status: str) -> None:
    elsewhere = "Location: https://localhost/other.png\r\n" + PNG
    with wires(saying(answer(picture(), status, elsewhere)), tls()) as server:
        with pytest.raises(FetchError, match=f"status {status[:3]} instead of a picture"):
            web().fetch(f"https://localhost:{server.port}/")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("Content-Type: image/svg+xml\r\n", "image/svg.xml is neither image/jpeg nor image/png"),
        ("Content-Type: text/html\r\n", "text/html is neither"),
        ("", "an unnamed type is neither"),
        (PNG + "Content-Encoding: gzip\r\n", "is packed"),
    ],
)
def test_what_is_said_to_be_no_plain_picture_is_not_read(head: str, words: str) -> None:
    with pytest.raises(FetchError, match=words):
        fetched(saying(answer(picture(), head=head)))


def test_a_type_may_carry_parameters() -> None:
    assert fetched(saying(answer(picture(), head="Content-Type: Image/PNG; q=1\r\n"))) == picture()


def test_a_length_beyond_the_limit_is_not_read_at_all() -> None:
    head = f"HTTP/1.1 200 OK\r\n{PNG}Content-Length: {MAX_BYTES + 1}\r\n\r\n".encode()
    with pytest.raises(FetchError, match=f"larger than {MAX_BYTES} bytes"):
        fetched(saying(head))


def test_content_without_a_length_is_read_up_to_the_limit_only() -> None:
    sent = [0]

    def endless(conn: socket.socket, over: threading.Event) -> None:
        conn.sendall(f"HTTP/1.1 200 OK\r\n{PNG}\r\n".encode())
        while not over.is_set():
            conn.sendall(b"x" * 65536)
            sent[0] += 65536

    with pytest.raises(FetchError, match=f"larger than {MAX_BYTES} bytes"):
        fetched(endless, Timeouts(1, 5, 10))
    assert sent[0] < 2 * MAX_BYTES + 8 * 2**20


@pytest.fixture
def quick() -> Iterator[float]:
    """The test must end in a second or two, whatever the server does."""
    started = time.monotonic()
    yield started
    assert time.monotonic() - started < 15


@pytest.mark.usefixtures("quick")
def test_silence_ends_in_time() -> None:
    with pytest.raises(FetchError, match="no whole answer"):
        fetched(silent, Timeouts(0.3, 0.3, 0.6))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("first", [10, 400])
def test_an_answer_trickled_byte_by_byte_ends_at_the_deadline(first: int) -> None:
    slow = f"HTTP/1.1 200 OK\r\n{PNG}\r\n".encode() + b"x" * 4096
    with pytest.raises(FetchError, match="no whole answer"):
        fetched(trickling(slow, first), Timeouts(0.3, 0.3, 0.6))


def test_a_cut_answer_is_no_picture() -> None:
    with pytest.raises(FetchError, match="no whole answer"):
        fetched(saying(answer(picture(), head=PNG)[:-5]))


def test_a_refused_connection_is_told_without_the_path(closed_port: int) -> None:
    with pytest.raises(FetchError) as raised:
        web().fetch(f"https://localhost:{closed_port}/people/mira.png")
    assert "localhost gave no whole answer" in str(raised.value)
    assert "mira" not in str(raised.value)


def test_a_server_without_tls_is_refused() -> None:
    with (
        wires(saying(answer(picture(), head=PNG))) as server,
        pytest.raises(FetchError, match="no whole answer"),
    ):
        web().fetch(f"https://localhost:{server.port}/")
