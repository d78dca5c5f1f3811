"""Proves amounts with the running balance, in either row order, where the file has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class BalanceProof:
    """How far the amounts explain the balances.

    Attributes:
        links: Pairs of neighbouring balances that could be compared.
        holding: Those that the amounts between them explain.
        newest_first: The row order under which most hold.
        broken_at: Position of the first row that does not follow, or None.
    """

    links: int
    holding: int
    newest_first: bool
    broken_at: int | None

    @property
    def is_proven(self) -> bool:
        return self.links > 0 and self.holding == self.links


def prove(
    amounts: Sequence[Decimal],
    balances: Sequence[Decimal | None],
    *,
    newest_first: bool | None = None,
) -> BalanceProof:
    """Compare each balance with the one before it plus the amounts in between.

    Args:
        amounts: Signed, in file order.
        balances: After each amount; None where the file leaves it out.
        newest_first: The row order as the dates show it; None tries both.
    """
    if not amounts:
        return BalanceProof(0, 0, newest_first=False, broken_at=None)
    forward: dict[int, bool] = {} if newest_first else _links(amounts, balances)
    backward: dict[int, bool] = {}
    if newest_first is not False:
        negated = [-amount for amount in amounts]
        backward = _links(negated, [*balances[1:], None], before=balances[:1])
    reverse = bool(newest_first) or sum(backward.values()) > sum(forward.values())
    best = backward if reverse else forward
    broken = next((position for position, holds in best.items() if not holds), None)
    return BalanceProof(len(best), sum(best.values()), reverse, broken)


def _links(
    amounts: Sequence[Decimal],
    balances: Sequence[Decimal | None],
    *,
    before: Sequence[Decimal | None] = (),
) -> dict[int, bool]:
    """Return for each comparable row whether its balance follows.

    Newest first, a row's amount leads from its own balance to that of the row below, so the
    balances are shifted by one and the amounts negated.
    """
    links: dict[int, bool] = {}
    known = before[0] if before else None
    between = Decimal(0)
    for position, (amount, balance) in enumerate(zip(amounts, balances, strict=True)):
        between += amount
        if balance is None:
            continue
        if known is not None:
            links[position] = known + between == balance
        known = balance
        between = Decimal(0)
    return links
