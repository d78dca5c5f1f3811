"""Recognize an account that is here already: two logins of one bank must not double it.

A provider gives every login new ids, so an account is known by its bank, name, last digits,
kind and currency, or by the provider's persistent id where there is one.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.aggregators.contract import Grant, Institution, SourceAccount
from app.kernel.bank import ConnectionStatus
from app.models import (
    AccountStatus,
    ConnectionPath,
    FinancialAccount,
    FinancialConnection,
    db,
)
from app.tenancy.scope import get_owned, owned

_GONE = (ConnectionStatus.DELETED, ConnectionStatus.EXPIRED)


def live_twin_of_all(connection_id: str, grant: Grant) -> FinancialConnection | None:
    """Return a live connection that has every account of the grant already."""
    connection = get_owned(FinancialConnection, connection_id)
    if grant.institution is None or not grant.accounts:
        return None
    accounts = db.session.scalars(
        owned(FinancialAccount)
        .join(FinancialConnection, FinancialConnection.id == FinancialAccount.connection_id)
        .where(
            FinancialConnection.id != connection_id,
            _same_bank(connection.provider, grant.institution),
            FinancialConnection.status.not_in(_GONE),
        )
    ).all()
    offered = {(one.name.casefold(), one.mask, one.type) for one in grant.accounts if one.mask}
    if len(offered) < len(grant.accounts):
        return None
    by_connection: dict[str, set[tuple[str, str, str]]] = {}
    for account in accounts:
        seen = by_connection.setdefault(account.connection_id, set())
        seen.add((account.name.casefold(), account.mask, account.type))
    for other_id, seen in by_connection.items():
        if offered <= seen:
            return get_owned(FinancialConnection, other_id)
    return None


def live_twin(connection: FinancialConnection, source: SourceAccount) -> FinancialAccount | None:
    """Return the account of another live connection of this organization that it repeats."""
    return db.session.scalar(
        _alike(connection, source)
        .where(
            FinancialConnection.status.not_in(_GONE),
            FinancialConnection.status != ConnectionStatus.PENDING,
            FinancialAccount.status.not_in([AccountStatus.DUPLICATE, AccountStatus.NOT_SHARED]),
        )
        .limit(1)
    )


def former_self(connection: FinancialConnection, source: SourceAccount) -> FinancialAccount | None:
    """Return the account of a connection that is gone, which this login continues."""
    return db.session.scalar(
        _alike(connection, source)
        .where(FinancialConnection.status.in_(_GONE))
        .order_by(FinancialAccount.id.desc())
        .limit(1)
        .with_for_update(of=FinancialAccount)
    )


def _same_bank(provider: str, institution: Institution) -> sa.ColumnElement[bool]:
    """Return the criterion for one bank: by id within a provider, by name between two."""
    return sa.and_(
        FinancialConnection.path != ConnectionPath.MANUAL_UPLOAD,
        sa.or_(
            sa.and_(
                FinancialConnection.provider == provider,
                FinancialConnection.institution_external_id == institution.external_id,
            ),
            sa.and_(
                FinancialConnection.provider != provider,
                sa.func.lower(FinancialConnection.institution_name) == institution.name.lower(),
            ),
        ),
    )


def _alike(connection: FinancialConnection, source: SourceAccount) -> sa.Select[FinancialAccount]:
    same_text = sa.and_(
        FinancialAccount.mask != "",
        FinancialAccount.mask == source.mask,
        FinancialAccount.name == source.name,
        FinancialAccount.type == source.type,
    )
    same_id = sa.and_(
        FinancialAccount.persistent_id != "",
        FinancialAccount.persistent_id == source.persistent_id,
    )
    return (
        owned(FinancialAccount)
        .join(FinancialConnection, FinancialConnection.id == FinancialAccount.connection_id)
        .where(
            FinancialConnection.id != connection.id,
            _same_bank(
                connection.provider,
                Institution(connection.institution_external_id, connection.institution_name),
            ),
            FinancialAccount.currency == source.currency,
            sa.or_(same_text, same_id),
        )
    )
