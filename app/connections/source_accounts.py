"""Bring a connection's accounts to what its provider says; none is ever erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from app.aggregators.contract import SourceAccount, SourceAccountStatus
from app.audit.trail import Change, record
from app.connections.twins import former_self, live_twin
from app.kernel.clock import utc_now
from app.models import (
    AccountStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    TransactionStatus,
    db,
)
from app.models.session import rows_changed
from app.tenancy.actor import Actor
from app.tenancy.scope import current_organization_id, owned

ACCOUNT_REVOKED: Final = "USER_ACCOUNT_REVOKED"
"""The person took one account back at the bank; it stays so until they sign in again."""

_DUPLICATE: Final = "INACTIVE_DUPLICATE"
_VANISHED: Final = "VANISHED"
_NO_CURRENCY: Final = "XXX"
"""What ISO 4217 writes where no currency is involved."""
_TAKING: Final = (AccountStatus.ACTIVE, AccountStatus.FAILING)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that take transactions, by the provider's id.

    Args:
        continued: Ids of accounts whose earlier transactions came by another way, so that
            what arrives may be here already.
        read_again: An account takes transactions from now on that earlier reads left out.
    """

    taking: dict[str, FinancialAccount]
    continued: frozenset[str]
    read_again: bool


def bring_accounts(
    actor: Actor,
    connection: FinancialConnection,
    sources: Sequence[SourceAccount],
    now: datetime,
) -> Accounts:
    """Create, continue and update accounts inside the caller's transaction.

    Args:
        sources: All accounts of the login; empty when the provider did not say.
    """
    known = {account.external_id: account for account in accounts_of(connection.id)}
    read_again = False
    for source in sources:
        account = known.get(source.external_id)
        if account is None:
            account = _continued(actor, connection, source) or _created(actor, connection, source)
            known[source.external_id] = account
        read_again = _update(connection, account, source, now) or read_again
    if sources:
        _mark_vanished(actor, known, {source.external_id for source in sources})
    db.session.flush()
    taking = {ext: account for ext, account in known.items() if account.status in _TAKING}
    return Accounts(taking, _with_unlinked_rows(taking), read_again)


def accounts_of(connection_id: str) -> Sequence[FinancialAccount]:
    return db.session.scalars(
        owned(FinancialAccount)
        .where(FinancialAccount.connection_id == connection_id)
        .order_by(FinancialAccount.id)
    ).all()


def share_again(connection_id: str) -> None:
    """Forget that accounts were taken back at the bank: somebody has just chosen them anew.

    Inside the caller's transaction; what is still not shared, the next read says.
    """
    rows_changed(
        sa.update(FinancialAccount)
        .where(
            FinancialAccount.organization_id == current_organization_id(),
            FinancialAccount.connection_id == connection_id,
            FinancialAccount.status_reason == ACCOUNT_REVOKED,
        )
        .values(status=AccountStatus.ACTIVE, status_reason="")
    )


def _created(
    actor: Actor, connection: FinancialConnection, source: SourceAccount
) -> FinancialAccount:
    twin = live_twin(connection, source)
    account = FinancialAccount(
        connection_id=connection.id,
        external_id=source.external_id,
        name=source.name,
        mask=source.mask,
        type=source.type,
        currency=source.currency or _NO_CURRENCY,
        status=AccountStatus.DUPLICATE if twin else AccountStatus.ACTIVE,
        status_reason=_DUPLICATE if twin else "",
    )
    db.session.add(account)
    db.session.flush()
    after = {"connection_id": connection.id, "name": account.name, "mask": account.mask}
    record(actor, Change("account.added", "financial_account", account.id, {}, after))
    return account


def _continued(
    actor: Actor, connection: FinancialConnection, source: SourceAccount
) -> FinancialAccount | None:
    """Take over the account that a login which is gone had brought, with all it holds."""
    account = former_self(connection, source)
    if account is None:
        return None
    before = {"connection_id": account.connection_id, "external_id": account.external_id}
    account.connection_id, account.external_id = connection.id, source.external_id
    account.status, account.status_reason = AccountStatus.ACTIVE, ""
    of_account = sa.and_(
        FinancialTransaction.organization_id == current_organization_id(),
        FinancialTransaction.financial_account_id == account.id,
        FinancialTransaction.external_id.is_not(None),
    )
    pending = FinancialTransaction.status == TransactionStatus.PENDING
    unnamed = {"former_external_id": FinancialTransaction.external_id, "external_id": None}
    # What was pending then is posted by now, or pending again under an id of the new login.
    rows_changed(
        sa.update(FinancialTransaction)
        .where(of_account, pending)
        .values(status=TransactionStatus.REMOVED, updated_at=utc_now(), **unnamed)
    )
    rows_changed(sa.update(FinancialTransaction).where(of_account).values(**unnamed))
    db.session.flush()
    after = {"connection_id": connection.id, "external_id": source.external_id}
    record(actor, Change("account.continued", "financial_account", account.id, before, after))
    return account


def _update(
    connection: FinancialConnection,
    account: FinancialAccount,
    source: SourceAccount,
    now: datetime,
) -> bool:
    """Take over what the provider says; tell whether earlier reads left the account out."""
    account.name, account.mask = source.name, source.mask
    account.type, account.subtype = source.type, source.subtype
    account.persistent_id = source.persistent_id
    if source.current_minor is not None:
        account.current_balance_minor, account.balance_date = source.current_minor, now.date()
    account.available_balance_minor = source.available_minor
    if account.status == AccountStatus.DUPLICATE:
        if live_twin(connection, source) is not None:
            return False
        account.status, account.status_reason = AccountStatus.ACTIVE, ""
        return True
    revoked = account.status_reason == ACCOUNT_REVOKED
    if not (revoked and source.status is SourceAccountStatus.ACTIVE):
        account.status, account.status_reason = AccountStatus(source.status), source.reason
    return False


def _mark_vanished(actor: Actor, known: dict[str, FinancialAccount], said: set[str]) -> None:
    for external_id, account in known.items():
        if external_id in said or account.status not in _TAKING:
            continue
        before = {"status": account.status}
        account.status, account.status_reason = AccountStatus.NOT_SHARED, _VANISHED
        after = {"status": account.status}
        record(actor, Change("account.vanished", "financial_account", account.id, before, after))


def _with_unlinked_rows(taking: dict[str, FinancialAccount]) -> frozenset[str]:
    ids = [account.id for account in taking.values()]
    return frozenset(
        account_id
        for account_id in ids
        if db.session.scalar(
            owned(FinancialTransaction)
            .where(
                FinancialTransaction.financial_account_id == account_id,
                FinancialTransaction.external_id.is_(None),
            )
            .with_only_columns(FinancialTransaction.id)
            .limit(1)
        )
        is not None
    )
