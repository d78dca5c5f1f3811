"""What a world yields, and the hand that writes both sides of an event."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from app.matching import Item


@dataclass(frozen=True, slots=True)
class Books:
    """Both sides and the truth.

    Attributes:
        truth: (bank ids, GL ids) of everything that belongs together.
        parties: Whose each GL entry is, by its id, however the bookkeeper wrote it.
    """

    bank: tuple[Item, ...]
    gl: tuple[Item, ...]
    truth: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    parties: dict[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """A kind of company; `write` fills a book with about so many events from a random source."""

    name: str
    write: Callable[[Writer, int], None]
    half: int

    def books(
        self, seed: int, events: int, *, days: int = 31, start: date = date(2025, 3, 1)
    ) -> Books:
        """Return the books of a period, the same for the same arguments."""
        # The cast of parties is the company's and does not change from period to period.
        writer = Writer(
            random.Random(f"{self.name}-{seed}-{start}-{events}"), self.half, start, days
        )
        writer.cast_rng = random.Random(f"{self.name}-{seed}")
        self.write(writer, events)
        return writer.books()


@dataclass(slots=True)
class Writer:
    """Writes lines into both books; bank and ledger ids say nothing about each other."""

    rng: random.Random
    half: int
    start: date
    days: int
    currency: str = "USD"
    cast_rng: random.Random = field(default_factory=random.Random)
    bank: list[Item] = field(default_factory=list)
    gl: list[Item] = field(default_factory=list)
    truth: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    parties: dict[str, str] = field(default_factory=dict)

    def day(self) -> date:
        """Return a working day of the period."""
        day = self.start + timedelta(days=self.rng.randrange(self.days))
        return day + timedelta(days=max(0, day.weekday() - 4) and 7 - day.weekday())

    def bank_line(self, day: date, amount_minor: int, said: tuple[str, str, str]) -> str:
        """Add a line; banks post on working days."""
        day += timedelta(days=7 - day.weekday()) if day.weekday() > 4 else timedelta()
        new = f"b{len(self.bank)}"
        self.bank.append(Item(new, day, amount_minor, self.currency, *said))
        return new

    def gl_entry(
        self,
        day: date,
        amount_minor: int,
        said: tuple[str, str, str],
        *,
        party: str = "",
        currency: str = "",
    ) -> str:
        """Add an entry, in the account's currency unless another is given."""
        new = f"g{len(self.gl)}"
        self.parties[new] = party or said[2] or new
        self.gl.append(Item(new, day, amount_minor, currency or self.currency, *said, "1010"))
        return new

    def link(self, bank_ids: list[str], gl_ids: list[str]) -> None:
        if bank_ids and gl_ids:
            self.truth.append((tuple(bank_ids), tuple(gl_ids)))

    def books(self) -> Books:
        """Return the books with rows shuffled and ids renumbered."""
        bank, bank_ids = self._renumbered(self.bank, "B")
        gl, gl_ids = self._renumbered(self.gl, "L")
        truth = tuple(
            (tuple(bank_ids[i] for i in ours), tuple(gl_ids[i] for i in theirs))
            for ours, theirs in self.truth
        )
        parties = {gl_ids[old]: party for old, party in self.parties.items()}
        return Books(bank, gl, truth, parties)

    def _renumbered(
        self, items: list[Item], prefix: str
    ) -> tuple[tuple[Item, ...], dict[str, str]]:
        order = list(items)
        self.rng.shuffle(order)
        ids = {item.id: f"{prefix}{place:06d}" for place, item in enumerate(order)}
        return tuple(replace(item, id=ids[item.id]) for item in order), ids
