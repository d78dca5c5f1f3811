"""The tokens of a flow: MX has none, so they are ours, signed with the API key.

Signed, because a grant may be handed in from outside, and the ids inside are no secrets.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.aggregators.contract import AggregatorError

_SIGNATURE_CHARACTERS: Final = 64


@dataclass(frozen=True, slots=True)
class Flow:
    """A visit to the widget.

    Args:
        began_at: On our clock.
        last_try_at: When MX had last tried any of the user's members, on MX's clock; None when
            it had not.  What came of the visit was tried later.
        repaired_guid: The member that the visit repairs; empty when it adds one.
    """

    user_guid: str
    reference: str
    began_at: datetime
    last_try_at: datetime | None
    repaired_guid: str = ""


@dataclass(frozen=True, slots=True)
class Gift:
    """A member that a visit brought, for the flow that may have it."""

    user_guid: str
    member_guid: str
    reference: str


class Signer:
    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def flow_token(self, flow: Flow) -> str:
        last_try_at = flow.last_try_at.isoformat() if flow.last_try_at else ""
        began_at = flow.began_at.isoformat()
        return self._signed(
            "flow", [flow.user_guid, flow.reference, began_at, last_try_at, flow.repaired_guid]
        )

    def grant_token(self, gift: Gift) -> str:
        return self._signed("grant", [gift.user_guid, gift.member_guid, gift.reference])

    def read_flow(self, token: str) -> Flow:
        """Read a flow's token.

        Raises:
            AggregatorError: It is not one of ours.
        """
        user_guid, reference, began_at, last_try_at, repaired_guid = self._read("flow", token)
        return Flow(
            user_guid,
            reference,
            datetime.fromisoformat(began_at),
            datetime.fromisoformat(last_try_at) if last_try_at else None,
            repaired_guid,
        )

    def read_grant(self, token: str) -> Gift:
        """Read a grant's token.

        Raises:
            AggregatorError: It is not one of ours.
        """
        return Gift(*self._read("grant", token))

    def _signed(self, purpose: str, values: list[str]) -> str:
        payload = urlsafe_b64encode(json.dumps([purpose, *values]).encode()).decode()
        return payload + self._signature(payload)

    def _read(self, purpose: str, token: str) -> list[str]:
        payload, signature = token[:-_SIGNATURE_CHARACTERS], token[-_SIGNATURE_CHARACTERS:]
        if not hmac.compare_digest(signature.encode(), self._signature(payload).encode()):
            raise _refused()
        said: list[Any] = json.loads(urlsafe_b64decode(payload))  # signed, so it is our own text
        if said[0] != purpose:
            raise _refused()
        return said[1:]

    def _signature(self, payload: str) -> str:
        return hmac.new(self._key, payload.encode(), "sha256").hexdigest()


def _refused() -> AggregatorError:
    return AggregatorError(
        "TOKEN_REFUSED",
        "This token is not from a sign-in that Tieout started; start it again.",
        permanent=True,
    )
