"""What the Bank Connections page shows, those that need somebody first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from app.models import AccountStatus, ConnectionPath, ConnectionStatus, FinancialConnection, db
from app.reports.connection_cards import ConnectionCard, connection_cards
from app.reports.financial_accounts import AccountCard, LedgerChoice, ledger_choices
from app.tenancy.actor import Actor
from app.tenancy.scope import owned

_STOPPED: Final = (ConnectionStatus.RECONNECT_REQUIRED, ConnectionStatus.EXPIRED)


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    connections: tuple[ConnectionCard, ...]
    deleted: tuple[ConnectionCard, ...]
    ledger_choices: tuple[LedgerChoice, ...]

    @property
    def accounts_count(self) -> int:
        return sum(len(connection.accounts) for connection in self.connections)

    @property
    def needing_count(self) -> int:
        return sum(connection.needs_somebody for connection in self.connections)

    @property
    def stopped_count(self) -> int:
        return sum(connection.status in _STOPPED for connection in self.connections)

    @property
    def live(self) -> bool:
        return any(connection.live for connection in self.connections)

    @property
    def without_path(self) -> tuple[LedgerChoice, ...]:
        """Return the ledger bank accounts for which no bank data arrives."""
        fed = {
            account.ledger_bank_account_id
            for connection in self.connections
            for account in connection.accounts
            if not connection.deleted
        }
        return tuple(
            choice for choice in self.ledger_choices if choice.ledger_bank_account_id not in fed
        )

    def choices_for(self, account: AccountCard) -> list[LedgerChoice]:
        """Return the ledger bank accounts of its currency that are free, and its own."""
        takers = {account.account_id} if account.connection_deleted else {None, account.account_id}
        return [
            choice
            for choice in self.ledger_choices
            if choice.currency == account.currency and choice.taken_by in takers
        ]

    def continues(self, account: AccountCard) -> list[AccountCard]:
        """Return the accounts kept by file that an account which nobody mapped can go on from."""
        if account.path is ConnectionPath.MANUAL_UPLOAD or not account.is_unmapped:
            return []
        return [
            other
            for connection in self.connections
            for other in connection.accounts
            if other.path is ConnectionPath.MANUAL_UPLOAD
            and other.currency == account.currency
            and not other.connection_deleted
            and other.status is AccountStatus.ACTIVE
        ]


def connections_page(actor: Actor, now: datetime, shown: Sequence[str] = ()) -> ConnectionsPage:
    """Return everything on the Bank Connections page, in six statements.

    Args:
        shown: Ids in the order in which somebody is looking at them already, which is kept;
            otherwise those that need somebody come first.
    """
    cards = connection_cards(actor, now)
    places = {connection_id: place for place, connection_id in enumerate(shown)}
    cards.sort(key=lambda card: (places.get(card.connection_id, -1), card.order))
    return ConnectionsPage(
        connections=tuple(card for card in cards if not card.deleted or card.is_lost),
        deleted=tuple(card for card in cards if card.deleted and not card.is_lost),
        ledger_choices=ledger_choices(),
    )


def stopped_count() -> int:
    """Count the connections that bring nothing until somebody acts, by one cheap statement."""
    stopped = owned(FinancialConnection).where(FinancialConnection.status.in_(_STOPPED))
    return db.session.scalar(stopped.with_only_columns(sa.func.count())) or 0
