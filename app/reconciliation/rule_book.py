"""The organization's matching rules: an ordered list that people write, switch and move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.kernel.clock import utc_now
from app.kernel.errors import Invalid, NotFound, TooLarge
from app.kernel.limits import RULE_TEXT_CHARACTERS_MAX, RULES_MAX
from app.models import (
    GlAccount,
    LedgerBankAccount,
    Match,
    MatchingRule,
    MatchOrigin,
    MatchState,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation.conditions import Conditions
from app.reconciliation.rules import Rule
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import current_organization_id, get_owned, owned

_UNDONE_MIN: Final = 3
_UNDONE_SHARE: Final = 0.2


class Step(StrEnum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class ListedRule:
    id: str
    name: str
    enabled: bool
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class RuleUse:
    """What became of a rule's matches: those that hold, and those that people undid."""

    matched_count: int = 0
    undone_count: int = 0

    @property
    def is_often_undone(self) -> bool:
        """Tell whether people undo so many that the rule should be looked at."""
        total = self.matched_count + self.undone_count
        return self.undone_count >= _UNDONE_MIN and self.undone_count >= _UNDONE_SHARE * total


@dataclass(frozen=True, slots=True)
class AccountChoice:
    """A ledger bank account whose GL account a rule can be narrowed to."""

    gl_account_id: str
    label: str
    currency: str


def listed_rules() -> list[ListedRule]:
    """Return the rules of the organization in scope, in the order that counts."""
    return [_listed(row) for row in db.session.scalars(_in_order())]


def listed_rule(rule_id: str) -> ListedRule:
    """Return one rule.

    Raises:
        NotFound: Unknown, deleted, or another organization's.
    """
    return _listed(_existing(rule_id))


def enabled_rules() -> tuple[Rule, ...]:
    """Return the rules that are switched on, as a matching run takes them."""
    return tuple(
        Rule(row.id, Conditions.from_json(row.conditions))
        for row in db.session.scalars(_in_order().where(MatchingRule.enabled))
    )


def rule_uses() -> dict[str, RuleUse]:
    """Return by rule id what became of its matches; a rule without any is left out."""
    counts = db.session.execute(
        sa.select(
            Match.rule_id,
            sa.func.count().filter(Match.state == MatchState.MATCHED),
            sa.func.count().filter(Match.state == MatchState.UNMATCHED),
        )
        .where(Match.organization_id == current_organization_id(), Match.origin == MatchOrigin.RULE)
        .group_by(Match.rule_id)
    )
    return {rule_id: RuleUse(*both) for rule_id, *both in counts if rule_id is not None}


