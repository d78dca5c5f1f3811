"""Messages of aggregators: verified, counted once, and turned into a read.

A message is never believed further than that something is to be read: it may be late, and
what it says may be over.  What reading alone does not tell (new accounts, an access that is
about to end) is kept as a hint on the connection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError

from app.aggregators.contract import AggregatorError, Health, Webhook, WebhookInvalid, WebhookKind
from app.connections.completion import look_at_once
from app.connections.hosted_flows import token_digest
from app.connections.source_accounts import ACCOUNT_REVOKED
from app.connections.sources import aggregators
from app.connections.statuses import NEW_ACCOUNTS, SYNCABLE, Cause, tell
from app.connections.syncing import stand
from app.jobs.runs import request_run
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import NotFound, Refusal, TooLarge
from app.models import (
    AccountStatus,
    FinancialAccount,
    FinancialConnection,
    FlowProgress,
    HostedFlow,
    JobKind,
    WebhookReceipt,
    db,
)
from app.models.session import UnitOfWork, unit_of_work
from app.people.sign_in import actor_of
from app.tenancy.actor import SYSTEM_USER_ID, Actor
from app.tenancy.scope import ALL_ORGANIZATIONS, get_owned, organization_scope, owned

_log = structlog.get_logger(__name__)


class WebhookRefused(Refusal):
    """The message is not the aggregator's, was altered, or is too old."""

    code = "webhook_refused"
    status = 401
    title = "Not verified"


class WebhookUndecided(Refusal):
    """The message cannot be verified now; the aggregator sends it again."""

    code = "webhook_undecided"
    status = 503
    title = "Try again"


def receive(provider: str, headers: Mapping[str, str], body: bytes) -> None:
    """Take one message.  The same one again does nothing.

    Args:
        headers: Names in lower case.

    Raises:
        NotFound: There is no such aggregator here.
        TooLarge: More than `limits.WEBHOOK_BYTES_MAX`.
        WebhookRefused: It must not be acted on.
        WebhookUndecided: It cannot be verified at the moment.
    """
    aggregator = aggregators().get(provider)
    if aggregator is None:
        raise NotFound
    if len(body) > limits.WEBHOOK_BYTES_MAX:
        raise TooLarge("The message is larger than any webhook.")
    try:
        webhook = aggregator.read_webhook(headers, body, utc_now())
    except WebhookInvalid as invalid:
        _log.warning("webhook_refused", provider=provider, reason=str(invalid))
        raise WebhookRefused("The message could not be verified; nothing was done.") from None
    except AggregatorError as error:
        _log.warning("webhook_undecided", provider=provider, code=error.code)
        raise WebhookUndecided("The message cannot be verified now; send it again.") from None
    digest = _digest(headers, body)
    flow, connection = _addressee(provider, webhook)
    organization_id = connection.organization_id if connection else None
    if connection is None or organization_id is None:
        _keep_stray(provider, digest, webhook)
        return
    connection_id, flow_id = connection.id, flow.id if flow else None
    with organization_scope(organization_id):
        actor = actor_of(SYSTEM_USER_ID, organization_id, via="webhook")
        assert actor is not None, "the connection's organization exists"
        _act(actor, provider, digest, webhook, connection_id, flow_id)


def _act(
    actor: Actor,
    provider: str,
    digest: str,
    webhook: Webhook,
    connection_id: str,
    flow_id: str | None,
) -> None:
    with unit_of_work() as work:
        if not _keep(provider, digest, webhook, connection_id) and webhook.is_unique:
            _log.info("webhook_repeated", provider=provider, name=webhook.name)
            return
        connection = get_owned(FinancialConnection, connection_id, lock=True)
        _log.info(
            "webhook_taken", provider=provider, name=webhook.name, connection_id=connection_id
        )
        if webhook.kind is WebhookKind.FLOW_ENDED:
            if flow_id is not None:
                look_at_once(work, actor, get_owned(HostedFlow, flow_id, lock=True))
        elif webhook.kind is not WebhookKind.IGNORED:
            _take_hint(actor, connection, webhook)
            _ask_for_sync(work, actor, connection)


