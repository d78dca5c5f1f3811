"""Decide what a ledger file would change in the books; read only.

An entry is known by its external id: new ones are created, different ones changed, equal
ones left alone.  What a person or a certification rests on is never changed by a file, and
a journal is changed with all of its lines or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.kernel.ids import new_id
from app.kernel.money import decimal_text
from app.ledger import import_state
from app.ledger.import_file import Finding, LedgerRow, journal_finding
from app.ledger.import_state import StoredAccount, StoredEntry, StoredJournal
from app.ledger.period_lock import lock_now
from app.models import JournalSource


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    entry_id: str
    gl_account_id: str
    journal_entry_id: str | None
    row: LedgerRow
    stored: StoredEntry | None
    """What stands in the books now; None for a new entry."""


@dataclass(frozen=True, slots=True)
class PlannedJournal:
    journal_id: str
    first_row: LedgerRow
    is_new: bool


@dataclass(slots=True)
class Plan:
    created: list[PlannedEntry] = field(default_factory=list)
    changed: list[PlannedEntry] = field(default_factory=list)
    unchanged_count: int = 0
    journals: list[PlannedJournal] = field(default_factory=list)
    """New ones, and known ones whose date or currency the file changes."""
    errors: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def plan_import(
    rows: Sequence[LedgerRow], accounts: Mapping[str, StoredAccount], *, lock: bool
) -> Plan:
    """Return what the rows would do to the books of the organization in scope.

    Args:
        rows: External ids are unique; the lines of each named journal sum to zero.
        accounts: All of the organization's, by number.
        lock: Hold the journals' rows; for the transaction that will carry the plan out.

    Returns:
        A plan; with errors it must not be carried out.
    """
    planner = _Planner(rows, accounts, lock=lock)
    for row in rows:
        planner.place(row)
    planner.check_period_lock()
    planner.check_changes()
    planner.check_journals()
    planner.warn_of_certified_periods()
    planner.plan.errors.sort(key=lambda finding: finding.line)
    return planner.plan


class _Planner:
    def __init__(
        self, rows: Sequence[LedgerRow], accounts: Mapping[str, StoredAccount], *, lock: bool
    ) -> None:
        self.plan = Plan()
        self._accounts = accounts
        self._accounts_by_id = {account.id: account for account in accounts.values()}
        self._stored = import_state.entries_by_external_id(row.external_id for row in rows)
        known = import_state.journals(
            {row.journal for row in rows if row.journal},
            {e.journal_entry_id for e in self._stored.values() if e.journal_entry_id},
            lock=lock,
        )
        self._journals = {journal.number: journal for journal in known}
        self._numbers = {journal.id: journal.number for journal in known}
        self._new_journal_ids: dict[str, str] = {}
        self._entry_ids = iter(sorted(new_id() for _ in rows))
        """For new entries: read by id, they stand in the file's order."""
        self._lines: dict[str, list[LedgerRow]] = defaultdict(list)
        """Rows by the number of the journal that they belong to, named by the file or known."""
        self._touched: dict[str, None] = {}
        """Numbers of journals that get a new or a different line, in the file's order."""

    def place(self, row: LedgerRow) -> None:
        """Decide whether the row is new, different or known."""
        account = self._accounts.get(row.account_number)
        if account is None:
            named = f"“{row.account_number[:60]}”"
            self._refuse(row, "account_number", f"there is no account {named} in the chart.")
            return
        if account.currency != row.currency:
            kept = f"account {account.number} is kept in {account.currency}, not in {row.currency}."
            self._refuse(row, "currency", kept)
            return
        stored = self._stored.get(row.external_id)
        held = stored.journal_entry_id if stored else None
        number = self._numbers[held] if held else row.journal
        if row.journal and row.journal != number:
            moved = f"the entry belongs to journal “{number}” and cannot move to another."
            self._refuse(row, "journal", moved)
            return
        if number:
            self._lines[number].append(row)
        journal_id = self._journal_id(number) if number else None
        if stored is not None and _equal(row, account, journal_id, stored):
            self.plan.unchanged_count += 1
            return
        if number:
            self._touched[number] = None
        entry_id = stored.id if stored else next(self._entry_ids)
        planned = PlannedEntry(entry_id, account.id, journal_id, row, stored)
        (self.plan.changed if stored else self.plan.created).append(planned)

    def check_period_lock(self) -> None:
        """Refuse rows that would put something into the locked period, or change it there."""
        lock = lock_now()
        if lock is None:
            return
        for planned in (*self.plan.created, *self.plan.changed):
            row, stored = planned.row, planned.stored
            if stored is not None and stored.date <= lock.until:
                message = f"this entry is dated {stored.date} and cannot be changed: {lock.words}."
                self._refuse(row, "external_id", message)
            elif row.date <= lock.until:
                self._refuse(row, "date", f"{row.date} cannot be booked: {lock.words}.")

    def check_changes(self) -> None:
        """Refuse changes of entries that something else rests on."""
        stored = [planned.stored for planned in self.plan.changed if planned.stored]
        matched = import_state.matched_entry_ids(entry.id for entry in stored)
        for planned, entry in zip(self.plan.changed, stored, strict=True):
            until = self._accounts_by_id[entry.gl_account_id].certified_until
            if until is not None and entry.date <= until:
                self._refuse(
                    planned.row,
                    "external_id",
                    f"this entry stands in the reconciliation certified to {until} and is locked; "
                    "correct it by a journal entry.",
                )
            elif entry.id in matched:
                self._refuse(
                    planned.row,
                    "external_id",
                    "this entry is matched in a reconciliation; undo the match before changing it.",
                )

    def check_journals(self) -> None:
        """Refuse what would leave a journal unbalanced or rewrite one that is not the file's."""
        known = [self._journals[number] for number in self._touched if number in self._journals]
        lines = import_state.external_ids_by_journal(journal.id for journal in known)
        for number in self._touched:
            journal = self._journals.get(number)
            rows = self._lines[number]
            finding = self._untouchable(journal, rows, lines) if journal else None
            finding = finding or journal_finding(number, rows)
            if finding is not None:
                self.plan.errors.append(finding)
            elif journal is None:
                self.plan.journals.append(PlannedJournal(self._journal_id(number), rows[0], True))
            elif (journal.date, journal.currency) != (rows[0].date, rows[0].currency):
                self.plan.journals.append(PlannedJournal(journal.id, rows[0], False))

    def warn_of_certified_periods(self) -> None:
        late_count = 0
        for planned in self.plan.created:
            until = self._accounts_by_id[planned.gl_account_id].certified_until
            late_count += until is not None and planned.row.date <= until
        if late_count:
            self.plan.warnings.append(
                f"New rows dated in a period that is certified already: {late_count:,}. The "
                "certification stands; they come up open in the next reconciliation."
            )

    def _untouchable(
        self, journal: StoredJournal, rows: list[LedgerRow], lines: dict[str, list[str]]
    ) -> Finding | None:
        first = rows[0]
        if journal.source is not JournalSource.IMPORT:
            message = (
                f"journal entry {journal.number} was written in Tieout and is never edited; "
                "reverse it instead."
            )
            return Finding(first.line, "journal", message)
        if journal.reversed_by is not None:
            message = f"journal “{journal.number}” was reversed by {journal.reversed_by}."
            return Finding(first.line, "journal", message)
        present = {row.external_id for row in rows}
        absent = next((x for x in lines.get(journal.id, []) if x not in present), None)
        if absent is not None:
            message = (
                f"journal “{journal.number}” is changed, but its line “{absent[:60]}” is not in "
                "the file; a journal is changed with all of its lines."
            )
            return Finding(first.line, "journal", message)
        return None

    def _journal_id(self, number: str) -> str:
        known = self._journals.get(number)
        if known is not None:
            return known.id
        return self._new_journal_ids.setdefault(number, new_id())

    def _refuse(self, row: LedgerRow, column: str, message: str) -> None:
        self.plan.errors.append(Finding(row.line, column, message))


