"""What an organization decided in the periods before the one that is measured."""

from __future__ import annotations

import random
from datetime import date, timedelta

from app.matching import Decision, Outcome
from benchmarks.worlds import World

CYCLE_DAYS = 31
CYCLE_EVENTS = 200
WRONG_SHARE = 0.02


def history_of(
    world: World,
    seed: int,
    *,
    cycles: int,
    wrong_share: float = WRONG_SHARE,
    before: date = date(2025, 3, 1),
) -> tuple[Decision, ...]:
    """Return the confirmed pairs of some earlier cycles, a share of them wrongly confirmed."""
    rng = random.Random(f"{seed}-{cycles}")
    decisions = []
    for cycle in range(1, cycles + 1):
        start = before - timedelta(days=CYCLE_DAYS * cycle)
        books = world.books(seed, CYCLE_EVENTS, days=CYCLE_DAYS, start=start)
        bank = {item.id: item for item in books.bank}
        gl = {item.id: item for item in books.gl}
        for ours, theirs in books.truth:
            if len(ours) == len(theirs) == 1:
                partner = gl[theirs[0]]
                if rng.random() < wrong_share:
                    partner = rng.choice(books.gl)
                decided = start + timedelta(days=CYCLE_DAYS)
                decisions.append(Decision(Outcome.CONFIRMED, bank[ours[0]], partner, decided))
    return tuple(decisions)
