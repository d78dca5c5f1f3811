"""What a person sees of a bank file before confirming it, kept with the upload."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final, Self, TypeVar

from app.connections.fingerprints import ImportPlan, KnownRow, SourceRow
from app.connections.reading import FileAccount, Reading

SAMPLE_ROWS: Final = 12
PROBABLE_ROWS_SHOWN: Final = 50

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class SampleRow:
    line: int
    posted_date: date
    amount_minor: int
    description: str
    reference: str


@dataclass(frozen=True, slots=True)
class ProbableRow:
    """A row of the file beside the stored transaction that it may be."""

    line: int
    posted_date: date
    amount_minor: int
    text: str
    known_text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Totals, first rows and doubtful rows of one file for one account.

    Attributes:
        in_minor: Sum of money in, over all rows.
        out_minor: Sum of money out, negative.
        probable_count: Rows that may be stored already; `probable` shows the first of them.
        probable_digest: Names exactly that set of rows: the decision holds for no other.
        file_account: The file's word for the account.
        accounts: All accounts of the file.
    """

    in_minor: int
    out_minor: int
    closing_balance_minor: int | None
    closing_date: date | None
    covers_until: date | None
    sample: tuple[SampleRow, ...]
    probable: tuple[ProbableRow, ...]
    probable_count: int
    probable_digest: str
    file_account: str
    accounts: tuple[FileAccount, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what the upload's JSON column keeps; dates in ISO form."""
        document: dict[str, Any] = _plain(asdict(self))
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        values = dict(document)
        for name in ("closing_date", "covers_until"):
            values[name] = date.fromisoformat(values[name]) if values[name] else None
        values["sample"] = tuple(_row(SampleRow, each) for each in values["sample"])
        values["probable"] = tuple(_row(ProbableRow, each) for each in values["probable"])
        values["accounts"] = tuple(
            FileAccount(each["name"], tuple(each["currencies"]), each["rows_count"])
            for each in values["accounts"]
        )
        return cls(**{field.name: values[field.name] for field in fields(cls)})


def preview_of(reading: Reading, plan: ImportPlan, known: Sequence[KnownRow]) -> Preview:
    """Return the preview of a file, read and compared with what the account holds."""
    amounts = [row.amount_minor for row in reading.rows]
    return Preview(
        in_minor=sum(amount for amount in amounts if amount > 0),
        out_minor=sum(amount for amount in amounts if amount < 0),
        closing_balance_minor=reading.closing_balance_minor,
        closing_date=reading.closing_date,
        covers_until=reading.covers_until,
        sample=tuple(_sample(row) for row in reading.rows[:SAMPLE_ROWS]),
        probable=tuple(
            _probable(reading.rows[pair.row], known[pair.known])
            for pair in plan.probable[:PROBABLE_ROWS_SHOWN]
        ),
        probable_count=len(plan.probable),
        probable_digest=plan.digest(),
        file_account=reading.file_account,
        accounts=reading.accounts,
    )


def _sample(row: SourceRow) -> SampleRow:
    return SampleRow(row.line, row.posted_date, row.amount_minor, row.description, row.reference)


def _probable(row: SourceRow, known: KnownRow) -> ProbableRow:
    text = " · ".join(part for part in (row.description, row.counterparty, row.reference) if part)
    return ProbableRow(row.line, row.posted_date, row.amount_minor, text, known.text)


def _row(kind: type[Row], values: dict[str, Any]) -> Row:
    return kind(**{**values, "posted_date": date.fromisoformat(values["posted_date"])})


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
