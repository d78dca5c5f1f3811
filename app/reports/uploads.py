"""One uploaded bank file as its page shows it: preview, progress or result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from app.connections.due import business_days_between
from app.connections.preview import Preview
from app.connections.uploads import content_of
from app.jobs.runs import latest_run
from app.models import (
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    JobKind,
    JobStatus,
    Upload,
    UploadState,
    User,
    db,
)
from app.reports.financial_accounts import UploadRow, upload_row
from app.statements import preview_headings, preview_rows
from app.statements.mapping import ROLES, CsvMapping
from app.tenancy.scope import get_owned, owned

_VALUES_SHOWN: Final = 3
_GAP_BUSINESS_DAYS: Final = 5
"""A week without a transaction is common; a longer one may be a file that was forgotten."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the import is; `failure` says why it ended without one."""

    percent: int
    words: str
    done: bool
    failure: str


@dataclass(frozen=True, slots=True)
class CsvColumn:
    """One column of the file: its heading, its first values and what it is read as."""

    position: int
    heading: str
    values: tuple[str, ...]
    role: str
    """One of `CsvColumns`' names, or empty when it is not used."""


@dataclass(frozen=True, slots=True)
class UploadView:
    row: UploadRow
    size_bytes: int
    account_id: str
    account_name: str
    mask: str
    currency: str
    institution_name: str
    connection_deleted: bool
    mapped: bool
    preview: Preview
    mapping: CsvMapping | None
    columns: tuple[CsvColumn, ...]
    findings: tuple[dict[str, Any], ...]
    covers_until: date | None
    uncovered: tuple[date, date] | None
    """Days between what was covered before and this file's first row."""
    uploaded_before: UploadRow | None
    """The latest import of exactly the same bytes to this account."""
    progress: Progress | None
    """None before anybody confirmed."""

    @property
    def csv_mapping(self) -> CsvMapping:
        return self.mapping or CsvMapping()

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [finding for finding in self.findings if finding["level"] == "error"]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        return [finding for finding in self.findings if finding["level"] != "error"]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    filename: str
    data: bytes


def upload_view(upload_id: str) -> UploadView:
    """Return one upload with all that its page shows.

    Raises:
        NotFound: There is no such upload here.
    """
    upload = get_owned(Upload, upload_id)
    account = get_owned(FinancialAccount, upload.financial_account_id)
    connection = get_owned(FinancialConnection, account.connection_id)
    mapping = CsvMapping.from_json(upload.mapping) if upload.mapping else None
    return UploadView(
        row=_row(upload),
        size_bytes=upload.size_bytes,
        account_id=account.id,
        account_name=account.name,
        mask=account.mask,
        currency=account.currency,
        institution_name=connection.institution_name,
        connection_deleted=connection.status == ConnectionStatus.DELETED,
        mapped=account.ledger_bank_account_id is not None,
        preview=Preview.from_json(upload.preview),
        mapping=mapping,
        columns=_columns(upload, mapping) if mapping is not None else (),
        findings=tuple(upload.findings),
        covers_until=upload.covers_until,
        uncovered=_uncovered(account.covered_until, upload),
        uploaded_before=_uploaded_before(upload),
        progress=upload_progress(upload_id),
    )


def upload_progress(upload_id: str) -> Progress | None:
    """Return how far the upload's import is; None when nobody has asked for one."""
    run = latest_run(JobKind.IMPORT_BANK_FILE, upload_id)
    if run is None:
        return None
    done = run.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}
    return Progress(run.progress_percent, run.progress_text, done, run.failure)


def uploaded_file(upload_id: str) -> UploadedFile:
    """Return the file as it was uploaded.

    Raises:
        NotFound: There is no such upload here.
    """
    upload = get_owned(Upload, upload_id)
    return UploadedFile(upload.filename, content_of(upload))


def _row(upload: Upload) -> UploadRow:
    user = db.session.get(User, upload.created_by)
    return upload_row(upload, user.name if user else None)


def _uploaded_before(upload: Upload) -> UploadRow | None:
    earlier = db.session.scalar(
        owned(Upload)
        .where(
            Upload.financial_account_id == upload.financial_account_id,
            Upload.sha256 == upload.sha256,
            Upload.state == UploadState.IMPORTED,
            Upload.id != upload.id,
        )
        .order_by(Upload.id.desc())
        .limit(1)
    )
    return _row(earlier) if earlier is not None else None


def _uncovered(covered_until: date | None, upload: Upload) -> tuple[date, date] | None:
    if covered_until is None or upload.first_date is None:
        return None
    if business_days_between(covered_until, upload.first_date) <= _GAP_BUSINESS_DAYS:
        return None
    return covered_until + timedelta(days=1), upload.first_date - timedelta(days=1)


def _columns(upload: Upload, mapping: CsvMapping) -> tuple[CsvColumn, ...]:
    data = content_of(upload)
    headings = preview_headings(data, mapping)
    rows = _below_headings(preview_rows(data, mapping), headings)[:_VALUES_SHOWN]
    roles = _roles_by_position(mapping, headings)
    return tuple(
        CsvColumn(
            position=at,
            heading=heading,
            values=tuple(cells[at] if at < len(cells) else "" for cells in rows),
            role=roles.get(at, ""),
        )
        for at, heading in enumerate(headings)
    )


def _below_headings(rows: list[list[str]], headings: list[str]) -> list[list[str]]:
    """Return the rows after the one that holds the headings, if one does."""
    names = {heading.casefold() for heading in headings}
    for at, cells in enumerate(rows):
        filled = [cell.casefold() for cell in cells if cell]
        if filled and names.issuperset(filled):
            return rows[at + 1 :]
    return rows


def _roles_by_position(mapping: CsvMapping, headings: list[str]) -> dict[int, str]:
    roles = {}
    for role in ROLES:
        given = getattr(mapping.columns, role)
        for column in given if isinstance(given, tuple) else (given,):
            position = headings.index(column) if column in headings else column
            if isinstance(position, int) and position >= 0:
                roles[position] = role
    return roles
