"""The open items of one run as columns, in an order that depends on their content alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from app.matching.history import bank_text, gl_text
from app.matching.normalize import Descriptor, descriptor
from app.matching.records import Item

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER_KINDS: Final = (
    "cheque",
    "invoice",
    "bill",
    "purchase order",
    "batch",
    "payout",
    "deposit slip",
)
UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One side of the pool; every array has shape (items,) and the order of `items`.

    Attributes:
        items: Sorted by date, amount and content.
        days: Proleptic ordinals.
        amounts_minor: Signed.
        currencies: Codes shared by both sides.
        channels: `normalize.Channel` of the description.
        texts: Descriptors of unique names; `text_rows` and `second_rows` point into them.  On
            the ledger's side the first is the counterparty where there is one, the second the
            description.
        text_counts: Items that carry each text as first or second.
        numbers: Reference numbers of each item.
        kind_codes: Shape (items, kinds + 1): the item's number of each kind, `UNKNOWN` without
            one or with several; the last column is a bare number in the reference field.
        lettered: Shape (items, 2): a reference such as RX8812, by its letters and length, and
            itself; codes shared by both sides, `UNKNOWN` for any other.
    """

    items: tuple[Item, ...]
    days: NDArray[np.int64]
    amounts_minor: NDArray[np.int64]
    currencies: NDArray[np.int64]
    channels: NDArray[np.int64]
    texts: tuple[Descriptor, ...]
    text_counts: tuple[int, ...]
    text_rows: NDArray[np.int64]
    second_rows: NDArray[np.int64]
    numbers: tuple[tuple[str, ...], ...]
    kind_codes: NDArray[np.int64]
    lettered: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Both sides of one run."""

    bank: Side
    gl: Side


def build_pool(bank: Iterable[Item], gl: Iterable[Item]) -> Pool:
    """Return the columns of both sides.

    Raises:
        ValueError: An id stands twice on one side.
    """
    bank_items, gl_items = _sorted(bank, "bank"), _sorted(gl, "ledger")
    codes: dict[object, int] = {}
    return Pool(
        bank=_side(bank_items, [bank_text(i) for i in bank_items], codes),
        gl=_side(gl_items, [gl_text(i) for i in gl_items], codes),
    )


def _sorted(items: Iterable[Item], side: str) -> tuple[Item, ...]:
    ordered = tuple(sorted(items, key=_content))
    ids = {item.id for item in ordered}
    if len(ids) != len(ordered):
        raise ValueError(f"An id stands twice among the {side} items.")
    return ordered


def _content(item: Item) -> tuple[object, ...]:
    return (
        item.date,
        item.currency,
        item.amount_minor,
        item.reference,
        item.counterparty,
        item.description,
        item.account,
        item.id,
    )


def _side(items: tuple[Item, ...], first_texts: Sequence[str], codes: dict[object, int]) -> Side:
    rows: dict[object, int] = {}
    texts: list[Descriptor] = []

    def row_of(text: str) -> int:
        """Texts that differ in their numbers alone are one."""
        read = descriptor(text)
        row = rows.setdefault((read.name, read.aliases, read.joined), len(rows))
        if row == len(texts):
            texts.append(read)
        return row

    text_rows = [row_of(text) for text in first_texts]
    second_rows = [row_of(item.description) for item in items]
    counts = Counter(text_rows)
    counts.update(
        second for first, second in zip(text_rows, second_rows, strict=True) if first != second
    )
    described = [descriptor(item.description) for item in items]
    references = [descriptor(item.reference, reference=True) for item in items]
    return Side(
        items=items,
        days=np.array([item.date.toordinal() for item in items], np.int64),
        amounts_minor=np.array([item.amount_minor for item in items], np.int64),
        currencies=np.array(
            [codes.setdefault(item.currency, len(codes)) for item in items], np.int64
        ),
        channels=np.array([int(d.channel) for d in described], np.int64),
        texts=tuple(texts),
        text_counts=tuple(counts[row] for row in range(len(texts))),
        text_rows=np.array(text_rows, np.int64),
        second_rows=np.array(second_rows, np.int64),
        numbers=tuple(
            tuple(dict.fromkeys([*r.numbers, *d.numbers]))
            for r, d in zip(references, described, strict=True)
        ),
        kind_codes=_kind_codes(described, references),
        lettered=_lettered(references, codes),
    )


def _kind_codes(described: list[Descriptor], references: list[Descriptor]) -> NDArray[np.int64]:
    """Return each item's one number of each kind, and its bare number."""
    codes = np.full((len(described), len(NUMBER_KINDS) + 1), UNKNOWN, np.int64)
    columns = {kind: column for column, kind in enumerate(NUMBER_KINDS)}
    for row, (text, reference) in enumerate(zip(described, references, strict=True)):
        if not (text.kinds or reference.numbers):
            continue
        found: dict[str, set[str]] = {}
        for kind, number in (*reference.kinds, *text.kinds):
            found.setdefault(kind, set()).add(number)
        bare = reference.numbers[0] if len(reference.numbers) == 1 else ""
        if bare.isdecimal() and not reference.kinds:
            kind = _bare_kind(text)
            found.setdefault(kind, set()).add(bare) if kind else None
            codes[row, -1] = int(bare)
        for kind, numbers in found.items():
            if len(numbers) == 1:
                codes[row, columns[kind]] = int(next(iter(numbers))[:18])
    return codes


def _lettered(references: list[Descriptor], codes: dict[object, int]) -> NDArray[np.int64]:
    found = np.full((len(references), 2), UNKNOWN, np.int64)
    for row, reference in enumerate(references):
        number = reference.numbers[0] if len(reference.numbers) == 1 else ""
        letters = number.rstrip("0123456789")
        if letters.isalpha() and len(number) > len(letters):
            shape = (letters, len(number))
            found[row] = codes.setdefault(shape, len(codes)), codes.setdefault(number, len(codes))
    return found


def _bare_kind(text: Descriptor) -> str:
    """A bare number beside a cheque's description is the cheque's number."""
    return "cheque" if text.channel.name == "CHEQUE" else ""
