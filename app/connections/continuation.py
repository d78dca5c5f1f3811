"""Let an aggregator go on with an account whose transactions came by file until now.

The account keeps its transactions, matches, mapping and files, and takes its new ones from
the aggregator.  What both brought is recognized as `app.connections.recognition` does.
"""

from __future__ import annotations

from app.aggregators.contract import Health
from app.audit.trail import Change, record
from app.connections.applying import write_column
from app.connections.bank_changes import hold_accounts
from app.connections.recognition import Recognition
from app.connections.source_accounts import accounts_of
from app.connections.statuses import Cause, move, tell
from app.jobs.runs import request_matching_where
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid
from app.models import (
    AccountStatus,
    ConnectionPath,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    LedgerBankAccount,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned


def continue_account(actor: Actor, new_account_id: str, old_account_id: str) -> None:
    """Make two accounts one: the old one's history, the new one's source.

    Args:
        new_account_id: As a connection brings it; not mapped to the books.
        old_account_id: Kept by file until now; its connection ends with its last account.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: One of the two does not exist here.
        Invalid: They cannot be one account: another currency.
        Conflict: The new one is mapped to the books, the old one is not kept by file, or one
            of the connections is deleted.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    with unit_of_work() as work:
        connection, ended = _hold_connections(new_account_id, old_account_id)
        hold_accounts([new_account_id, old_account_id])
        new = get_owned(FinancialAccount, new_account_id)
        old = get_owned(FinancialAccount, old_account_id)
        _refuse_unfit(new, old, connection, ended)
        linked, moved = _unite_rows(new, old)
        _swap(new, old)
        before = {"connection_id": ended.id}
        after = {"connection_id": connection.id, "known_already": linked, "moved": moved}
        record(actor, Change("account.continued", "financial_account", old.id, before, after))
        sentence = (
            f"“{old.name}” goes on here with what its files had brought: {linked:,} transactions "
            f"were known already, {moved:,} are new."
        )
        tell(actor, connection, cause=Cause.PERSON, sentence=sentence)
        if not [one for one in accounts_of(ended.id) if one.status != AccountStatus.CLOSED]:
            ended.deleted_at = utc_now()
            sentence = f"Its account goes on through {connection.institution_name}."
            deleted = Health(ConnectionStatus.DELETED, "CONTINUED")
            move(actor, ended, deleted, cause=Cause.PERSON, sentence=sentence)
        db.session.flush()
        request_matching_where(work, LedgerBankAccount.id == old.ledger_bank_account_id)


def _hold_connections(*account_ids: str) -> list[FinancialConnection]:
    """Lock the connections of the accounts, whatever they are, in the order of their ids."""
    ids = [get_owned(FinancialAccount, account_id).connection_id for account_id in account_ids]
    held = {one: get_owned(FinancialConnection, one, lock=True) for one in sorted(set(ids))}
    db.session.expire_all()  # what was read before the locks may be of yesterday
    for account_id, connection_id in zip(account_ids, ids, strict=True):
        if get_owned(FinancialAccount, account_id).connection_id != connection_id:
            raise Conflict("One of the accounts moved meanwhile; nothing was changed. Try again.")
    return [held[connection_id] for connection_id in ids]


def _refuse_unfit(
    new: FinancialAccount,
    old: FinancialAccount,
    connection: FinancialConnection,
    ended: FinancialConnection,
) -> None:
    deleted = ConnectionStatus.DELETED
    if deleted in (connection.status, ended.status):
        raise Conflict("One of the two connections was deleted; nothing was changed.")
    if connection.path == ConnectionPath.MANUAL_UPLOAD or not new.external_id:
        raise Conflict(f"“{new.name}” is not brought by a connection; nothing was changed.")
    if ended.path != ConnectionPath.MANUAL_UPLOAD:
        raise Conflict(f"“{old.name}” is not kept by file; nothing was changed.")
    if new.ledger_bank_account_id is not None:
        raise Conflict(
            f"“{new.name}” is mapped to the books by itself; set it to “Not mapped” first. "
            "Nothing was changed."
        )
    if new.currency != old.currency:
        raise Invalid(
            f"“{new.name}” is in {new.currency} and “{old.name}” in {old.currency}, so they "
            "are not the same account; nothing was changed."
        )


def _unite_rows(new: FinancialAccount, old: FinancialAccount) -> tuple[int, int]:
    """Link what both have, move what only the new one has; return how many of each."""
    recognition = Recognition(old.id)
    links: dict[str, str] = {}
    linked = moved = 0
    rows = db.session.scalars(
        owned(FinancialTransaction)
        .where(FinancialTransaction.financial_account_id == new.id)
        .order_by(FinancialTransaction.id)
    ).all()
    for row in rows:
        known_id = None
        if row.status == TransactionStatus.POSTED:
            known_id = recognition.take(
                row.posted_date, row.amount_minor, row.description, row.counterparty
            )
        if known_id is None:
            row.financial_account_id = old.id
            moved += row.status != TransactionStatus.REMOVED
            continue
        if row.external_id is not None:
            links[known_id] = row.external_id
        row.external_id, row.replaced_by_id = None, known_id
        row.status, row.updated_at = TransactionStatus.REMOVED, utc_now()
        linked += 1
    db.session.flush()
    write_column("external_id", links)
    return linked, moved


def _swap(new: FinancialAccount, old: FinancialAccount) -> None:
    """Give the old account the new one's place, and leave an empty one where it was."""
    connection_id, external_id = new.connection_id, new.external_id
    new.connection_id, new.external_id = old.connection_id, ""
    new.status, new.status_reason = AccountStatus.CLOSED, "CONTINUED"
    db.session.flush()
    old.connection_id, old.external_id = connection_id, external_id
    old.persistent_id, new.persistent_id = new.persistent_id, ""
    old.status, old.status_reason = AccountStatus.ACTIVE, ""
    old.current_balance_minor, old.balance_date = new.current_balance_minor, new.balance_date
    old.available_balance_minor = new.available_balance_minor
    db.session.flush()
