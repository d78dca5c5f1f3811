"""Matching rules: what a rule asks of a pair, and the pairs that an ordered list of rules yields.

Pure: no Flask, no database.  A pair's two lines always have the same currency and the
same amount.  A rule matches a bank line only where it leaves no choice: one GL entry fits
the bank line, and no other bank line fits that entry.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.kernel.limits import EXPRESSION_RUN_SECONDS
from app.matching.records import Item
from app.reconciliation.conditions import Conditions, Direction, TextTest
from app.reconciliation.expressions import Expression, ExpressionTooSlow

_Key: TypeAlias = tuple[str, int]
"""Currency and amount in minor units: the two must be equal for a pair."""


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class RulePair:
    rule_id: str
    bank_id: str
    gl_id: str


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one rule did with the lines that the rules before it had left.

    Attributes:
        pairs: In the order of their bank ids.
        ambiguous_bank_ids: Bank lines that it fits in more than one way; nothing was matched.
        too_slow: Its regular expression used up its time, so it matched nothing.
    """

    rule_id: str
    pairs: tuple[RulePair, ...]
    ambiguous_bank_ids: tuple[str, ...] = ()
    too_slow: bool = False


def pairs_by_rules(
    rules: Sequence[Rule], bank: Sequence[Item], gl: Sequence[Item]
) -> tuple[RulePair, ...]:
    """Return every pair that the rules match by themselves, in the order of the rules."""
    return tuple(pair for outcome in apply_rules(rules, bank, gl) for pair in outcome.pairs)


def apply_rules(
    rules: Sequence[Rule], bank: Sequence[Item], gl: Sequence[Item]
) -> tuple[RuleOutcome, ...]:
    """Run the rules in order; each sees only the lines that no earlier one matched.

    Args:
        rules: In the order that counts.
        bank: Open bank transactions, each id once; their order does not matter.
        gl: Open GL entries of the same account, each id once; their order does not matter.

    Returns:
        One outcome per rule, in the same order.
    """
    open_bank, open_gl = _prepared(bank), _prepared(gl)
    outcomes = []
    for rule in rules:
        outcome = _apply(rule, open_bank, open_gl)
        for pair in outcome.pairs:
            del open_bank[pair.bank_id], open_gl[pair.gl_id]
        outcomes.append(outcome)
    return tuple(outcomes)


@dataclass(frozen=True, slots=True)
class _Line:
    """An item with its texts as they are compared."""

    id: str
    key: _Key
    day: int
    raw_description: str
    description: str
    reference: str
    counterparty: str
    account: str


def _prepared(items: Sequence[Item]) -> dict[str, _Line]:
    lines = {
        item.id: _Line(
            id=item.id,
            key=(item.currency, item.amount_minor),
            day=item.date.toordinal(),
            raw_description=item.description,
            description=comparable(item.description),
            reference=comparable(item.reference),
            counterparty=comparable(item.counterparty),
            account=item.account,
        )
        for item in items
    }
    assert len(lines) == len(items), "an id stands for one line"
    return lines


def comparable(text: str) -> str:
    """Return the text without regard to case and to how many blanks stand between words."""
    return " ".join(text.casefold().split())


def _apply(rule: Rule, bank: dict[str, _Line], gl: dict[str, _Line]) -> RuleOutcome:
    amounts = {line.key for line in gl.values()}
    try:
        fitting = _fitting_bank(
            rule.conditions, [line for line in bank.values() if line.key in amounts]
        )
    except ExpressionTooSlow:
        return RuleOutcome(rule.id, (), too_slow=True)
    bank_by_key = _by_key(fitting)
    reachable = (line for line in gl.values() if line.key in bank_by_key)
    gl_by_key = _by_key(filter(_gl_test(rule.conditions), reachable))
    pairs: list[RulePair] = []
    ambiguous: list[str] = []
    for key, entries in gl_by_key.items():
        for line, partner in _choices(bank_by_key[key], entries, rule.conditions.days_apart_max):
            if partner is None:
                ambiguous.append(line.id)
            else:
                pairs.append(RulePair(rule.id, line.id, partner.id))
    pairs.sort(key=lambda pair: pair.bank_id)
    return RuleOutcome(rule.id, tuple(pairs), tuple(sorted(ambiguous)))


