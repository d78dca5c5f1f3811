"""Carry out a plan: bulk statements in chunks, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.kernel import limits
from app.kernel.clock import utc_now
from app.ledger.import_plan import Plan, PlannedEntry, PlannedJournal, difference
from app.ledger.import_state import StoredAccount
from app.ledger.journals import sequence_of
from app.ledger.locks import lock_numbering
from app.models import GlEntry, JournalEntry, JournalSource, OrganizationOwned, db
from app.tenancy.actor import Actor
from app.tenancy.scope import insert_owned

Item = TypeVar("Item")


_CHANGES_PER_EVENT: Final = 500
"""Changed entries that one audit event names; a whole file of them stays a matter of seconds."""


def carry_out(
    actor: Actor,
    import_id: str,
    plan: Plan,
    accounts: Mapping[str, StoredAccount],
    subject: str = "ledger_import",
) -> None:
    """Write what the plan says, and what stood in each changed entry into the audit trail.

    The caller records the import itself, which stands for the created entries.

    Args:
        subject: What the import is in the audit trail.
    """
    assert not plan.errors, "a plan with errors is never carried out"
    lock_numbering()
    new_journals = [j for j in plan.journals if j.is_new]
    _insert(JournalEntry, [_journal_row(actor, journal) for journal in new_journals])
    _update(JournalEntry, [_journal_change(j) for j in plan.journals if not j.is_new])
    _insert(GlEntry, [_entry_row(planned) for planned in plan.created])
    _update(GlEntry, [_entry_change(planned) for planned in plan.changed])
    numbers = {account.id: account.number for account in accounts.values()}
    record(
        actor,
        *(
            _audited(subject, import_id, chunk, numbers)
            for chunk in _chunks(plan.changed, _CHANGES_PER_EVENT)
        ),
    )


def _journal_row(actor: Actor, journal: PlannedJournal) -> Mapping[str, Any]:
    row = journal.first_row
    return {
        "id": journal.journal_id,
        "created_at": utc_now(),
        "number": row.journal,
        "sequence": sequence_of(row.journal),
        "date": row.date,
        "description": row.description,
        "currency": row.currency,
        "source": JournalSource.IMPORT,
        "created_by": actor.user_id,
    }


def _journal_change(journal: PlannedJournal) -> Mapping[str, Any]:
    row = journal.first_row
    return {"id": journal.journal_id, "date": row.date, "currency": row.currency}


def _entry_row(planned: PlannedEntry) -> Mapping[str, Any]:
    created = {"created_at": utc_now(), "external_id": planned.row.external_id}
    return {**_entry_change(planned), **created}


def _entry_change(planned: PlannedEntry) -> Mapping[str, Any]:
    row = planned.row
    return {
        "id": planned.entry_id,
        "gl_account_id": planned.gl_account_id,
        "journal_entry_id": planned.journal_entry_id,
        "date": row.date,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
        "description": row.description,
        "counterparty": row.counterparty,
        "reference": row.reference,
        "updated_at": utc_now(),
    }


def _audited(
    subject: str, import_id: str, changed: Sequence[PlannedEntry], numbers: Mapping[str, str]
) -> Change:
    """Return one event with what stood and what stands, by external id."""
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for planned in changed:
        key = planned.row.external_id
        before[key], after[key] = difference(planned, numbers)
    return Change("gl_entries.changed", subject, import_id, before, after)


def _insert(model: type[OrganizationOwned], rows: Sequence[Mapping[str, Any]]) -> None:
    for chunk in _chunks(rows):
        insert_owned(model, list(chunk))


def _update(model: type[OrganizationOwned], rows: Sequence[Mapping[str, Any]]) -> None:
    """Update by primary key; the ids were read in the organization's scope."""
    for chunk in _chunks(rows):
        db.session.execute(sa.update(model), list(chunk))


def _chunks(
    values: Sequence[Item], size: int = limits.INGEST_CHUNK_ROWS
) -> Iterator[Sequence[Item]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
