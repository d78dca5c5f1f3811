"""Changes by the bank of transactions that a certified reconciliation holds.

The row is never touched.  What the bank says now is compared with what is accounted for:
what was certified, with the corrections that were carried since.  Of each transaction at
most one change waits for a person at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from app.audit.trail import Change
from app.connections.bank_facts import Stated, facts_of, from_json, same_on_statement, to_json
from app.kernel.clock import utc_now
from app.models import BankChange, ChangeKind, ChangeState, FinancialTransaction, db
from app.tenancy.scope import owned

TAKEN_BACK_NOTE = "The bank has taken this change back by itself."


class CertifiedChanges:
    """The changes of some transactions: those raised before, and what to add or close.

    Attributes:
        changes: What is to be recorded in the audit trail.
        raised_count: New changes, and open ones that the bank has changed again.
        withdrawn_count: Changes that the bank took back.
    """

    def __init__(self, transaction_ids: Sequence[str]) -> None:
        self.changes: list[Change] = []
        self.raised_count = 0
        self.withdrawn_count = 0
        self._known = _known(transaction_ids)

    def compare(self, row: FinancialTransaction, reconciliation_id: str, now: Stated) -> None:
        """Raise, change or withdraw what a person has to settle; the same again is nothing."""
        accounted, later = _accounted(row, self._known.get(row.id, []))
        waiting = [change for change in later if change.state == ChangeState.OPEN]
        acknowledged = [change for change in later if change.state == ChangeState.ACKNOWLEDGED]
        if same_on_statement(now, accounted):
            self._withdraw(*acknowledged, *waiting)
        elif acknowledged and same_on_statement(now, from_json(acknowledged[-1].after)):
            self._withdraw(*waiting)
        elif waiting:
            self._change_again(waiting[0], now)
        else:
            self._raise(row, reconciliation_id, accounted, now)

    def _raise(
        self, row: FinancialTransaction, reconciliation_id: str, accounted: Stated, now: Stated
    ) -> None:
        change = BankChange(
            financial_transaction_id=row.id,
            reconciliation_id=reconciliation_id,
            kind=_kind(now),
            before=to_json(accounted),
            after=to_json(now),
        )
        db.session.add(change)
        db.session.flush()
        self.raised_count += 1
        self._note("raised", change, accounted, now)

    def _change_again(self, change: BankChange, now: Stated) -> None:
        before = from_json(change.after)
        if same_on_statement(before, now):
            return
        change.after, change.kind = to_json(now), _kind(now)
        self.raised_count += 1
        self._note("changed", change, before, now)

    def _withdraw(self, *changes: BankChange) -> None:
        for change in changes:
            if change.state == ChangeState.OPEN:
                change.note, change.settled_at = TAKEN_BACK_NOTE, utc_now()
            change.state = ChangeState.WITHDRAWN
            self.withdrawn_count += 1
            self._note("withdrawn", change, from_json(change.after), from_json(change.before))

    def _note(self, verb: str, change: BankChange, before: Stated, after: Stated) -> None:
        facts = (to_json(before), to_json(after))
        self.changes.append(Change(f"bank_change.{verb}", "bank_change", change.id, *facts))


def _known(transaction_ids: Sequence[str]) -> dict[str, list[BankChange]]:
    """Return all changes of these transactions that were raised before, oldest first."""
    known: defaultdict[str, list[BankChange]] = defaultdict(list)
    if transaction_ids:
        for change in db.session.scalars(
            owned(BankChange)
            .where(BankChange.financial_transaction_id.in_(transaction_ids))
            .order_by(BankChange.id)
            .execution_options(populate_existing=True)
        ):
            known[change.financial_transaction_id].append(change)
    return known


def _accounted(
    row: FinancialTransaction, known: Sequence[BankChange]
) -> tuple[Stated, Sequence[BankChange]]:
    """Return what the books rest on, and the changes that were raised against just that."""
    carried = [at for at, change in enumerate(known) if change.state == ChangeState.CARRIED]
    if not carried:
        return facts_of(row), known
    return from_json(known[carried[-1]].after), known[carried[-1] + 1 :]


def _kind(now: Stated) -> ChangeKind:
    return ChangeKind.REMOVED if now is None else ChangeKind.MODIFIED
