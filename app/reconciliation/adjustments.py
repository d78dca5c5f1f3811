"""Record what the books lack: a balanced journal entry on the bank's GL account and another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.kernel.errors import Invalid
from app.kernel.money import display_amount
from app.ledger.journals import (
    JournalDraft,
    JournalLine,
    WrittenJournal,
    write_journal,
    write_reversal,
)
from app.models import (
    FinancialTransaction,
    GlEntry,
    JournalEntry,
    JournalSource,
    LedgerBankAccount,
    Reconciliation,
    db,
)
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Where the rest goes: a fee, interest or correction account, and why."""

    contra_account_id: str
    memo: str = ""


def write_adjustment(
    actor: Actor,
    reconciliation: Reconciliation,
    bank: Sequence[FinancialTransaction],
    rest_minor: int,
    adjustment: Adjustment | None,
) -> WrittenJournal:
    """Post the rest inside the caller's transaction; the first line is the bank account's.

    Raises:
        Invalid: No account was chosen, it is the bank's own, or there is no bank line.
    """
    shown = display_amount(rest_minor, reconciliation.currency)
    if adjustment is None or not adjustment.contra_account_id:
        sentence = f"The two sides differ by {shown}; choose the account that the rest goes to."
        raise Invalid(sentence, {"contra_account_id": [sentence]})
    if not bank:
        raise Invalid("An adjustment needs the bank transaction that it explains.")
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    if adjustment.contra_account_id == account.gl_account_id:
        sentence = "Choose another account than the bank's own; nothing was recorded."
        raise Invalid(sentence, {"contra_account_id": [sentence]})
    description = adjustment.memo.strip() or bank[0].description or "Bank adjustment"
    draft = JournalDraft(
        date=max(line.posted_date for line in bank),
        description=description,
        currency=reconciliation.currency,
        source=JournalSource.ADJUSTMENT,
        lines=(
            JournalLine(account.gl_account_id, rest_minor, description),
            JournalLine(adjustment.contra_account_id, -rest_minor, description),
        ),
    )
    return write_journal(actor, draft)


def undo_adjustment(
    actor: Actor, reconciliation: Reconciliation, journal_id: str
) -> tuple[str, str]:
    """Reverse an adjustment and return the bank account's two lines, which cancel out."""
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    journal = get_owned(JournalEntry, journal_id)
    reversal = write_reversal(actor, journal_id, journal.date)
    lines = db.session.scalars(
        owned(GlEntry)
        .where(
            GlEntry.journal_entry_id.in_((journal_id, reversal.journal_id)),
            GlEntry.gl_account_id == account.gl_account_id,
        )
        .order_by(GlEntry.id)
    ).all()
    original, reversed_line = (line.id for line in lines)
    return original, reversed_line
