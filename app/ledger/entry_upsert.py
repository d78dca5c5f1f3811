"""Entries that a program sends: created, changed or left alone by their external ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from app.audit.trail import Change, record
from app.jobs import runs
from app.kernel import limits
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.ledger import import_state
from app.ledger.import_file import Finding, LedgerRow, journal_findings, read_ledger_records
from app.ledger.import_plan import Plan, plan_import
from app.ledger.import_write import carry_out
from app.ledger.imports import clashes_refused
from app.ledger.locks import lock_imports
from app.models import LedgerBankAccount
from app.models.session import UnitOfWork, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission

_SUBJECT: Final = "entry_batch"


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    external_id: str
    outcome: Outcome
    id: str | None = None
    """Of the entry; None where the row was left out, or the entry stands as it stood."""
    message: str = ""


def upsert_entries(
    actor: Actor, records: Sequence[Mapping[str, str]], *, atomic: bool
) -> tuple[RowOutcome, ...]:
    """Write entries and say what became of each, in the order in which they came.

    Args:
        records: Texts by the names of `import_file.COLUMNS`, at most `limits.API_ENTRIES_MAX`.
        atomic: All or nothing; otherwise rows that cannot be taken are left out, and with a
            row all others of its journal.

    Raises:
        Forbidden: The actor lacks `ledger`.
        Invalid: Too many rows, or `atomic` and one of them cannot be taken: nothing is written.
        Conflict: Somebody else wrote the same entries at the same moment.
    """
    actor.require(Permission.LEDGER)
    if len(records) > limits.API_ENTRIES_MAX:
        raise Invalid(
            f"{len(records):,} entries, but at most {limits.API_ENTRIES_MAX:,} in one call; "
            "nothing was stored. Send them in parts."
        )
    file = read_ledger_records(records)
    with clashes_refused(), unit_of_work() as work:
        lock_imports()
        accounts = import_state.accounts_by_number()
        rows, refused = _without(file.rows, {error.line: error for error in file.errors})
        plan, refused = _settled(rows, refused, accounts)
        if refused and atomic:
            raise _all_refused(list(refused.values()))
        batch_id = new_id()
        carry_out(actor, batch_id, plan, accounts, subject=_SUBJECT)
        _finish(work, actor, batch_id, plan, len(refused))
    return _outcomes(records, rows, plan, refused)


def _settled(
    rows: list[LedgerRow],
    refused: dict[int, Finding],
    accounts: Mapping[str, import_state.StoredAccount],
) -> tuple[Plan, dict[int, Finding]]:
    """Plan what can be taken; each round leaves out the rows that the last one refused."""
    while True:
        errors = journal_findings(rows)
        plan = Plan() if errors else plan_import(rows, accounts, lock=True)
        errors += plan.errors
        if not errors:
            return plan, refused
        rows[:], refused = _without(rows, refused | {error.line: error for error in errors})


def _without(
    rows: Sequence[LedgerRow], refused: dict[int, Finding]
) -> tuple[list[LedgerRow], dict[int, Finding]]:
    """Leave out the refused rows and the other lines of their journals."""
    broken = {row.journal for row in rows if row.line in refused and row.journal}
    kept, refused = [], dict(refused)
    for row in rows:
        if row.journal in broken and row.line not in refused:
            message = f"another line of journal “{row.journal}” cannot be taken."
            refused[row.line] = Finding(row.line, "journal", message)
        if row.line not in refused:
            kept.append(row)
    return kept, refused


def _all_refused(errors: list[Finding]) -> Invalid:
    fields: dict[str, list[str]] = {}
    for error in sorted(errors, key=lambda one: one.line)[: limits.FINDINGS_MAX]:
        place = f"entries.{error.line - 1}.{error.column}".rstrip(".")
        fields.setdefault(place, []).append(error.message)
    first = next(iter(fields.items()))
    return Invalid(
        f"{len(errors):,} of the entries cannot be taken, {first[0]} among them: {first[1][0]} "
        "Nothing was stored.",
        fields,
    )


def _finish(work: UnitOfWork, actor: Actor, batch_id: str, plan: Plan, refused_count: int) -> None:
    after = {
        "created_count": len(plan.created),
        "updated_count": len(plan.changed),
        "unchanged_count": plan.unchanged_count,
        "refused_count": refused_count,
    }
    record(actor, Change("gl_entries.sent", _SUBJECT, batch_id, {}, after))
    touched = {planned.gl_account_id for planned in (*plan.created, *plan.changed)}
    if touched:
        runs.request_matching_where(work, LedgerBankAccount.gl_account_id.in_(touched))


def _outcomes(
    records: Sequence[Mapping[str, str]],
    rows: Sequence[LedgerRow],
    plan: Plan,
    refused: Mapping[int, Finding],
) -> tuple[RowOutcome, ...]:
    known = {row.line: RowOutcome(row.external_id, Outcome.UNCHANGED) for row in rows}
    written = ((Outcome.CREATED, plan.created), (Outcome.UPDATED, plan.changed))
    for outcome, planned_entries in written:
        for planned in planned_entries:
            line = planned.row.line
            known[line] = replace(known[line], outcome=outcome, id=planned.entry_id)
    for line, finding in refused.items():
        external_id = records[line - 1].get("external_id", "")
        column = f"{finding.column}: " if finding.column else ""
        known[line] = RowOutcome(external_id, Outcome.ERROR, None, column + finding.message)
    return tuple(known[line] for line in sorted(known))
