"""The one writer of bank transactions from files: all rows of a file, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from app.audit.trail import Change, record
from app.connections.accounts import account_in_use
from app.connections.fingerprints import ImportPlan
from app.connections.preview import Preview
from app.connections.reading import Reading
from app.connections.uploads import (
    Comparison,
    compare,
    decide,
    facts,
    read_stored,
    show,
    store_upload,
)
from app.jobs import runs
from app.jobs.runs import Claim
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid, Refusal
from app.kernel.ids import new_id
from app.models import (
    FinancialAccount,
    FinancialTransaction,
    LedgerBankAccount,
    TransactionStatus,
    Upload,
    UploadState,
    db,
)
from app.models.session import UnitOfWork, unit_of_work
from app.statements.mapping import CsvMapping
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, insert_owned


class FileRefused(Invalid):
    """The file cannot be taken; `extra["findings"]` names each row, column and reason."""

    code = "file_refused"

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading.refusal)
        self.extra["findings"] = [asdict(finding) for finding in reading.findings]


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """What became of a file; the four counts add up to `rows_count`.

    Attributes:
        left_out_count: Rows that look like stored transactions and were not imported.
        ledger_bank_account_id: Where the account is mapped to, if it is.
    """

    upload_id: str
    account_id: str
    ledger_bank_account_id: str | None
    rows_count: int
    new_count: int
    duplicate_count: int
    left_out_count: int
    rejected_count: int

    @property
    def sentence(self) -> str:
        said = [f"{self.new_count:,} imported"]
        for count, words in (
            (self.duplicate_count, "present already"),
            (self.left_out_count, "left out as probable duplicates"),
            (self.rejected_count, "no transactions"),
        ):
            if count:
                said.append(f"{count:,} {words}")
        return f"{self.rows_count:,} rows: {', '.join(said)}."


def import_upload(actor: Actor, held: Claim) -> ImportOutcome:
    """Import a confirmed upload: the handler of `JobKind.IMPORT_BANK_FILE`.

    Everything that counts happens in one transaction that also ends the run, so a worker
    that dies at any point leaves either nothing or all of it.

    Raises:
        Refusal: Nothing was imported; the upload waits for a decision again, with a
            preview of how things stand now.
        LeaseLost: Another worker has the run.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    held.report(5, "Reading the file")
    upload = get_owned(Upload, held.subject_id)
    reading = read_stored(upload, get_owned(FinancialAccount, upload.financial_account_id))
    held.report(40, f"{reading.rows_read:,} rows read, comparing with what is stored")
    try:
        with unit_of_work() as work:
            outcome = _write(work, actor, held.subject_id, reading)
            runs.succeed(held, outcome.sentence)
    except Refusal:
        _ask_again(held, reading)
        raise
    return outcome


def import_bank_file_now(
    actor: Actor,
    account_id: str,
    filename: str,
    data: bytes,
    *,
    mapping: CsvMapping | None = None,
    import_probable: bool = False,
    covers_until: date | None = None,
) -> ImportOutcome:
    """Store and import a file at once, without anybody looking at the preview.

    Args:
        mapping: How a CSV file is to be read; left out, as the account's last one was.
        import_probable: Import rows that look like stored transactions under another text;
            otherwise they are left out and counted.
        covers_until: Last day that the file covers, where it is later than its last row's.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: There is no such account here.
        FileRefused: Nothing was imported; the upload is kept with its findings.
        Conflict: The connection is deleted.
        TooLarge: More than `limits.UPLOAD_BYTES_MAX`.
    """
    stored = store_upload(actor, account_id, filename, data, mapping=mapping)
    reading = stored.comparison.reading
    if not reading.accepted:
        raise FileRefused(reading)
    with unit_of_work() as work:
        upload = get_owned(Upload, stored.upload_id, lock=True)
        decide(actor, upload, import_probable=import_probable, covers_until=covers_until)
        return _write(work, actor, stored.upload_id, reading)


