"""Decides which columns hold the money, and how: signed, in two columns, or with a letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

from app.statements.amounts import looks_like_amount, parse_amount
from app.statements.csv_balance import prove
from app.statements.csv_profile import ColumnProfile
from app.statements.csv_table import Row
from app.statements.csv_vocabulary import plain_words

# fmt: off
DEBIT_WORDS: Final = frozenset([
    "-", "d", "dr", "db", "dbit", "dbt", "debit", "debits", "s", "soll", "af", "uit", "out",
    "outflow", "outgoing", "o", "withdrawal", "withdraw", "minus", "cargo", "debe", "dare", "u",
    "addebito", "uscita", "wn", "obciazenie", "terheles", "t", "kiadas", "vydej", "odchozi",
    "debet", "belastung", "lastschrift", "ausgang", "sortie", "depense", "paid out", "money out",
    "sent", "neg", "egreso", "gasto", "saida", "debito", "ut", "ud", "check", "cheque", "atm",
    "fee", "expense", "spend", "retiro", "deebet", "debit card", "iesire",
])
CREDIT_WORDS: Final = frozenset([
    "+", "c", "cr", "cdt", "crdt", "credit", "credits", "h", "haben", "bij", "in", "inflow",
    "incoming", "i", "deposit", "plus", "abono", "haber", "avere", "accredito", "entrata", "ma",
    "uznanie", "jovairas", "j", "bevetel", "prijem", "prichozi", "kredit", "gutschrift", "eingang",
    "entree", "recette", "paid in", "money in", "received", "pos", "ingreso", "entrada", "credito",
    "inn", "ind", "refund", "interest", "dslip", "income", "k", "kreedit", "intrare",
])
# fmt: on
_FILLED_SHARE: Final = 0.9
_MAJORITY: Final = 3
_CANDIDATES_MAX: Final = 6
_PROOF_ROWS: Final = 200
_INDICATOR_VALUES_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Money:
    """Positions of the money columns; None where there is none.

    Attributes:
        assumed: The choice between columns rests on likelihood alone.
    """

    amount: int | None = None
    debit: int | None = None
    credit: int | None = None
    balance: int | None = None
    assumed: bool = False


def indicator_side(value: str) -> str | None:
    """Return `debit` or `credit` where a word such as “Af”, “H” or “CRDT” says it."""
    plain = value.strip() if value.strip() in {"+", "-"} else plain_words(value)
    if plain in DEBIT_WORDS:
        return "debit"
    return "credit" if plain in CREDIT_WORDS else None


def is_indicator(profile: ColumnProfile, *, named: bool) -> bool:
    """Return whether nearly every cell says debit or credit; unnamed, both must occur."""
    if profile.is_blank or len(profile.counts) > _INDICATOR_VALUES_MAX:
        return False
    sides = {value: indicator_side(value) for value in profile.counts}
    telling = sum(count for value, count in profile.counts.items() if sides[value])
    both = {"debit", "credit"} <= set(sides.values())
    return telling >= _FILLED_SHARE * profile.counts.total() and (named or both)


def fill_share(profiles: Sequence[ColumnProfile], columns: Iterable[int], rows: set[int]) -> float:
    """Return the share of the rows in which exactly one of the columns holds something.

    Of several columns, zeros count as nothing: some banks fill the other side with 0.00.
    """
    chosen = [profiles[column] for column in columns]
    filled = [one.nonzero if len(chosen) > 1 else one.filled for one in chosen]
    hits = sum(1 for row in rows if sum(row in one for one in filled) == 1)
    return hits / max(1, len(rows))


def guess_money(
    profiles: Sequence[ColumnProfile], rows: Sequence[Row], dated: set[int], taken: set[int]
) -> Money:
    """Find the money columns by their cells alone, for files without known headings.

    Args:
        profiles: Of every column.
        rows: All rows below the headings, in file order.
        dated: Positions in the profiled sample of rows with a date.
        taken: Columns that hold something else.
    """
    candidates = [
        column
        for column, profile in enumerate(profiles)
        if column not in taken and profile.amount_share > _FILLED_SHARE and profile.money_share
    ][:_CANDIDATES_MAX]
    if not candidates:
        candidates = [
            column
            for column, profile in enumerate(profiles)
            if column not in taken and profile.amount_share > _FILLED_SHARE
        ]
        return Money(amount=candidates[0]) if len(candidates) == 1 else Money()
    full = [
        column for column in candidates if fill_share(profiles, [column], dated) >= _FILLED_SHARE
    ]
    if len(full) == 1 and len(candidates) == 1:
        return Money(amount=full[0])
    return (
        _opening_and_closing(rows, full)
        or _proven(rows, full)
        or _two_sided(profiles, dated, candidates, full)
        or (Money(amount=full[0]) if len(full) == 1 else Money())
    )


def _opening_and_closing(rows: Sequence[Row], columns: Sequence[int]) -> Money | None:
    """Some banks give the balance before and after each row: their difference is the amount."""
    for before, after, amount in permutations(columns, 3):
        for decimal_sign in (".", ","):
            numbers = [
                [
                    parse_amount(_cell(row, column), decimal_sign)
                    for column in (before, after, amount)
                ]
                for row in rows[:_PROOF_ROWS]
            ]
            known = [[one.value for one in row if one] for row in numbers if all(row)]
            if known and all(one + three == two for one, two, three in known):
                return Money(amount=amount, balance=after)
    return None


def _proven(rows: Sequence[Row], columns: Sequence[int]) -> Money | None:
    for amount, balance in permutations(columns, 2):
        for decimal_sign in (".", ","):
            pairs = [
                (
                    parse_amount(_cell(row, amount), decimal_sign),
                    parse_amount(_cell(row, balance), decimal_sign),
                )
                for row in rows[:_PROOF_ROWS]
                if looks_like_amount(_cell(row, amount))
            ]
            known = [(one.value, two.value) for one, two in pairs if one and two]
            proof = prove([one for one, _ in known], [two for _, two in known])
            if proof.is_proven and proof.links > 1:
                return Money(amount=amount, balance=balance)
    return None


def _two_sided(
    profiles: Sequence[ColumnProfile],
    dated: set[int],
    candidates: Sequence[int],
    full: Sequence[int],
) -> Money | None:
    """Two columns of which each row fills one; the fuller one is taken as debit."""
    sparse = [
        column
        for column in candidates
        if column not in full or profiles[column].nonzero != profiles[column].filled
    ]
    for left, right in permutations(sparse, 2):
        if fill_share(profiles, [left, right], dated) < _FILLED_SHARE:
            continue
        left_count, right_count = len(profiles[left].nonzero), len(profiles[right].nonzero)
        if left_count >= _MAJORITY * right_count:
            balance = next((column for column in full if column not in {left, right}), None)
            return Money(debit=left, credit=right, balance=balance, assumed=True)
    return None


def _cell(row: Row, column: int) -> str:
    return row.cells[column] if column < len(row.cells) else ""
