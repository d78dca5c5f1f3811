"""Accounts, files and reconciliations, in the few words that tests need."""

from datetime import date

from app.connections.accounts import AddManualAccount, add_manual_account
from app.connections.imports import import_bank_file_now
from app.models import (
    AccountType,
    FinancialTransaction,
    GlAccount,
    LedgerBankAccount,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.scope import owned


def add_account(actor, *, name="Operating", mask="4417", currency="USD", bank="Puget Harbor Bank"):
    command = AddManualAccount(bank, name, mask, AccountType.CHECKING, currency)
    return add_manual_account(actor, command).account_id


def add_ledger_account(name="Cash, operating", number="1010", currency="USD"):
    with unit_of_work():
        gl = GlAccount(number=number, name=name, type="asset", currency=currency)
        db.session.add(gl)
        db.session.flush()
        ledger = LedgerBankAccount(name=name, gl_account_id=gl.id, currency=currency)
        db.session.add(ledger)
        db.session.flush()
        return ledger.id


def import_now(actor, account_id, data, **options):
    return import_bank_file_now(actor, account_id, "october.csv", data, **options)


def stored_lines(account_id):
    """Return (day, amount, description, reference) of all, oldest first."""
    db.session.rollback()
    rows = db.session.scalars(
        owned(FinancialTransaction)
        .where(FinancialTransaction.financial_account_id == account_id)
        .order_by(FinancialTransaction.posted_date, FinancialTransaction.id)
    )
    return [(row.posted_date, row.description, row.amount_minor, row.reference) for row in rows]


def open_reconciliation_with_a_match(
    account_id, ledger_id, *, status=ReconciliationStatus.OPEN, position=0
):
    """Match one line of the account with nothing: enough for what only looks at the bank."""
    with unit_of_work():
        lines = db.session.scalars(
            owned(FinancialTransaction)
            .where(FinancialTransaction.financial_account_id == account_id)
            .order_by(FinancialTransaction.posted_date, FinancialTransaction.id)
        ).all()
        line = lines[position]
        reconciliation = Reconciliation(
            ledger_bank_account_id=ledger_id,
            ending_date=date(2026, 10, 31),
            currency="USD",
            opening_balance_minor=0,
            ending_balance_minor=0,
            status=status,
            auto_match_threshold=85,
            review_threshold=50,
            opened_by="x",
        )
        db.session.add(reconciliation)
        db.session.flush()
        match = Match(
            reconciliation_id=reconciliation.id,
            origin=MatchOrigin.MANUAL,
            state=MatchState.MATCHED,
            bank_total_minor=line.amount_minor,
            gl_total_minor=line.amount_minor,
        )
        db.session.add(match)
        db.session.flush()
        db.session.add(
            MatchItem(
                match_id=match.id,
                reconciliation_id=reconciliation.id,
                financial_transaction_id=line.id,
                amount_minor=line.amount_minor,
                active=True,
            )
        )
        db.session.flush()
        return line.id