def _take_hint(actor: Actor, connection: FinancialConnection, webhook: Webhook) -> None:
    """Keep what a read will not tell, and let the status say so at once."""
    if connection.status == ConnectionStatus.DELETED:
        return
    says = webhook.health
    if webhook.kind is WebhookKind.ACCOUNT_GONE:
        _mark_gone(connection, webhook.account_external_id)
    elif webhook.kind is not WebhookKind.HINT or webhook.health is None:
        return
    elif webhook.health.deadline is not None:
        connection.access_ends_at = webhook.health.deadline
        says = _WELL_OTHERWISE
    elif webhook.health.reason == NEW_ACCOUNTS:
        connection.new_accounts_available = True
        says = _WELL_OTHERWISE
    elif webhook.health.status is ConnectionStatus.ACTIVE:
        connection.access_ends_at = None  # somebody has signed in again, here or elsewhere
    db.session.flush()
    if ConnectionStatus(connection.status) in _HEALTHY and says is not None:
        stand(actor, connection, says, cause=Cause.WEBHOOK)
    tell(actor, connection, cause=Cause.WEBHOOK, sentence=_hint_sentence(webhook))


_WELL_OTHERWISE: Final = Health(ConnectionStatus.ACTIVE)
"""What the hint says is kept on the connection, and counts from there."""

_HEALTHY: Final = (
    ConnectionStatus.ACTIVE,
    ConnectionStatus.PARTIALLY_ACTIVE,
    ConnectionStatus.RECONNECT_AVAILABLE,
)


def _hint_sentence(webhook: Webhook) -> str:
    if webhook.kind is WebhookKind.ACCOUNT_GONE:
        return "The aggregator sent word that an account is no longer shared."
    if webhook.health is not None and webhook.health.status is ConnectionStatus.ACTIVE:
        return "The aggregator sent word that somebody has signed in at the bank again."
    return "The aggregator sent word that somebody should look at the bank login."


def _mark_gone(connection: FinancialConnection, external_id: str) -> None:
    account = db.session.scalar(
        owned(FinancialAccount)
        .where(
            FinancialAccount.connection_id == connection.id,
            FinancialAccount.external_id == external_id,
        )
        .with_for_update()
    )
    if account is not None:
        account.status, account.status_reason = AccountStatus.FAILING, ACCOUNT_REVOKED


def _ask_for_sync(work: UnitOfWork, actor: Actor, connection: FinancialConnection) -> None:
    if ConnectionStatus(connection.status) in SYNCABLE:
        request_run(work, actor, JobKind.SYNC, connection.id, Cause.WEBHOOK)


def _addressee(
    provider: str, webhook: Webhook
) -> tuple[HostedFlow | None, FinancialConnection | None]:
    """Find whom a message is for, by the flow's token or the login's id."""
    statement = sa.select(FinancialConnection).where(
        FinancialConnection.provider == provider,
        FinancialConnection.status != ConnectionStatus.DELETED,
    )
    if webhook.flow_token:
        flow = db.session.scalar(
            sa.select(HostedFlow).where(
                HostedFlow.token_digest == token_digest(webhook.flow_token),
                HostedFlow.progress.in_([FlowProgress.OPEN, FlowProgress.EXCHANGING]),
            ),
            execution_options=ALL_ORGANIZATIONS,
        )
        if flow is None:
            return None, None
        statement = statement.where(FinancialConnection.id == flow.connection_id)
        return flow, db.session.scalar(statement, execution_options=ALL_ORGANIZATIONS)
    if not webhook.login_external_id:
        return None, None
    statement = statement.where(FinancialConnection.external_id == webhook.login_external_id)
    return None, db.session.scalars(statement, execution_options=ALL_ORGANIZATIONS).first()


def _keep_stray(provider: str, digest: str, webhook: Webhook) -> None:
    """Answer well for what is nobody's, so that the aggregator stops sending it."""
    _log.info("webhook_for_nobody", provider=provider, name=webhook.name)
    with unit_of_work():
        _keep(provider, digest, webhook, None)


def _keep(provider: str, digest: str, webhook: Webhook, connection_id: str | None) -> bool:
    """Write the receipt; False when the same message was taken before."""
    receipt = WebhookReceipt(
        provider=provider, digest=digest, name=webhook.name[:80], connection_id=connection_id
    )
    try:
        with db.session.begin_nested():
            db.session.add(receipt)
            db.session.flush()
    except IntegrityError:
        return False
    return True


def _digest(headers: Mapping[str, str], body: bytes) -> str:
    """Name this message: equal bodies of two days differ by their signature, which has a time."""
    signature = headers.get("plaid-verification", "")
    return hashlib.sha256(signature.encode() + b"\x1f" + body).hexdigest()