def _fitting_bank(conditions: Conditions, lines: list[_Line]) -> list[_Line]:
    fitting = list(filter(_bank_test(conditions), lines))
    if conditions.bank_description_test is not TextTest.EXPRESSION:
        return fitting
    expression = Expression(conditions.bank_description)
    found = expression.found_in(
        (line.raw_description for line in fitting), seconds_max=EXPRESSION_RUN_SECONDS
    )
    return [line for line, is_found in zip(fitting, found, strict=True) if is_found]


def _bank_test(conditions: Conditions) -> Callable[[_Line], bool]:
    """Return the test of all conditions on the bank line, a regular expression left aside."""
    test, description = conditions.bank_description_test, comparable(conditions.bank_description)
    reference = comparable(conditions.bank_reference_contains)

    def fits(line: _Line) -> bool:
        if test is TextTest.CONTAINS and description not in line.description:
            return False
        if test is TextTest.EQUALS and description != line.description:
            return False
        return (
            reference in line.reference
            and _fits_amount(conditions, line.key)
            and _fits_direction(conditions.direction, line.key[1])
        )

    return fits


def _fits_amount(conditions: Conditions, key: _Key) -> bool:
    currency, amount_minor = key
    if conditions.amount_currency not in {"", currency}:
        return False
    size = abs(amount_minor)
    low, high = conditions.amount_from_minor, conditions.amount_to_minor
    return (low is None or low <= size) and (high is None or size <= high)


def _fits_direction(direction: Direction | None, amount_minor: int) -> bool:
    match direction:
        case None:
            return True
        case Direction.IN:
            return amount_minor > 0
        case Direction.OUT:
            return amount_minor < 0


def _gl_test(conditions: Conditions) -> Callable[[_Line], bool]:
    """Return the test of all conditions on the GL entry, the days apart left aside."""
    counterparty = comparable(conditions.gl_counterparty_contains)
    description = comparable(conditions.gl_description_contains)
    reference = comparable(conditions.gl_reference_contains)

    def fits(line: _Line) -> bool:
        return (
            conditions.gl_account_id in {"", line.account}
            and counterparty in line.counterparty
            and description in line.description
            and reference in line.reference
        )

    return fits


def _by_key(lines: Iterable[_Line]) -> dict[_Key, list[_Line]]:
    grouped: dict[_Key, list[_Line]] = defaultdict(list)
    for line in lines:
        grouped[line.key].append(line)
    return grouped


def _choices(
    bank: list[_Line], gl: list[_Line], days_max: int | None
) -> Iterable[tuple[_Line, _Line | None]]:
    """Yield each bank line that has a partner in reach, with it, or None if there is a choice.

    All lines have one currency and amount.  Who is in reach is a window over the sorted
    days, so that ten thousand equal amounts cost a sort and not a hundred million pairs.
    """
    bank, gl = sorted(bank, key=_by_day), sorted(gl, key=_by_day)
    bank_days, gl_days = [line.day for line in bank], [line.day for line in gl]
    for line in bank:
        first, end = _window(gl_days, line.day, days_max)
        if first == end:
            continue
        rivals_first, rivals_end = _window(bank_days, gl[first].day, days_max)
        is_only = end - first == 1 and rivals_end - rivals_first == 1
        yield line, gl[first] if is_only else None


def _window(days: list[int], day: int, days_max: int | None) -> tuple[int, int]:
    """Return where the days within `days_max` of `day` begin and end."""
    if days_max is None:
        return 0, len(days)
    return bisect_left(days, day - days_max), bisect_right(days, day + days_max)


def _by_day(line: _Line) -> int:
    return line.day
