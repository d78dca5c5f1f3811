"""Webhooks signed as Plaid signs them, and as somebody else might."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Signer:
    """A key of Plaid's, or of a stranger."""

    key_id: str = "key-1"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def jwk(self, **changes: Any) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        return {
            "alg": "ES256",
            "crv": "P-256",
            "kid": self.key_id,
            "kty": "EC",
            "use": "sig",
            "x": base64url(numbers.x.to_bytes(32)),
            "y": base64url(numbers.y.to_bytes(32)),
            "created_at": 1_560_466_150,
            "expired_at": None,
            **changes,
        }

    def token(
        self,
        body: bytes,
        at: datetime,
        *,
        header: dict[str, Any] | None = None,
        claims: dict[str, Any] | None = None,
    ) -> str:
        head = {"alg": "ES256", "kid": self.key_id, "typ": "JWT", **(header or {})}
        said = {
            "iat": int(at.timestamp()),
            "request_body_sha256": hashlib.sha256(body).hexdigest(),
            **(claims or {}),
        }
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (head, said))
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{base64url(r.to_bytes(32) + s.to_bytes(32))}"


def pretty(message: dict[str, Any]) -> bytes:
    """Write it as Plaid sends it: the signature is of these very bytes."""
    return json.dumps(message, indent=2).encode()
