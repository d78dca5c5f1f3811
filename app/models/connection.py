"""Bank connections: their state, hosted flows, history, webhooks, requests for connectors."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.models.base import Base, Identified, OrganizationOwned, Text, one_of, references


class ConnectionPath(StrEnum):
    STANDARD = "standard"
    MANUAL_UPLOAD = "manual_upload"
    NON_STANDARD = "non_standard"


class FlowMode(StrEnum):
    CREATE = "create"
    UPDATE = "update"


class FlowProgress(StrEnum):
    OPEN = "open"
    EXCHANGING = "exchanging"
    """Somebody is turning its grant into access; nobody else may."""
    FINISHED = "finished"
    EXPIRED = "expired"
    REPLACED = "replaced"
    """A newer flow of the same connection took its place."""
    REFUSED = "refused"


class RequestState(StrEnum):
    OPEN = "open"
    CONFIGURED = "configured"
    DECLINED = "declined"


class FinancialConnection(Identified, OrganizationOwned, Base):
    """One bank login at an aggregator, one connector, or one place that files come from."""

    __tablename__ = "financial_connection"
    __table_args__ = (
        sa.Index("ix_financial_connection_external", "provider", "external_id"),
        sa.Index("ix_financial_connection_due", "next_sync_at"),
        one_of("path", ConnectionPath),
        one_of("status", ConnectionStatus),
    )

    path: Mapped[str] = mapped_column(sa.String(20))
    provider: Mapped[str] = mapped_column(sa.String(40), default="")
    """The aggregator's or the connector's name; empty where people upload files."""
    external_id: Mapped[str] = mapped_column(sa.String(200), default="")
    """The provider's id of the login; empty until the hosted flow is finished."""
    institution_external_id: Mapped[str] = mapped_column(sa.String(200), default="")
    institution_name: Mapped[str]
    status: Mapped[str] = mapped_column(sa.String(24))
    status_reason: Mapped[str] = mapped_column(sa.String(60), default="")
    access_ends_at: Mapped[datetime | None]
    """When the provider loses its access unless somebody signs in at the bank again."""
    new_accounts_available: Mapped[bool] = mapped_column(default=False)
    """The provider saw accounts at the bank that nobody has shared yet."""
    status_changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    credentials: Mapped[bytes | None] = mapped_column(deferred=True)
    """Sealed by `app.tenancy.vault`; erased when the connection is deleted."""
    cursor: Mapped[Text]
    """Where the next read begins; moves only together with the rows it brought."""
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What a person said of a connector, without its secrets."""
    last_sync_at: Mapped[datetime | None]
    """The last attempt, failed or not."""
    last_read_at: Mapped[datetime | None]
    """The last time that everything the provider had was read and kept."""
    successfully_aggregated_at: Mapped[datetime | None]
    """The provider's own time of its last success at the bank."""
    refresh_available_at: Mapped[datetime | None]
    refresh_wanted: Mapped[bool] = mapped_column(default=False)
    """The next sync asks the provider to read the bank first."""
    next_sync_at: Mapped[datetime | None]
    failures_count: Mapped[int] = mapped_column(default=0)
    """Syncs that failed since the last that did not; spaces out the scheduled ones."""
    created_by: Mapped[str] = mapped_column(sa.String(32), default="")
    deleted_at: Mapped[datetime | None]
    access_removed: Mapped[bool | None]
    """Of a deleted one: whether the provider confirmed that its access has ended."""


class HostedFlow(Identified, OrganizationOwned, Base):
    """A visit to a provider's hosted pages, from handing out the address to its end."""

    __tablename__ = "hosted_flow"
    __table_args__ = (
        one_of("mode", FlowMode),
        one_of("progress", FlowProgress),
        sa.Index("ix_hosted_flow_poll", "progress", "next_poll_at"),
        sa.Index("ix_hosted_flow_token", "token_digest"),
    )

    connection_id: Mapped[str] = references("financial_connection.id")
    mode: Mapped[str] = mapped_column(sa.String(10))
    add_accounts: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[str] = mapped_column(sa.String(12), default=FlowProgress.OPEN)
    token_digest: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the provider's token of the flow, by which webhooks name it."""
    secrets: Mapped[bytes | None] = mapped_column(deferred=True)
    """Token and address, sealed; erased at the end."""
    expires_at: Mapped[datetime]
    opened: Mapped[bool] = mapped_column(default=False)
    next_poll_at: Mapped[datetime | None]
    exit_code: Mapped[str] = mapped_column(sa.String(60), default="")
    exchange_until: Mapped[datetime | None]
    """Until then whoever exchanges has it; later it counts as interrupted."""
    created_by: Mapped[str] = mapped_column(sa.String(32))


class ConnectionEvent(Identified, OrganizationOwned, Base):
    """One line of a connection's history: a move of its status, or something worth telling."""

    __tablename__ = "connection_event"
    __table_args__ = (
        sa.Index("ix_connection_event_history", "organization_id", "connection_id", "id"),
    )

    connection_id: Mapped[str] = references("financial_connection.id", index=False)
    from_status: Mapped[str] = mapped_column(sa.String(24), default="")
    to_status: Mapped[str] = mapped_column(sa.String(24), default="")
    """Empty where the status did not move."""
    reason: Mapped[str] = mapped_column(sa.String(60), default="")
    cause: Mapped[str] = mapped_column(sa.String(40))
    """What led to it: see `app.connections.statuses.Cause`."""
    sentence: Mapped[Text]
    actor_name: Mapped[str] = mapped_column(default="")


class WebhookReceipt(Identified, Base):
    """A verified message of an aggregator; its digest makes a repetition harmless.

    Not owned by an organization: it is kept before anybody knows whose it is, and it holds
    no content.
    """

    __tablename__ = "webhook_receipt"
    __table_args__ = (sa.UniqueConstraint("provider", "digest"),)

    provider: Mapped[str] = mapped_column(sa.String(40))
    digest: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(80))
    connection_id: Mapped[str | None] = mapped_column(sa.String(32))
    """Whom it was for; none when nobody here knows the login."""


class ConnectorRequest(Identified, OrganizationOwned, Base):
    """A wish for a bank that neither an aggregator nor a ready connector covers."""

    __tablename__ = "connector_request"
    __table_args__ = (one_of("state", RequestState),)

    institution_name: Mapped[str]
    account_description: Mapped[str]
    reason: Mapped[Text]
    state: Mapped[str] = mapped_column(sa.String(12), default=RequestState.OPEN)
    answer: Mapped[Text]
    created_by: Mapped[str] = mapped_column(sa.String(32))
    created_by_name: Mapped[str]
    answered_by_name: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
