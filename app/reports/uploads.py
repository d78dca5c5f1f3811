"""One uploaded bank file as its page shows it: preview, progress or result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from app.connections.preview import Preview
from app.reports.connections import UploadRow
from app.statements.mapping import CsvMapping


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the import is; `failure` says why it ended without one."""

    percent: int
    words: str
    done: bool
    failure: str


@dataclass(frozen=True, slots=True)
class UploadView:
    row: UploadRow
    account_id: str
    account_name: str
    mask: str
    currency: str
    institution_name: str
    connection_deleted: bool
    preview: Preview
    mapping: CsvMapping | None
    findings: tuple[dict[str, Any], ...]
    covers_until: date | None
    import_probable: bool
    first_rows: tuple[tuple[str, ...], ...]
    """First physical rows of a CSV file, cell by cell."""
    uncovered: tuple[date, date] | None
    """Days between what was covered before and this file's first row."""
    uploaded_before: UploadRow | None
    """The latest import of exactly the same bytes to this account."""
    progress: Progress | None
    """None before anybody confirmed."""

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [finding for finding in self.findings if finding["level"] == "error"]

    @property
    def warnings(self) -> list[dict[str, Any]]:
        return [finding for finding in self.findings if finding["level"] != "error"]
