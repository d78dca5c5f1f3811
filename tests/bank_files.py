"""Bank files of our own making: CSV of any rows, BAI2 whose totals are right."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from app.kernel.money import decimal_text


class Line(NamedTuple):
    day: date
    text: str
    amount_minor: int
    reference: str = ""


def october(day: int, text: str, amount_minor: int, reference: str = "") -> Line:
    return Line(date(2026, 10, day), text, amount_minor, reference)


STATEMENT = (
    october(1, "CHECK 1036", -71_678, "1036"),
    october(2, "PARKING GARAGE", -1_400),
    october(2, "PARKING GARAGE", -1_400),
    october(5, "STRIPE TRANSFER", 420_126),
    october(30, "MONTHLY SERVICE FEE", -1_800),
)
"""Five lines, two of them twins; in 4,201.26, out 762.78."""


def csv_file(lines=STATEMENT, heading="Date,Description,Amount,Reference"):
    rows = [
        f"{line.day.isoformat()},{line.text},{decimal_text(line.amount_minor, 'USD')},{line.reference}"
        for line in lines
    ]
    return "\n".join([heading, *rows, ""]).encode()


def bai2_file(accounts: dict[str, Sequence[Line]], *, off_by: int = 0, currency: str = "USD"):
    """Return a BAI2 file with a group for each day; `off_by` falsifies one account total."""
    records = ["01,BANK,ACME,261101,0600,1,,,2/"]
    days = sorted({line.day for lines in accounts.values() for line in lines})
    file_total = 0
    for day in days:
        group = [f"02,ACME,BANK,1,{day:%y%m%d},2359,{currency},2/"]
        group_total = 0
        for number, lines in accounts.items():
            account, total = _account(number, [line for line in lines if line.day == day], lines)
            account[-1] = f"49,{total + off_by},{len(account)}/"
            total, off_by = total + off_by, 0
            group += account
            group_total += total
        group.append(f"98,{group_total},{len(accounts)},{len(group) + 1}/")
        records += group
        file_total += group_total
    records.append(f"99,{file_total},{len(days)},{len(records) + 1}/")
    return "\r\n".join([*records, ""]).encode()


def _account(number: str, of_day: Sequence[Line], lines: Sequence[Line]) -> tuple[list[str], int]:
    until = of_day[0].day if of_day else min(line.day for line in lines)
    closing = sum(line.amount_minor for line in lines if line.day <= until)
    records = [f"03,{number},,015,{closing},,/"]
    for line in of_day:
        code = "399" if line.amount_minor > 0 else "699"
        records.append(f"16,{code},{abs(line.amount_minor)},Z,,{line.reference},{line.text}")
    total = closing + sum(abs(line.amount_minor) for line in of_day)
    return [*records, "49"], total


def many_lines(count: int) -> list[Line]:
    first = date(2020, 1, 1)
    return [
        Line(first + timedelta(days=at // 50), f"LINE {at} OF MANY", at * 7 - 100_000, str(at))
        for at in range(count)
    ]
