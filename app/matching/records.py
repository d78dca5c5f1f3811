"""What goes into the engine and what comes out: plain, frozen records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Outcome(StrEnum):
    """What a person decided about a pair."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Tier(StrEnum):
    """What follows from a score."""

    AUTO = "auto"
    REVIEW = "review"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Item:
    """One open line: a bank transaction or a GL entry.

    Amounts are signed from the account holder's side: money in is positive.
    """

    id: str
    date: date
    amount_minor: int
    currency: str
    description: str
    reference: str = ""
    counterparty: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A pair that a person confirmed or rejected; undated, it is as old as its later line."""

    outcome: Outcome
    bank: Item
    gl: Item
    decided_on: date | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one signal added to a pair's log-odds, in the words that a person reads."""

    signal: str
    points: float
    words: str


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """One proposal: usually one bank line and one GL entry, in a group several of one side.

    Attributes:
        bank_ids: Ids of the bank transactions, in date order.
        gl_ids: Ids of the GL entries, in date order.
        score: Calibrated probability in percent, 0 to 100.
        tier: What the score means under the thresholds of the run.
        contributions: What each signal added; the points sum up to the score's log-odds.
        rivals_count: Other open lines with which one of the two could be paired as well.
        margin: Log-odds of this pair over the best pairing that contradicts it; for a group
            over the best single pair of one of its lines.
    """

    bank_ids: tuple[str, ...]
    gl_ids: tuple[str, ...]
    score: float
    tier: Tier
    contributions: tuple[Contribution, ...]
    rivals_count: int
    margin: float


@dataclass(frozen=True, slots=True)
class MatchOptions:
    """Thresholds in percent; `exhaustive` scores every pairing without pruning."""

    auto_threshold: float = 85.0
    review_threshold: float = 50.0
    exhaustive: bool = False

    def __post_init__(self) -> None:
        if not 1.0 <= self.review_threshold <= self.auto_threshold <= 100.0:  # noqa: PLR2004
            raise ValueError(
                "Thresholds are percentages from 1 to 100, review at most auto; these are "
                f"{self.review_threshold:g} and {self.auto_threshold:g}."
            )


@dataclass(frozen=True, slots=True)
class MatchResult:
    """Auto pairs first, then review suggestions, best first within each bank line.

    Attributes:
        pairs: Every auto pair and group, and at most five suggestions for each bank line.
        pairs_considered: Every pairing of a bank line with a GL entry.
        pairs_scored: Those for which all signals were computed.
        pairs_unreachable: Those proved unable to reach the review threshold without it.
        model_version: The version of the model that scored.
    """

    pairs: tuple[ScoredPair, ...]
    pairs_considered: int
    pairs_scored: int
    pairs_unreachable: int
    model_version: str
