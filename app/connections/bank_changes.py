"""What becomes of a stored bank transaction when the bank states it again: the one place.

A transaction in no match takes over what the bank says, or is marked removed.  In a match
of an open reconciliation it does so too, and the match is flagged for a person; what was
matched keeps its amounts until they decide.  In a certified reconciliation the row stays
exactly as it was signed, and the change is kept beside it for a person to settle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.connections.bank_facts import (
    Stated,
    change_in_words,
    facts_of,
    from_json,
    same_on_statement,
    to_json,
)
from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import (
    BankChange,
    ChangeKind,
    ChangeState,
    FinancialAccount,
    FinancialTransaction,
    LedgerBankAccount,
    Match,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    db,
)
from app.models.session import rows_changed
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
        _Chunk(actor, ids[start : start + limits.INGEST_CHUNK_ROWS], applied).apply(stated)
    return applied


def flags_of(match_ids: Collection[str]) -> dict[str, str]:
    """Return, for each match, what the bank changed since; empty when it is as it was matched."""
    rows = db.session.execute(
        owned(MatchItem)
        .join(FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id)
        .where(MatchItem.match_id.in_(match_ids), MatchItem.as_matched.is_not(None))
        .order_by(MatchItem.id)
        .with_only_columns(MatchItem.match_id, MatchItem.as_matched, FinancialTransaction)
    )
    sentences: dict[str, list[str]] = {match_id: [] for match_id in match_ids}
    for match_id, as_matched, row in rows:
        words = change_in_words(from_json(as_matched or {}), facts_of(row), row.currency)
        sentences[match_id].append(words)
    return {match_id: " ".join(filter(None, words)) for match_id, words in sentences.items()}


class _Standing(NamedTuple):
    """Where a transaction is matched."""

    item_id: str
    match_id: str
    reconciliation_id: str
    certified: bool


class _Chunk:
    """Transactions that are read, compared and written together."""

    def __init__(self, actor: Actor, ids: Sequence[str], applied: Applied) -> None:
        self._actor, self._applied = actor, applied
        self._rows = _rows(ids)
        self._standings = _standings(ids)
        certified = [i for i, standing in self._standings.items() if standing.certified]
        self._known_changes = _known_changes(certified)
        self._touched: dict[str, tuple[_Standing, Stated]] = {}
        self._changes: list[Change] = []

    def apply(self, stated: Mapping[str, Stated]) -> None:
        for row in self._rows:
            standing = self._standings.get(row.id)
            if standing is not None and standing.certified:
                self._compare_certified(row, standing, stated[row.id])
            else:
                self._take_over(row, standing, stated[row.id])
        db.session.flush()
        self._flag()
        record(self._actor, *self._changes)

    def _take_over(
        self, row: FinancialTransaction, standing: _Standing | None, now: Stated
    ) -> None:
        before = facts_of(row)
        if before == now:
            return
        _store(row, now)
        if now is None:
            self._applied.removed_count += 1
        else:
            self._applied.updated_count += 1
        verb = "removed" if now is None else "changed"
        self._note(f"bank_transaction.{verb}", row.id, before, now)
        if standing is not None and not same_on_statement(before, now):
            self._touched[row.id] = (standing, before)

    def _compare_certified(
        self, row: FinancialTransaction, standing: _Standing, now: Stated
    ) -> None:
        known = self._known_changes.get(row.id, [])
        accounted = _accounted(row, known)
        unsettled = next((c for c in known if c.state == ChangeState.OPEN), None)
        if _needs_nobody(now, accounted, known):
            if unsettled is not None:
                self._withdraw(unsettled)
        elif unsettled is None:
            self._raise(row, standing, accounted, now)
        elif not same_on_statement(now, from_json(unsettled.after)):
            before = from_json(unsettled.after)
            unsettled.after, unsettled.kind = to_json(now), _kind(now)
            self._applied.raised_count += 1
            self._note("bank_change.changed", unsettled.id, before, now)

    def _raise(
        self, row: FinancialTransaction, standing: _Standing, accounted: Stated, now: Stated
    ) -> None:
        change = BankChange(
            financial_transaction_id=row.id,
            reconciliation_id=standing.reconciliation_id,
            kind=_kind(now),
            before=to_json(accounted),
            after=to_json(now),
        )
        db.session.add(change)
        db.session.flush()
        self._applied.raised_count += 1
        self._note("bank_change.raised", change.id, accounted, now)

    def _withdraw(self, change: BankChange) -> None:
        change.state = ChangeState.WITHDRAWN
        change.note = "The bank has taken this change back by itself."
        change.settled_at = utc_now()
        self._applied.withdrawn_count += 1
        before, after = from_json(change.after), from_json(change.before)
        self._note("bank_change.withdrawn", change.id, before, after)

    def _note(self, action: str, subject_id: str, before: Stated, after: Stated) -> None:
        subject = action.partition(".")[0]
        self._changes.append(Change(action, subject, subject_id, to_json(before), to_json(after)))

    def _flag(self) -> None:
        """Flag the matches of what was changed, or lift the flag where all is as it was."""
        match_ids = {standing.match_id for standing, _ in self._touched.values()}
        if not match_ids:
            return
        flags_before = _flags_before(match_ids)
        _forget_what_was_kept([i for i, flag in flags_before.items() if not flag])
        self._remember_as_matched()
        flags = flags_of(match_ids)
        for match_id in sorted(match_ids):
            self._set_flag(match_id, flags_before[match_id], flags[match_id])
        _raise_versions({standing.reconciliation_id for standing, _ in self._touched.values()})

    def _remember_as_matched(self) -> None:
        for standing, before in self._touched.values():
            rows_changed(
                sa.update(MatchItem)
                .where(MatchItem.id == standing.item_id, MatchItem.as_matched.is_(None))
                .values(as_matched=to_json(before))
            )

    def _set_flag(self, match_id: str, before: str, after: str) -> None:
        if before == after:
            return
        rows_changed(sa.update(Match).where(Match.id == match_id).values(flag=after))
        if after:
            self._applied.flagged_count += 1
        action = "match.flagged" if after else "match.flag_lifted"
        self._changes.append(Change(action, "match", match_id, {"flag": before}, {"flag": after}))


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


def _known_changes(ids: Sequence[str]) -> dict[str, list[BankChange]]:
    """Return all changes of these transactions that were raised before, oldest first."""
    known: defaultdict[str, list[BankChange]] = defaultdict(list)
    if ids:
        for change in db.session.scalars(
            owned(BankChange)
            .where(BankChange.financial_transaction_id.in_(ids))
            .order_by(BankChange.id)
            .execution_options(populate_existing=True)
        ):
            known[change.financial_transaction_id].append(change)
    return known


def _accounted(row: FinancialTransaction, known: Sequence[BankChange]) -> Stated:
    """Return what the books rest on: what was certified, with the corrections carried since."""
    carried = [change for change in known if change.state == ChangeState.CARRIED]
    return from_json(carried[-1].after) if carried else facts_of(row)


def _needs_nobody(now: Stated, accounted: Stated, known: Sequence[BankChange]) -> bool:
    """Tell whether what the bank says is accounted for, or was acknowledged last."""
    if same_on_statement(now, accounted):
        return True
    settled = [
        change
        for change in known
        if change.state in (ChangeState.ACKNOWLEDGED, ChangeState.CARRIED)
    ]
    if not settled or settled[-1].state != ChangeState.ACKNOWLEDGED:
        return False
    return same_on_statement(now, from_json(settled[-1].after))


def _kind(now: Stated) -> ChangeKind:
    return ChangeKind.REMOVED if now is None else ChangeKind.MODIFIED


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


def _flags_before(match_ids: Collection[str]) -> dict[str, str]:
    rows = db.session.execute(
        owned(Match).where(Match.id.in_(match_ids)).with_only_columns(Match.id, Match.flag)
    )
    return {match_id: flag for match_id, flag in rows}  # noqa: C416 - rows are not pairs to mypy


def _forget_what_was_kept(match_ids: Sequence[str]) -> None:
    """A match without a flag was accepted as it stands: earlier changes are settled."""
    rows_changed(
        sa.update(MatchItem)
        .where(MatchItem.match_id.in_(match_ids), MatchItem.as_matched.is_not(None))
        .values(as_matched=sa.null())
    )


def _raise_versions(reconciliation_ids: Collection[str]) -> None:
    rows_changed(
        sa.update(Reconciliation)
        .where(Reconciliation.id.in_(reconciliation_ids))
        .values(version=Reconciliation.version + 1)
    )
