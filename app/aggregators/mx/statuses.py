"""MX's connection statuses in our words.

MX's names are kept as reasons; its EXPIRED means a question that nobody answered, not the
end of access.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.aggregators.contract import Health
from app.kernel.bank import ConnectionStatus

_IN_PROGRESS: Final = ("CREATED", "PENDING")
_HEALTHY: Final = ("CONNECTED", "RECONNECTED", "UPDATED", "RESUMED")
_PERSON_NEEDED: Final = (
    "PREVENTED",
    "DENIED",
    "CHALLENGED",
    "REJECTED",
    "LOCKED",
    "IMPEDED",
    "EXPIRED",
    "IMPAIRED",
    "IMPORTED",
)
_FAILING: Final = ("DEGRADED", "DISCONNECTED", "DELAYED", "FAILED", "DISABLED")

STATUSES: Final[Mapping[str, Health]] = {
    **{name: Health(ConnectionStatus.IN_PROGRESS, name) for name in _IN_PROGRESS},
    **{name: Health(ConnectionStatus.ACTIVE) for name in _HEALTHY},
    **{name: Health(ConnectionStatus.RECONNECT_REQUIRED, name) for name in _PERSON_NEEDED},
    **{name: Health(ConnectionStatus.DEGRADED, name) for name in _FAILING},
    "DISCONTINUED": Health(ConnectionStatus.RECONNECT_REQUIRED, "UNRECOVERABLE"),
    "CLOSED": Health(ConnectionStatus.DELETED, "CLOSED"),
}

SIGNED_IN: Final = frozenset({"CONNECTED", "DELAYED"})
"""The bank let MX in; the other healthy ones only say that it is about to be tried."""


def health(connection_status: str, *, was_ever_read: bool) -> Health:
    """Return what a status means.

    Args:
        connection_status: MX's name; empty for a login without credentials.
        was_ever_read: MX has read the bank with success at least once.
    """
    if not connection_status:
        return Health(ConnectionStatus.RECONNECT_REQUIRED, "NO_CREDENTIALS")
    known = STATUSES.get(connection_status)
    if known is None:
        return Health(ConnectionStatus.DEGRADED, "UNKNOWN_STATUS")
    if known.status is ConnectionStatus.ACTIVE and not was_ever_read:
        return Health(ConnectionStatus.IN_PROGRESS, "NOT_READY")
    return known
