from __future__ import annotations

from decimal import Decimal

import pytest

from app.statements.amounts import decimal_votes, decimals_count, looks_like_amount, parse_amount


@pytest.mark.parametrize(
    ("text", "decimal_sign", "expected"),
    [
        ("1,234.56", ".", "1234.56"),
        ("1.234,56-", ",", "-1234.56"),
        ("1.234.567,89", ",", "1234567.89"),
        ("(12.50)", ".", "-12.50"),
        ("$(5.00)", ".", "-5.00"),
        ("($5.00)", ".", "-5.00"),
        ("-$5.00", ".", "-5.00"),
        ("- 5.00", ".", "-5.00"),
        ("\u221212.5", ".", "-12.5"),
        ("EUR 1'000.00", ".", "1000.00"),
        ("1\u2019000.00 CHF", ".", "1000.00"),
        ("1 234,56", ",", "1234.56"),
        ("1\u00a0234,56 Kč", ",", "1234.56"),
        ("1\u202f234,56 €", ",", "1234.56"),
        ("1,23,456.78", ".", "123456.78"),
        ("US$5.00", ".", "5.00"),
        ("R$ 1.234,56", ",", "1234.56"),
        ('="12.50"', ".", "12.50"),
        ("'12.50", ".", "12.50"),
        ("+5257,28", ",", "5257.28"),
        (".50", ".", "0.50"),
        ("007", ".", "7"),
        ("173,900", ".", "173900"),
        ("173,900", ",", "173.900"),
        ("12.", ".", None),
        ("12,34,56", ".", None),
        ("1,2345.00", ".", None),
        ("1 2,50", ",", None),
        ("1,234.56", ",", None),
        ("--5", ".", None),
        ("-(5)", ".", None),
        ("1e5", ".", None),
        ("NaN", ".", None),
        ("٣", ".", None),
        ("abc", ".", None),
        ("USD", ".", None),
        ("", ".", None),
        ("-", ".", None),
        ("1" * 60, ".", None),
    ],
)
def test_an_amount_is_read_exactly_or_not_at_all(text, decimal_sign, expected):
    amount = parse_amount(text, decimal_sign)
    assert (None if amount is None else amount.value) == (expected and Decimal(expected))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.50 CR", "12.50"),
        ("12.50DR", "-12.50"),
        ("CR 12.50", "12.50"),
        ("12.50 Dr.", "-12.50"),
        ("12.50 H", "12.50"),
        ("12.50 S", "-12.50"),
    ],
)
def test_a_marked_amount_is_signed_by_its_mark(text, expected):
    amount = parse_amount(text, ".")
    assert amount is not None
    assert amount.marked
    assert amount.value == Decimal(expected)


def test_a_minus_and_a_mark_together_are_not_guessed_at():
    assert parse_amount("-12.50 DR", ".") is None


@pytest.mark.parametrize(
    ("cell", "votes"),
    [
        ("1.50", (1, 0, 0)),
        ("1,50", (0, 1, 0)),
        ("1.234,50", (0, 1, 0)),
        ("1,234.50", (1, 0, 0)),
        ("1.234.567", (0, 1, 0)),
        ("1,234", (0, 0, 1)),
        ("0,234", (0, 1, 0)),
        ("1234,500", (0, 1, 0)),
        ("$1,234.5", (1, 0, 0)),
        ("12", (0, 0, 0)),
        ("n/a, or so", (0, 0, 0)),
    ],
)
def test_a_cell_votes_for_the_decimal_sign_it_needs(cell, votes):
    found = decimal_votes([cell])
    assert (found.point, found.comma, found.either) == votes


def test_zeros_at_the_end_are_no_decimals():
    assert decimals_count(Decimal("12.3400")) == 2
    assert decimals_count(Decimal(100)) == 0
    assert decimals_count(Decimal("0.001")) == 3


def test_words_are_no_amounts():
    assert not looks_like_amount("Card 12")
