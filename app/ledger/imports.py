"""Ledger files: preview, confirmation, and the job that takes the file whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

from sqlalchemy.exc import IntegrityError

from app.audit.trail import Change, record
from app.jobs import runs
from app.jobs.runs import Claim
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid
from app.ledger import import_state
from app.ledger.import_file import NOTHING_STORED, Finding, LedgerFile, LedgerRow, read_ledger_file
from app.ledger.import_plan import Plan, plan_import
from app.ledger.import_state import StoredAccount
from app.ledger.import_write import carry_out
from app.ledger.locks import lock_imports
from app.models import JobKind, JobStatus, LedgerBankAccount, LedgerImport, LedgerImportState, db
from app.models.session import UnitOfWork, unit_of_work
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned

_FILENAME_CHARACTERS_MAX: Final = 200
_SUBJECT: Final = "ledger_import"


@dataclass(frozen=True, slots=True)
class AccountTotal:
    number: str
    name: str
    currency: str
    rows_count: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What the file would do; with findings it was refused, and `import_id` is None."""

    import_id: str | None
    rows_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    first_date: date | None
    last_date: date | None
    totals: tuple[AccountTotal, ...]
    warnings: tuple[str, ...]
    findings: tuple[Finding, ...]
    """At most `limits.FINDINGS_MAX` of them."""
    findings_count: int


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    import_id: str
    rows_count: int
    created_count: int
    updated_count: int
    unchanged_count: int


class LedgerRowsRefused(Invalid):
    """Some rows cannot be taken, so none was."""

    code = "ledger_rows_refused"
    title = "The file was not taken"

    def __init__(self, findings: Sequence[Finding]) -> None:
        more = len(findings) - 1
        others = f" And {more:,} more." if more else ""
        self.findings = tuple(findings)
        by_line: dict[str, list[str]] = {}
        for finding in self.findings[: limits.FINDINGS_MAX]:
            by_line.setdefault(str(finding.line), []).append(finding.sentence)
        super().__init__(f"{findings[0].sentence}{others} {NOTHING_STORED}", by_line)


def preview_import(actor: Actor, filename: str, data: bytes) -> Preview:
    """Read a file, compare it with the books, and keep it for confirmation if it is good.

    Raises:
        Forbidden: Without the permission `ledger`.
        LedgerFileRefused: The file cannot be read at all.
    """
    actor.require(Permission.LEDGER)
    file = read_ledger_file(data)
    accounts = import_state.accounts_by_number()
    plan = plan_import(file.rows, accounts, lock=False)
    findings = _findings(file, plan)
    if findings:
        return _preview(None, file, plan, accounts, findings)
    with unit_of_work():
        kept = _kept(actor, filename, data, file, plan, accounts)
        after = {"filename": kept.filename, "sha256": kept.sha256, "rows_count": kept.rows_count}
        record(actor, Change("ledger_import.uploaded", _SUBJECT, kept.id, {}, after))
        return _preview(kept.id, file, plan, accounts, ())


def confirm_import(actor: Actor, import_id: str) -> None:
    """Ask for the job that imports a previewed file; asking again while it runs is harmless.

    Raises:
        Conflict: It was imported or discarded already.
        NotFound: No such import in the organization.
    """
    actor.require(Permission.LEDGER)
    with unit_of_work() as work:
        kept = get_owned(LedgerImport, import_id, lock=True)
        _refuse_ended(kept)
        before = {"state": kept.state}
        kept.state = LedgerImportState.IMPORTING
        db.session.flush()
        runs.request_run(work, actor, JobKind.IMPORT_LEDGER_FILE, import_id)
        after = {"state": kept.state}
        record(actor, Change("ledger_import.confirmed", _SUBJECT, import_id, before, after))


def discard_import(actor: Actor, import_id: str) -> None:
    """Give a file up that was not imported.

    Raises:
        Conflict: It was imported or discarded already, or its job is at work.
        NotFound: No such import in the organization.
    """
    actor.require(Permission.LEDGER)
    with unit_of_work():
        kept = get_owned(LedgerImport, import_id, lock=True)
        _refuse_ended(kept)
        run = runs.latest_run(JobKind.IMPORT_LEDGER_FILE, import_id)
        if run is not None and run.status in {JobStatus.QUEUED, JobStatus.RUNNING}:
            raise Conflict("This file is being imported; wait for the end of it.")
        before, kept.state = {"state": kept.state}, LedgerImportState.DISCARDED
        db.session.flush()
        after = {"state": kept.state}
        record(actor, Change("ledger_import.discarded", _SUBJECT, import_id, before, after))


def run_import(actor: Actor, held: Claim) -> None:
    """Import a confirmed file: the job behind `confirm_import`.

    Raises:
        Forbidden: The person has lost the permission since.
        Invalid: A row can no longer be taken, say because it was matched meanwhile.
        Conflict: It was imported or discarded meanwhile.
    """
    actor.require(Permission.LEDGER)
    held.report(5, "Reading the file")
    file = read_ledger_file(get_owned(LedgerImport, held.subject_id).content)
    held.report(40, f"Writing {file.rows_count:,} rows")
    with clashes_refused(), unit_of_work() as work:
        kept = get_owned(LedgerImport, held.subject_id, lock=True)
        _refuse_ended(kept)
        _import(work, actor, kept, file)
        runs.succeed(held, f"{file.rows_count:,} rows imported")


