"""What becomes of a stored bank transaction when the bank states it again: the one place.

A transaction in no match takes over what the bank says, or is marked removed.  In a match
of an open reconciliation it does so too, and the match is flagged for a person; what was
matched keeps its amounts until they decide.  In a certified reconciliation the row stays
exactly as it was signed, and the change is kept beside it for a person to settle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.audit.trail import Change, record
from app.connections.bank_facts import Stated, facts_of, same_on_statement, to_json
from app.connections.certified_changes import CertifiedChanges
from app.connections.match_flags import ChangedItem, flag_matches
from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import (
    FinancialAccount,
    FinancialTransaction,
    LedgerBankAccount,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    db,
)
from app.tenancy.actor import Actor
from app.tenancy.scope import owned


@dataclass(slots=True)
class Applied:
    """What became of the transactions that the bank stated again, in numbers.

    Attributes:
        updated_count: Rows that took over what the bank says.
        removed_count: Rows that were marked removed.
        flagged_count: Matches of open reconciliations that now wait for a person.
        raised_count: Changes of certified transactions, new or changed again.
        withdrawn_count: Such changes that the bank itself took back.
    """

    updated_count: int = 0
    removed_count: int = 0
    flagged_count: int = 0
    raised_count: int = 0
    withdrawn_count: int = 0


def hold_accounts(financial_account_ids: Collection[str]) -> None:
    """Keep matching, opening, certifying and mapping of these accounts waiting until the commit.

    Call it once, before the first `apply_bank_facts` of a transaction and before anything is
    recorded in the audit trail: everything below relies on these locks and takes no others.
    They are taken in the order of `app.ledger.locks`, after that of the accounts themselves.
    """
    accounts = db.session.scalars(
        owned(FinancialAccount)
        .where(FinancialAccount.id.in_(financial_account_ids))
        .order_by(FinancialAccount.id)
        .with_for_update()
    ).all()
    ledger_ids = {account.ledger_bank_account_id for account in accounts} - {None}
    if not ledger_ids:
        return
    db.session.scalars(
        owned(LedgerBankAccount)
        .where(LedgerBankAccount.id.in_(ledger_ids))
        .order_by(LedgerBankAccount.id)
        .with_for_update()
    ).all()
    db.session.scalars(
        owned(Reconciliation)
        .where(
            Reconciliation.ledger_bank_account_id.in_(ledger_ids),
            Reconciliation.status == ReconciliationStatus.OPEN,
        )
        .order_by(Reconciliation.id)
        .with_for_update()
    ).all()


def apply_bank_facts(actor: Actor, stated: Mapping[str, Stated]) -> Applied:
    """Bring stored transactions to what the bank says now, inside the caller's transaction.

    Hand over every stored transaction that the bank states again, the unchanged ones too: a
    change that the bank takes back is only noticed so.  Repeating the call changes nothing.
    The cost is a handful of statements per `limits.INGEST_CHUNK_ROWS` transactions.

    Args:
        actor: In whose name the audit trail records it; no permission is asked for.
        stated: By id of the stored transaction; None for one that the bank removed.  A posted
            transaction that replaces a pending one is a new row, and the pending one is None.
    """
    db.session.flush()  # what the caller has set on rows that are read again here
    applied = Applied()
    ids = sorted(stated)
    for start in range(0, len(ids), limits.INGEST_CHUNK_ROWS):
        chunk = ids[start : start + limits.INGEST_CHUNK_ROWS]
        record(actor, *_apply(chunk, stated, applied))
    return applied


class _Standing(NamedTuple):
    """Where a transaction is matched."""

    item_id: str
    match_id: str
    reconciliation_id: str
    certified: bool


def _apply(ids: Sequence[str], stated: Mapping[str, Stated], applied: Applied) -> list[Change]:
    standings = _standings(ids)
    certified = CertifiedChanges([i for i, where in standings.items() if where.certified])
    changes: list[Change] = []
    touched: list[ChangedItem] = []
    for row in _rows(ids):
        before, now = facts_of(row), stated[row.id]
        where = standings.get(row.id)
        if where is not None and where.certified:
            certified.compare(row, where.reconciliation_id, now)
        elif before != now:
            _store(row, now)
            changes.append(_change(row.id, before, now, applied))
            if where is not None and not same_on_statement(before, now):
                touched.append(ChangedItem(*where[:3], before))
    db.session.flush()
    flagged = flag_matches(touched)
    applied.flagged_count += sum(1 for change in flagged if change.after["flag"])
    applied.raised_count += certified.raised_count
    applied.withdrawn_count += certified.withdrawn_count
    return [*changes, *flagged, *certified.changes]


def _rows(ids: Sequence[str]) -> Sequence[FinancialTransaction]:
    return db.session.scalars(
        owned(FinancialTransaction)
        .where(FinancialTransaction.id.in_(ids))
        .order_by(FinancialTransaction.id)
        .execution_options(populate_existing=True)
    ).all()


def _standings(ids: Sequence[str]) -> dict[str, _Standing]:
    rows = db.session.execute(
        owned(MatchItem)
        .join(Reconciliation, Reconciliation.id == MatchItem.reconciliation_id)
        .where(MatchItem.active, MatchItem.financial_transaction_id.in_(ids))
        .with_only_columns(
            MatchItem.financial_transaction_id,
            MatchItem.id,
            MatchItem.match_id,
            MatchItem.reconciliation_id,
            Reconciliation.status == ReconciliationStatus.CERTIFIED,
        )
    )
    return {str(row[0]): _Standing(*row[1:]) for row in rows}


def _store(row: FinancialTransaction, now: Stated) -> None:
    row.updated_at = utc_now()
    if now is None:
        row.status = TransactionStatus.REMOVED
        return
    row.status = TransactionStatus.PENDING if now.pending else TransactionStatus.POSTED
    row.posted_date, row.value_date = now.posted_date, now.value_date
    row.amount_minor = now.amount_minor
    row.description, row.counterparty = now.description, now.counterparty
    row.reference = now.reference


def _change(row_id: str, before: Stated, now: Stated, applied: Applied) -> Change:
    if now is None:
        applied.removed_count += 1
    else:
        applied.updated_count += 1
    action = "bank_transaction.removed" if now is None else "bank_transaction.changed"
    return Change(action, "bank_transaction", row_id, to_json(before), to_json(now))
