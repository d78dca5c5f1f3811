"""The two calls of SimpleFIN: claim a token once, and get accounts."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from app.aggregators.contract import AggregatorError, Health
from app.kernel.bank import ConnectionStatus
from app.kernel.outbound import (
    AddressRefused,
    Answer,
    AnswerTooLarge,
    NoAnswer,
    OutboundError,
    OutboundRules,
    Outgoing,
    UrlInvalid,
    checked_url,
    send,
)

CLAIM_SECONDS_MAX: Final = 30.0
READ_SECONDS_MAX: Final = 120.0
CLAIM_BYTES_MAX: Final = 4 * 1024
ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024
"""About 100,000 transactions."""
REDIRECTS_MAX: Final = 3
RETRY_SECONDS: Final = 3_600
RETRY_SECONDS_MAX: Final = 86_400
_OK: Final = 200
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_PAYMENT_REQUIRED: Final = 402
_REFUSED: Final = (401, 403)
_TOO_MANY: Final = 429
_ACCESS: Final = re.compile(r"(https?)://([^/@:]+):([^/@:]+)@([^@]+)")


class TokenRefused(Exception):  # noqa: N818 - it says what happened
    """The setup token gives no access; the text is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class AccessUrl:
    """What opens a login: an address and the name and password that stand in it."""

    base: str = field(repr=False)
    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.base).hostname or ""

    @property
    def authorization(self) -> str:
        pair = f"{self.user}:{self.password}".encode()
        return "Basic " + base64.b64encode(pair).decode()

    @classmethod
    def parse(cls, text: str) -> AccessUrl:
        """Read `https://user:password@host/path`.

        Raises:
            ValueError: It is something else; the text is not repeated.
        """
        found = _ACCESS.fullmatch(text)
        if found is None:
            raise ValueError("not an access URL")
        scheme, user, password, rest = found.groups()
        base = f"{scheme}://{rest}".rstrip("/")
        try:
            parts = checked_url(base)
        except UrlInvalid:
            raise ValueError("not an access URL") from None
        if parts.query or parts.fragment:
            raise ValueError("not an access URL")
        return cls(base, unquote(user), unquote(password))


def claim(setup_token: str, rules: OutboundRules) -> str:
    """Exchange a setup token, which works once, and return the access URL.

    Raises:
        TokenRefused: It is no token, was claimed already, or leads nowhere we may go.
        AggregatorError: The server does not answer; the token may still be good.
    """
    url = _claim_url(setup_token)
    try:
        answer = send(
            Outgoing("POST", url),
            rules=rules,
            seconds_max=CLAIM_SECONDS_MAX,
            answer_bytes_max=CLAIM_BYTES_MAX,
        )
    except (AddressRefused, UrlInvalid) as error:
        raise TokenRefused(str(error)) from None
    except OutboundError as error:
        raise _unreachable(error) from None
    if answer.status in _REFUSED:
        raise TokenRefused(
            "This token was claimed already, or never existed. If it was not you who claimed it, "
            "somebody may have stolen it: disable it at SimpleFIN, then make a new one."
        )
    if answer.status != _OK:
        raise _unusual(answer)
    access_url = answer.body.decode(errors="replace").strip()
    try:
        AccessUrl.parse(access_url)
    except ValueError:
        raise TokenRefused(
            "The server behind this token did not give an access URL. Make a new token."
        ) from None
    return access_url


def account_set(access: AccessUrl, parameters: Mapping[str, str], rules: OutboundRules) -> Any:
    """Return the JSON of `GET /accounts`, decimals as `Decimal`.

    Raises:
        AggregatorError: See `_unusual`; or the answer is no JSON, or too long.
    """
    url = f"{access.base}/accounts?" + urlencode({"version": "2", **parameters})
    try:
        answer = _get(url, access, rules)
    except AddressRefused as error:
        degraded = Health(ConnectionStatus.DEGRADED, "ADDRESS_REFUSED")
        raise AggregatorError(
            "ADDRESS_REFUSED", str(error), permanent=True, health=degraded
        ) from None
    except AnswerTooLarge as error:
        raise AggregatorError("ANSWER_TOO_LARGE", str(error), permanent=True) from None
    except OutboundError as error:
        raise _unreachable(error) from None
    if answer.status != _OK:
        raise _unusual(answer)
    try:
        return json.loads(answer.body, parse_float=Decimal)
    except (ValueError, ArithmeticError, RecursionError):
        raise AggregatorError(
            "ANSWER_UNREADABLE", "SimpleFIN's answer cannot be read.", permanent=False
        ) from None


def _claim_url(setup_token: str) -> str:
    try:
        decoded = base64.b64decode("".join(setup_token.split()), validate=True).decode("ascii")
        checked_url(decoded)
    except (binascii.Error, UnicodeDecodeError, ValueError, UrlInvalid):
        raise TokenRefused(
            "This is not a SimpleFIN setup token; copy all of it from the page that made it."
        ) from None
    return decoded


def _get(url: str, access: AccessUrl, rules: OutboundRules) -> Answer:
    """Call, following redirects on the same server only: the credentials go with them."""
    origin = urlsplit(url)[:2]
    for _ in range(REDIRECTS_MAX + 1):
        answer = send(
            Outgoing("GET", url, {"Authorization": access.authorization}),
            rules=rules,
            seconds_max=READ_SECONDS_MAX,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
        if answer.status not in _REDIRECTS:
            return answer
        url = urljoin(url, answer.headers.get("location", ""))
        if urlsplit(url)[:2] != origin:
            raise AggregatorError(
                "REDIRECTED_AWAY",
                "SimpleFIN sends us to another server, to which the credentials were not given. "
                "Connect again with a new token.",
                permanent=True,
                health=Health(ConnectionStatus.RECONNECT_REQUIRED, "REDIRECTED_AWAY"),
            )
    raise NoAnswer("SimpleFIN sends us round in circles.")


def _unusual(answer: Answer) -> AggregatorError:
    """Return what a status other than 200 means."""
    if answer.status in _REFUSED:
        return AggregatorError(
            "ACCESS_REVOKED",
            "SimpleFIN does not let us in any more. Connect again with a new token.",
            permanent=True,
            health=Health(ConnectionStatus.RECONNECT_REQUIRED, "ACCESS_REVOKED"),
        )
    if answer.status == _PAYMENT_REQUIRED:
        return AggregatorError(
            "PAYMENT_REQUIRED",
            "SimpleFIN wants to be paid before it gives more.",
            permanent=True,
            health=Health(ConnectionStatus.DEGRADED, "PAYMENT_REQUIRED"),
        )
    if answer.status == _TOO_MANY:
        stated = answer.headers.get("retry-after", "")
        seconds = int(stated[:9]) if stated.isascii() and stated.isdigit() else RETRY_SECONDS
        return AggregatorError(
            "TOO_MANY_REQUESTS",
            "SimpleFIN asks to be left alone for a while.",
            permanent=False,
            retry_after_seconds=min(seconds, RETRY_SECONDS_MAX),
        )
    return AggregatorError(
        f"HTTP_{answer.status}", f"SimpleFIN answers {answer.status}.", permanent=False
    )


def _unreachable(error: OutboundError) -> AggregatorError:
    return AggregatorError("SIMPLEFIN_UNREACHABLE", str(error), permanent=False)
