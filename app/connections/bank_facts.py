"""What a bank says of one transaction, how that is kept as JSON, and a change of it in words.

Only what a statement shows makes a change that somebody must look at: date, amount,
description, reference, and whether it is booked at all.  The counterparty and the value
date are added by providers, who revise them at will.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from app.kernel.money import display_amount
from app.models import FinancialTransaction, TransactionStatus

TITLE_CHARACTERS_MAX: Final = 60
"""Characters of a description that a sentence about its transaction quotes."""


@dataclass(frozen=True, slots=True)
class BankFacts:
    """A transaction as the bank states it; `amount_minor` is signed, money in positive."""

    posted_date: date
    amount_minor: int
    description: str
    counterparty: str = ""
    reference: str = ""
    value_date: date | None = None
    pending: bool = False


Stated: TypeAlias = BankFacts | None
"""None: the bank does not have the transaction any more."""


def facts_of(transaction: FinancialTransaction) -> Stated:
    """Return what the stored row says; None for one that is marked removed."""
    if transaction.status == TransactionStatus.REMOVED:
        return None
    return BankFacts(
        posted_date=transaction.posted_date,
        amount_minor=transaction.amount_minor,
        description=transaction.description,
        counterparty=transaction.counterparty,
        reference=transaction.reference,
        value_date=transaction.value_date,
        pending=transaction.status == TransactionStatus.PENDING,
    )


def to_json(stated: Stated) -> dict[str, Any]:
    """Return what a JSON column keeps: dates in ISO form, nothing for a removed one."""
    if stated is None:
        return {}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in asdict(stated).items()
    }


def from_json(document: Mapping[str, Any]) -> Stated:
    """Read back what `to_json` gave."""
    if not document:
        return None
    value_date = document["value_date"]
    dates = {
        "posted_date": date.fromisoformat(document["posted_date"]),
        "value_date": date.fromisoformat(value_date) if value_date else None,
    }
    return BankFacts(**{**document, **dates})


def booked_minor(stated: Stated) -> int:
    """Return what the transaction adds to the bank's balance: nothing until it is booked."""
    return 0 if stated is None or stated.pending else stated.amount_minor


def fingerprint(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return what names exactly this change, so that nobody settles another than they saw."""
    text = json.dumps([before, after], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def same_on_statement(one: Stated, other: Stated) -> bool:
    """Tell whether a statement would show the same line for both."""
    return _shown(one) == _shown(other)


def change_in_words(before: Stated, after: Stated, currency: str) -> str:
    """Return the sentence that says what the bank changed; empty when nothing that counts."""
    if same_on_statement(before, after):
        return ""
    if after is None:
        assert before is not None
        return f"The bank removed {title_of(before)}, {_money(before, currency)}."
    if before is None:
        return f"The bank has {title_of(after)} again, {_money(after, currency)}."
    return f"The bank changed {title_of(before)}: {', '.join(_parts(before, after, currency))}."


def title_of(stated: BankFacts) -> str:
    """Return how sentences name a transaction: its text and its day."""
    text = stated.description or "a transaction"
    if len(text) > TITLE_CHARACTERS_MAX:
        text = f"{text[:TITLE_CHARACTERS_MAX]}…"
    return f"“{text}” of {day_in_words(stated.posted_date)}"


def day_in_words(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _shown(stated: Stated) -> tuple[object, ...] | None:
    if stated is None:
        return None
    return (
        stated.posted_date,
        stated.amount_minor,
        stated.description,
        stated.reference,
        stated.pending,
    )


def _money(stated: BankFacts, currency: str) -> str:
    return display_amount(stated.amount_minor, currency)


def _parts(before: BankFacts, after: BankFacts, currency: str) -> list[str]:
    parts = []
    if before.amount_minor != after.amount_minor:
        parts.append(f"amount {_money(before, currency)} → {_money(after, currency)}")
    if before.posted_date != after.posted_date:
        days = (day_in_words(before.posted_date), day_in_words(after.posted_date))
        parts.append(f"date {days[0]} → {days[1]}")
    for name in ("description", "reference"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            parts.append(f"{name} now “{new}”" if new else f"{name} now empty")
    if before.pending != after.pending:
        parts.append("pending again" if after.pending else "booked again")
    return parts
