"""Calls to addresses that people gave us: only where the operator lets them go.

A name is resolved once, what it resolves to is checked, and the socket goes to the checked
address itself, so a name that answers differently a moment later gains nothing.  Private,
loopback and link-local addresses are refused unless the operator allows their networks.
Nothing here follows a redirect, and no error repeats an address's path or credentials.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

Network: TypeAlias = IPv4Network | IPv6Network
_Address: TypeAlias = IPv4Address | IPv6Address
_Found: TypeAlias = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]

CONNECT_SECONDS: Final = 10.0
"""For one address, and for each wait for its next bytes."""
ADDRESSES_MAX: Final = 4
"""Of those that a name resolves to, so many are tried."""
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_PLAIN: Final = re.compile(r"[!-~]+")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class OutboundError(Exception):
    """The call was not made, or not answered; the text is one sentence for a person."""


class UrlInvalid(OutboundError):  # noqa: N818 - it says what is wrong
    """It is not an http or https address without credentials."""


class AddressRefused(OutboundError):  # noqa: N818 - it says what happened
    """The host is, or resolves to, an address that must not be called."""


class NoAnswer(OutboundError):  # noqa: N818 - the same
    """Nobody answered, not in time, or not as a server should; later it may be different."""


class AnswerTooLarge(OutboundError):  # noqa: N818 - the same
    """The answer is longer than the caller takes."""


@dataclass(frozen=True, slots=True)
class OutboundRules:
    """Where calls may go besides public addresses.

    Args:
        allowed_networks: Non-public networks that the operator opens.
    """

    allowed_networks: tuple[Network, ...] = ()

    def permit(self, address: str) -> bool:
        """Say whether a call may go to this numeric address, whatever it wraps."""
        target = _unwrapped(ip_address(address))
        if any(target in network for network in self.allowed_networks):
            return True
        if isinstance(target, IPv6Address) and target not in _GLOBAL_UNICAST:
            return False
        return target.is_global and not (target.is_multicast or target.is_reserved)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One HTTP request; what it carries is never printed."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def open_connection(
    host: str, port: int, *, rules: OutboundRules, loopback_only: bool = False
) -> socket.socket:
    """Return a connected socket with `CONNECT_SECONDS` as its timeout.

    Args:
        loopback_only: Refuse everything else, because what follows is not encrypted.

    Raises:
        AddressRefused: None of the host's addresses may be called.
        NoAnswer: The name is unknown, or nobody accepted the call.
    """
    permitted = [found for found in _resolved(host, port) if rules.permit(found[1][0])]
    if not permitted:
        raise AddressRefused(
            f"“{host}” is in a private network, which this installation does not call; nothing "
            "was sent. The operator can allow the network (OUTBOUND_NETWORKS)."
        )
    if loopback_only and not all(_is_loopback(found[1][0]) for found in permitted):
        raise AddressRefused(f"“{host}” must be called over https; nothing was sent.")
    for family, address in permitted[:ADDRESSES_MAX]:
        attempt = socket.socket(family, socket.SOCK_STREAM)
        attempt.settimeout(CONNECT_SECONDS)
        attempt.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            attempt.connect(address)
        except OSError:
            attempt.close()
        else:
            return attempt
    raise NoAnswer(f"“{host}” does not accept connections on port {port}.")


def checked_url(url: str) -> SplitResult:
    """Return the parts of an http or https address that carries no credentials.

    Raises:
        UrlInvalid: It is something else.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable or parts.username is not None or not _PLAIN.fullmatch(url):
        raise UrlInvalid("The address must be a complete https:// address without a password.")
    return parts


def send(
    outgoing: Outgoing, *, rules: OutboundRules, seconds_max: float, answer_bytes_max: int
) -> Answer:
    """Make one HTTP call, over TLS unless the server is on this machine.

    Args:
        seconds_max: For the whole call, however slowly its bytes keep coming.

    Raises:
        UrlInvalid: See `checked_url`.
        AddressRefused: The host must not be called, or not without TLS.
        AnswerTooLarge: The body is longer than `answer_bytes_max`.
        NoAnswer: All else that goes wrong on the way, an invalid certificate included.
    """
    parts = checked_url(outgoing.url)
    connection = _Connection(parts, rules)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _deadline(connection, seconds_max):
            connection.request(
                outgoing.method, path, body=outgoing.body or None, headers=dict(outgoing.headers)
            )
            return _read(connection.getresponse(), answer_bytes_max)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswer(f"The certificate of “{parts.hostname}” is not valid.") from error
    except (OSError, http.client.HTTPException, ValueError):
        # Not chained: such errors can repeat what was sent.
        raise NoAnswer(f"“{parts.hostname}” did not answer as a server should.") from None
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, parts: SplitResult, rules: OutboundRules) -> None:
        assert parts.hostname  # `checked_url` saw to it
        super().__init__(parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme])
        self.encrypted = parts.scheme == "https"
        self.rules = rules
        self.opened: socket.socket | None = None
        self.was_cut = False

    def connect(self) -> None:
        self.opened = open_connection(
            self.host, self.port, rules=self.rules, loopback_only=not self.encrypted
        )
        if self.was_cut:
            raise TimeoutError
        if self.encrypted:
            encrypted = ssl.create_default_context().wrap_socket(
                self.opened, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.opened = encrypted
            encrypted.do_handshake()
        self.sock = self.opened

    def cut(self) -> None:
        """End the call from another thread: whoever waits for its bytes sees their end."""
        self.was_cut = True
        if self.opened is not None:
            with suppress(OSError):  # it may end by itself in this moment
                # Not the method of an SSL socket, which is not made for a second thread.
                socket.socket.shutdown(self.opened, socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        if self.opened is not None:
            self.opened.close()


@contextmanager
def _deadline(connection: _Connection, seconds: float) -> Iterator[None]:
    """Cut the call after so many seconds, however slowly bytes keep coming."""
    timer = threading.Timer(seconds, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if connection.was_cut:  # what was read may be a part that looks whole
        raise TimeoutError


def _read(response: http.client.HTTPResponse, bytes_max: int) -> Answer:
    body = response.read(bytes_max + 1)
    if len(body) > bytes_max:
        raise AnswerTooLarge(f"The answer is longer than {bytes_max:,} bytes.")
    if response.length:
        raise NoAnswer("The answer broke off before its end.")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body)


def _resolved(host: str, port: int) -> list[_Found]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NoAnswer(f"There is no computer named “{host}”.") from None
    return [
        (family, address)  # type: ignore[misc]  # a numeric address is text first
        for family, _, _, _, address in found
        if family in {socket.AF_INET, socket.AF_INET6}
    ]


def _unwrapped(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_loopback(address: str) -> bool:
    return _unwrapped(ip_address(address)).is_loopback
