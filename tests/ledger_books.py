"""Small books for the tests of the ledger: accounts, files, matches made by hand."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from app.kernel.clock import utc_now
from app.kernel.ids import new_id
from app.ledger.accounts import create_gl_account, create_ledger_bank_account
from app.ledger.journals import JournalDraft, JournalLine
from app.models import (
    Certification,
    GlEntry,
    JournalEntry,
    JournalSource,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.scope import owned

HEADER = (
    "external_id,account_number,date,amount,currency,description,counterparty,reference,journal"
)
DAY = date(2026, 3, 31)


def a_file(*lines: str, header: str = HEADER) -> bytes:
    """Return a ledger file; lines may leave the last columns out."""
    columns = header.count(",")
    padded = (line + "," * (columns - line.count(",")) for line in lines)
    return "\n".join([header, *padded]).encode()


def accounts(actor: Actor) -> dict[str, str]:
    """Create cash, a card, rent and a euro account; return ids by number."""
    chart = (
        ("1010", "Operating cash", "asset", "USD"),
        ("2010", "Credit card", "liability", "USD"),
        ("5000", "Rent", "expense", "USD"),
        ("1020", "Euro cash", "asset", "EUR"),
    )
    return {
        number: create_gl_account(actor, number=number, name=name, type=type_, currency=currency)
        for number, name, type_, currency in chart
    }


def a_draft(ids: dict[str, str], amount_minor: int = 1_250, **changes: object) -> JournalDraft:
    draft = {
        "date": DAY,
        "description": "Rent for March",
        "currency": "USD",
        "source": JournalSource.MANUAL,
        "lines": (
            JournalLine(ids["5000"], amount_minor),
            JournalLine(ids["1010"], -amount_minor, "Transfer", "Landlord", "R-3"),
        ),
    }
    return JournalDraft(**{**draft, **changes})


def entries() -> dict[str, GlEntry]:
    db.session.rollback()
    return {entry.external_id: entry for entry in db.session.scalars(owned(GlEntry))}


def books_snapshot() -> list[tuple]:
    """Return everything in the books, so that two moments can be compared."""
    db.session.rollback()
    lines = db.session.execute(
        sa.select(*GlEntry.__table__.columns).order_by(GlEntry.__table__.c.id)
    )
    journals = db.session.execute(
        sa.select(*JournalEntry.__table__.columns).order_by(JournalEntry.__table__.c.id)
    )
    return [*map(tuple, lines), *map(tuple, journals)]


def journal_sums() -> dict[str, int]:
    """Return the sum of the lines of each journal in scope."""
    db.session.rollback()
    return dict(
        db.session.execute(
            sa.select(GlEntry.journal_entry_id, sa.func.sum(GlEntry.amount_minor))
            .where(GlEntry.journal_entry_id.is_not(None))
            .group_by(GlEntry.journal_entry_id)
        ).all()
    )


def match_entry(actor: Actor, gl_account_id: str, entry_id: str, ending: date = DAY) -> str:
    """Put an entry into a match of an open reconciliation; return the reconciliation's id."""
    bank_account_id = create_ledger_bank_account(
        actor, name=f"Bank {new_id()}", gl_account_id=gl_account_id
    )
    with unit_of_work():
        reconciliation = Reconciliation(
            ledger_bank_account_id=bank_account_id,
            ending_date=ending,
            currency="USD",
            opening_balance_minor=0,
            ending_balance_minor=0,
            auto_match_threshold=85,
            review_threshold=50,
            opened_by=actor.user_id,
        )
        db.session.add(reconciliation)
        db.session.flush()
        match = Match(
            reconciliation_id=reconciliation.id,
            origin=MatchOrigin.MANUAL,
            state=MatchState.MATCHED,
            bank_total_minor=0,
            gl_total_minor=0,
        )
        db.session.add(match)
        db.session.flush()
        db.session.add(
            MatchItem(
                match_id=match.id,
                reconciliation_id=reconciliation.id,
                gl_entry_id=entry_id,
                amount_minor=0,
                active=True,
            )
        )
        return reconciliation.id


def certify(actor: Actor, reconciliation_id: str) -> None:
    with unit_of_work():
        reconciliation = db.session.get_one(Reconciliation, reconciliation_id)
        reconciliation.status = ReconciliationStatus.CERTIFIED
        db.session.add(
            Certification(
                reconciliation_id=reconciliation_id,
                version=1,
                certified_at=utc_now(),
                certified_by=actor.user_id,
                certified_by_name=actor.name,
                document={},
                sha256="0" * 64,
            )
        )


def release_matches(reconciliation_id: str) -> None:
    with unit_of_work():
        db.session.execute(
            sa.update(MatchItem)
            .where(MatchItem.reconciliation_id == reconciliation_id)
            .values(active=False)
        )
