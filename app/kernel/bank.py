"""Words that aggregators, connectors and the database share about bank data."""

from __future__ import annotations

from enum import StrEnum


class ConnectionStatus(StrEnum):
    """The one signal of a connection's health, the same in pages and API."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    ACTIVE = "active"
    PARTIALLY_ACTIVE = "partially_active"
    RECONNECT_REQUIRED = "reconnect_required"
    RECONNECT_AVAILABLE = "reconnect_available"
    DEGRADED = "degraded"
    EXPIRED = "expired"
    DELETED = "deleted"


class AccountType(StrEnum):
    CHECKING = "checking"
    SAVINGS = "savings"
    CARD = "card"
    LINE_OF_CREDIT = "line_of_credit"
    OTHER = "other"