def _write(work: UnitOfWork, actor: Actor, upload_id: str, reading: Reading) -> ImportOutcome:
    """Write all rows, the balance and the result inside the caller's transaction.

    The account's row lock puts two files of one account in line; what is stored is
    compared again behind it, so the preview may be old without harm.
    """
    upload = get_owned(Upload, upload_id, lock=True)
    if upload.state != UploadState.IMPORTING:
        raise Conflict(f"“{upload.filename}” is not waiting to be imported; nothing was changed.")
    account = account_in_use(upload.financial_account_id, lock=True)
    if not reading.accepted:
        raise FileRefused(reading)
    comparison = compare(reading, account.id)
    if comparison.preview.probable_digest != Preview.from_json(upload.preview).probable_digest:
        raise Conflict(
            "Other transactions of this account arrived after you looked at the preview, and now "
            "other rows look like duplicates. Nothing was imported; look at the preview again."
        )
    _insert(account, upload, reading, comparison.plan)
    _bring_up_to_date(account, upload, reading)
    before = {"state": upload.state}
    _conclude(upload, comparison)
    record(actor, Change("upload.imported", "upload", upload.id, before, facts(upload)))
    db.session.flush()
    runs.request_matching_where(work, LedgerBankAccount.id == account.ledger_bank_account_id)
    return _outcome(upload, account)


def _insert(account: FinancialAccount, upload: Upload, reading: Reading, plan: ImportPlan) -> None:
    taken = list(plan.new)
    if upload.import_probable:
        taken = sorted([*taken, *(pair.row for pair in plan.probable)])
    if reading.rows and reading.rows[0].posted_date > reading.rows[-1].posted_date:
        taken.reverse()  # ids sort by age: the newest line of the file gets the newest id
    ids = sorted(new_id() for _ in taken)
    now = utc_now()
    shared = {
        "financial_account_id": account.id,
        "currency": account.currency,
        "status": TransactionStatus.POSTED,
        "upload_id": upload.id,
        "created_at": now,
        "updated_at": now,
    }
    for start in range(0, len(taken), limits.INGEST_CHUNK_ROWS):
        chunk: list[Mapping[str, Any]] = [
            shared | {"id": transaction_id, "source_key": plan.keys[at], **_facts(reading, at)}
            for at, transaction_id in zip(
                taken[start : start + limits.INGEST_CHUNK_ROWS],
                ids[start : start + limits.INGEST_CHUNK_ROWS],
                strict=True,
            )
        ]
        insert_owned(FinancialTransaction, chunk)


def _facts(reading: Reading, at: int) -> dict[str, Any]:
    row = reading.rows[at]
    return {
        "posted_date": row.posted_date,
        "value_date": row.value_date,
        "amount_minor": row.amount_minor,
        "description": row.description,
        "counterparty": row.counterparty,
        "reference": row.reference,
    }


def _bring_up_to_date(account: FinancialAccount, upload: Upload, reading: Reading) -> None:
    """Take over balance, coverage and how the file was read; older files change no balance."""
    day = reading.closing_date
    if day is not None and (account.balance_date is None or day >= account.balance_date):
        account.current_balance_minor, account.balance_date = reading.closing_balance_minor, day
    if upload.covers_until is not None:
        account.covered_until = max(account.covered_until or date.min, upload.covers_until)
    if upload.mapping is not None:
        account.csv_mapping = upload.mapping
    if upload.file_account:
        account.file_account = upload.file_account


def _conclude(upload: Upload, comparison: Comparison) -> None:
    import_probable, covers_until = upload.import_probable, upload.covers_until
    show(upload, comparison)
    if import_probable:
        upload.new_count += upload.left_out_count
        upload.left_out_count = 0
    upload.covers_until = covers_until
    upload.state = UploadState.IMPORTED
    upload.imported_at = utc_now()


def _ask_again(held: Claim, reading: Reading) -> None:
    """Bring the upload back to its preview, as things stand now."""
    with unit_of_work():
        upload = get_owned(Upload, held.subject_id, lock=True)
        if upload.state == UploadState.IMPORTING:
            show(upload, compare(reading, upload.financial_account_id))
        held.hold()


def _outcome(upload: Upload, account: FinancialAccount) -> ImportOutcome:
    return ImportOutcome(
        upload_id=upload.id,
        account_id=account.id,
        ledger_bank_account_id=account.ledger_bank_account_id,
        rows_count=upload.rows_count,
        new_count=upload.new_count,
        duplicate_count=upload.duplicate_count,
        left_out_count=upload.left_out_count,
        rejected_count=upload.rejected_count,
    )
