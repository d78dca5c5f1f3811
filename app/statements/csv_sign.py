"""Settles which way the money went: columns, letters, running balance, card texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from app.statements.csv_balance import BalanceProof, prove
from app.statements.csv_rows import RawRow
from app.statements.csv_table import Row
from app.statements.csv_vocabulary import plain_words

_ROWS_TO_WARN: Final = 5
_LINKS_TO_REVERSE: Final = 2
_TEXT_ROWS: Final = 1_000
_CARD_PAYMENT: Final = re.compile(
    r"\bthank you\b|\bpayment thank\b|\bpayment received\b|\bautopay payment\b|\bcashback bonus\b"
    r"|\bpayments and credits\b|\bdirectpay\b|\bautomatic payment\b|\bstatement credit\b"
)
_CARD_HEADING: Final = re.compile(
    r"card ?(?:member|holder|no|number)\b|card$|appears on your statement as|trans date$"
    r"|kartennummer"
)
_CARD_NETWORK: Final = frozenset(["visa", "mastercard", "amex", "american express", "discover"])


@dataclass(frozen=True, slots=True)
class SettledSigns:
    """Signed amounts in file order.

    Attributes:
        sign: 1, or -1 where the file writes money out as positive.
        proof: Of the running balance, under these signs; None without a balance column.
        balance_sign: -1 where a card file's balance is what is owed.
        assumed: Whether the sign rests on card texts alone.
    """

    amounts: list[Decimal]
    sign: int
    proof: BalanceProof | None
    balance_sign: int = 1
    assumed: bool = False


def settle_signs(
    rows: Sequence[RawRow], given: int | None, *, header: Sequence[str], table_rows: Sequence[Row]
) -> SettledSigns:
    """Return the signed amounts: as given, else as the balance proves, else as texts tell."""
    raw = _raw_amounts(rows)
    balances = [row.balance for row in rows]
    order = _date_order(rows)
    straight = [raw(index, 1) for index in range(len(rows))]
    reversed_signs = [raw(index, -1) for index in range(len(rows))]
    if given is not None:
        amounts = straight if given == 1 else reversed_signs
        return _with_proof(amounts, given, balances, order)
    is_card = _is_charges_positive(rows, straight, header, table_rows)
    if is_card:
        settled = _with_proof(reversed_signs, -1, balances, order)
        return SettledSigns(settled.amounts, -1, settled.proof, settled.balance_sign, assumed=True)
    settled = _with_proof(straight, 1, balances, order)
    if settled.proof and not settled.proof.holding and not any(row.side for row in rows):
        other = prove(reversed_signs, balances, newest_first=order)
        if other.is_proven and other.links >= _LINKS_TO_REVERSE:
            return SettledSigns(reversed_signs, -1, other)
    return settled


def is_one_sided(amounts: Sequence[Decimal]) -> bool:
    """Return whether so many rows are all money in that the sign may be missing."""
    return len(amounts) >= _ROWS_TO_WARN and all(amount > 0 for amount in amounts)


def amounts_are_signed(rows: Sequence[RawRow]) -> bool:
    """Return whether the amounts carry their sign, whatever an indicator column says besides.

    Among unsigned amounts a single minus is a reversal, not a sign convention.
    """
    debits = [row.amount.value for row in rows if row.amount and row.side == "debit"]
    if any(debits):
        return sum(value < 0 for value in debits) * 2 > len(debits)
    return any(row.amount.value < 0 for row in rows if row.amount)


def _with_proof(
    amounts: list[Decimal], sign: int, balances: Sequence[Decimal | None], order: bool | None
) -> SettledSigns:
    if sum(balance is not None for balance in balances) < 2:  # noqa: PLR2004 - a pair
        return SettledSigns(amounts, sign, None)
    proof = prove(amounts, balances, newest_first=order)
    if sign == -1 and not proof.is_proven:
        negated = [None if one is None else -one for one in balances]
        owed = prove(amounts, negated, newest_first=order)
        if owed.is_proven:
            return SettledSigns(amounts, sign, owed, balance_sign=-1)
    return SettledSigns(amounts, sign, proof)


def _date_order(rows: Sequence[RawRow]) -> bool | None:
    """Return whether the newest row comes first; None where the dates do not tell."""
    days = [row.date for row in rows]
    if days[0] == days[-1]:
        return None
    newest_first = days[0] > days[-1]
    in_order = all(
        (one >= other) if newest_first else (one <= other) for one, other in pairwise(days)
    )
    return newest_first if in_order else None


def _raw_amounts(rows: Sequence[RawRow]) -> Callable[[int, int], Decimal]:
    """Return a function from row position and sign convention to the signed amount."""
    debit_norm = _norm([row.debit for row in rows])
    credit_norm = _norm([row.credit for row in rows])
    signed = amounts_are_signed(rows)
    any_unmarked = any(row.amount and not row.amount.marked for row in rows)
    only_credit_marked = (
        any_unmarked
        and all(row.amount.value >= 0 for row in rows if row.amount and row.amount.marked)
        and any(row.amount and row.amount.marked for row in rows)
    )

    def amount(index: int, sign: int) -> Decimal:
        row = rows[index]
        if row.amount is None:
            credit = credit_norm * (row.credit or Decimal(0))
            return sign * (credit - debit_norm * (row.debit or Decimal(0)))
        value = row.amount.value
        if row.amount.marked:
            return value
        if row.side and not signed:
            value = -value if row.side == "debit" else value
        # Where only credits carry CR, what carries nothing is a debit.
        return value * (-sign if only_credit_marked else sign)

    return amount


def _norm(values: Sequence[Decimal | None]) -> int:
    """Return -1 where a column writes its amounts with a minus."""
    negative = sum(1 for value in values if value is not None and value < 0)
    positive = sum(1 for value in values if value is not None and value > 0)
    return -1 if negative > positive else 1


def _is_charges_positive(
    rows: Sequence[RawRow],
    amounts: Sequence[Decimal],
    header: Sequence[str],
    table_rows: Sequence[Row],
) -> bool:
    """Card files: payments to the card are negative and charges are positive."""
    if not rows or any(row.amount is None or row.amount.marked or row.side for row in rows):
        return False
    positive = sum(1 for amount in amounts if amount > 0)
    negative = sum(1 for amount in amounts if amount < 0)
    payments = [
        amount
        for row, amount in list(zip(table_rows, amounts, strict=False))[:_TEXT_ROWS]
        if amount and _CARD_PAYMENT.search(plain_words(" ".join(row.cells)[:400]))
    ]
    if payments:
        return sum(1 for amount in payments if amount < 0) * 2 > len(payments) and positive > 0
    return positive > negative and _is_card_file(header, table_rows)


def _is_card_file(header: Sequence[str], table_rows: Sequence[Row]) -> bool:
    if any(_CARD_HEADING.search(plain_words(heading)) for heading in header):
        return True
    cells = [row.cells for row in table_rows[:50]]
    width = min((len(one) for one in cells), default=0)
    return any(
        all(plain_words(one[column]) in _CARD_NETWORK for one in cells) for column in range(width)
    )
