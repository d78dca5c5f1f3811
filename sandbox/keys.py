"""The keys that sign webhooks: elliptic curve P-256, rotated when asked, old ones still served."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

if TYPE_CHECKING:
    import sqlite3

COORDINATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    key_id: str
    private_pem: str
    created_at: float
    expired_at: float | None

    @property
    def private_key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self.private_pem.encode(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    def coordinates(self) -> tuple[str, str]:
        """Return the public point's x and y as a JSON web key writes them."""
        point = self.private_key.public_key().public_numbers()
        return _encoded(_number(point.x)), _encoded(_number(point.y))


def current_key(db: sqlite3.Connection, *, now: float) -> SigningKey:
    """Return the key in use, made when there is none."""
    row = db.execute("SELECT * FROM signing_key WHERE expired_at IS NULL").fetchone()
    return rotate(db, now=now) if row is None else SigningKey(**row)


def find_key(db: sqlite3.Connection, key_id: str) -> SigningKey | None:
    row = db.execute("SELECT * FROM signing_key WHERE key_id = ?", (key_id,)).fetchone()
    return None if row is None else SigningKey(**row)


def rotate(db: sqlite3.Connection, *, now: float) -> SigningKey:
    """Make a new key; those before it have expired from now on."""
    key = SigningKey(secrets.token_hex(16), _new_pem(), now, None)
    db.execute("UPDATE signing_key SET expired_at = ? WHERE expired_at IS NULL", (now,))
    db.execute("INSERT INTO signing_key VALUES (?, ?, ?, NULL)", (key.key_id, key.private_pem, now))
    return key


def stranger_key(key: SigningKey) -> SigningKey:
    """Return a key that claims to be this one and is not."""
    return SigningKey(key.key_id, _new_pem(), key.created_at, None)


def signed_token(key: SigningKey, claims: dict[str, Any], *, algorithm: str = "ES256") -> str:
    """Return a JSON web token of these claims (RFC 7515, RFC 7518 section 3.4)."""
    header = {"alg": algorithm, "kid": key.key_id, "typ": "JWT"}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    signature = key.private_key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = decode_dss_signature(signature)
    return f"{signed}.{_encoded(_number(r) + _number(s))}"


def _new_pem() -> str:
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def _number(value: int) -> bytes:
    return value.to_bytes(COORDINATE_BYTES)


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
