"""Verify Plaid's webhooks and say what each is for.

A webhook is signed as a JSON Web Token (RFC 7519, ES256 of RFC 7518 §3.4) whose payload
holds the time and the SHA-256 of the body, in the header `Plaid-Verification`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from app.aggregators.contract import Health, Webhook, WebhookInvalid, WebhookKind
from app.aggregators.plaid.errors import health_of_error, safe_code
from app.aggregators.plaid.items import ACCESS_EXPIRING_SOON, NEW_ACCOUNTS_AVAILABLE
from app.aggregators.plaid.reading import (
    Json,
    NotJson,
    id_of,
    instant_of,
    parse,
    record_of,
    text_of,
)
from app.aggregators.plaid.webhook_keys import WebhookKeys
from app.kernel.bank import ConnectionStatus

HEADER: Final = "plaid-verification"
AGE_SECONDS_MAX: Final = 5 * 60
AHEAD_SECONDS_MAX: Final = 60
"""Clocks differ a little."""
TOKEN_CHARACTERS_MAX: Final = 4_096

_NUMBER_BYTES: Final = 32
_TOKEN_PARTS: Final = 3

_KINDS: Final[Mapping[str, WebhookKind]] = MappingProxyType(
    {
        "LINK/SESSION_FINISHED": WebhookKind.FLOW_ENDED,
        "LINK/ITEM_ADD_RESULT": WebhookKind.FLOW_ENDED,
        "LINK/EVENTS": WebhookKind.IGNORED,
        "TRANSACTIONS/SYNC_UPDATES_AVAILABLE": WebhookKind.DATA,
        # Sent besides the one above to those who do not read by cursor.
        "TRANSACTIONS/INITIAL_UPDATE": WebhookKind.IGNORED,
        "TRANSACTIONS/HISTORICAL_UPDATE": WebhookKind.IGNORED,
        "TRANSACTIONS/DEFAULT_UPDATE": WebhookKind.IGNORED,
        "TRANSACTIONS/TRANSACTIONS_REMOVED": WebhookKind.IGNORED,
        "ITEM/ERROR": WebhookKind.DATA,
        "ITEM/LOGIN_REPAIRED": WebhookKind.HINT,
        "ITEM/PENDING_DISCONNECT": WebhookKind.HINT,
        "ITEM/PENDING_EXPIRATION": WebhookKind.HINT,
        "ITEM/NEW_ACCOUNTS_AVAILABLE": WebhookKind.HINT,
        "ITEM/USER_PERMISSION_REVOKED": WebhookKind.HINT,
        "ITEM/USER_ACCOUNT_REVOKED": WebhookKind.ACCOUNT_GONE,
        "ITEM/WEBHOOK_UPDATE_ACKNOWLEDGED": WebhookKind.IGNORED,
    }
)


def _expiring(at: str) -> Callable[[Json], Health]:
    return lambda message: Health(
        ConnectionStatus.RECONNECT_AVAILABLE, ACCESS_EXPIRING_SOON, instant_of(message, at)
    )


_HEALTH: Final[Mapping[str, Callable[[Json], Health | None]]] = MappingProxyType(
    {
        "ITEM/LOGIN_REPAIRED": lambda _message: Health(ConnectionStatus.ACTIVE),
        "ITEM/ERROR": lambda message: health_of_error(record_of(message, "error")),
        "ITEM/PENDING_DISCONNECT": _expiring("disconnect_time"),
        "ITEM/PENDING_EXPIRATION": _expiring("consent_expiration_time"),
        "ITEM/NEW_ACCOUNTS_AVAILABLE": lambda _message: Health(
            ConnectionStatus.RECONNECT_AVAILABLE, NEW_ACCOUNTS_AVAILABLE
        ),
        "ITEM/USER_PERMISSION_REVOKED": lambda _message: Health(
            ConnectionStatus.RECONNECT_REQUIRED, "USER_PERMISSION_REVOKED"
        ),
    }
)


def read_webhook(
    headers: Mapping[str, str], body: bytes, now: datetime, keys: WebhookKeys
) -> Webhook:
    """Verify and read a message.

    Raises:
        WebhookInvalid: It is not Plaid's, altered, or too old.
        AggregatorError: The key could not be fetched now.
    """
    _verify(headers.get(HEADER, ""), body, now, keys)
    try:
        message = parse(body)
    except NotJson:
        raise WebhookInvalid("The message is not a JSON object.") from None
    kind = safe_code(text_of(message, "webhook_type"))
    name = f"{kind}/{safe_code(text_of(message, 'webhook_code'))}"
    health_of = _HEALTH.get(name)
    return Webhook(
        kind=_KINDS.get(name, WebhookKind.IGNORED),
        name=name,
        login_external_id=id_of(message, "item_id"),
        flow_token=text_of(message, "link_token"),
        account_external_id=id_of(message, "account_id"),
        health=health_of(message) if health_of else None,
    )


def _verify(token: str, body: bytes, now: datetime, keys: WebhookKeys) -> None:
    parts = token.split(".") if len(token) <= TOKEN_CHARACTERS_MAX else []
    if len(parts) != _TOKEN_PARTS:
        raise WebhookInvalid("It is not signed.")
    header = _json_part(parts[0])
    # Before anything else: a token must not choose how it is checked.
    if header.get("alg") != "ES256":
        raise WebhookInvalid("It is signed in another way than Plaid's.")
    claims = _json_part(parts[1])
    # What can be refused without a key is refused before Plaid is asked for one.
    _check_age(claims, now)
    _check_body(claims, body)
    key = keys.get(text_of(header, "kid"), now)
    signed = f"{parts[0]}.{parts[1]}".encode()
    try:
        key.verify(_der(_decoded(parts[2])), signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise WebhookInvalid("The signature is wrong.") from None


def _check_age(claims: Json, now: datetime) -> None:
    issued_at = claims.get("iat")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int):
        raise WebhookInvalid("It does not say when it was signed.")
    age_seconds = int(now.timestamp()) - issued_at  # whole numbers: a huge one is no float
    if not -AHEAD_SECONDS_MAX <= age_seconds <= AGE_SECONDS_MAX:
        raise WebhookInvalid("It was signed too long ago, or in the future.")


def _check_body(claims: Json, body: bytes) -> None:
    stated = text_of(claims, "request_body_sha256").encode()
    if not hmac.compare_digest(stated, hashlib.sha256(body).hexdigest().encode()):
        raise WebhookInvalid("Its body was altered.")


def _json_part(text: str) -> Json:
    try:
        return parse(_decoded(text))
    except NotJson:
        raise WebhookInvalid("Its signature cannot be read.") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise WebhookInvalid("Its signature cannot be read.") from None


def _der(signature: bytes) -> bytes:
    """Return the signature as the library takes it; a token holds its two numbers in a row."""
    if len(signature) != 2 * _NUMBER_BYTES:
        raise WebhookInvalid("Its signature cannot be read.")
    r, s = signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
