"""Requests for connectors: an organization's own, and for the operator those of all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.models import ConnectorRequest, Organization, RequestState, db
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import ALL_ORGANIZATIONS, owned

REQUESTS_SHOWN = 100
"""On one page; an organization has a handful."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    request_id: str
    organization_id: str
    organization_name: str
    institution_name: str
    account_description: str
    reason: str
    state: RequestState
    answer: str
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None
    answered_by: str


def own_requests() -> tuple[RequestRow, ...]:
    """Return the organization's requests with the operator's answers, newest first."""
    rows = db.session.execute(
        owned(ConnectorRequest)
        .add_columns(Organization.name)
        .join(Organization, Organization.id == ConnectorRequest.organization_id)
        .order_by(ConnectorRequest.id.desc())
        .limit(REQUESTS_SHOWN)
    )
    return tuple(_row(request, name) for request, name in rows)


def requests_of_all(actor: Actor) -> tuple[RequestRow, ...]:
    """Return the requests of every organization: those that wait, oldest first, then the others.

    Raises:
        Forbidden: The actor is not the operator.
    """
    actor.require(Permission.OPERATIONS)
    waits = ConnectorRequest.state == RequestState.OPEN
    rows = db.session.execute(
        sa.select(ConnectorRequest, Organization.name)
        .join(Organization, Organization.id == ConnectorRequest.organization_id)
        .order_by(
            sa.case((waits, 0), else_=1),
            sa.case((waits, ConnectorRequest.id)),
            ConnectorRequest.answered_at.desc(),
        )
        .limit(REQUESTS_SHOWN),
        execution_options=ALL_ORGANIZATIONS,
    )
    return tuple(_row(request, name) for request, name in rows)


def _row(request: ConnectorRequest, organization_name: str) -> RequestRow:
    return RequestRow(
        request_id=request.id,
        organization_id=request.organization_id,
        organization_name=organization_name,
        institution_name=request.institution_name,
        account_description=request.account_description,
        reason=request.reason,
        state=RequestState(request.state),
        answer=request.answer,
        asked_at=request.created_at,
        asked_by=request.created_by_name,
        answered_at=request.answered_at,
        answered_by=request.answered_by_name,
    )
