"""Bank files by hand: stored with a preview, corrected, confirmed or discarded.

Nothing here writes a transaction; `app.connections.imports` does.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import PurePath
from typing import Final
from zoneinfo import ZoneInfo

from app.audit.trail import Change, record
from app.connections.accounts import account_in_use
from app.connections.fingerprints import ImportPlan, KnownRow, plan_import
from app.connections.preview import Preview, preview_of
from app.connections.reading import AccountFacts, Reading, read_file
from app.jobs.runs import request_run
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid, TooLarge
from app.models import (
    FinancialAccount,
    FinancialTransaction,
    JobKind,
    Upload,
    UploadState,
    db,
)
from app.models.session import unit_of_work
from app.statements.mapping import CsvMapping
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned

_FILENAME_CHARACTERS_MAX: Final = 200
_UNDECIDED: Final = (UploadState.PREVIEWED, UploadState.REFUSED)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file that was read, beside what the account holds between its dates."""

    reading: Reading
    plan: ImportPlan
    preview: Preview


@dataclass(frozen=True, slots=True)
class StoredUpload:
    upload_id: str
    comparison: Comparison


def store_upload(
    actor: Actor,
    account_id: str,
    filename: str,
    data: bytes,
    *,
    mapping: CsvMapping | None = None,
) -> StoredUpload:
    """Keep the file with its preview; a file that is refused is kept with its findings.

    Args:
        mapping: How a CSV file is to be read; left out, as the account's last one was.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: There is no such account here.
        Conflict: The connection is deleted.
        TooLarge: More than `limits.UPLOAD_BYTES_MAX`.
    """
    comparison = look_at_file(actor, account_id, data, mapping=mapping)
    with unit_of_work():
        upload = Upload(
            financial_account_id=account_id,
            filename=_plain_filename(filename),
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
            content=zlib.compress(data),
            created_by=actor.user_id,
        )
        show(upload, comparison)
        db.session.add(upload)
        db.session.flush()
        after = {"filename": upload.filename, "sha256": upload.sha256, **facts(upload)}
        record(actor, Change("upload.previewed", "upload", upload.id, {}, after))
        return StoredUpload(upload.id, comparison)


def look_at_file(
    actor: Actor, account_id: str, data: bytes, *, mapping: CsvMapping | None = None
) -> Comparison:
    """Read a file and compare it with what the account holds; keeps nothing.

    Raises:
        Forbidden, NotFound, Conflict, TooLarge: As in `store_upload`.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    if len(data) > limits.UPLOAD_BYTES_MAX:
        raise TooLarge(
            f"The file is larger than the {limits.UPLOAD_BYTES_MAX // 2**20} MB that Tieout takes; "
            "nothing was stored. Export a shorter period and upload it in parts."
        )
    account = account_in_use(account_id)
    remembered = CsvMapping.from_json(account.csv_mapping) if account.csv_mapping else None
    reading = read_file(data, facts_of(account), remembered=remembered, corrected=mapping)
    return compare(reading, account_id)


def read_again(
    actor: Actor,
    upload_id: str,
    *,
    mapping: CsvMapping | None = None,
    chosen_account: str = "",
) -> None:
    """Preview the file again, with a person's correction of how it is to be read.

    Args:
        mapping: For CSV; left out, the one of the last preview stays.
        chosen_account: Which of the file's accounts it is; left out, the last choice stays.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: There is no such upload here.
        Conflict: It is being imported, or was decided on.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    upload = get_owned(Upload, upload_id)
    _refuse_decided(upload)
    account = account_in_use(upload.financial_account_id)
    reading = read_file(
        content_of(upload),
        facts_of(account),
        corrected=mapping or _mapping_of(upload),
        chosen_account=chosen_account or upload.file_account,
    )
    comparison = compare(reading, account.id)
    with unit_of_work():
        upload = get_owned(Upload, upload_id, lock=True)
        _refuse_decided(upload)
        before = facts(upload)
        upload.file_account = chosen_account or upload.file_account
        show(upload, comparison)
        record(actor, Change("upload.read_again", "upload", upload.id, before, facts(upload)))


def confirm_upload(
    actor: Actor,
    upload_id: str,
    *,
    import_probable: bool = False,
    covers_until: date | None = None,
) -> str:
    """Ask for the import of a previewed file and return the run's id.

    Asking again while the run waits or works returns the same run; asking again after it
    failed starts another.

    Args:
        import_probable: Import the rows that look like stored transactions under another
            text.  Leaving them out loses nothing: the file can be uploaded again.
        covers_until: Last day that the file covers, where it is later than its last row's.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: There is no such upload here.
        Invalid: `covers_until` is before the last row, or in the future.
        Conflict: The file is refused, discarded or imported, or the connection is deleted.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    with unit_of_work() as work:
        upload = get_owned(Upload, upload_id, lock=True)
        if upload.state not in {UploadState.PREVIEWED, UploadState.IMPORTING}:
            raise Conflict(_decided_sentence(upload))
        account_in_use(upload.financial_account_id)
        if upload.state == UploadState.PREVIEWED:
            decide(actor, upload, import_probable=import_probable, covers_until=covers_until)
            record(actor, Change("upload.confirmed", "upload", upload.id, {}, facts(upload)))
            db.session.flush()
        return request_run(work, actor, JobKind.IMPORT_BANK_FILE, upload.id)


def discard_upload(actor: Actor, upload_id: str) -> None:
    """Decide against a file; the upload stays in the history.  Repeating it is harmless.

    Raises:
        Forbidden: The actor lacks `bank_connections`.
        NotFound: There is no such upload here.
        Conflict: It is being imported, or was.
    """
    actor.require(Permission.BANK_CONNECTIONS)
    with unit_of_work():
        upload = get_owned(Upload, upload_id, lock=True)
        if upload.state == UploadState.DISCARDED:
            return
        _refuse_decided(upload)
        before = {"state": upload.state}
        upload.state = UploadState.DISCARDED
        after = {"state": upload.state}
        record(actor, Change("upload.discarded", "upload", upload.id, before, after))


def decide(
    actor: Actor, upload: Upload, *, import_probable: bool, covers_until: date | None
) -> None:
    """Write the person's decisions into the row, inside the caller's transaction."""
    preview = Preview.from_json(upload.preview)
    upload.covers_until = _checked_coverage(actor, preview, covers_until)
    upload.import_probable = import_probable
    upload.left_out_count = 0 if import_probable else preview.probable_count
    upload.new_count = upload.rows_count - (
        upload.duplicate_count + upload.left_out_count + upload.rejected_count
    )
    upload.state = UploadState.IMPORTING


def compare(reading: Reading, account_id: str) -> Comparison:
    """Read what the account holds between the file's dates, in one query, and compare."""
    known = _known_rows(account_id, reading)
    plan = plan_import(reading.rows, reading.keys, known)
    return Comparison(reading, plan, preview_of(reading, plan, known))


