"""The lines of the two sides: those of matches, and as the engine takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from app.matching import Item
from app.models import FinancialTransaction, GlEntry, MatchItem, db
from app.tenancy.scope import owned

Sides = tuple[list[FinancialTransaction], list[GlEntry]]


def lines_of_matches(match_ids: Iterable[str]) -> dict[str, Sides]:
    """Return the bank transactions and GL entries of each match, in one statement."""
    lines: dict[str, Sides] = {match_id: ([], []) for match_id in match_ids}
    rows = db.session.execute(
        owned(MatchItem)
        .outerjoin(
            FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id
        )
        .outerjoin(GlEntry, GlEntry.id == MatchItem.gl_entry_id)
        .where(MatchItem.match_id.in_(lines))
        .order_by(MatchItem.id)
        .with_only_columns(MatchItem.match_id, FinancialTransaction, GlEntry)
    )
    outer = cast("Sequence[tuple[str, FinancialTransaction | None, GlEntry | None]]", rows)
    for match_id, transaction, entry in outer:
        bank, gl = lines[match_id]
        if transaction is not None:
            bank.append(transaction)
        if entry is not None:
            gl.append(entry)
    return lines


def bank_item(line: FinancialTransaction) -> Item:
    return Item(
        id=line.id,
        date=line.posted_date,
        amount_minor=line.amount_minor,
        currency=line.currency,
        description=line.description,
        reference=line.reference,
        counterparty=line.counterparty,
    )


def gl_item(entry: GlEntry) -> Item:
    return Item(
        id=entry.id,
        date=entry.date,
        amount_minor=entry.amount_minor,
        currency=entry.currency,
        description=entry.description,
        reference=entry.reference,
        counterparty=entry.counterparty,
        account=entry.gl_account_id,
    )
