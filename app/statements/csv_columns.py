"""Decides which column holds what, by headings first and by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.statements.csv_money import Money, fill_share, guess_money, indicator_side, is_indicator
from app.statements.csv_profile import ColumnProfile, profile_columns, sample_rows
from app.statements.csv_table import Row, has_date_and_amount
from app.statements.csv_vocabulary import EXACT, heading_roles, plain_words
from app.statements.findings import FindingLog
from app.statements.mapping import COLUMNS_MAX, NO_COLUMN, ROLES, ColumnRef, CsvColumns

_MOSTLY: Final = 0.8
_HALF: Final = 0.5
_TEXT_COLUMNS_MAX: Final = 6
_TEXT_LENGTH_MIN: Final = 4
_MONEY_ROLES: Final = frozenset({"amount", "debit", "credit", "balance"})
_NO_TEXT_ROLES: Final = frozenset({"account", "other", "currency"})
_ACCOUNT_NUMBER: Final = re.compile(r"(?:[0-9][ .*xX-]*){6}")
_SINGLE_TEXT_ROLES: Final = ("counterparty", "reference", "bank_id", "status")


@dataclass(frozen=True, slots=True)
class FoundColumns:
    """Positions for every role, and what could not be told for sure."""

    columns: CsvColumns
    money_assumed: bool = False


def resolve_names(
    columns: CsvColumns, header: Sequence[str], findings: FindingLog, *, line: int
) -> CsvColumns:
    """Return the columns with headings replaced by positions.

    A heading that the file does not have is an error, and its column is looked for again.
    """
    positions = {heading.casefold(): index for index, heading in reversed([*enumerate(header)])}

    def position(reference: ColumnRef) -> int | None:
        if isinstance(reference, int):
            return reference
        found = positions.get(reference.casefold())
        if found is None:
            findings.error(
                "column_missing",
                f"Line {line}: the mapping names a column “{reference}” that the headings do not"
                " have; correct the mapping.",
                line=line,
                column=reference,
            )
        return found

    resolved: dict[str, object] = {}
    for role in ROLES:
        given = getattr(columns, role)
        if isinstance(given, tuple):
            resolved[role] = tuple(one for each in given if (one := position(each)) is not None)
        else:
            resolved[role] = None if given is None else position(given)
    return replace(columns, **resolved)  # type: ignore[arg-type]  # same fields, positions only


def find_columns(header: Sequence[str], rows: Sequence[Row], given: CsvColumns) -> FoundColumns:
    """Return a position or `NO_COLUMN` for every role that `given` leaves open.

    Args:
        header: Normalized headings; empty where the file has none.
        rows: All rows below the headings.
        given: Positions that a person chose; they are kept.
    """
    sample = sample_rows(rows)
    sample = [row for row in sample if has_date_and_amount(row.cells)] or sample
    width = min(
        COLUMNS_MAX, max([len(header), *(len(row.cells) for row in sample)], default=len(header))
    )
    finder = _Finder(header, rows, profile_columns(sample, width), given)
    return finder.find()


class _Finder:
    """Hands out each column once, in the order in which roles are surest."""

    def __init__(
        self,
        header: Sequence[str],
        rows: Sequence[Row],
        profiles: list[ColumnProfile],
        given: CsvColumns,
    ) -> None:
        self.rows = rows
        self.profiles = profiles
        self.given = given
        self.weights = [
            heading_roles(header[column]) if column < len(header) else {}
            for column in range(len(profiles))
        ]
        self.is_net = [
            column < len(header) and plain_words(header[column]).startswith("net")
            for column in range(len(profiles))
        ]
        self.words_count = [
            len(plain_words(header[column]).split()) if column < len(header) else 0
            for column in range(len(profiles))
        ]
        self.found: dict[str, int] = {}
        self.taken = {
            position
            for role in ROLES
            if isinstance(position := getattr(given, role), int) and position >= 0
        } | {position for position in given.description or () if isinstance(position, int)}

    def find(self) -> FoundColumns:
        date = self._date()
        self._take("value_date", self._best("value_date", self._holds_dates))
        dated = self._dated(date)
        money = self._money(dated)
        for role in ("amount", "debit", "credit", "balance"):
            self._take(role, getattr(money, role))
        if money.balance is None:
            self._take("balance", self._best("balance", self._holds_amounts))
        self._take("indicator", self._indicator())
        self._take("currency", self._currency())
        self._take("account", self._account(dated))
        for role in _SINGLE_TEXT_ROLES:
            self._take(role, self._best(role, self._holds_text))
        columns = replace(
            self.given,
            **{  # type: ignore[arg-type]  # positions by role
                role: self.found.get(role, NO_COLUMN)
                for role in ROLES
                if role != "description" and getattr(self.given, role) is None
            },
        )
        if columns.description is None:
            columns = replace(columns, description=self._descriptions())
        return FoundColumns(columns, money.assumed)

    def _take(self, role: str, column: int | None) -> None:
        if column is not None and getattr(self.given, role) is None and column not in self.taken:
            self.found[role] = column
            self.taken.add(column)

    def _best(self, role: str, holds: Callable[[int], bool]) -> int | None:
        """Return the free column whose heading fits best, leftmost first."""
        # “Naam” may be the holder's own; “Naam tegenpartij” is the other side's.
        words_count = self.words_count if role == "counterparty" else [0] * len(self.profiles)
        candidates = [
            (-self.weights[column][role], -words_count[column], column)
            for column in range(len(self.profiles))
            if role in self.weights[column] and column not in self.taken and holds(column)
        ]
        return min(candidates)[-1] if candidates else None

    def _holds_dates(self, column: int) -> bool:
        profile = self.profiles[column]
        return profile.is_blank or profile.date_share > _HALF

    def _holds_amounts(self, column: int) -> bool:
        profile = self.profiles[column]
        return profile.is_blank or profile.amount_share > _HALF

    def _holds_text(self, column: int) -> bool:
        return self.profiles[column].date_share < _MOSTLY

    def _date(self) -> int | None:
        given = self.given.date
        if isinstance(given, int):
            return given if given >= 0 else None
        by_cells = [
            column
            for column, profile in enumerate(self.profiles)
            if profile.date_share > _MOSTLY and not profile.is_blank
        ]
        named = [self._best("date", self._filled_with_dates), self._best("date", self._holds_dates)]
        named.append(self._best("value_date", self._filled_with_dates))
        found = next((column for column in named if column is not None), None)
        if found is None:
            found = next((column for column in by_cells if column not in self.taken), None)
        self._take("date", found)
        if found is not None and self.given.value_date is None:
            self._second_date([column for column in by_cells if column != found])
        return found

    def _second_date(self, others: list[int]) -> None:
        """A card's posting date beside the transaction date is the best value date there is."""
        if self._best("value_date", self._holds_dates) is not None:
            return
        free = [column for column in others if column not in self.taken]
        likely = [column for column in free if not self.weights[column] or self._says_date(column)]
        self._take("value_date", likely[0] if likely else None)

    def _says_date(self, column: int) -> bool:
        return "date" in self.weights[column]

    def _filled_with_dates(self, column: int) -> bool:
        return not self.profiles[column].is_blank and self._holds_dates(column)

    def _dated(self, date: int | None) -> set[int]:
        """Return the positions in the sample of rows that have a date."""
        return (
            set(self.profiles[date].filled)
            if date is not None and date < len(self.profiles)
            else set()
        )

    def _money(self, dated: set[int]) -> Money:
        given = self.given
        if isinstance(given.amount, int) and given.amount >= 0:
            return Money()
        debit = self._best("debit", self._holds_amounts)
        credit = self._best("credit", self._holds_amounts)
        if any(isinstance(one, int) and one >= 0 for one in (given.debit, given.credit)):
            return Money(debit=debit, credit=credit)
        amount = self._amount(dated) if given.amount is None else None
        sides = [one for one in (debit, credit) if one is not None]
        amount_share = fill_share(self.profiles, [amount], dated) if amount is not None else -1.0
        sides_share = fill_share(self.profiles, sides, dated) if sides else -1.0
        if amount is None and not sides:
            return guess_money(self.profiles, self.rows, dated, self.taken)
        # Some banks give a signed amount besides; some an unsigned or a fee column.
        signed = amount is not None and any(
            text.lstrip().startswith(("-", "\u2212", "(")) for text in self.profiles[amount].counts
        )
        if (
            amount is not None
            and (
                len(sides) < 2 or (amount_share >= sides_share and signed)  # noqa: PLR2004 - both sides
            )
            and amount_share >= min(sides_share, _HALF)
        ):
            return Money(amount=amount)
        if not sides:
            return Money(amount=amount)
        return Money(debit=debit, credit=credit)

    def _amount(self, dated: set[int]) -> int | None:
        """Return the amount column: filled in every row, best named; net before gross."""
        candidates = [
            (
                -round(fill_share(self.profiles, [column], dated), 1),
                -weights["amount"],
                not self.is_net[column],
                column,
            )
            for column, weights in enumerate(self.weights)
            if "amount" in weights and column not in self.taken and self._holds_amounts(column)
        ]
        return min(candidates)[-1] if candidates else None

    def _indicator(self) -> int | None:
        amount = self.found.get("amount", self.given.amount)
        if not isinstance(amount, int) or amount < 0:
            return None
        named = self._best(
            "indicator", lambda column: is_indicator(self.profiles[column], named=True)
        )
        if named is not None:
            return named
        return next(
            (
                column
                for column, profile in enumerate(self.profiles)
                if column not in self.taken and is_indicator(profile, named=False)
            ),
            None,
        )

    def _currency(self) -> int | None:
        def holds(column: int) -> bool:
            profile = self.profiles[column]
            return profile.is_blank or profile.currency_share > _MOSTLY

        named = self._best("currency", holds)
        if named is not None:
            return named
        return next(
            (
                column
                for column, profile in enumerate(self.profiles)
                if column not in self.taken
                and not self.weights[column]
                and profile.currency_share > _MOSTLY
            ),
            None,
        )

    def _account(self, dated: set[int]) -> int | None:
        """Return the own account's column: filled in every row, a number rather than a name."""
        candidates = []
        for column, weights in enumerate(self.weights):
            profile = self.profiles[column]
            exact = weights.get("account") == EXACT and column not in self.taken
            if not exact or not dated or fill_share(self.profiles, [column], dated) < 1.0:
                continue
            is_number = all(_ACCOUNT_NUMBER.search(value) for value in profile.counts)
            repeats = len(profile.counts) * 4 <= max(4, profile.counts.total())
            if len(profile.counts) == 1 or (is_number and repeats):
                candidates.append((not is_number, column))
        return min(candidates)[1] if candidates else None

    def _says_only_the_side(self, column: int) -> bool:
        return all(indicator_side(value) is not None for value in self.profiles[column].counts)

    def _descriptions(self) -> tuple[int, ...]:
        named = [
            column
            for column, weights in enumerate(self.weights)
            if "description" in weights and column not in self.taken and self._holds_text(column)
        ]
        exact = [column for column in named if self.weights[column]["description"] == EXACT]
        filled = [column for column in exact or named if not self.profiles[column].is_blank]
        # “Details” may hold only DEBIT, CREDIT, CHECK, … beside the column with the text.
        filled = [column for column in filled if not self._says_only_the_side(column)] or filled
        if filled or exact:
            return tuple((filled or exact)[:_TEXT_COLUMNS_MAX])
        texts = [
            column
            for column, profile in enumerate(self.profiles)
            if column not in self.taken
            and not self.weights[column].keys() & _NO_TEXT_ROLES
            and profile.date_share < _HALF
            and profile.amount_share < _HALF
            and profile.text_length >= _TEXT_LENGTH_MIN
        ]
        longest = sorted(texts, key=lambda column: -self.profiles[column].text_length)[:2]
        return tuple(sorted(longest))
