"""Plaid's public keys for webhooks, fetched by id and kept within bounds.

Anybody can send us an id, so asking Plaid is rationed: an unknown id is asked for once in a
while, and only so many are asked for in a minute.  Keys that are known are not rationed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from app.aggregators.contract import AggregatorError, WebhookInvalid
from app.aggregators.plaid.reading import Json, record_of, text_of

KEYS_KEPT_MAX: Final = 16
UNKNOWN_KEPT_MAX: Final = 256
FETCHES_PER_MINUTE_MAX: Final = 12
KEY_READ_AGAIN_AFTER: Final = timedelta(hours=6)
"""A key that is withdrawn must stop working some time."""
UNKNOWN_ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)

_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_COORDINATE_BYTES: Final = 32
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _Kept:
    key: ec.EllipticCurvePublicKey
    expired_at: int | None
    fetched_at: datetime


class WebhookKeys:
    def __init__(self, fetch: Callable[[str], Json]) -> None:
        self._fetch = fetch
        self._kept: dict[str, _Kept] = {}
        self._unknown: dict[str, datetime] = {}
        self._fetches: list[datetime] = []

    def get(self, key_id: str, now: datetime) -> ec.EllipticCurvePublicKey:
        """Return the key of this id.

        Raises:
            WebhookInvalid: There is no such key, or it has expired.
            AggregatorError: It could not be fetched now.
        """
        if not _KEY_ID.fullmatch(key_id):
            raise WebhookInvalid("The signature names no key.")
        kept = self._kept.get(key_id)
        if kept is None or now - kept.fetched_at > KEY_READ_AGAIN_AFTER:
            kept = self._fetched(key_id, now)
        if kept.expired_at is not None and kept.expired_at <= now.timestamp():
            raise WebhookInvalid("The signature's key has expired.")
        return kept.key

    def _fetched(self, key_id: str, now: datetime) -> _Kept:
        asked_at = self._unknown.get(key_id)
        if asked_at is not None and now - asked_at < UNKNOWN_ASKED_AGAIN_AFTER:
            raise WebhookInvalid("The signature's key is unknown.")
        if key_id not in self._kept:
            self._ration(now)
        try:
            kept = _key_of(record_of(self._fetch(key_id), "key"), key_id, now)
        except AggregatorError as error:
            if not error.permanent:
                raise
            kept = None
        self._kept.pop(key_id, None)
        if kept is None:
            _make_room(self._unknown, UNKNOWN_KEPT_MAX)
            self._unknown[key_id] = now
            raise WebhookInvalid("The signature's key is unknown.")
        _make_room(self._kept, KEYS_KEPT_MAX)
        self._kept[key_id] = kept
        return kept

    def _ration(self, now: datetime) -> None:
        self._fetches = [at for at in self._fetches if now - at < _MINUTE]
        if len(self._fetches) >= FETCHES_PER_MINUTE_MAX:
            raise AggregatorError(
                "WEBHOOK_KEYS_RATIONED",
                "Too many unknown signature keys were named within a minute.",
                permanent=False,
                retry_after_seconds=60,
            )
        self._fetches.append(now)


def _make_room(kept: dict[str, _Kept] | dict[str, datetime], at_most: int) -> None:
    while len(kept) >= at_most:
        kept.pop(next(iter(kept)))  # the oldest


def _key_of(record: Json, key_id: str, now: datetime) -> _Kept | None:
    """Read a JSON Web Key; None unless it is a P-256 key for ES256 of that very id."""
    fits = (
        text_of(record, "kid") == key_id
        and text_of(record, "kty") == "EC"
        and text_of(record, "crv") == "P-256"
        and text_of(record, "alg") in {"ES256", ""}
    )
    x, y = _coordinate(text_of(record, "x")), _coordinate(text_of(record, "y"))
    if not fits or x is None or y is None:
        return None
    try:
        key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError:  # not a point of the curve
        return None
    expired_at = record.get("expired_at")
    return _Kept(key, expired_at if isinstance(expired_at, int) else None, now)


def _coordinate(text: str) -> int | None:
    try:
        value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return None
    return int.from_bytes(value) if len(value) == _COORDINATE_BYTES else None
