"""Journal entries: lines that sum to zero, numbered, undone by a reversal only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.jobs.runs import request_matching_where
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import new_id
from app.kernel.money import AMOUNT_MINOR_MAX, decimal_text, display_amount
from app.ledger.locks import lock_numbering
from app.ledger.period_lock import refuse_locked
from app.models import (
    GlAccount,
    GlEntry,
    JournalEntry,
    JournalSource,
    LedgerBankAccount,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, insert_owned, owned

LINES_MIN: Final = 2

_OWN_NUMBER: Final = re.compile(r"JE-(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class JournalLine:
    gl_account_id: str
    amount_minor: int
    """Debit positive, in the journal's currency; never zero."""
    description: str = ""
    counterparty: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class JournalDraft:
    date: date
    description: str
    currency: str
    source: JournalSource
    lines: tuple[JournalLine, ...]


@dataclass(frozen=True, slots=True)
class WrittenJournal:
    journal_id: str
    number: str
    entry_ids: tuple[str, ...]
    """One for each line, in the order of the lines."""


def post_journal(actor: Actor, draft: JournalDraft) -> WrittenJournal:
    """Write a journal entry in a transaction of its own.

    Raises:
        Forbidden: Without the permission `ledger`.
        Invalid: As `write_journal`.
    """
    actor.require(Permission.LEDGER)
    with unit_of_work() as work:
        written = write_journal(actor, draft)
        touched = {line.gl_account_id for line in draft.lines}
        request_matching_where(work, LedgerBankAccount.gl_account_id.in_(touched))
        return written


def write_journal(actor: Actor, draft: JournalDraft) -> WrittenJournal:
    """Write a journal entry inside the caller's transaction; the caller checks the permission.

    A line without a description takes the journal's.

    Raises:
        Invalid: Fewer than two lines or too many, a zero line, lines that do not sum to zero,
            an unknown account or one of another currency, an impossible date or text, a date in
            the locked period.
    """
    _check_shape(draft)
    _check_accounts(draft)
    return _write(actor, draft, reverses=None)


def reverse_journal(actor: Actor, journal_id: str, on: date) -> WrittenJournal:
    """Reverse a journal entry in a transaction of its own.

    Raises:
        Forbidden: Without the permission `ledger`.
        Conflict: As `write_reversal`, or a line is matched in an open reconciliation.
        Invalid: As `write_reversal`.
        NotFound: No such journal entry in the organization.
    """
    actor.require(Permission.LEDGER)
    with unit_of_work():
        _refuse_while_matched(journal_id)
        return write_reversal(actor, journal_id, on)


def write_reversal(actor: Actor, journal_id: str, on: date) -> WrittenJournal:
    """Write the opposite of a journal entry inside the caller's transaction.

    Lines of zero, which only files bring, have no opposite and are left out.

    Args:
        on: Booking date of the reversal, not before the journal's own.

    Raises:
        Conflict: It was reversed already, or has nothing but zero lines.
        Invalid: `on` is before the journal's date or in the locked period.
        NotFound: No such journal entry in the organization.
    """
    journal = get_owned(JournalEntry, journal_id, lock=True)
    _refuse_second_reversal(journal)
    if on < journal.date:
        raise Invalid(
            f"{journal.number} is dated {journal.date}; its reversal cannot be dated {on}, before "
            "it. Nothing was written.",
            {"on": [f"Choose {journal.date} or a later date."]},
        )
    entries = db.session.scalars(
        owned(GlEntry)
        .where(GlEntry.journal_entry_id == journal_id, GlEntry.amount_minor != 0)
        .order_by(GlEntry.id)
    ).all()
    if not entries:
        raise Conflict(f"{journal.number} has no amounts to reverse; nothing was written.")
    draft = JournalDraft(
        date=on,
        description=f"Reversal of {journal.number}: {journal.description}".rstrip(": "),
        currency=journal.currency,
        source=JournalSource(journal.source),
        lines=tuple(_opposite(entry) for entry in entries),
    )
    if draft.source is JournalSource.IMPORT:  # the file did not bring the reversal
        draft = replace(draft, source=JournalSource.MANUAL)
    return _write(actor, draft, reverses=journal)


def sequence_of(number: str) -> int:
    """Return the digits of a number of our own form, 0 for any other form."""
    own = _OWN_NUMBER.fullmatch(number)
    return int(own[1]) if own else 0


def own_external_id(entry_id: str) -> str:
    """Return the external id of a line that was written here and came from no file."""
    return f"tieout:{entry_id}"


def _check_shape(draft: JournalDraft) -> None:
    if len(draft.lines) < LINES_MIN:
        raise Invalid("A journal entry needs at least two lines; nothing was written.")
    if len(draft.lines) > limits.JOURNAL_LINES_MAX:
        raise Invalid(
            f"A journal entry has at most {limits.JOURNAL_LINES_MAX} lines, this one has "
            f"{len(draft.lines)}; nothing was written."
        )
    if not limits.BOOKING_YEAR_MIN <= draft.date.year <= limits.BOOKING_YEAR_MAX:
        sentence = f"The year {draft.date.year} cannot be right."
        raise Invalid(sentence, {"date": [sentence]})
    _check_texts(draft)
    for number, line in enumerate(draft.lines, start=1):
        if line.amount_minor == 0:
            raise Invalid(f"Line {number} has no amount; nothing was written.")
        if abs(line.amount_minor) > AMOUNT_MINOR_MAX:
            raise Invalid(f"The amount of line {number} is larger than Tieout keeps.")
    difference_minor = sum(line.amount_minor for line in draft.lines)
    if difference_minor:
        side = "debit" if difference_minor > 0 else "credit"
        difference = display_amount(abs(difference_minor), draft.currency)
        raise Invalid(
            f"The lines do not balance: {difference} {draft.currency} too much {side}. "
            "Nothing was written."
        )


