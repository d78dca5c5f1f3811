"""Test a rule against the open lines before it is saved: reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from app.kernel.limits import RULE_TEST_LINES_MAX
from app.matching.records import Item
from app.models import (
    FinancialAccount,
    FinancialTransaction,
    GlEntry,
    LedgerBankAccount,
    MatchItem,
    TransactionStatus,
    db,
)
from app.reconciliation.conditions import Conditions
from app.reconciliation.lines import bank_item, gl_item
from app.reconciliation.rule_book import enabled_rules, listed_rules
from app.reconciliation.rules import Rule, RuleOutcome, apply_rules
from app.reconciliation.scope import stands_in_match
from app.tenancy.scope import owned

_EXAMPLES_MAX: Final = 5
_TRIED: Final = "the rule under test"


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would do with the lines that are open now.

    Attributes:
        bank_lines_count: Open bank lines that it was tested against.
        is_limited: There are more; the newest were taken.
        matched_count: Bank lines that it would match.
        ambiguous_count: Bank lines that it fits in several ways and would leave alone.
        matched: The newest of them, bank line and GL entry.
        ambiguous: The newest of them.
        too_slow: Its regular expression used up its time, so it would match nothing.
    """

    bank_lines_count: int
    is_limited: bool
    matched_count: int
    ambiguous_count: int
    matched: tuple[tuple[Item, Item], ...]
    ambiguous: tuple[Item, ...]
    too_slow: bool


@dataclass(slots=True)
class _Sides:
    bank: list[Item] = field(default_factory=list)
    gl: list[Item] = field(default_factory=list)


def try_rule(conditions: Conditions, rule_id: str | None = None) -> Trial:
    """Run the rules that stand before it, then this one, on all open lines; writes nothing.

    Args:
        conditions: Of the rule under test.
        rule_id: The saved rule that it would change; None for a new one, at the list's end.

    Raises:
        Invalid: Its regular expression can take very long.
    """
    conditions.require_fast_expression()
    rules = [*_rules_before(rule_id), Rule(_TRIED, conditions)]
    by_account, is_limited = _open_lines()
    items = {item.id: item for sides in by_account.values() for item in (*sides.bank, *sides.gl)}
    outcomes = [apply_rules(rules, sides.bank, sides.gl)[-1] for sides in by_account.values()]
    return _trial(outcomes, items, sum(len(s.bank) for s in by_account.values()), is_limited)


def _trial(
    outcomes: Sequence[RuleOutcome], items: dict[str, Item], bank_lines_count: int, is_limited: bool
) -> Trial:
    pairs = [(items[p.bank_id], items[p.gl_id]) for outcome in outcomes for p in outcome.pairs]
    ambiguous = [items[bank_id] for outcome in outcomes for bank_id in outcome.ambiguous_bank_ids]
    pairs.sort(key=lambda pair: pair[0].date, reverse=True)
    ambiguous.sort(key=lambda line: line.date, reverse=True)
    return Trial(
        bank_lines_count=bank_lines_count,
        is_limited=is_limited,
        matched_count=len(pairs),
        ambiguous_count=len(ambiguous),
        matched=tuple(pairs[:_EXAMPLES_MAX]),
        ambiguous=tuple(ambiguous[:_EXAMPLES_MAX]),
        too_slow=any(outcome.too_slow for outcome in outcomes),
    )


def _rules_before(rule_id: str | None) -> Iterable[Rule]:
    listed = [rule.id for rule in listed_rules()]
    before = set(listed[: listed.index(rule_id)] if rule_id in listed else listed)
    return (rule for rule in enabled_rules() if rule.id in before)


def _open_lines() -> tuple[dict[str, _Sides], bool]:
    """Return the newest unmatched lines by ledger bank account, and whether there are more."""
    by_account: dict[str, _Sides] = defaultdict(_Sides)
    bank = db.session.execute(_unmatched_bank()).all()
    for transaction, account_id in bank[:RULE_TEST_LINES_MAX]:
        by_account[account_id].bank.append(bank_item(transaction))
    gl = db.session.execute(_unmatched_gl()).all()
    for entry, account_id in gl[:RULE_TEST_LINES_MAX]:
        by_account[account_id].gl.append(gl_item(entry))
    return by_account, max(len(bank), len(gl)) > RULE_TEST_LINES_MAX


def _unmatched_bank() -> sa.Select[FinancialTransaction, str]:
    return (
        owned(FinancialTransaction)
        .add_columns(FinancialAccount.ledger_bank_account_id)
        .join(FinancialAccount, FinancialAccount.id == FinancialTransaction.financial_account_id)
        .where(
            FinancialAccount.ledger_bank_account_id.is_not(None),
            FinancialTransaction.status == TransactionStatus.POSTED,
            ~stands_in_match(MatchItem.financial_transaction_id == FinancialTransaction.id),
        )
        .order_by(FinancialTransaction.posted_date.desc(), FinancialTransaction.id)
        .limit(RULE_TEST_LINES_MAX + 1)
    )


def _unmatched_gl() -> sa.Select[GlEntry, str]:
    return (
        owned(GlEntry)
        .add_columns(LedgerBankAccount.id)
        .join(LedgerBankAccount, LedgerBankAccount.gl_account_id == GlEntry.gl_account_id)
        .where(~stands_in_match(MatchItem.gl_entry_id == GlEntry.id))
        .order_by(GlEntry.date.desc(), GlEntry.id)
        .limit(RULE_TEST_LINES_MAX + 1)
    )
