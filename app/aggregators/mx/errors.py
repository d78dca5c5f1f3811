"""What MX's HTTP statuses mean for us; MX documents no finer codes.

Nothing of an answer's text is passed on: the sentences are our own, so that no token and no
account number slips into a log or onto a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.aggregators.contract import AggregatorError, Health
from app.kernel.bank import ConnectionStatus

RETRY_AFTER_SECONDS: Final = 60
RETRY_AFTER_SECONDS_MAX: Final = 3_600

UNAVAILABLE: Final = Health(ConnectionStatus.DEGRADED, "PROVIDER_UNAVAILABLE")
NOT_FOUND: Final = "NOT_FOUND"
CONFLICT: Final = "CONFLICT"
UNREACHABLE: Final = "UNREACHABLE"
_NOT_FOUND: Final = 404
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class _Meaning:
    code: str
    sentence: str
    permanent: bool
    health: Health | None = None


_MEANINGS: Final[Mapping[int, _Meaning]] = MappingProxyType(
    {
        401: _Meaning(
            "CREDENTIALS_REFUSED",
            "MX refuses the keys of this installation; its operator has to look.",
            permanent=True,
            health=UNAVAILABLE,
        ),
        403: _Meaning(
            "NOT_ENABLED",
            "MX has not enabled this for this installation; its operator has to look.",
            permanent=True,
            health=UNAVAILABLE,
        ),
        _NOT_FOUND: _Meaning(
            NOT_FOUND,
            "MX no longer knows this bank login.",
            permanent=True,
            health=Health(ConnectionStatus.DELETED, NOT_FOUND),
        ),
        409: _Meaning(
            CONFLICT,
            "MX is still busy with this bank login; it is asked again later.",
            permanent=False,
        ),
        _TOO_MANY_REQUESTS: _Meaning(
            "RATE_LIMIT_EXCEEDED",
            "MX was asked too often; it is asked again later.",
            permanent=False,
        ),
    }
)


def error_of_status(status: int, retry_after: str) -> AggregatorError:
    """Turn an HTTP status that is no success into an error.

    Args:
        retry_after: The header of that name as it came; only whole seconds are understood.
    """
    meaning = _MEANINGS.get(status) or _meaning_of_class(status)
    return AggregatorError(
        meaning.code,
        meaning.sentence,
        permanent=meaning.permanent,
        health=meaning.health,
        retry_after_seconds=_seconds(retry_after) if status == _TOO_MANY_REQUESTS else None,
    )


def not_found() -> AggregatorError:
    return error_of_status(_NOT_FOUND, "")


def unreachable() -> AggregatorError:
    return AggregatorError(
        UNREACHABLE,
        "MX could not be reached; it is asked again later.",
        permanent=False,
        health=UNAVAILABLE,
    )


def too_slow() -> AggregatorError:
    return AggregatorError(
        "TIMEOUT",
        "MX did not answer in time; it is asked again later.",
        permanent=False,
        health=UNAVAILABLE,
    )


def unreadable() -> AggregatorError:
    return AggregatorError(
        "ANSWER_UNREADABLE",
        "MX's answer could not be read; it is asked again later.",
        permanent=False,
        health=UNAVAILABLE,
    )


def _meaning_of_class(status: int) -> _Meaning:
    if status >= _SERVER_ERROR:
        return _Meaning(
            f"HTTP_{status}",
            "MX has trouble at the moment; it is asked again later.",
            permanent=False,
            health=UNAVAILABLE,
        )
    return _Meaning(
        f"HTTP_{status}",
        "MX did not understand the request; the operator has to look.",
        permanent=True,
    )


def _seconds(retry_after: str) -> int:
    if not (retry_after.isascii() and retry_after.isdigit()):
        return RETRY_AFTER_SECONDS
    return min(int(retry_after[:9]), RETRY_AFTER_SECONDS_MAX)
