"""How old reconciling items are: days from their date to the statement's, in four buckets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

_BOUNDS: Final = (
    ("0–30 days", 30),
    ("31–60 days", 60),
    ("61–90 days", 90),
)
_OLDEST: Final = "Over 90 days"


class Aged(Protocol):
    """An item with its amount and its age."""

    @property
    def amount_minor(self) -> int: ...

    @property
    def age_days(self) -> int: ...


@dataclass(frozen=True, slots=True)
class AgeBucket:
    """Items of one age; amounts in minor units, money out negative."""

    label: str
    count: int
    in_minor: int
    out_minor: int

    @property
    def total_minor(self) -> int:
        return self.in_minor + self.out_minor


def age_label(age_days: int) -> str:
    """Return the bucket of an age in days."""
    return next((label for label, days_max in _BOUNDS if age_days <= days_max), _OLDEST)


def by_age(lines: Iterable[Aged]) -> tuple[AgeBucket, ...]:
    """Count and add up the lines of each bucket, youngest first; empty buckets too."""
    labels = (*(label for label, _ in _BOUNDS), _OLDEST)
    amounts: dict[str, list[int]] = {label: [] for label in labels}
    for line in lines:
        amounts[age_label(line.age_days)].append(line.amount_minor)
    return tuple(
        AgeBucket(
            label,
            len(minors),
            sum(minor for minor in minors if minor > 0),
            sum(minor for minor in minors if minor < 0),
        )
        for label, minors in amounts.items()
    )
