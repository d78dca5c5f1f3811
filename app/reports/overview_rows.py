"""One bank account on the overview."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.reconciliation.balances import Balances
from app.reports.connection_cards import ConnectionCard
from app.reports.financial_accounts import AccountCard


@dataclass(frozen=True, slots=True)
class OpenState:
    """An open reconciliation and how far it is."""

    id: str
    ending_date: date
    balances: Balances
    prepared_by: str
    """Who has submitted it for review; empty while nobody has."""
    prepared_by_id: str

    @property
    def is_balanced(self) -> bool:
        return self.balances.difference_minor == 0 and self.balances.open_bank.count == 0


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One ledger bank account.

    Attributes:
        connection: Where its bank data come from; None where nothing is mapped.
        last_posted: Day of its newest bank transaction.
        next_ending: End of the month after the last certified one, once that is over.
    """

    id: str
    name: str
    gl_account_number: str
    currency: str
    connection: ConnectionCard | None
    bank_account: AccountCard | None
    last_posted: date | None
    open: OpenState | None
    certified_id: str | None
    certified_until: date | None
    certified_balance_minor: int | None
    exceptions_count: int
    next_ending: date | None
