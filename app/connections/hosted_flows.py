"""Send a person to the bank's sign-in at an aggregator: connect, repair, add accounts.

The provider is called before the transaction; its token and address are kept sealed with the
flow, because nothing else ties what the provider reports later to who asked.  How a flow ends
is `app.connections.completion`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.aggregators.contract import (
    Access,
    Aggregator,
    AggregatorError,
    FlowRequest,
    Health,
    Institution,
)
from app.aggregators.contract import HostedFlow as StartedFlow
from app.audit.trail import Change, record
from app.connections.sources import access_of, aggregator_named, webhook_url_of
from app.connections.statuses import Cause, move, tell
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Refusal
from app.kernel.ids import new_id
from app.models import (
    ConnectionPath,
    FinancialConnection,
    FlowMode,
    FlowProgress,
    HostedFlow,
    db,
)
from app.models.session import rows_changed, unit_of_work
from app.tenancy import vault
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import current_organization_id, get_owned, owned

UNNAMED_BANK: Final = "New bank connection"
"""Until the person has chosen a bank in the hosted flow."""


class ProviderRefused(Refusal):
    """The aggregator did not do what was asked of it."""

    code = "aggregator_unavailable"
    status = 503
    title = "The aggregator does not answer"

    def __init__(self, title: str, error: AggregatorError) -> None:
        again = "Ask your operator." if error.permanent else "Try again in a few minutes."
        super().__init__(
            f"{title}: {error.sentence} Nothing was changed. {again}",
            extra={"aggregator_code": error.code},
        )


class GrantRefused(Refusal):
    """What the person's visit to the bank gave is of no use; they have to go there again."""

    code = "grant_refused"
    status = 409
    title = "The sign-in cannot be used"

    def __init__(self, title: str, error: AggregatorError) -> None:
        super().__init__(
            f"{title} does not take what the sign-in at the bank gave: {error.sentence} The "
            "connection was not made; begin again with “repair”.",
            extra={"aggregator_code": error.code},
        )


@dataclass(frozen=True, slots=True)
class OpenedFlow:
    """A hosted flow that waits for its person; the address lets in whoever has it."""

    connection_id: str
    flow_id: str
    url: str = field(repr=False)
    expires_at: datetime
    mode: FlowMode


def connect(
    actor: Actor, aggregator_name: str, return_url: str, institution: Institution | None = None
) -> OpenedFlow:
    """Create a pending connection and the hosted flow that completes it.

    Args:
        return_url: Where the aggregator sends the browser afterwards.
        institution: The bank to begin with; left out, the person chooses one there.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        Invalid: This installation has no such aggregator.
        ProviderRefused: It did not give a flow.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    aggregator = aggregator_named(aggregator_name)
    connection_id, flow_id = new_id(), new_id()
    started = _start(actor, aggregator, flow_id, return_url, institution=institution)
    with unit_of_work():
        connection = FinancialConnection(
            id=connection_id,
            path=ConnectionPath.STANDARD,
            provider=aggregator_name,
            institution_external_id=institution.external_id if institution else "",
            institution_name=institution.name if institution else UNNAMED_BANK,
            status=ConnectionStatus.PENDING,
            created_by=actor.user_id,
        )
        db.session.add(connection)
        db.session.flush()
        after = {"path": connection.path, "aggregator": aggregator_name}
        record(
            actor, Change("connection.created", "financial_connection", connection_id, {}, after)
        )
        sentence = f"Connecting through {aggregator.title} was begun."
        tell(actor, connection, cause=Cause.PERSON, sentence=sentence)
        return _keep(actor, connection, flow_id, started, FlowMode.CREATE, add_accounts=False)


def repair(
    actor: Actor, connection_id: str, return_url: str, *, add_accounts: bool = False
) -> OpenedFlow:
    """Let the person sign in at the bank again on the same connection.

    A connection whose first flow was never finished gets a new one.

    Args:
        add_accounts: Let the person choose the accounts again, to share more or fewer.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: It does not exist here.
        Conflict: It is deleted, or no aggregator's.
        ProviderRefused: The aggregator did not give a flow.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    connection = get_owned(FinancialConnection, connection_id)
    _refuse_unrepairable(connection)
    aggregator = aggregator_named(connection.provider)
    access = access_of(connection)
    flow_id = new_id()
    institution = None
    if access is None and connection.institution_external_id:
        institution = Institution(connection.institution_external_id, connection.institution_name)
    started = _start(
        actor,
        aggregator,
        flow_id,
        return_url,
        institution=institution,
        access=access,
        add_accounts=add_accounts and access is not None,
    )
    mode = FlowMode.CREATE if access is None else FlowMode.UPDATE
    with unit_of_work():
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        _refuse_unrepairable(connection)
        if (connection.credentials is None) != (mode is FlowMode.CREATE):
            raise Conflict("The connection changed meanwhile; nothing was changed. Try again.")
        _replace_open_flows(connection_id)
        if mode is FlowMode.CREATE:
            move(actor, connection, Health(ConnectionStatus.PENDING), cause=Cause.PERSON)
        action = "connection.accounts_asked" if add_accounts else "connection.repair_asked"
        record(actor, Change(action, "financial_connection", connection_id, {}, {}))
        tell(actor, connection, cause=Cause.PERSON, sentence=_BEGUN[mode, add_accounts])
        return _keep(actor, connection, flow_id, started, mode, add_accounts=add_accounts)


