"""Ledger files as their pages show them: history, preview, progress, result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.jobs.runs import latest_run
from app.ledger.imports import AccountTotal
from app.models import (
    JobKind,
    JobRun,
    JobStatus,
    LedgerImport,
    LedgerImportState,
    User,
    db,
)
from app.tenancy.scope import get_owned, owned

HISTORY_ROWS_MAX: Final = 50
"""Imports listed under the upload form, newest first."""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    percent: int
    words: str
    done: bool
    failure: str
    """Why the last attempt ended without an import; empty otherwise."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    id: str
    filename: str
    state: LedgerImportState
    failed: bool
    """Confirmed, and its job ended without an import; it may be confirmed again."""
    rows_count: int
    created_count: int
    updated_count: int
    unchanged_count: int
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ImportView:
    row: ImportRow
    first_date: date | None
    last_date: date | None
    totals: tuple[AccountTotal, ...]
    warnings: tuple[str, ...]
    imported_at: datetime | None
    progress: ImportProgress | None
    """None before anybody confirmed."""

    @property
    def can_confirm(self) -> bool:
        return self.row.state == LedgerImportState.PREVIEWED or self.row.failed


def import_rows() -> list[ImportRow]:
    """Return the latest imports, newest first."""
    newest_run = (
        sa.select(JobRun.status)
        .where(
            JobRun.kind == JobKind.IMPORT_LEDGER_FILE,
            JobRun.subject_id == LedgerImport.id,
            JobRun.organization_id == LedgerImport.organization_id,
        )
        .order_by(JobRun.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = db.session.execute(
        owned(LedgerImport)
        .add_columns(User.name, newest_run)
        .outerjoin(User, User.id == LedgerImport.created_by)
        .order_by(LedgerImport.id.desc())
        .limit(HISTORY_ROWS_MAX)
    )
    return [_row(kept, name, status) for kept, name, status in rows]


def import_view(import_id: str) -> ImportView:
    """Return one import with all that its page shows.

    Raises:
        NotFound: There is no such import here.
    """
    kept = get_owned(LedgerImport, import_id)
    run = latest_run(JobKind.IMPORT_LEDGER_FILE, import_id)
    author = db.session.get(User, kept.created_by)
    return ImportView(
        row=_row(kept, author.name if author else None, run.status if run else None),
        first_date=kept.first_date,
        last_date=kept.last_date,
        totals=_totals(kept.totals),
        warnings=tuple(kept.warnings),
        imported_at=kept.imported_at,
        progress=_progress(run) if run else None,
    )


def _progress(run: JobRun) -> ImportProgress:
    done = run.status in {JobStatus.SUCCEEDED, JobStatus.FAILED}
    return ImportProgress(run.progress_percent, run.progress_text, done, run.failure)


def _row(kept: LedgerImport, author: str | None, run_status: str | None) -> ImportRow:
    return ImportRow(
        id=kept.id,
        filename=kept.filename,
        state=LedgerImportState(kept.state),
        failed=kept.state == LedgerImportState.IMPORTING and run_status == JobStatus.FAILED,
        rows_count=kept.rows_count,
        created_count=kept.created_count,
        updated_count=kept.updated_count,
        unchanged_count=kept.unchanged_count,
        created_by=author or "somebody who has left",
        created_at=kept.created_at,
    )


def _totals(stored: Sequence[dict[str, Any]]) -> tuple[AccountTotal, ...]:
    return tuple(AccountTotal(**total) for total in stored)