def import_ledger_now(actor: Actor, filename: str, data: bytes) -> ImportOutcome:
    """Import a file at once, without preview, all or nothing.

    Raises:
        Forbidden: Without the permission `ledger`.
        LedgerFileRefused: The file cannot be read at all.
        LedgerRowsRefused: With a finding for each row that cannot be taken.
        Conflict: Somebody else wrote the same entries at the same moment.
    """
    actor.require(Permission.LEDGER)
    file = read_ledger_file(data)
    with clashes_refused(), unit_of_work() as work:
        kept = LedgerImport(
            filename=_filename(filename),
            sha256=_sha256(data),
            content=data,
            created_by=actor.user_id,
        )
        db.session.add(kept)
        db.session.flush()
        return _import(work, actor, kept, file)


def _import(work: UnitOfWork, actor: Actor, kept: LedgerImport, file: LedgerFile) -> ImportOutcome:
    """Plan afresh under the locks, write, and close the import."""
    lock_imports()
    accounts = import_state.accounts_by_number()
    plan = plan_import(file.rows, accounts, lock=True)
    findings = _findings(file, plan)
    if findings:
        raise LedgerRowsRefused(findings)
    carry_out(actor, kept.id, plan, accounts)
    _describe(kept, file, plan, accounts)
    kept.state, kept.imported_at = LedgerImportState.IMPORTED, utc_now()
    db.session.flush()
    outcome = ImportOutcome(
        kept.id, kept.rows_count, kept.created_count, kept.updated_count, kept.unchanged_count
    )
    after = {"filename": kept.filename, "sha256": kept.sha256, **asdict(outcome)}
    record(actor, Change("ledger_import.imported", _SUBJECT, kept.id, {}, after))
    touched = {planned.gl_account_id for planned in (*plan.created, *plan.changed)}
    runs.request_matching_where(work, LedgerBankAccount.gl_account_id.in_(touched))
    return outcome


@contextmanager
def clashes_refused() -> Iterator[None]:
    """Turn the database's refusal of a second equal row into ours."""
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            "Somebody else changed the books at the same moment; nothing was imported. Try again."
        ) from error


def _kept(
    actor: Actor,
    filename: str,
    data: bytes,
    file: LedgerFile,
    plan: Plan,
    accounts: Mapping[str, StoredAccount],
) -> LedgerImport:
    kept = LedgerImport(
        filename=_filename(filename), sha256=_sha256(data), content=data, created_by=actor.user_id
    )
    _describe(kept, file, plan, accounts)
    db.session.add(kept)
    db.session.flush()
    return kept


def _describe(
    kept: LedgerImport, file: LedgerFile, plan: Plan, accounts: Mapping[str, StoredAccount]
) -> None:
    preview = _preview(None, file, plan, accounts, ())
    kept.rows_count = preview.rows_count
    kept.created_count = preview.created_count
    kept.updated_count = preview.updated_count
    kept.unchanged_count = preview.unchanged_count
    kept.first_date, kept.last_date = preview.first_date, preview.last_date
    kept.totals = [asdict(total) for total in preview.totals]
    kept.warnings = list(preview.warnings)


def _preview(
    import_id: str | None,
    file: LedgerFile,
    plan: Plan,
    accounts: Mapping[str, StoredAccount],
    findings: Sequence[Finding],
) -> Preview:
    dates = [row.date for row in file.rows]
    return Preview(
        import_id=import_id,
        rows_count=file.rows_count,
        created_count=len(plan.created),
        updated_count=len(plan.changed),
        unchanged_count=plan.unchanged_count,
        first_date=min(dates, default=None),
        last_date=max(dates, default=None),
        totals=_totals(file.rows, accounts),
        warnings=(*file.warnings, *plan.warnings),
        findings=tuple(findings[: limits.FINDINGS_MAX]),
        findings_count=len(findings),
    )


def _totals(
    rows: Sequence[LedgerRow], accounts: Mapping[str, StoredAccount]
) -> tuple[AccountTotal, ...]:
    counts: dict[str, int] = {}
    sums_minor: dict[str, int] = {}
    for row in rows:
        counts[row.account_number] = counts.get(row.account_number, 0) + 1
        sums_minor[row.account_number] = sums_minor.get(row.account_number, 0) + row.amount_minor
    return tuple(
        AccountTotal(
            number, accounts[number].name, accounts[number].currency, count, sums_minor[number]
        )
        for number, count in sorted(counts.items())
        if number in accounts
    )


def _findings(file: LedgerFile, plan: Plan) -> list[Finding]:
    return sorted([*file.errors, *plan.errors], key=lambda finding: finding.line)


def _refuse_ended(kept: LedgerImport) -> None:
    if kept.state == LedgerImportState.IMPORTED:
        raise Conflict("This file was imported already; nothing was changed.")
    if kept.state == LedgerImportState.DISCARDED:
        raise Conflict("This file was discarded; upload it again to import it.")


def _filename(name: str) -> str:
    base = name.replace("\\", "/").rpartition("/")[2]
    printable = "".join(c for c in base if c.isprintable()).strip()
    return printable[:_FILENAME_CHARACTERS_MAX] or "ledger.csv"


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
