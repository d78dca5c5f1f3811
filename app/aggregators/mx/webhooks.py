"""MX's messages: HTTP Basic says that they are MX's; they only ever lead to a read.

They carry neither number nor time, so the same words may rightly come again another day.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from app.aggregators.contract import Webhook, WebhookInvalid, WebhookKind
from app.aggregators.mx.fields import Json, NotAnObject, parse, record, text
from app.aggregators.mx.flows import CALLBACK_HEADER

WEBHOOK_USER: Final = "tieout"
"""What MX's dashboard is told as user name, beside the password of the settings."""

_NAME_CHARACTERS_MAX: Final = 80

_MEMBER: Final = ("member", "members")
_KINDS: Final[Mapping[str, WebhookKind]] = dict.fromkeys(
    ("aggregation", "balance", "history", "connection_status", *_MEMBER), WebhookKind.DATA
)
"""A health in a message may be over by the time it comes: all of them only lead to a read."""


def read(headers: Mapping[str, str], body: bytes, password: str) -> Webhook:
    """Verify and read a message.

    Raises:
        WebhookInvalid: It does not carry the password, or is no message.
    """
    _verify(headers.get("authorization", ""), password)
    try:
        message = parse(body)
    except NotAnObject:
        raise WebhookInvalid("The message is not a JSON object.") from None
    kind = text(message, "type")
    flow_token = _flow_token(headers.get(CALLBACK_HEADER, ""))
    ends_flow = bool(flow_token) and kind.lower() in _MEMBER
    return Webhook(
        kind=WebhookKind.FLOW_ENDED if ends_flow else _KINDS.get(kind.lower(), WebhookKind.IGNORED),
        name=f"{kind}/{text(message, 'action')}"[:_NAME_CHARACTERS_MAX],
        login_external_id=_member_guid(message),
        flow_token=flow_token if ends_flow else "",
        is_unique=False,
    )


def _verify(authorization: str, password: str) -> None:
    expected = b64encode(f"{WEBHOOK_USER}:{password}".encode()).decode()
    scheme, _, given = authorization.partition(" ")
    is_equal = hmac.compare_digest(given.strip().encode(), expected.encode())
    if not password or scheme.lower() != "basic" or not is_equal:
        raise WebhookInvalid("The message does not carry the password that MX was given.")


def _member_guid(message: Json) -> str:
    member = record(message, "member") or message
    return text(message, "member_guid") or text(member, "guid")


def _flow_token(payload: str) -> str:
    """Return what a visit was started with; empty for anything else."""
    try:
        return b64decode(payload, validate=True).decode("ascii")
    except ValueError:
        return ""