def show(upload: Upload, comparison: Comparison) -> None:
    """Write the preview into the row; doubtful rows are left out until a person decides."""
    reading, plan = comparison.reading, comparison.plan
    upload.format = reading.format
    upload.mapping = reading.mapping.to_json() if reading.mapping else None
    upload.state = UploadState.PREVIEWED if reading.accepted else UploadState.REFUSED
    upload.rows_count = reading.rows_read
    upload.new_count = len(plan.new)
    upload.duplicate_count = len(plan.present)
    upload.left_out_count = len(plan.probable)
    upload.rejected_count = reading.rows_rejected
    dates = [row.posted_date for row in reading.rows]
    upload.first_date, upload.last_date = min(dates, default=None), max(dates, default=None)
    upload.preview = comparison.preview.to_json()
    upload.findings = [asdict(finding) for finding in reading.findings]


def read_stored(upload: Upload, account: FinancialAccount) -> Reading:
    """Read the stored file exactly as its preview did."""
    return read_file(
        content_of(upload),
        facts_of(account),
        corrected=_mapping_of(upload),
        chosen_account=Preview.from_json(upload.preview).file_account,
    )


def content_of(upload: Upload) -> bytes:
    return zlib.decompress(upload.content)


def facts_of(account: FinancialAccount) -> AccountFacts:
    return AccountFacts(account.name, account.currency, account.mask, account.file_account)


def facts(upload: Upload) -> dict[str, object]:
    """Return what the audit trail keeps of an upload."""
    return {
        "state": upload.state,
        "format": upload.format,
        "rows": upload.rows_count,
        "new": upload.new_count,
        "present": upload.duplicate_count,
        "left_out": upload.left_out_count,
        "rejected": upload.rejected_count,
        "covers_until": upload.covers_until,
    }


def _known_rows(account_id: str, reading: Reading) -> list[KnownRow]:
    if not reading.rows:
        return []
    days = [row.posted_date for row in reading.rows]
    rows = db.session.execute(
        owned(FinancialTransaction)
        .where(
            FinancialTransaction.financial_account_id == account_id,
            FinancialTransaction.posted_date.between(min(days), max(days)),
        )
        .with_only_columns(
            FinancialTransaction.source_key,
            FinancialTransaction.posted_date,
            FinancialTransaction.amount_minor,
            FinancialTransaction.description,
            FinancialTransaction.counterparty,
            FinancialTransaction.reference,
        )
        .order_by(FinancialTransaction.id)
    )
    return [
        KnownRow(key, day, amount_minor, " · ".join(part for part in texts if part))
        for key, day, amount_minor, *texts in rows
    ]


def _mapping_of(upload: Upload) -> CsvMapping | None:
    return CsvMapping.from_json(upload.mapping) if upload.mapping else None


def _checked_coverage(actor: Actor, preview: Preview, covers_until: date | None) -> date | None:
    if covers_until is None or covers_until == preview.covers_until:
        return preview.covers_until
    today = utc_now().astimezone(ZoneInfo(actor.time_zone)).date()
    if preview.covers_until is not None and covers_until < preview.covers_until:
        sentence = "The file has rows after this day; give the last day that it covers."
        raise Invalid(sentence, {"covers_until": [sentence]})
    if covers_until > today:
        sentence = "A file cannot cover days to come; give today or an earlier day."
        raise Invalid(sentence, {"covers_until": [sentence]})
    return covers_until


def _refuse_decided(upload: Upload) -> None:
    if upload.state not in _UNDECIDED:
        raise Conflict(_decided_sentence(upload))


def _decided_sentence(upload: Upload) -> str:
    said = {
        UploadState.IMPORTING: "is being imported",
        UploadState.IMPORTED: "was imported",
        UploadState.DISCARDED: "was discarded",
        UploadState.REFUSED: "is refused as it is read now",
        UploadState.PREVIEWED: "waits for a decision",
    }
    return f"“{upload.filename}” {said[UploadState(upload.state)]}; nothing was changed."


def _plain_filename(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name
    printable = "".join(character for character in name if character.isprintable())
    return printable[-_FILENAME_CHARACTERS_MAX:] or "file"