def address_of(actor: Actor, flow_id: str) -> str:
    """Return where the person has to go.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: There is no such flow here.
        Conflict: It has ended.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    flow = get_owned(HostedFlow, flow_id)
    if flow.secrets is None or flow.progress != FlowProgress.OPEN or flow.expires_at <= utc_now():
        raise Conflict(
            "This visit to the bank has ended; nothing was changed. Begin again from the Bank "
            "Connections page."
        )
    url = secrets_of(flow)["url"]
    if not url:
        raise Conflict(
            "The aggregator gave no page to sign in at the bank; nothing was changed. Ask your "
            "operator whether hosted sign-in is switched on there."
        )
    return url


def secrets_of(flow: HostedFlow) -> dict[str, str]:
    """Return the flow's `token` and `url`; the flow must not have ended."""
    assert flow.secrets is not None, "an ended flow has no token"
    return vault.unseal(
        flow.secrets,
        purpose=vault.HOSTED_FLOW,
        organization_id=flow.organization_id,
        row_id=flow.id,
    )


def token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


_BEGUN: Final = {
    (FlowMode.CREATE, False): "Connecting was begun again.",
    (FlowMode.CREATE, True): "Connecting was begun again.",
    (FlowMode.UPDATE, False): "Signing in at the bank again was begun.",
    (FlowMode.UPDATE, True): "Choosing the accounts at the bank again was begun.",
}


def _start(
    actor: Actor,
    aggregator: Aggregator,
    flow_id: str,
    return_url: str,
    *,
    institution: Institution | None = None,
    access: Access | None = None,
    add_accounts: bool = False,
) -> StartedFlow:
    try:
        return aggregator.start_flow(
            FlowRequest(
                reference=flow_id,
                user_reference=actor.organization_id,
                return_url=return_url,
                webhook_url=webhook_url_of(aggregator.name),
                institution=institution,
                access=access,
                add_accounts=add_accounts,
            )
        )
    except AggregatorError as error:
        raise ProviderRefused(aggregator.title, error) from error


def _keep(
    actor: Actor,
    connection: FinancialConnection,
    flow_id: str,
    started: StartedFlow,
    mode: FlowMode,
    *,
    add_accounts: bool,
) -> OpenedFlow:
    flow = HostedFlow(
        id=flow_id,
        connection_id=connection.id,
        mode=mode,
        add_accounts=add_accounts,
        token_digest=token_digest(started.token),
        secrets=vault.seal(
            {"token": started.token, "url": started.url},
            purpose=vault.HOSTED_FLOW,
            organization_id=actor.organization_id,
            row_id=flow_id,
        ),
        expires_at=started.expires_at,
        next_poll_at=utc_now() + timedelta(seconds=limits.FLOW_POLL_SECONDS_MIN),
        created_by=actor.user_id,
    )
    db.session.add(flow)
    db.session.flush()
    return OpenedFlow(connection.id, flow_id, started.url, started.expires_at, mode)


def _replace_open_flows(connection_id: str) -> None:
    """End what is still open: one visit at a time for one connection.

    Raises:
        Conflict: One of them is being completed at this moment.
    """
    now = utc_now()
    busy = owned(HostedFlow).where(
        HostedFlow.connection_id == connection_id,
        HostedFlow.progress == FlowProgress.EXCHANGING,
        HostedFlow.exchange_until > now,
    )
    if db.session.scalar(busy) is not None:
        raise Conflict(
            "The visit to the bank has just been finished and is being completed; nothing was "
            "changed. Look again in a moment."
        )
    rows_changed(
        sa.update(HostedFlow)
        .where(
            HostedFlow.organization_id == current_organization_id(),
            HostedFlow.connection_id == connection_id,
            HostedFlow.progress.in_([FlowProgress.OPEN, FlowProgress.EXCHANGING]),
        )
        .values(progress=FlowProgress.REPLACED, secrets=None, next_poll_at=None)
    )


def _refuse_unrepairable(connection: FinancialConnection) -> None:
    name = connection.institution_name
    if connection.status == ConnectionStatus.DELETED:
        raise Conflict(
            f"The connection to {name} was deleted; nothing was changed. Connect the bank anew."
        )
    if connection.path != ConnectionPath.STANDARD:
        raise Conflict(
            f"{name} is not connected through an aggregator, so there is no sign-in to repeat; "
            "nothing was changed."
        )
