"""MX's accounts and transactions: sign, exactness, dates, and what cannot be kept."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.aggregators.contract import SourceAccountStatus, SourceTransaction, UnreadableRow
from app.aggregators.mx.fields import parse
from app.aggregators.mx.rows import account, mask, transaction
from app.kernel.bank import AccountType

ROW = {
    "guid": "TRN-1",
    "account_guid": "ACT-1",
    "amount": Decimal("61.11"),
    "type": "DEBIT",
    "status": "POSTED",
    "currency_code": "USD",
    "date": "2026-10-05",
    "transacted_at": "2026-10-05T06:00:00Z",
    "posted_at": "2026-10-07T23:30:00Z",
    "description": "Whataburger",
    "original_description": "WHATABURGER #114 PORTLAND OR",
    "check_number_string": None,
}


def turned(**changes):
    return transaction({**ROW, **changes}, {"ACT-1": "USD", "ACT-2": "JPY"})


def test_a_debit_is_money_out_and_a_credit_money_in():
    assert turned().amount_minor == -6111
    assert turned(type="CREDIT").amount_minor == 6111


@given(st.integers(0, 10**14), st.sampled_from(["DEBIT", "CREDIT"]))
def test_amounts_are_exact_to_the_last_digit(minor, kind):
    wire = parse(f'{{"amount": {minor // 100}.{minor % 100:02}}}'.encode())
    row = turned(amount=wire["amount"], type=kind)
    assert row.amount_minor == (minor if kind == "CREDIT" else -minor)


def test_the_day_is_the_banks_whatever_the_hour_behind_it():
    row = turned()
    assert (row.posted_date, row.value_date) == (date(2026, 10, 7), date(2026, 10, 5))
    assert turned(posted_at="2026-10-07T00:30:00+13:00").posted_date == date(2026, 10, 7)


def test_a_pending_row_counts_on_the_day_it_occurred():
    row = turned(status="PENDING", posted_at=None)
    assert row.pending
    assert row.posted_date == date(2026, 10, 5)


def test_the_banks_own_words_are_kept_and_mxs_cleaned_ones_name_the_other_side():
    row = turned(check_number_string="2041")
    assert row.description == "WHATABURGER #114 PORTLAND OR"
    assert (row.counterparty, row.reference) == ("Whataburger", "2041")
    assert turned(original_description=None).counterparty == ""


def test_a_row_without_a_currency_has_that_of_its_account():
    yen = turned(currency_code=None, account_guid="ACT-2", amount=500)
    assert (yen.currency, yen.amount_minor) == ("JPY", -500)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": None},
        {"type": "TRANSFER"},
        {"amount": None},
        {"amount": Decimal("-1.00")},
        {"amount": True},
        {"amount": Decimal("1.005")},
        {"amount": Decimal("1E+400")},
        {"currency_code": None, "account_guid": "ACT-9"},
        {"date": None, "transacted_at": "yesterday", "posted_at": ""},
        {"guid": None},
        {"account_guid": 7},
    ],
)
def test_what_cannot_be_kept_is_told_and_not_guessed(changes):
    row = turned(**changes)
    assert isinstance(row, UnreadableRow)
    assert row.reason.endswith(".")


@given(st.dictionaries(st.sampled_from(sorted(ROW)), st.none() | st.integers() | st.text()))
def test_no_row_however_odd_stops_the_rest(changes):
    assert isinstance(turned(**changes), SourceTransaction | UnreadableRow)


CARD = {
    "guid": "ACT-7",
    "name": "Business card",
    "account_number": "XXXX-XXXX-3391",
    "type": "CREDIT_CARD",
    "subtype": "NONE",
    "currency_code": "USD",
    "balance": Decimal("1872.99"),
    "available_credit": Decimal("327.01"),
    "available_balance": None,
    "is_closed": False,
}


def test_what_is_owed_is_negative_and_what_can_be_spent_is_not():
    found = account(CARD)
    assert (found.current_minor, found.available_minor) == (-187299, 32701)
    assert (found.type, found.mask, found.subtype) == (AccountType.CARD, "3391", "")


def test_an_overpaid_card_is_money_of_ours():
    assert account({**CARD, "balance": Decimal("-10.00")}).current_minor == 1000


def test_an_overdrawn_checking_account_is_negative():
    checking = {**CARD, "type": "CHECKING", "balance": Decimal("-5.5"), "available_balance": 3}
    found = account(checking)
    assert (found.current_minor, found.available_minor) == (-550, 300)
    assert found.type is AccountType.CHECKING


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("SAVINGS", AccountType.SAVINGS),
        ("LINE_OF_CREDIT", AccountType.LINE_OF_CREDIT),
        ("INVESTMENT", AccountType.OTHER),
        ("SOMETHING_NEW", AccountType.OTHER),
        (None, AccountType.OTHER),
    ],
)
def test_account_types_are_ours(kind, expected):
    assert account({**CARD, "type": kind}).type is expected


def test_an_account_without_currency_is_unsupported_and_has_no_balance():
    found = account({**CARD, "currency_code": None})
    assert found.status is SourceAccountStatus.UNSUPPORTED
    assert (found.current_minor, found.reason) == (None, "NO_CURRENCY")


def test_a_closed_account_is_closed():
    assert account({**CARD, "is_closed": True}).status is SourceAccountStatus.CLOSED


def test_a_whole_account_number_is_never_kept():
    assert mask({"account_number": "000123456789"}) == "6789"
    assert mask({"account_number": None}) == ""
