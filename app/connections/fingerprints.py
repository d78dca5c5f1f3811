"""Tell which rows of a bank file are new, without the database.

Three answers for each row (docs/decisions/0040):

- present: its source key is known, so it is the same transaction;
- probable: date and amount equal a known transaction that no row of the file accounts for,
  but the text differs, as between two formats of one bank: a person decides;
- new: everything else.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from rapidfuzz.fuzz import token_set_ratio

_PAIRS_COMPARED_MAX: Final = 2_500
"""Equal dates and amounts beyond this are paired in order: texts of so many are alike."""

_SEPARATOR: Final = "\x1f"
_NO_WORD: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One transaction as a file states it; `amount_minor` is signed, money in positive."""

    line: int
    posted_date: date
    value_date: date | None
    amount_minor: int
    description: str
    counterparty: str
    reference: str
    bank_id: str


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A transaction of the account that is stored already."""

    source_key: str
    posted_date: date
    amount_minor: int
    text: str


@dataclass(frozen=True, slots=True)
class ProbableDuplicate:
    """Positions, in what `plan_import` was given, of two rows that may be one transaction."""

    row: int
    known: int


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What each row of a file is; every position stands in exactly one of the three.

    Attributes:
        keys: Source key of each row, in the file's order.
        new: Positions of rows that nothing known resembles.
        present: Positions of rows that are stored already.
        probable: Rows that a person has to decide on.
    """

    keys: tuple[str, ...]
    new: tuple[int, ...]
    present: tuple[int, ...]
    probable: tuple[ProbableDuplicate, ...]

    def digest(self) -> str:
        """Return what names exactly this set of probable duplicates; empty for none."""
        if not self.probable:
            return ""
        keys = sorted(self.keys[pair.row] for pair in self.probable)
        return hashlib.sha256("".join(keys).encode()).hexdigest()


def source_keys(rows: Iterable[SourceRow]) -> list[str]:
    """Return a key of 64 hexadecimal digits for each row, all of them different.

    The bank's own id counts only together with date and amount, since banks repeat ids;
    without one the text stands in.  Rows that are equal in all of it get a number within
    the file, so that two equal transactions of a day are two, and stay two however often
    the day is uploaded.
    """
    seen: defaultdict[str, int] = defaultdict(int)
    keys = []
    for row in rows:
        identity = _identity(row)
        seen[identity] += 1
        text = f"{identity}{_SEPARATOR}{seen[identity]}"
        keys.append(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
    return keys


def plan_import(
    rows: Sequence[SourceRow], keys: Sequence[str], known: Sequence[KnownRow]
) -> ImportPlan:
    """Divide the rows of a file by what the account holds already.

    Args:
        rows: All rows of the file for this account, in the file's order.
        keys: What `source_keys` gives for them.
        known: At least the account's transactions between the file's first and last date.
    """
    assert len(keys) == len(rows)
    known_keys = {row.source_key for row in known}
    present = tuple(at for at, key in enumerate(keys) if key in known_keys)
    unknown = [at for at, key in enumerate(keys) if key not in known_keys]
    in_file = set(keys)
    unclaimed: defaultdict[tuple[date, int], list[int]] = defaultdict(list)
    for at, row in enumerate(known):
        if row.source_key not in in_file:
            unclaimed[row.posted_date, row.amount_minor].append(at)
    alike: defaultdict[tuple[date, int], list[int]] = defaultdict(list)
    for at in unknown:
        alike[rows[at].posted_date, rows[at].amount_minor].append(at)
    probable = [
        pair
        for equals, candidates in alike.items()
        for pair in _pair_up(candidates, unclaimed.get(equals, []), rows, known)
    ]
    probable.sort(key=lambda pair: pair.row)
    doubted = {pair.row for pair in probable}
    new = tuple(at for at in unknown if at not in doubted)
    return ImportPlan(tuple(keys), new, present, tuple(probable))


def plain_text(*parts: str) -> str:
    """Return the words of a text, without case, punctuation and width of letters."""
    text = " ".join(parts)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _NO_WORD.sub(" ", text.casefold()).strip()


def _identity(row: SourceRow) -> str:
    bank_id = row.bank_id.strip()
    money = (row.posted_date.isoformat(), str(row.amount_minor))
    if bank_id:
        return _SEPARATOR.join(("id", bank_id, *money))
    text = (plain_text(row.description), plain_text(row.reference))
    return _SEPARATOR.join(("text", *money, *text))


def _pair_up(
    candidates: list[int],
    unclaimed: list[int],
    rows: Sequence[SourceRow],
    known: Sequence[KnownRow],
) -> list[ProbableDuplicate]:
    """Pair one to one, the most similar texts first, so that the odd one out stays new."""
    if not unclaimed:
        return []
    if len(candidates) * len(unclaimed) > _PAIRS_COMPARED_MAX:
        return [ProbableDuplicate(*pair) for pair in zip(candidates, unclaimed, strict=False)]
    texts = {at: plain_text(known[at].text) for at in unclaimed}
    by_likeness = sorted(
        (-token_set_ratio(_row_text(rows[row]), texts[other]), row, other)
        for row in candidates
        for other in unclaimed
    )
    rows_left, known_left = set(candidates), set(unclaimed)
    pairs = []
    for _, row, other in by_likeness:
        if row in rows_left and other in known_left:
            rows_left.remove(row)
            known_left.remove(other)
            pairs.append(ProbableDuplicate(row, other))
    return pairs


def _row_text(row: SourceRow) -> str:
    return plain_text(row.description, row.counterparty, row.reference)
