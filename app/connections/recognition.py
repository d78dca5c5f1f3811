"""Recognize transactions that came another way before: by file, or from an earlier login.

Two sources of one account state the same days, each of them whole.  So a transaction of the
same date and amount is the same one, and of several equal ones each is used once: what
neither source has twice is never doubled, and two true twins stay two.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from rapidfuzz.fuzz import token_set_ratio

from app.connections.fingerprints import plain_text
from app.models import FinancialTransaction, TransactionStatus, db
from app.tenancy.scope import owned


class _Waiting(NamedTuple):
    transaction_id: str
    text: str


class Recognition:
    """Transactions of one account that no provider's id names yet."""

    def __init__(self, account_id: str) -> None:
        self._waiting: defaultdict[tuple[date, int], list[_Waiting]] = defaultdict(list)
        rows = db.session.execute(
            owned(FinancialTransaction)
            .where(
                FinancialTransaction.financial_account_id == account_id,
                FinancialTransaction.external_id.is_(None),
                FinancialTransaction.status == TransactionStatus.POSTED,
                # A correction that was carried here is ours, and no statement of a bank's.
                FinancialTransaction.source_key.not_like("bank-change-%"),
            )
            .order_by(FinancialTransaction.id)
            .with_only_columns(
                FinancialTransaction.id,
                FinancialTransaction.posted_date,
                FinancialTransaction.amount_minor,
                FinancialTransaction.description,
                FinancialTransaction.counterparty,
            )
        )
        for transaction_id, day, amount_minor, *texts in rows:
            waiting = _Waiting(transaction_id, plain_text(*texts))
            self._waiting[day, amount_minor].append(waiting)

    def take(self, posted_date: date, amount_minor: int, *texts: str) -> str | None:
        """Return the id of the stored transaction that a posted one is, and use that one up."""
        candidates = self._waiting.get((posted_date, amount_minor))
        if not candidates:
            return None
        text = plain_text(*texts)
        best = max(
            range(len(candidates)), key=lambda at: token_set_ratio(text, candidates[at].text)
        )
        return candidates.pop(best).transaction_id
