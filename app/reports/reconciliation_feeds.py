"""What programs read of reconciliations, matches and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.jobs.runs import latest_run
from app.kernel.money import decimal_text
from app.models import (
    JobKind,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    db,
)
from app.reconciliation.balances import balances_of
from app.reconciliation.conditions import Conditions
from app.reconciliation.rule_book import ListedRule, listed_rule, listed_rules
from app.reconciliation.statement import ReconciliationStatement, StatementLine
from app.reconciliation.suggestions import live_suggestions
from app.reports.feeds import Asked
from app.reports.paging import Order, Page, fetch_page
from app.reports.reconciliations import report
from app.tenancy.scope import get_owned, owned


@dataclass(frozen=True, slots=True)
class Progress:
    state: str
    """Of the newest matching run; `none` before the first."""
    percent: int
    text: str
    failure: str


@dataclass(frozen=True, slots=True)
class Totals:
    opening_balance: str
    cleared_in: str
    cleared_out: str
    cleared_count: int
    ending_balance: str
    matched_bank_total: str
    matched_gl_total: str
    open_bank_count: int
    open_gl_count: int


@dataclass(frozen=True, slots=True)
class ReconciliationRow:
    id: str
    ledger_bank_account_id: str
    ending_date: date
    currency: str
    opening_balance: str
    ending_balance: str
    status: str
    auto_match_threshold: int
    review_threshold: int
    model_version: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReconciliationView:
    row: ReconciliationRow
    progress: Progress
    totals: Totals
    difference: str
    matched_difference: str


@dataclass(frozen=True, slots=True)
class MatchRow:
    id: str
    reconciliation_id: str
    state: str
    origin: str
    score: float | None
    rivals_count: int
    bank_transaction_ids: tuple[str, ...]
    gl_entry_ids: tuple[str, ...]
    bank_total: str
    gl_total: str
    currency: str
    rule_id: str | None
    explanation: tuple[dict[str, Any], ...]
    flag: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    id: str
    name: str
    enabled: bool
    position: int
    conditions: Mapping[str, Any]


def reconciliations(asked: Asked, ledger_bank_account_id: str = "") -> Page[ReconciliationRow]:
    """Return reconciliations, oldest first."""
    statement = owned(Reconciliation)
    if ledger_bank_account_id:
        statement = statement.where(Reconciliation.ledger_bank_account_id == ledger_bank_account_id)
    order = Order(Reconciliation.id, Reconciliation.id)
    return fetch_page(statement, order, asked.cursor, _row, asked.limit, strict=True)


def reconciliation(reconciliation_id: str) -> ReconciliationView:
    """Return one reconciliation with its totals and how its matching stands.

    Raises:
        NotFound: No such reconciliation here.
    """
    found = get_owned(Reconciliation, reconciliation_id)
    balances = balances_of(found)

    def text(amount_minor: int) -> str:
        return decimal_text(amount_minor, found.currency)

    return ReconciliationView(
        row=_row(found),
        progress=_progress(found.id),
        totals=Totals(
            opening_balance=text(balances.opening_minor),
            cleared_in=text(balances.cleared_in_minor),
            cleared_out=text(balances.cleared_out_minor),
            cleared_count=balances.cleared_bank_count,
            ending_balance=text(balances.ending_minor),
            matched_bank_total=text(balances.cleared_minor),
            matched_gl_total=text(balances.cleared_gl_minor),
            open_bank_count=balances.open_bank.count,
            open_gl_count=balances.open_gl.count,
        ),
        difference=text(balances.difference_minor),
        matched_difference=text(balances.matched_difference_minor),
    )


def matches(reconciliation_id: str, state: MatchState, asked: Asked) -> Page[MatchRow]:
    """Return suggestions that can still be decided on, or matches that hold; oldest first.

    Raises:
        NotFound: No such reconciliation here.
    """
    found = get_owned(Reconciliation, reconciliation_id)
    if state is MatchState.SUGGESTED:
        statement = live_suggestions(found)
    else:
        statement = owned(Match).where(Match.reconciliation_id == found.id, Match.state == state)
    order = Order(Match.id, Match.id)
    page = fetch_page(statement, order, asked.cursor, lambda row: row, asked.limit, strict=True)
    return Page(_matches(page.rows, found.currency), page.next_cursor)


def match(match_id: str) -> MatchRow:
    """Return one suggestion or match.

    Raises:
        NotFound: No such match here.
    """
    found = get_owned(Match, match_id)
    currency = get_owned(Reconciliation, found.reconciliation_id).currency
    return _matches([found], currency)[0]


def rules() -> tuple[RuleRow, ...]:
    """Return the matching rules in the order that counts."""
    return tuple(_rule(rule, position) for position, rule in enumerate(listed_rules(), 1))


def rule(rule_id: str) -> RuleRow:
    """Return one rule.

    Raises:
        NotFound: No such rule here.
    """
    wanted = listed_rule(rule_id)
    return next(row for row in rules() if row.id == wanted.id)


def statement(reconciliation_id: str) -> dict[str, Any]:
    """Return the bank reconciliation statement as plain values; money is a decimal string.

    Raises:
        NotFound: No such reconciliation here.
    """
    found = report(reconciliation_id)
    return {
        "reconciliation_id": found.reconciliation_id,
        "certified_at": found.certified_at,
        "certified_by": found.certified_by,
        "sha256": found.sha256,
        "remarks": found.remarks,
        **_statement(found.statement),
    }


def _statement(shown: ReconciliationStatement) -> dict[str, Any]:
    def text(amount_minor: int) -> str:
        return decimal_text(amount_minor, shown.currency)

    def lines(rows: Iterable[StatementLine]) -> list[dict[str, Any]]:
        return [
            {
                "id": row.id,
                "date": row.date,
                "description": row.description,
                "counterparty": row.counterparty,
                "reference": row.reference,
                "amount": text(row.amount_minor),
                "age_days": row.age_days,
            }
            for row in rows
        ]

    return {
        "account_name": shown.account_name,
        "gl_account_number": shown.gl_account_number,
        "currency": shown.currency,
        "ending_date": shown.ending_date,
        "opening_balance": text(shown.opening_minor),
        "cleared_in": text(shown.cleared_in_minor),
        "cleared_out": text(shown.cleared_out_minor),
        "balance_per_bank": text(shown.bank_balance_minor),
        "deposits_in_transit": lines(shown.deposits_in_transit),
        "outstanding_payments": lines(shown.outstanding_payments),
        "adjusted_bank_balance": text(shown.adjusted_bank_minor),
        "balance_per_books": text(shown.book_balance_minor),
        "unrecorded_bank_items": lines(shown.unrecorded_bank_items),
        "adjusted_book_balance": text(shown.adjusted_book_minor),
        "adjustments": lines(shown.adjustments),
    }


def _row(found: Reconciliation) -> ReconciliationRow:
    return ReconciliationRow(
        id=found.id,
        ledger_bank_account_id=found.ledger_bank_account_id,
        ending_date=found.ending_date,
        currency=found.currency,
        opening_balance=decimal_text(found.opening_balance_minor, found.currency),
        ending_balance=decimal_text(found.ending_balance_minor, found.currency),
        status=found.status,
        auto_match_threshold=found.auto_match_threshold,
        review_threshold=found.review_threshold,
        model_version=found.model_version,
        created_at=found.created_at,
    )


def _progress(reconciliation_id: str) -> Progress:
    run = latest_run(JobKind.MATCH, reconciliation_id)
    if run is None:
        return Progress("none", 0, "", "")
    return Progress(run.status, run.progress_percent, run.progress_text, run.failure)


def _matches(rows: Sequence[Match], currency: str) -> tuple[MatchRow, ...]:
    bank, gl = _line_ids([row.id for row in rows])
    return tuple(
        MatchRow(
            id=row.id,
            reconciliation_id=row.reconciliation_id,
            state=row.state,
            origin=row.origin,
            score=row.score,
            rivals_count=row.rivals_count,
            bank_transaction_ids=tuple(bank.get(row.id, ())),
            gl_entry_ids=tuple(gl.get(row.id, ())),
            bank_total=decimal_text(row.bank_total_minor, currency),
            gl_total=decimal_text(row.gl_total_minor, currency),
            currency=currency,
            rule_id=row.rule_id,
            explanation=tuple(row.contributions),
            flag=row.flag,
            decided_at=row.decided_at,
        )
        for row in rows
    )


def _line_ids(match_ids: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    bank: dict[str, list[str]] = {}
    gl: dict[str, list[str]] = {}
    items = db.session.execute(
        owned(MatchItem)
        .where(MatchItem.match_id.in_(match_ids))
        .with_only_columns(
            MatchItem.match_id, MatchItem.financial_transaction_id, MatchItem.gl_entry_id
        )
        .order_by(MatchItem.id)
    )
    for match_id, transaction_id, entry_id in items:
        if transaction_id:
            bank.setdefault(match_id, []).append(transaction_id)
        if entry_id:
            gl.setdefault(match_id, []).append(entry_id)
    return bank, gl


def _rule(rule: ListedRule, position: int) -> RuleRow:
    return RuleRow(rule.id, rule.name, rule.enabled, position, conditions_shown(rule.conditions))


def conditions_shown(conditions: Conditions) -> dict[str, Any]:
    """Return the conditions that are given; amounts are decimal strings."""
    shown = conditions.to_json()
    for name in ("amount_from", "amount_to"):
        amount_minor = shown.pop(f"{name}_minor", None)
        if amount_minor is not None:
            shown[name] = decimal_text(amount_minor, conditions.amount_currency)
    return shown
