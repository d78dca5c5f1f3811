from datetime import date

import pytest
from werkzeug.datastructures import MultiDict

from app.kernel import limits
from app.kernel.errors import Invalid
from app.web.journal_form import (
    JournalInput,
    LineInput,
    focused_line,
    read_input,
    take_step,
    to_draft,
    totals_of,
)

CURRENCIES = {"cash": "USD", "rent": "USD", "yen": "JPY"}
TWO = (LineInput("rent", "", "1,234.50"), LineInput("cash", "Transfer", "", "1234.5"))


def typed(*lines: LineInput, **changes: str) -> JournalInput:
    values = {"date": "2026-03-31", "description": "Rent", **changes}
    return JournalInput(**values, lines=lines or TWO)


def test_the_form_is_read_line_by_line_even_when_columns_are_short():
    form = MultiDict([("account", "a"), ("account", "b"), ("debit", " 5 "), ("memo", "m")])
    assert read_input(form).lines == (LineInput("a", "m", "5", ""), LineInput("b"))


def test_a_draft_takes_debits_as_positive_and_leaves_blank_lines_out():
    draft = to_draft(typed(*TWO, LineInput(), counterparty="Landlord"), CURRENCIES)
    assert (draft.date, draft.currency) == (date(2026, 3, 31), "USD")
    assert [line.amount_minor for line in draft.lines] == [123_450, -123_450]
    assert [line.counterparty for line in draft.lines] == ["Landlord", "Landlord"]
    assert [line.description for line in draft.lines] == ["", "Transfer"]


def test_every_wrong_field_is_named_at_once():
    wrong = typed(LineInput("", "", "5"), LineInput("cash", "", "", "x"), date="", description="")
    with pytest.raises(Invalid) as caught:
        to_draft(wrong, CURRENCIES)
    assert sorted(caught.value.fields) == ["account-1", "credit-2", "date", "description"]


def test_sums_take_the_currency_of_the_first_account_and_skip_what_cannot_be_read():
    sums = totals_of(typed(LineInput("yen", "", "500"), LineInput("", "", "x", "1.5")), CURRENCIES)
    assert (sums.currency, sums.debit_minor, sums.credit_minor) == ("JPY", 500, 0)
    assert sums.difference_minor == 500
    assert totals_of(typed(LineInput()), CURRENCIES).currency == "USD"


@pytest.mark.parametrize(
    ("step", "lines_count", "focused"),
    [
        ("add", 3, 3),
        ("remove-1", 2, 1),
        ("remove-3", 2, 2),
        ("remove-0", 2, 1),
        ("remove-x", 2, None),
        ("sum", 2, None),
        ("remove-²", 2, None),
    ],
)
def test_a_step_keeps_at_least_two_lines_and_says_where_to_go_on(step, lines_count, focused):
    after = take_step(typed(), step)
    assert len(after.lines) == lines_count
    assert focused_line(after, step) == focused


def test_no_line_is_added_over_the_limit():
    full = typed(*[LineInput()] * limits.JOURNAL_LINES_MAX)
    assert len(take_step(full, "add").lines) == limits.JOURNAL_LINES_MAX
