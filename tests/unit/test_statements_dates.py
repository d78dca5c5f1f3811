from __future__ import annotations

from datetime import date

import pytest

from app.statements.dates import (
    DateFormatError,
    compile_date_format,
    fitting_formats,
    looks_like_date,
)


@pytest.mark.parametrize(
    ("text", "cell", "expected"),
    [
        ("%d.%m.%Y", "1.2.2026", date(2026, 2, 1)),
        ("%d.%m.%Y", "01.02.2026 10:33", date(2026, 2, 1)),
        ("%Y-%m-%d", "2026-02-01T23:59:59-08:00", date(2026, 2, 1)),
        ("%Y-%m-%d %H:%M:%S %z", "2026-02-01 12:34:56 +0000", date(2026, 2, 1)),
        ("%Y.%m.%d.", "2026.02.01.", date(2026, 2, 1)),
        ("%m/%d/%Y", "2/1/2026 12:00:00 AM", date(2026, 2, 1)),
        ("%Y%m%d", "20260201", date(2026, 2, 1)),
        ("%Y%m%d", "2026111", None),
        ("%d%m%Y", "01022026", date(2026, 2, 1)),
        ("%d %b %y", "1 Feb 26", date(2026, 2, 1)),
        ("%d %b %Y", "1 févr. 2026", date(2026, 2, 1)),
        ("%d. %b %Y", "1. März 2026", date(2026, 3, 1)),
        ("%b %d, %Y", "Sept 5, 2026", date(2026, 9, 5)),
        ("%a, %b %d, %Y", "Mon, Jan 5, 2026", date(2026, 1, 5)),
        ("%d/%m/%y", "31/12/69", date(2069, 12, 31)),
        ("%d/%m/%y", "31/12/70", date(1970, 12, 31)),
        ("%d/%m/%Y", "30/02/2026", None),
        ("%d/%m/%Y", "01/13/2026", None),
        ("%d/%m/%Y", "0/1/2026", None),
        ("%d %b %Y", "1 Foo 2026", None),
        ("%d/%m/%Y", "1/2/2026 of course", None),
        ("%d/%m/%Y", "1/2/2026 10:00" + " " * 99, None),
    ],
)
def test_a_format_reads_its_dates_and_nothing_else(text, cell, expected):
    assert compile_date_format(text).parse(cell) == expected


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["05/03/2026"], ["%d/%m/%Y", "%m/%d/%Y"]),
        (["05/03/2026", "13/03/2026"], ["%d/%m/%Y"]),
        (["05/03/2026", "05/13/2026"], ["%m/%d/%Y"]),
        (["2026-03-05"], ["%Y-%m-%d"]),
        (["260131", "260201"], ["%y%m%d"]),
        (["31012026"], ["%d%m%Y"]),
        (["no date"], []),
        ([], []),
    ],
)
def test_every_format_that_fits_all_dates_is_named(cells, formats):
    assert [one.text for one in fitting_formats(cells)] == formats


@pytest.mark.parametrize("text", ["", "%d/%m", "%d %m %Y %Q", "%d %d %m %Y", "month first"])
def test_a_format_without_day_month_and_year_is_refused(text):
    with pytest.raises(DateFormatError):
        compile_date_format(text)


def test_numbers_are_no_dates_unless_they_are_of_our_time():
    assert looks_like_date("20260131")
    assert not looks_like_date("12345678")
    assert not looks_like_date("18990101")
    assert not looks_like_date("12.50")
    assert not looks_like_date("x" * 10_000)
