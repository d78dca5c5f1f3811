"""Accounts whose bank data a person uploads, and the mapping of any account to the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.jobs.runs import request_matching_where
from app.kernel.errors import Conflict, Invalid
from app.kernel.money import valid_currency
from app.models import (
    AccountType,
    ConnectionPath,
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    LedgerBankAccount,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned

NAME_CHARACTERS_MAX: Final = 120
MASK_CHARACTERS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class AddManualAccount:
    """A bank account whose files a person uploads.

    Args:
        institution_name: The bank, as people call it.
        account_name: Such as “Operating checking”.
        mask: Last digits of the account number, or empty; never the whole number.
        type: What kind of account it is.
        currency: ISO 4217 code; every file must agree with it.
        ledger_bank_account_id: The books' side, if it is to be mapped at once.
    """

    institution_name: str
    account_name: str
    mask: str
    type: AccountType
    currency: str
    ledger_bank_account_id: str | None = None


@dataclass(frozen=True, slots=True)
class AddedAccount:
    connection_id: str
    account_id: str


def add_manual_account(actor: Actor, command: AddManualAccount) -> AddedAccount:
    """Create a manual-upload connection with one account, active from the start.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        Invalid: A name is missing or too long, or mask or currency are none.
        NotFound, Conflict: As in `map_account`.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    checked = checked_account(command)
    with unit_of_work():
        connection = FinancialConnection(
            path=ConnectionPath.MANUAL_UPLOAD,
            institution_name=checked.institution_name,
            status=ConnectionStatus.ACTIVE,
            created_by=actor.user_id,
        )
        db.session.add(connection)
        db.session.flush()
        account = FinancialAccount(
            connection_id=connection.id,
            name=checked.account_name,
            mask=checked.mask,
            type=checked.type,
            currency=checked.currency,
        )
        db.session.add(account)
        db.session.flush()
        after = {
            "path": connection.path,
            "institution_name": connection.institution_name,
            "account_id": account.id,
            "account_name": account.name,
            "mask": account.mask,
            "type": account.type,
            "currency": account.currency,
        }
        record(
            actor,
            Change("connection.created", "financial_connection", connection.id, {}, after),
        )
        if checked.ledger_bank_account_id:
            _map(actor, account, checked.ledger_bank_account_id)
        return AddedAccount(connection.id, account.id)


