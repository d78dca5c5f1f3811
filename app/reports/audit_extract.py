"""The audit extract of one reconciliation: everything that was done to it, oldest first."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.kernel import limits
from app.kernel.clock import utc_now
from app.models import (
    AuditEvent,
    BankChange,
    GlAccount,
    JournalEntry,
    LedgerBankAccount,
    Match,
    Reconciliation,
    db,
)
from app.reports.audit import Difference, ReadEvent, read_event
from app.reports.document import Column, Document, Kind, Row, Section, file_name
from app.reports.words import day_words, instant_words
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

_COLUMNS: Final = (
    Column("No.", Kind.NUMBER, 0.6),
    Column("When", width=1.5),
    Column("Who", width=1.4),
    Column("What", width=1.7),
    Column("About", width=1.2),
    Column("Facts", width=4.2),
    Column("Hash", width=1.5),
)
_HASH_CHARACTERS: Final = 16


def audit_extract(actor: Actor, reconciliation_id: str) -> Document:
    """Return the events about a reconciliation, its matches, adjustments and exceptions.

    Raises:
        NotFound: No such reconciliation here.
    """
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    number = get_owned(GlAccount, account.gl_account_id).number
    events = db.session.scalars(
        owned(AuditEvent)
        .where(AuditEvent.subject_id.in_(_subjects(reconciliation.id)))
        .order_by(AuditEvent.sequence)
        .limit(limits.REPORT_ROWS_MAX + 1)
    ).all()
    more = len(events) > limits.REPORT_ROWS_MAX
    rows = tuple(
        _row(actor, read_event(event), event.hash) for event in events[: limits.REPORT_ROWS_MAX]
    )
    note = "More events than are listed here; export the audit trail for all." if more else ""
    return Document(
        title="Audit extract",
        name=file_name("audit", account.name, reconciliation.ending_date.isoformat()),
        facts=(
            ("Organization", actor.organization_name),
            ("Account", f"{account.name} (GL {number})"),
            ("Statement of", day_words(reconciliation.ending_date)),
            ("Events", f"{len(rows):,}"),
        ),
        sections=(Section("Events, oldest first", _COLUMNS, rows, note=note),),
        made_at=utc_now(),
    )


def _subjects(reconciliation_id: str) -> sa.CompoundSelect[tuple[str]]:
    """Select the ids of all that the reconciliation consists of."""
    matched = owned(Match).where(Match.reconciliation_id == reconciliation_id)
    recorded = matched.with_only_columns(Match.adjustment_id).where(
        Match.adjustment_id.is_not(None)
    )
    return sa.union_all(
        sa.select(sa.literal(reconciliation_id)),
        matched.with_only_columns(Match.id),
        recorded,
        owned(JournalEntry)
        .where(JournalEntry.reverses_id.in_(recorded))
        .with_only_columns(JournalEntry.id),
        owned(BankChange)
        .where(BankChange.reconciliation_id == reconciliation_id)
        .with_only_columns(BankChange.id),
    )


def _row(actor: Actor, event: ReadEvent, digest: str) -> Row:
    return Row(
        (
            event.sequence,
            instant_words(event.at, actor.time_zone),
            f"{event.actor_name} ({event.via})",
            event.words,
            event.subject_words,
            "; ".join(_words(fact) for fact in event.differences),
            digest[:_HASH_CHARACTERS],
        )
    )


def _words(fact: Difference) -> str:
    if fact.before and fact.after and fact.before != fact.after:
        return f"{fact.name}: {fact.before} → {fact.after}"
    return f"{fact.name}: {fact.after or fact.before or 'empty'}"
