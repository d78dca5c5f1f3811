"""Rows of the two sides as the engine takes them."""

from __future__ import annotations

from app.matching import Item
from app.models import FinancialTransaction, GlEntry


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
    )
