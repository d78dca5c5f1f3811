"""Reads dates as banks write them; a calendar date stays one, times of day are dropped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

DATE_CHARACTERS_MAX: Final = 64
"""Longer cells are no dates, however they begin."""

DATE_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y. %m. %d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d. %m. %Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %m %Y",
    "%d.%m.%y",
    "%d. %m. %y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%y",
    "%m-%d-%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d/%b/%Y",
    "%d. %b %Y",
    "%d%b%Y",
    "%d %b %y",
    "%d-%b-%y",
    "%d/%b/%y",
    "%d%b%y",
    "%b %d, %Y",
    "%b %d %Y",
    "%b-%d-%Y",
    "%Y-%b-%d",
    "%Y %b %d",
    "%a %d %b %Y",
    "%a, %d %b %Y",
    "%a, %b %d, %Y",
    "%a %b %d %Y",
)
"""Tried over all rows; where two fit and differ, a person is asked."""

RARE_DATE_FORMATS: Final = (
    "%y-%m-%d",
    "%y/%m/%d",
    "%y.%m.%d",
    "%y%m%d",
    "%d%m%Y",
    "%m%d%Y",
    "%m.%d.%Y",
    "%Y-%d-%m",
    "%Y/%d/%m",
)
"""Tried where no common format fits every date."""

_MONTHS: Final = (
    "jan janv ene gen sty oca tammi ian led january januar janvier enero gennaio januari janeiro",
    "feb fev fevr febr lut sub helmi uno february februar fevrier febrero febbraio fevereiro",
    "mar mrz mars mrt marz marc maart maalis bre march maerz marzo marco marts",
    "apr avr abr kwi nis huhti dub april avril abril aprile",
    "may mai mag mei maj touko kve maggio mayo maio",
    "jun juin giu cze haz kesa june juni junio giugno junho",
    "jul juil lug lip tem heina july juli juillet julio luglio julho",
    "aug aout ago sie agu elo srp august agosto augustus",
    "sep sept set wrz szept eyl syys zar september septembre septiembre settembre setembro",
    "oct okt ott out paz eki loka rij october oktober octobre octubre ottobre outubro",
    "nov lis kas marras lst november novembre noviembre novembro",
    "dec dez dic gru ara joulu pro december dezember decembre diciembre dicembre dezembro",
)
_MONTH_BY_NAME: Final = {
    name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()
}

_DIRECTIVES: Final = {
    "d": r"(?P<d>\d{1,2})",
    "m": r"(?P<m>\d{1,2})",
    "Y": r"(?P<Y>\d{4})",
    "y": r"(?P<y>\d{2})",
    "b": r"(?P<b>[^\W\d_]{3,12})\.?",
    "B": r"(?P<b>[^\W\d_]{3,12})\.?",
    "a": r"[^\W\d_]{2,12}\.?",
    "A": r"[^\W\d_]{2,12}\.?",
    "H": r"\d{1,2}",
    "I": r"\d{1,2}",
    "M": r"\d{2}",
    "S": r"\d{2}",
    "f": r"\d{1,9}",
    "p": r"[AaPp]\.?[Mm]\.?",
    "z": r"(?:[+-]\d{2}:?\d{2}|Z)",
    "Z": r"[A-Za-z]{1,5}",
    "%": "%",
}
_FIXED_WIDTH: Final = {"d": r"(?P<d>\d{2})", "m": r"(?P<m>\d{2})"}
_TIME_TAIL: Final = r"\.?(?:(?:T|,?\s+)\d{1,2}[:.h]\d{2}.*)?"
_TOKEN: Final = re.compile(r"%(.)|(\s+)|([^%\s])", re.DOTALL)
_WORD_TOKENS: Final = (
    (re.compile(r"[Yy]{4}"), "%Y"),
    (re.compile(r"(?<![%\w])[Yy]{2}|(?<=[mMdD])[Yy]{2}"), "%y"),
    (re.compile(r"M{3,4}"), "%b"),
    (re.compile(r"(?<!%)(?:MM?|mm?)"), "%m"),
    (re.compile(r"(?<!%)(?:DD?|dd?)"), "%d"),
)
_PIVOT_YEAR: Final = 70


class DateFormatError(ValueError):
    """The format does not say day, month and year, or has a part we do not know."""


@dataclass(frozen=True, slots=True)
class DateFormat:
    """A compiled format; `text` is in the notation of strptime."""

    text: str
    pattern: re.Pattern[str]

    def parse(self, cell: str) -> date | None:
        """Return the date, or None where the cell is no date of this format."""
        if len(cell) > DATE_CHARACTERS_MAX:
            return None
        match = self.pattern.fullmatch(cell)
        if match is None:
            return None
        parts = match.groupdict()
        month = int(parts["m"]) if parts.get("m") else _month_number(parts["b"])
        try:
            return date(_year(parts), month, int(parts["d"]))
        except ValueError:  # 30 February, month 13
            return None


def clean_date_cell(cell: str) -> str:
    """Return the cell without what spreadsheets and exports put around a date."""
    return cell.strip().strip("'\"=").strip()


@lru_cache(maxsize=256)
def compile_date_format(text: str) -> DateFormat:
    """Compile `%d.%m.%Y` (or `DD.MM.YYYY`); one digit for day or month is taken too.

    Raises:
        DateFormatError: With one sentence that names the fault.
    """
    strptime_text = text.strip() if "%" in text else _from_words(text.strip())
    tokens = _TOKEN.findall(strptime_text.rstrip("."))
    seen = {directive for directive, _, _ in tokens if directive}
    unknown = seen - _DIRECTIVES.keys()
    if unknown:
        raise DateFormatError(f"“%{min(unknown)}” in a date format is not known to Tieout.")
    if not ("d" in seen and seen & {"m", "b", "B"} and seen & {"Y", "y"}):
        raise DateFormatError(
            f"“{text[:40]}” does not say day, month and year; write for example %d/%m/%Y."
        )
    try:
        pattern = re.compile(_pattern(tokens) + _TIME_TAIL, re.IGNORECASE | re.DOTALL)
    except re.error as error:
        raise DateFormatError(f"“{text[:40]}” names a part of the date twice.") from error
    return DateFormat(strptime_text, pattern)


def fitting_formats(cells: Iterable[str]) -> list[DateFormat]:
    """Return the formats that fit the most of the cells, common ones first.

    Two-digit years may be read backwards (24/01/15): a rare format stands beside a common
    one where the common one would spread the file over years and the rare one would not.
    """
    distinct = list(dict.fromkeys(clean_date_cell(cell) for cell in cells if cell.strip()))
    common = _best(distinct, DATE_FORMATS)
    rare = _best(distinct, RARE_DATE_FORMATS)
    common_count = fit_count(common[0], distinct) if common else 0
    rare_count = fit_count(rare[0], distinct) if rare else 0
    if rare_count > common_count:
        return rare
    if (
        rare_count == common_count
        and rare
        and _spread_days(common, distinct) > max(800, 4 * _spread_days(rare, distinct))
    ):
        return common + rare
    return common


def fit_count(date_format: DateFormat, cells: Iterable[str]) -> int:
    return sum(1 for cell in cells if date_format.parse(cell) is not None)


def looks_like_date(cell: str) -> bool:
    """Return whether any common format reads the cell."""
    return _looks_like_date(clean_date_cell(cell)) if len(cell) <= DATE_CHARACTERS_MAX else False


@lru_cache(maxsize=4096)
def _looks_like_date(cell: str) -> bool:
    if not any("0" <= character <= "9" for character in cell):
        return False
    found = [compile_date_format(text).parse(cell) for text in DATE_FORMATS]
    if cell.isdigit():  # eight digits can be any number: insist on our time
        return any(day is not None and 1990 <= day.year <= 2099 for day in found)  # noqa: PLR2004
    return any(day is not None for day in found)


def _best(cells: list[str], formats: tuple[str, ...]) -> list[DateFormat]:
    sample = cells[:200]
    compiled = [compile_date_format(text) for text in formats]
    hopeful = [one for one in compiled if fit_count(one, sample)]
    counts = {one.text: fit_count(one, cells) for one in hopeful}
    most = max(counts.values(), default=0)
    return [one for one in hopeful if counts[one.text] == most]


def _spread_days(formats: list[DateFormat], cells: list[str]) -> int:
    days = [day for cell in cells if (day := formats[0].parse(cell))]
    return (max(days) - min(days)).days if days else 0


def _pattern(tokens: list[tuple[str, str, str]]) -> str:
    parts = []
    for index, (directive, space, literal) in enumerate(tokens):
        if space:
            follows_literal = index > 0 and tokens[index - 1][2]
            parts.append(r"\s*" if follows_literal else r"\s+")
        elif literal:
            parts.append(re.escape(literal))
        else:
            # Without a separator only the width tells day from month.
            beside = [tokens[i][0] for i in (index - 1, index + 1) if 0 <= i < len(tokens)]
            glued = any(neighbour in set("dmYy") for neighbour in beside if neighbour)
            fixed = _FIXED_WIDTH.get(directive) if glued else None
            parts.append(fixed or _DIRECTIVES[directive])
    return "".join(parts)


def _from_words(text: str) -> str:
    for word, directive in _WORD_TOKENS:
        text = word.sub(directive, text, count=1)
    return text


def _year(parts: dict[str, str | None]) -> int:
    if parts.get("Y"):
        return int(parts["Y"] or 0)
    short = int(parts["y"] or 0)
    return short + (2000 if short < _PIVOT_YEAR else 1900)


def _month_number(name: str | None) -> int:
    plain = unicodedata.normalize("NFKD", (name or "").casefold())
    letters = "".join(letter for letter in plain if letter.isalpha())
    for length in (len(letters), 5, 4, 3):
        if letters[:length] in _MONTH_BY_NAME:
            return _MONTH_BY_NAME[letters[:length]]
    return 0  # no month: date() refuses it