def account_choices() -> list[AccountChoice]:
    """Return the ledger bank accounts by name."""
    rows = db.session.execute(
        sa.select(LedgerBankAccount, GlAccount.number)
        .join(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .where(LedgerBankAccount.organization_id == current_organization_id())
        .order_by(LedgerBankAccount.name, LedgerBankAccount.id)
    )
    return [
        AccountChoice(account.gl_account_id, f"{account.name} (GL {number})", account.currency)
        for account, number in rows
    ]


def create_rule(actor: Actor, name: str, conditions: Conditions) -> str:
    """Add a rule at the end of the list, switched on, and return its id.

    Raises:
        Invalid: No name, or a regular expression that can take very long.
        NotFound: Unknown GL account.
        TooLarge: The list is full.
    """
    actor.require(Permission.SETTINGS)
    _check(name, conditions)
    with unit_of_work():
        _require_own_account(conditions)
        rows = _locked()
        if len(rows) >= RULES_MAX:
            raise TooLarge(
                f"There are {RULES_MAX} rules already, as many as can be; nothing was saved. "
                "Delete one that is no longer needed."
            )
        row = MatchingRule(
            name=name.strip(),
            position=rows[-1].position + 1 if rows else 1,
            conditions=conditions.to_json(),
        )
        db.session.add(row)
        db.session.flush()
        record(actor, Change("rule.created", "matching_rule", row.id, {}, _facts(row)))
        return row.id


def change_rule(actor: Actor, rule_id: str, *, name: str, conditions: Conditions) -> None:
    """Change what a rule is called and asks; matches that it made stay.

    Raises:
        Invalid: No name, or a regular expression that can take very long.
        NotFound: Unknown rule or GL account.
    """
    actor.require(Permission.SETTINGS)
    _check(name, conditions)
    with unit_of_work():
        _require_own_account(conditions)
        row = _existing(rule_id, lock=True)
        before = _facts(row)
        row.name, row.conditions = name.strip(), conditions.to_json()
        _record_change(actor, "rule.changed", row, before)


def switch_rule(actor: Actor, rule_id: str, *, enabled: bool) -> None:
    """Switch a rule on or off; the next matching run goes by it."""
    actor.require(Permission.SETTINGS)
    with unit_of_work():
        row = _existing(rule_id, lock=True)
        before = _facts(row)
        row.enabled = enabled
        _record_change(actor, "rule.switched_on" if enabled else "rule.switched_off", row, before)


def move_rule(actor: Actor, rule_id: str, step: Step) -> int:
    """Move a rule one place up or down, at the list's end not at all; return its place, from 1."""
    actor.require(Permission.SETTINGS)
    with unit_of_work():
        rows = _locked()
        here = next((n for n, row in enumerate(rows) if row.id == rule_id), None)
        if here is None:
            raise NotFound
        there = here - 1 if step is Step.UP else here + 1
        if not 0 <= there < len(rows):
            return here + 1
        row = rows[here]
        rows[here], rows[there] = rows[there], row
        for position, each in enumerate(rows, start=1):
            each.position = position
        places = {"place": here + 1}, {"place": there + 1}
        record(actor, Change("rule.moved", "matching_rule", row.id, *places))
        return there + 1


def delete_rule(actor: Actor, rule_id: str) -> None:
    """Take a rule out of the list; matches that it made stay and still name it."""
    actor.require(Permission.SETTINGS)
    with unit_of_work():
        row = _existing(rule_id, lock=True)
        row.deleted_at = utc_now()
        record(actor, Change("rule.deleted", "matching_rule", row.id, _facts(row), {}))


def restore_rule(actor: Actor, rule_id: str) -> None:
    """Take a deletion back; the rule stands where it stood. Repeating it is harmless."""
    actor.require(Permission.SETTINGS)
    with unit_of_work():
        row = get_owned(MatchingRule, rule_id, lock=True)
        if row.deleted_at is None:
            return
        row.deleted_at = None
        record(actor, Change("rule.restored", "matching_rule", row.id, {}, _facts(row)))


def _in_order() -> sa.Select[MatchingRule]:
    return (
        owned(MatchingRule)
        .where(MatchingRule.deleted_at.is_(None))
        .order_by(MatchingRule.position, MatchingRule.id)
    )


def _locked() -> list[MatchingRule]:
    rows: Sequence[MatchingRule] = db.session.scalars(_in_order().with_for_update()).all()
    return list(rows)


def _existing(rule_id: str, *, lock: bool = False) -> MatchingRule:
    row = get_owned(MatchingRule, rule_id, lock=lock)
    if row.deleted_at is not None:
        raise NotFound
    return row


def _check(name: str, conditions: Conditions) -> None:
    if not 0 < len(name.strip()) <= RULE_TEXT_CHARACTERS_MAX:
        sentence = f"Give the rule a name of at most {RULE_TEXT_CHARACTERS_MAX} characters."
        raise Invalid(sentence, {"name": [sentence]})
    conditions.require_fast_expression()


def _require_own_account(conditions: Conditions) -> None:
    if conditions.gl_account_id:
        get_owned(GlAccount, conditions.gl_account_id)


def _record_change(actor: Actor, action: str, row: MatchingRule, before: dict[str, Any]) -> None:
    after = _facts(row)
    if after != before:
        record(actor, Change(action, "matching_rule", row.id, before, after))


def _listed(row: MatchingRule) -> ListedRule:
    return ListedRule(row.id, row.name, row.enabled, Conditions.from_json(row.conditions))


def _facts(row: MatchingRule) -> dict[str, Any]:
    return {"name": row.name, "enabled": row.enabled, "conditions": row.conditions}
