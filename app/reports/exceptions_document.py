"""Exceptions: what the bank changed after certification, and how each change was settled."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import ChangeState, LedgerBankAccount
from app.reports.bank_exceptions import ExceptionRow, changes_listed
from app.reports.document import Column, Document, Kind, Level, Row, Section
from app.reports.words import day_words, instant_words
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned

_COLUMNS: Final = (
    Column("Statement", width=1.8),
    Column("What the bank changed", width=3.6),
    Column("Noticed", width=1.4),
    Column("State", width=1.5),
    Column("Settled by", width=1.7),
    Column("Why", width=2.2),
    Column("Difference", Kind.MONEY, 1.4),
)
_STATES: Final = {
    ChangeState.OPEN: "To settle",
    ChangeState.ACKNOWLEDGED: "Left as certified",
    ChangeState.CARRIED: "Carried",
    ChangeState.WITHDRAWN: "Taken back by the bank",
}


def exceptions_report(actor: Actor, account_id: str = "") -> Document:
    """Return all exceptions, or one account's, by currency: what is to settle first.

    Raises:
        NotFound: No such ledger bank account here.
    """
    if account_id:
        get_owned(LedgerBankAccount, account_id)
    rows = changes_listed(account_id, limits.REPORT_ROWS_MAX)
    by_group: defaultdict[tuple[bool, str], list[ExceptionRow]] = defaultdict(list)
    for row in rows:
        by_group[row.state != ChangeState.OPEN, row.currency].append(row)
    note = ""
    if len(rows) == limits.REPORT_ROWS_MAX:
        note = f"The first {limits.REPORT_ROWS_MAX:,} are listed; choose one account."
    return Document(
        title="Exceptions",
        name="exceptions",
        facts=(
            ("Organization", actor.organization_name),
            ("What they are", "changes by the bank of transactions that were certified"),
        ),
        sections=tuple(
            _section(actor, "Settled" if is_settled else "To settle", currency, group, note)
            for (is_settled, currency), group in sorted(by_group.items())
        ),
        made_at=utc_now(),
    )


def _section(
    actor: Actor, title: str, currency: str, group: list[ExceptionRow], note: str
) -> Section:
    rows = [
        Row(
            (
                f"{row.account_name}, {day_words(row.ending_date)}",
                row.sentence,
                instant_words(row.noticed_at, actor.time_zone),
                _state(row),
                _settled(actor, row),
                row.note,
                row.difference_minor,
            )
        )
        for row in group
    ]
    total_minor = sum(row.difference_minor for row in group)
    total = (f"All, {len(group)}", "", "", "", "", "", total_minor)
    return Section(title, _COLUMNS, (*rows, Row(total, Level.TOTAL)), currency, note=note)


def _state(row: ExceptionRow) -> str:
    if row.state == ChangeState.WITHDRAWN and row.settled_by:
        return "Taken up by reopening"
    return _STATES[ChangeState(row.state)]


def _settled(actor: Actor, row: ExceptionRow) -> str:
    if not row.settled_at:
        return ""
    when = instant_words(row.settled_at, actor.time_zone)
    return f"{row.settled_by}, {when}" if row.settled_by else when