def map_account(actor: Actor, account_id: str, ledger_bank_account_id: str | None) -> None:
    """Say which ledger bank account a financial account is, or with None that it is none.

    Repeating it is harmless.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: One of the two does not exist here.
        Invalid: Their currencies differ.
        Conflict: The other side is taken, the connection is deleted, or an open
            reconciliation holds matches of this account.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    with unit_of_work() as work:
        account = get_owned(FinancialAccount, account_id, lock=True)
        if ledger_bank_account_id is not None:  # what ended by itself may be taken out
            _refuse_deleted(account)
        _map(actor, account, ledger_bank_account_id)
        request_matching_where(work, LedgerBankAccount.id == ledger_bank_account_id)


def unmap_all(actor: Actor, connection_id: str) -> None:
    """Take the connection's accounts out of the books, inside the caller's transaction."""
    accounts = owned(FinancialAccount).where(FinancialAccount.connection_id == connection_id)
    changes = []
    for account in db.session.scalars(accounts.with_for_update()):
        if account.ledger_bank_account_id is not None:
            changes.append(_mapping_change(account, None))
            account.ledger_bank_account_id = None
    db.session.flush()
    record(actor, *changes)


def account_in_use(account_id: str, *, lock: bool = False) -> FinancialAccount:
    """Return an account that still takes data.

    Raises:
        NotFound: It does not exist here.
        Conflict: Its connection is deleted.
    """
    account = get_owned(FinancialAccount, account_id, lock=lock)
    _refuse_deleted(account)
    return account


def checked_account(command: AddManualAccount) -> AddManualAccount:
    institution_name = command.institution_name.strip()
    account_name = command.account_name.strip()
    mask = command.mask.strip()
    fields: dict[str, list[str]] = {}
    for field, text in (("institution_name", institution_name), ("account_name", account_name)):
        if not 1 <= len(text) <= NAME_CHARACTERS_MAX:
            fields[field] = [f"Give a name of 1 to {NAME_CHARACTERS_MAX} characters."]
    if len(mask) > MASK_CHARACTERS_MAX or (mask and not mask.isalnum()):
        fields["mask"] = [
            f"Give the last digits of the account number, at most {MASK_CHARACTERS_MAX}."
        ]
    currency = command.currency
    try:
        currency = valid_currency(command.currency)
    except Invalid as refusal:
        fields["currency"] = [refusal.detail]
    if fields:
        raise Invalid("Please correct the marked fields; nothing was saved.", fields)
    return AddManualAccount(
        institution_name,
        account_name,
        mask,
        command.type,
        currency,
        command.ledger_bank_account_id or None,
    )


def _refuse_deleted(account: FinancialAccount) -> None:
    connection = get_owned(FinancialConnection, account.connection_id)
    if connection.status == ConnectionStatus.DELETED:
        raise Conflict(
            f"The connection to {connection.institution_name} was deleted; nothing was changed. "
            "What it had imported stays readable."
        )


def _map(actor: Actor, account: FinancialAccount, ledger_bank_account_id: str | None) -> None:
    if account.ledger_bank_account_id == ledger_bank_account_id:
        return
    if account.ledger_bank_account_id is not None:
        _refuse_while_matched(account)
    if ledger_bank_account_id is not None:
        ledger = get_owned(LedgerBankAccount, ledger_bank_account_id, lock=True)
        _refuse_unfit(account, ledger)
    record(actor, _mapping_change(account, ledger_bank_account_id))
    account.ledger_bank_account_id = ledger_bank_account_id
    db.session.flush()


def _mapping_change(account: FinancialAccount, ledger_bank_account_id: str | None) -> Change:
    return Change(
        "account.mapped" if ledger_bank_account_id else "account.unmapped",
        "financial_account",
        account.id,
        {"ledger_bank_account_id": account.ledger_bank_account_id},
        {"ledger_bank_account_id": ledger_bank_account_id},
    )


def _refuse_unfit(account: FinancialAccount, ledger: LedgerBankAccount) -> None:
    if ledger.currency != account.currency:
        sentence = (
            f"“{ledger.name}” is kept in {ledger.currency} and “{account.name}” in "
            f"{account.currency}; choose a ledger account in {account.currency}. "
            "Nothing was changed."
        )
        raise Invalid(sentence, {"ledger_bank_account_id": [sentence]})
    taken = db.session.scalar(
        owned(FinancialAccount).where(
            FinancialAccount.ledger_bank_account_id == ledger.id,
            FinancialAccount.id != account.id,
        )
    )
    if taken is not None:
        raise Conflict(
            f"“{ledger.name}” is mapped to the bank account “{taken.name}” already, and takes only "
            "one; set that one to “Not mapped” first. Nothing was changed."
        )


def _refuse_while_matched(account: FinancialAccount) -> None:
    """An open reconciliation must not lose one side of its matches."""
    ending_date = db.session.scalar(
        sa.select(Reconciliation.ending_date)
        .join(Match, Match.reconciliation_id == Reconciliation.id)
        .join(MatchItem, MatchItem.match_id == Match.id)
        .join(FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id)
        .where(
            Reconciliation.organization_id == account.organization_id,
            Reconciliation.status == ReconciliationStatus.OPEN,
            Match.state == MatchState.MATCHED,
            MatchItem.active,
            FinancialTransaction.financial_account_id == account.id,
        )
        .limit(1)
    )
    if ending_date is not None:
        raise Conflict(
            f"The open reconciliation to {ending_date.day} {ending_date:%B %Y} holds matches of "
            f"“{account.name}”; certify it or undo them first. Nothing was changed."
        )
