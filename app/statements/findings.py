"""What a person should know about a file: collected while it is read, bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.kernel.limits import FINDINGS_MAX


class Level(StrEnum):
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know about a file.

    Attributes:
        line: Physical line in the file, counted from 1; None where the whole file is meant.
        column: The column's heading (or “column 3”), or the name of a BAI2 field.
        code: Stable, for programs: `amount_invalid`.
        message: One sentence that names line and column and says what to do.
    """

    level: Level
    line: int | None
    column: str | None
    code: str
    message: str


@dataclass(slots=True)
class FindingLog:
    """Keeps the first `FINDINGS_MAX` of each level and counts the rest."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    errors_count: int = 0
    warnings_count: int = 0

    def error(
        self, code: str, message: str, *, line: int | None = None, column: str | None = None
    ) -> None:
        self.errors_count += 1
        if len(self.errors) < FINDINGS_MAX:
            self.errors.append(Finding(Level.ERROR, line, column, code, message))

    def warning(
        self, code: str, message: str, *, line: int | None = None, column: str | None = None
    ) -> None:
        self.warnings_count += 1
        if len(self.warnings) < FINDINGS_MAX:
            self.warnings.append(Finding(Level.WARNING, line, column, code, message))

    def listed(self) -> tuple[Finding, ...]:
        """Return at most `FINDINGS_MAX` findings by line, errors first, and how many more."""
        found = [*sorted(self.errors, key=_line), *sorted(self.warnings, key=_line)]
        shown = found[:FINDINGS_MAX]
        hidden_count = self.errors_count + self.warnings_count - len(shown)
        if hidden_count:
            level = Level.ERROR if self.errors_count > FINDINGS_MAX else Level.WARNING
            message = (
                f"{hidden_count} more findings are not listed; settle these first,"
                " then upload the file again."
            )
            shown.append(Finding(level, None, None, "more_findings", message))
        return tuple(shown)


def _line(finding: Finding) -> int:
    return finding.line or 0
