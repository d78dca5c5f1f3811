from __future__ import annotations

import time

import pytest

from app.kernel.limits import EXPRESSION_CHARACTERS_MAX, EXPRESSION_TEXT_CHARACTERS_MAX
from app.reconciliation.expressions import (
    Expression,
    ExpressionInvalid,
    ExpressionTooSlow,
    require_fast,
)


def test_case_does_not_matter_and_any_place_counts():
    found = Expression(r"payroll\s+\d{4}").found_in(
        ["GUSTO PAYROLL  0907", "GUSTO PAYROLL", ""], seconds_max=1
    )
    assert found == [True, False, False]


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(a|a?)+$", r"(\w|\d|[a-z0-9])+!$"])
def test_an_expression_that_explodes_is_refused(pattern):
    with pytest.raises(ExpressionInvalid, match="very long"):
        require_fast(pattern)  # without its bound this would run for hours


@pytest.mark.parametrize(
    "pattern",
    ["PAYROLL", "^ACH (DEBIT|CREDIT) ", r"CHECK\s*#?\d+", r"\bSQ \*", "(?:FEE|CHARGE).{0,20}$"],
)
def test_the_expressions_of_daily_work_are_taken(pattern):
    require_fast(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing \\)"),
        ("[a-", "position"),
        ("*a", "nothing to repeat"),
        ("(?R)", "groups"),
        ("(?P<n>a)", "groups"),
        ("(?:(?:a{99}){99}){99}", "repetitions"),
        ("x" * (EXPRESSION_CHARACTERS_MAX + 1), "characters"),
    ],
)
def test_what_is_no_expression_or_a_costly_one_is_refused_with_the_reason(pattern, reason):
    with pytest.raises(ExpressionInvalid, match=reason):
        Expression(pattern)


def test_the_longest_expression_is_taken():
    Expression("x" * EXPRESSION_CHARACTERS_MAX)


def test_a_run_ends_when_its_time_is_up():
    with pytest.raises(ExpressionTooSlow):
        Expression("(a|aa)+$").found_in(["a" * 200 + "!"] * 5, seconds_max=0.1)


def test_time_that_others_take_does_not_count():
    def slow_to_come():
        for text in ("GUSTO PAYROLL", "RENT"):
            time.sleep(0.2)  # as on a machine that has others to serve
            yield text

    assert Expression("payroll").found_in(slow_to_come(), seconds_max=0.1) == [True, False]


def test_only_the_beginning_of_a_long_text_is_searched():
    text = " " * EXPRESSION_TEXT_CHARACTERS_MAX + "payroll"
    assert Expression("payroll").found_in([text, text[1:], text[7:]], seconds_max=1) == [
        False,
        False,
        True,
    ]
