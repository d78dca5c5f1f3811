"""Where calls may go, checked where they go; and how badly servers may behave."""

import socket
import time
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import outbound
from app.kernel.outbound import (
    AddressRefused,
    AnswerTooLarge,
    NoAnswer,
    OutboundRules,
    Outgoing,
    UrlInvalid,
    checked_url,
    open_connection,
    send,
)
from tests.http_servers import certificate, http_server, raw_server, reply

PUBLIC_ONLY = OutboundRules()
LOOPBACK = OutboundRules((ip_network("127.0.0.0/8"),))


def call(port, path="/", *, rules=LOOPBACK, scheme="http", host="127.0.0.1", **kwargs):
    wanted = {"seconds_max": 5.0, "answer_bytes_max": 1_000} | kwargs
    return send(Outgoing("GET", f"{scheme}://{host}:{port}{path}"), rules=rules, **wanted)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_addresses_that_are_not_public_are_refused(address):
    assert not PUBLIC_ONLY.permit(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_public_addresses_are_called(address):
    assert PUBLIC_ONLY.permit(address)


@given(address=st.ip_addresses(v=4), network=st.sampled_from(["10.0.0.0/8", "192.168.7.0/24"]))
def test_an_allowed_network_opens_itself_and_nothing_else(address, network):
    rules = OutboundRules((ip_network(network),))
    expected = PUBLIC_ONLY.permit(str(address)) or address in ip_network(network)
    assert rules.permit(str(address)) == expected
    assert rules.permit(f"::ffff:{address}") == expected


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1"])
def test_nobody_is_called_under_another_spelling_of_loopback(host):
    with (
        http_server(lambda handler: reply(handler, 200)) as port,
        pytest.raises(AddressRefused, match="private network"),
    ):
        call(port, host=host, rules=PUBLIC_ONLY)


def test_the_address_that_was_checked_is_the_one_that_is_called(monkeypatch):
    """A name that turns to loopback after the check is asked for only once."""
    answers = [
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 80))],
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))],
    ]
    asked, called = [], []
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *args, **_: asked.append(args) or answers[len(asked) - 1]
    )
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: called.append(address))
    rules = OutboundRules((ip_network("192.0.2.0/24"),))
    open_connection("turning.example", 80, rules=rules).close()
    assert called == [("192.0.2.7", 80)]


def test_of_several_addresses_only_the_permitted_are_called(monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))
        for address in ("10.0.0.1", "8.8.8.8", "127.0.0.1")
    ]
    called = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: called.append(address))
    open_connection("mixed.example", 443, rules=PUBLIC_ONLY).close()
    assert called == [("8.8.8.8", 443)]


def test_the_next_address_is_tried_when_one_is_silent(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with open_connection("two.example", port, rules=LOOPBACK) as connected:
            assert connected.getpeername()[1] == port


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", ""])
def test_a_name_that_nobody_has_is_no_answer(host):
    with pytest.raises(NoAnswer):
        open_connection(host or "..", 443, rules=LOOPBACK)


def test_without_tls_only_this_machine_is_called_even_in_an_allowed_network(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused, match="https"):
        call(80, host="inside.example", rules=OutboundRules((ip_network("10.0.0.0/8"),)))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/",
        "//host/",
        "https://",
        "https:///path",
        "https://user:secret@host/",
        "https://user@host/",
        "https://host:99999/",
        "https://host:0/",
        "https://host/a b",
        "https://host/\r\nX-Injected: 1",
        "https://[::1",
        "https://hóst/",
    ],
)
def test_an_address_that_is_not_plain_https_is_refused(url):
    with pytest.raises(UrlInvalid):
        checked_url(url)


def test_what_the_server_says_comes_back():
    def answer(handler):
        body = f"{handler.command} {handler.path} {handler.headers['X-Mine']}".encode()
        reply(handler, 402, body, **{"Retry-After": "7"})

    with http_server(answer) as port:
        url = f"http://127.0.0.1:{port}/a?b=c%20d"
        outgoing = Outgoing("POST", url, {"X-Mine": "yes"}, b"body")
        said = send(outgoing, rules=LOOPBACK, seconds_max=5, answer_bytes_max=100)
    assert (said.status, said.body) == (402, b"POST /a?b=c%20d yes")
    assert said.headers["retry-after"] == "7"


def test_a_redirect_is_an_answer_like_any_other_and_not_followed():
    calls = []

    def answer(handler):
        calls.append(handler.path)
        reply(handler, 302, Location="/elsewhere")

    with http_server(answer) as port:
        assert call(port).status == 302
    assert calls == ["/"]


def test_an_answer_of_the_limit_is_read_and_one_byte_more_is_refused():
    with http_server(lambda handler: reply(handler, 200, b"x" * 1_000)) as port:
        assert len(call(port).body) == 1_000
    with (
        http_server(lambda handler: reply(handler, 200, b"x" * 1_001)) as port,
        pytest.raises(AnswerTooLarge),
    ):
        call(port)


def test_an_endless_answer_is_cut_at_the_limit():
    def pour(caller):
        caller.recv(4_096)
        caller.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            caller.sendall(b"5\r\nxxxxx\r\n")

    with raw_server(pour) as port, pytest.raises(AnswerTooLarge):
        call(port)


@pytest.mark.parametrize(
    "part", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b""]
)
def test_a_server_that_drips_is_cut_at_the_deadline(part):
    def drip(caller):
        caller.recv(4_096)
        caller.sendall(part)
        while True:
            caller.sendall(b"x")
            time.sleep(0.02)

    with raw_server(drip) as port:
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            call(port, seconds_max=0.3)
        assert time.monotonic() - begun < 5


def test_a_server_that_drips_its_handshake_is_cut_too():
    def drip(caller):
        caller.recv(4_096)
        caller.sendall(b"\x16\x03\x03\x40\x00")
        while True:
            caller.sendall(b"\x02")
            time.sleep(0.02)

    with raw_server(drip) as port, pytest.raises(NoAnswer):
        call(port, scheme="https", seconds_max=0.3)


def test_a_silent_server_is_given_up(monkeypatch):
    monkeypatch.setattr(outbound, "CONNECT_SECONDS", 0.1)
    with (
        raw_server(lambda caller: caller.recv(4_096) and caller.recv(1)) as port,
        pytest.raises(NoAnswer),
    ):
        call(port)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 999999999999 X\r\n\r\n",
    ],
)
def test_nonsense_is_no_answer(said):
    def talk(caller):
        caller.recv(4_096)
        caller.sendall(said)

    with raw_server(talk) as port, pytest.raises(NoAnswer):
        call(port)


def test_a_certificate_must_be_known_and_of_this_host(tmp_path, monkeypatch):
    trusted, context = certificate(tmp_path, "127.0.0.1")
    with http_server(lambda handler: reply(handler, 200, b"ok"), context) as port:
        with pytest.raises(NoAnswer, match="certificate"):
            call(port, scheme="https")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        assert call(port, scheme="https").body == b"ok"
        with pytest.raises(NoAnswer, match="certificate"):
            call(port, scheme="https", host="localhost")


def test_no_error_repeats_what_was_sent():
    with raw_server(lambda caller: caller.recv(4_096)) as port:
        url = f"http://127.0.0.1:{port}/canary-path?canary=query"
        outgoing = Outgoing("GET", url, {"Authorization": "canary-header"})
        with pytest.raises(NoAnswer) as failed:
            send(outgoing, rules=LOOPBACK, seconds_max=5, answer_bytes_max=10)
    seen = failed.value
    assert seen.__suppress_context__
    assert "canary" not in f"{seen!r} {seen} {outgoing!r}"
