"""The bank reconciliation statement as a document: bank, books, ages, signatures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.kernel.clock import utc_now
from app.reconciliation.ages import by_age
from app.reconciliation.statement import ReconciliationStatement, StatementLine
from app.reports.document import Column, Document, Kind, Level, Row, Section, file_name
from app.reports.reconciliations import Report
from app.reports.words import day_words, instant_words
from app.tenancy.actor import Actor

_COLUMNS: Final = (
    Column("Item", width=3.6),
    Column("Counterparty", width=1.8),
    Column("Reference", width=1.4),
    Column("Date", Kind.DATE, 1.2),
    Column("Age in days", Kind.NUMBER, 0.9),
    Column("Amount", Kind.MONEY, 1.7),
)
_AGE_COLUMNS: Final = (
    Column("Age", width=2),
    Column("Items", Kind.NUMBER),
    Column("Money in", Kind.MONEY, 1.6),
    Column("Money out", Kind.MONEY, 1.6),
    Column("Total", Kind.MONEY, 1.6),
)


def statement_document(actor: Actor, report: Report) -> Document:
    """Return the statement of a report, certified or as it stands."""
    statement = report.statement
    return Document(
        title="Bank reconciliation statement",
        name=file_name(
            "reconciliation",
            statement.account_name,
            statement.ending_date.isoformat(),
            f"v{report.version}" if report.version else "draft",
        ),
        facts=(
            ("Organization", actor.organization_name),
            ("Account", f"{statement.account_name} (GL {statement.gl_account_number})"),
            ("Statement of", day_words(statement.ending_date)),
            *_signatures(actor, report),
        ),
        sections=(_bank(statement), _books(statement), _ages(statement)),
        made_at=utc_now(),
    )


def _signatures(actor: Actor, report: Report) -> tuple[tuple[str, str], ...]:
    zone = actor.time_zone
    if report.certified_at is None:
        facts = [("State", "Draft, not certified")]
        if report.reopened and report.reopened.reopened_at:
            facts.append(("Reopened", _reopened(actor, report)))
        return tuple(facts)
    certificate = report.certificate
    assert certificate is not None, "what is signed has a signature"
    facts = []
    if certificate.prepared_at:
        prepared = instant_words(certificate.prepared_at, zone)
        facts.append(("Prepared by", f"{certificate.prepared_by}, {prepared}"))
    label = "Reviewed and certified by" if certificate.prepared_at else "Certified by"
    signed = instant_words(report.certified_at, zone)
    facts.append((label, f"{report.certified_by}, {signed}"))
    facts.append(("Certificate", f"version {report.version}, SHA-256 {report.sha256}"))
    if certificate.reopened_at:
        facts.append(("State", "Superseded: not in force any more"))
        facts.append(("Reopened", _reopened(actor, report)))
    if report.remarks:
        facts.append(("Remarks", report.remarks))
    return tuple(facts)


def _reopened(actor: Actor, report: Report) -> str:
    ended = report.certificate or report.reopened
    assert ended is not None
    assert ended.reopened_at is not None
    when = instant_words(ended.reopened_at, actor.time_zone)
    return f"by {ended.reopened_by}, {when}, because: {ended.reopened_because}"


def _bank(statement: ReconciliationStatement) -> Section:
    rows = (
        _figure("Opening balance", statement.opening_minor),
        _figure("Cleared in", statement.cleared_in_minor),
        _figure("Cleared out", statement.cleared_out_minor),
        _figure("Balance per bank", statement.bank_balance_minor, Level.SUM),
        *_items(
            "Deposits in transit",
            statement.deposits_in_transit,
            statement.deposits_in_transit_minor,
        ),
        *_items(
            "Outstanding payments",
            statement.outstanding_payments,
            statement.outstanding_payments_minor,
        ),
        _figure("Adjusted bank balance", statement.adjusted_bank_minor, Level.TOTAL),
    )
    return Section("Bank", _COLUMNS, rows, statement.currency)


def _books(statement: ReconciliationStatement) -> Section:
    unrecorded: tuple[Row, ...] = ()
    if statement.unrecorded_bank_items:
        unrecorded = _items(
            "Bank transactions not in the books yet",
            statement.unrecorded_bank_items,
            statement.unrecorded_minor,
        )
    before = "Balance per books, before adjustments"
    rows = (
        _figure(before, statement.books_before_adjustments_minor, Level.SUM),
        *_items("Adjustments recorded", statement.adjustments, statement.adjustments_minor),
        *unrecorded,
        _figure("Adjusted book balance", statement.adjusted_book_minor, Level.TOTAL),
    )
    return Section("Books", _COLUMNS, rows, statement.currency)


def _ages(statement: ReconciliationStatement) -> Section:
    items = (*statement.deposits_in_transit, *statement.outstanding_payments)
    return age_section("Outstanding items by age", items, statement.currency)


def age_section(title: str, items: Sequence[StatementLine], currency: str) -> Section:
    """Return the table of items by age, with its total."""
    buckets = by_age(items)
    rows = [
        Row((each.label, each.count, each.in_minor, each.out_minor, each.total_minor))
        for each in buckets
    ]
    total: tuple[int, ...] = (
        sum(each.count for each in buckets),
        sum(each.in_minor for each in buckets),
        sum(each.out_minor for each in buckets),
        sum(each.total_minor for each in buckets),
    )
    rows.append(Row(("All", *total), Level.TOTAL))
    return Section(title, _AGE_COLUMNS, tuple(rows), currency)


def _figure(label: str, minor: int, level: Level = Level.ITEM) -> Row:
    return Row((label, "", "", None, None, minor), level)


def _items(title: str, lines: tuple[StatementLine, ...], total_minor: int) -> tuple[Row, ...]:
    if not lines:
        return (Row((title, "", "", None, None, 0)),)
    rows = [Row((title, "", "", None, None, None), Level.GROUP)]
    rows += [
        Row(
            (
                line.description,
                line.counterparty,
                line.reference,
                line.date,
                line.age_days,
                line.amount_minor,
            )
        )
        for line in lines
    ]
    rows.append(Row((f"{title}, {len(lines)}", "", "", None, None, total_minor), Level.SUM))
    return tuple(rows)