def _check_texts(draft: JournalDraft) -> None:
    texts = [draft.description]
    for line in draft.lines:
        texts += [line.description, line.counterparty, line.reference]
    if any(len(text) > limits.CELL_CHARACTERS_MAX for text in texts):
        raise Invalid(
            f"A text is longer than {limits.CELL_CHARACTERS_MAX} characters; nothing was written."
        )
    if any("\0" in text for text in texts):
        raise Invalid("A text holds a character that cannot be kept; nothing was written.")


def _check_accounts(draft: JournalDraft) -> None:
    wanted = {line.gl_account_id for line in draft.lines}
    found = {
        account.id: account
        for account in db.session.scalars(owned(GlAccount).where(GlAccount.id.in_(wanted)))
    }
    for number, line in enumerate(draft.lines, start=1):
        account = found.get(line.gl_account_id)
        if account is None:
            raise Invalid(f"Line {number} names no account of the chart; nothing was written.")
        if account.currency != draft.currency:
            raise Invalid(
                f"Line {number}: account {account.number} is kept in {account.currency}, the "
                f"journal entry is in {draft.currency}. Nothing was written."
            )


def _write(actor: Actor, draft: JournalDraft, *, reverses: JournalEntry | None) -> WrittenJournal:
    lock_numbering()
    refuse_locked(draft.date, field="on" if reverses else "date")
    highest = db.session.scalar(sa.select(sa.func.max(JournalEntry.sequence)))
    sequence = (highest or 0) + 1
    journal = JournalEntry(
        number=f"JE-{sequence:04}",
        sequence=sequence,
        date=draft.date,
        description=draft.description.strip(),
        currency=draft.currency,
        source=draft.source,
        reverses_id=reverses.id if reverses else None,
        created_by=actor.user_id,
    )
    db.session.add(journal)
    db.session.flush()
    entry_ids = tuple(sorted(new_id() for _ in draft.lines))  # read by id, in the lines' order
    insert_owned(
        GlEntry,
        [
            _entry_row(entry_id, journal, line)
            for entry_id, line in zip(entry_ids, draft.lines, strict=True)
        ],
    )
    before = {"reverses": reverses.number} if reverses else {}
    action = "journal_entry.reversed" if reverses else "journal_entry.posted"
    after = _facts(journal, draft.lines)
    record(actor, Change(action, "journal_entry", journal.id, before, after))
    return WrittenJournal(journal.id, journal.number, entry_ids)


def _entry_row(entry_id: str, journal: JournalEntry, line: JournalLine) -> Mapping[str, Any]:
    return {
        "id": entry_id,
        "created_at": utc_now(),
        "gl_account_id": line.gl_account_id,
        "journal_entry_id": journal.id,
        "external_id": own_external_id(entry_id),
        "date": journal.date,
        "amount_minor": line.amount_minor,
        "currency": journal.currency,
        "description": line.description.strip() or journal.description,
        "counterparty": line.counterparty.strip(),
        "reference": line.reference.strip(),
    }


def _opposite(entry: GlEntry) -> JournalLine:
    return JournalLine(
        gl_account_id=entry.gl_account_id,
        amount_minor=-entry.amount_minor,
        counterparty=entry.counterparty,
        reference=entry.reference,
    )


def _refuse_second_reversal(journal: JournalEntry) -> None:
    reversal = db.session.scalar(owned(JournalEntry).where(JournalEntry.reverses_id == journal.id))
    if reversal is not None:
        raise Conflict(
            f"{journal.number} was reversed by {reversal.number} already; nothing was written."
        )


def _refuse_while_matched(journal_id: str) -> None:
    """A match rests on the line; it is undone in its workspace, where its other side is seen."""
    ending = db.session.scalar(
        sa.select(Reconciliation.ending_date)
        .join(MatchItem, MatchItem.reconciliation_id == Reconciliation.id)
        .join(GlEntry, GlEntry.id == MatchItem.gl_entry_id)
        .where(
            GlEntry.journal_entry_id == journal_id,
            MatchItem.active,
            Reconciliation.status == ReconciliationStatus.OPEN,
        )
        .limit(1)
    )
    if ending is not None:
        raise Conflict(
            "A line of this journal entry is matched in the open reconciliation to "
            f"{ending}; undo that match first. Nothing was written."
        )


def _facts(journal: JournalEntry, lines: Sequence[JournalLine]) -> dict[str, Any]:
    return {
        "number": journal.number,
        "date": journal.date,
        "description": journal.description,
        "currency": journal.currency,
        "source": journal.source,
        "lines": [
            {
                "gl_account_id": line.gl_account_id,
                "amount": decimal_text(line.amount_minor, journal.currency),
            }
            for line in lines
        ],
    }