def _equal(
    row: LedgerRow, account: StoredAccount, journal_id: str | None, stored: StoredEntry
) -> bool:
    return (
        row.amount_minor == stored.amount_minor
        and row.date == stored.date
        and account.id == stored.gl_account_id
        and journal_id == stored.journal_entry_id
        and row.currency == stored.currency
        and row.description == stored.description
        and row.counterparty == stored.counterparty
        and row.reference == stored.reference
    )


def difference(planned: PlannedEntry, numbers: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Return what stood in the books and what will, for the fields that differ.

    Args:
        planned: A changed entry.
        numbers: Account numbers by id.
    """
    stored, row = planned.stored, planned.row
    assert stored is not None, "a new entry has no before"
    before = _facts(stored, numbers[stored.gl_account_id])
    after = _facts(row, row.account_number)
    if stored.journal_entry_id != planned.journal_entry_id:
        before["journal"], after["journal"] = "", row.journal
    changed = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in changed}, {name: after[name] for name in changed}


def _facts(line: LedgerRow | StoredEntry, account_number: str) -> dict[str, Any]:
    return {
        "account_number": account_number,
        "date": line.date,
        "amount": decimal_text(line.amount_minor, line.currency),
        "currency": line.currency,
        "description": line.description,
        "counterparty": line.counterparty,
        "reference": line.reference,
    }
