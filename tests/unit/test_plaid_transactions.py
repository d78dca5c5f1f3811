"""Pages of transactions: signs, exact amounts, calendar dates, and what cannot be kept."""

from __future__ import annotations

import json
from datetime import date

import pytest

from app.aggregators.contract import AggregatorError, History
from app.aggregators.plaid.reading import parse
from app.aggregators.plaid.transactions import sync_page
from tests.plaid_answers import row, sync


def page(**changes):
    """Read it as from the wire, where figures are text."""
    return sync_page(parse(json.dumps(sync(**changes)).encode()))


def only(**changes):
    read = page(added=[row(**changes)])
    assert read.unreadable == ()
    return read.upserts[0]


def refusal(**changes):
    read = page(added=[row(**changes)])
    assert read.upserts == ()
    return read.unreadable[0]


def test_money_out_is_negative_and_money_in_positive():
    assert only(amount=12.34).amount_minor == -1_234
    assert only(amount=-12.34).amount_minor == 1_234
    assert only(amount=0).amount_minor == 0


def test_a_transaction_is_read():
    read = only()
    assert (read.external_id, read.account_external_id) == ("transaction-1", "account-1")
    assert (read.pending, read.currency) == (False, "USD")
    assert (read.posted_date, read.value_date) == (date(2026, 10, 31), date(2026, 10, 30))
    assert read.description == "OFFICE DEPOT #1170 PURCHASE"
    assert read.counterparty == "Office Depot"
    assert (read.reference, read.pending_external_id) == ("", "")


def test_the_posted_one_names_the_pending_one_it_replaces():
    assert only(pending_transaction_id="pending-1").pending_external_id == "pending-1"
    assert only(pending=True).pending


def test_a_date_is_never_moved_by_a_time_zone():
    assert only(datetime="2026-11-01T07:59:59Z").posted_date == date(2026, 10, 31)


def test_a_currency_has_its_own_decimals():
    assert only(iso_currency_code="JPY", amount=1500).amount_minor == -1_500
    assert only(iso_currency_code="KWD", amount=1.234).amount_minor == -1_234


def test_a_figure_that_a_float_would_spoil_is_exact():
    assert 4.35 * 100 != 435
    assert only(amount=4.35).amount_minor == -435
    assert only(amount=-9999999999999.99).amount_minor == 999_999_999_999_999


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount": 12.345}, "more than the 2 decimals"),
        ({"amount": 1.5, "iso_currency_code": "JPY"}, "more than the 0 decimals"),
        ({"amount": None}, "no amount"),
        ({"amount": "12.34"}, "no amount"),
        ({"amount": 1e300}, "larger"),
        ({"iso_currency_code": None, "unofficial_currency_code": "DOGE"}, "ISO 4217"),
        ({"iso_currency_code": "US"}, "ISO 4217"),
        ({"date": None}, "date"),
        ({"date": "31/10/2026"}, "date"),
        ({"date": "0026-10-31"}, "date"),
        ({"transaction_id": ""}, "id"),
        ({"transaction_id": "x" * 201}, "id"),
        ({"account_id": None}, "id"),
    ],
)
def test_a_row_that_cannot_be_kept_is_counted_with_its_reason(changes, reason):
    assert reason in refusal(**changes).reason


def test_one_bad_row_does_not_keep_the_others_away():
    read = page(added=[row(transaction_id="a"), row(transaction_id="b", amount=None)])
    assert [kept.external_id for kept in read.upserts] == ["a"]
    assert [lost.external_id for lost in read.unreadable] == ["b"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"original_description": None}, "OFFICE DEPOT"),
        ({"original_description": "", "name": None}, ""),
        ({"original_description": "x" * 5_000}, "x" * 4_000),
    ],
)
def test_the_description_is_the_banks_own_where_there_is_one(changes, expected):
    assert only(**changes).description == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Office Depot"),
        ({"merchant_name": None, "counterparties": [{"name": None}, {"name": "Acme"}]}, "Acme"),
        ({"merchant_name": None, "payment_meta": {"payee": "Landlord"}}, "Landlord"),
        ({"merchant_name": None, "payment_meta": {"payer": "Customer"}}, "Customer"),
        ({"merchant_name": None, "payment_meta": None}, ""),
    ],
)
def test_the_counterparty_is_whoever_is_named(changes, expected):
    assert only(**changes).counterparty == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"payment_meta": {"reference_number": "REF 7"}, "check_number": "1001"}, "REF 7"),
        ({"check_number": "1001", "transaction_code": "cheque"}, "1001"),
        ({"transaction_code": "direct debit"}, "direct debit"),
        ({}, ""),
    ],
)
def test_the_reference_is_the_most_particular_one(changes, expected):
    assert only(**changes).reference == expected


def test_changed_rows_are_kept_like_new_ones_and_win_over_them():
    read = page(added=[row(amount=1)], modified=[row(amount=2), row(transaction_id="b")])
    assert {kept.external_id: kept.amount_minor for kept in read.upserts} == {
        "transaction-1": -200,
        "b": -1_234,
    }


def test_removed_rows_name_account_and_transaction():
    gone = [
        {"transaction_id": "t", "account_id": "a"},
        {"transaction_id": "u"},
        {"account_id": "a"},
    ]
    assert page(removed=gone).removed == (("a", "t"), ("", "u"))


@pytest.mark.parametrize(
    ("status", "cursor", "expected"),
    [
        ("NOT_READY", "", History.NOT_READY),
        ("INITIAL_UPDATE_COMPLETE", "c", History.RECENT),
        ("HISTORICAL_UPDATE_COMPLETE", "c", History.COMPLETE),
        ("TRANSACTIONS_UPDATE_STATUS_UNKNOWN", "c", History.RECENT),
        ("TRANSACTIONS_UPDATE_STATUS_UNKNOWN", "", History.NOT_READY),
        (None, "c", History.RECENT),
        ("SOMETHING_NEW", "", History.NOT_READY),
    ],
)
def test_how_much_of_the_past_there_is(status, cursor, expected):
    assert page(transactions_update_status=status, next_cursor=cursor).history is expected


def test_data_that_are_not_ready_leave_the_cursor_empty():
    read = page(next_cursor="", transactions_update_status="NOT_READY")
    assert (read.cursor, read.has_more) == ("", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"added": None},
        {"modified": {}},
        {"removed": "none"},
        {"next_cursor": None},
        {"next_cursor": "c" * 4_001},
        {"has_more": "no"},
        {"has_more": None},
        {"has_more": True, "next_cursor": ""},
    ],
)
def test_a_page_that_cannot_move_the_cursor_safely_does_not_count(changes):
    with pytest.raises(AggregatorError, match="ANSWER_WITHOUT"):
        page(**changes)


def test_the_longest_cursor_is_kept():
    assert len(page(next_cursor="c" * 4_000).cursor) == 4_000


def test_the_accounts_come_along():
    assert [account.external_id for account in page().accounts] == ["account-1"]
    assert page(accounts=None).accounts == ()
