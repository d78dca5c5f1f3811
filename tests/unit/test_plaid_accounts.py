"""Accounts: kinds, signs, currencies."""

from __future__ import annotations

import json

import pytest

from app.aggregators.contract import SourceAccountStatus
from app.aggregators.plaid.accounts import source_accounts
from app.aggregators.plaid.reading import parse
from app.kernel.bank import AccountType
from tests.plaid_answers import account


def read(**changes):
    """Read it as from the wire, where figures are text."""
    (only,) = source_accounts(parse(json.dumps({"accounts": [account(**changes)]}).encode()))
    return only


def test_an_account_is_read():
    read_account = read(persistent_account_id="persistent-1")
    assert read_account.external_id == "account-1"
    assert (read_account.name, read_account.mask) == ("Operating", "0000")
    assert (read_account.type, read_account.subtype) == (AccountType.CHECKING, "checking")
    assert (read_account.currency, read_account.current_minor) == ("USD", 11_050)
    assert read_account.available_minor == 10_000
    assert read_account.persistent_id == "persistent-1"
    assert read_account.status is SourceAccountStatus.ACTIVE


@pytest.mark.parametrize(
    ("kind", "subtype", "expected"),
    [
        ("depository", "checking", AccountType.CHECKING),
        ("depository", "cash management", AccountType.CHECKING),
        ("depository", "savings", AccountType.SAVINGS),
        ("depository", "money market", AccountType.SAVINGS),
        ("depository", "cd", AccountType.SAVINGS),
        ("depository", "prepaid", AccountType.OTHER),
        ("depository", None, AccountType.CHECKING),
        ("credit", "credit card", AccountType.CARD),
        ("credit", None, AccountType.CARD),
        ("loan", "line of credit", AccountType.LINE_OF_CREDIT),
        ("loan", "mortgage", AccountType.OTHER),
        ("investment", "brokerage", AccountType.OTHER),
        ("a kind of tomorrow", "new", AccountType.OTHER),
    ],
)
def test_kinds_of_account_are_ours(kind, subtype, expected):
    assert read(type=kind, subtype=subtype).type is expected


@pytest.mark.parametrize("kind", ["credit", "loan"])
def test_what_is_owed_is_negative(kind):
    assert read(type=kind, balances={"current": 250.25}).current_minor == -25_025


@pytest.mark.parametrize("kind", ["credit", "loan"])
def test_a_card_that_was_paid_too_much_has_money(kind):
    assert read(type=kind, balances={"current": -10}).current_minor == 1_000


def test_what_can_be_spent_on_a_card_stays_positive():
    card = read(type="credit", subtype="credit card", balances={"current": 250, "available": 750})
    assert card.available_minor == 75_000


@pytest.mark.parametrize(
    ("currency", "amount", "minor"),
    [("JPY", 1500, 1_500), ("KWD", 1.234, 1_234), ("USD", 0.01, 1)],
)
def test_a_balance_is_in_the_units_of_its_currency(currency, amount, minor):
    assert read(balances={"iso_currency_code": currency, "current": amount}).current_minor == minor


@pytest.mark.parametrize("amount", [None, 1.005, 1e30, "12.00", True])
def test_a_balance_that_its_currency_cannot_express_is_not_known(amount):
    assert read(balances={"current": amount}).current_minor is None


def test_an_account_in_an_unofficial_currency_is_kept_but_not_supported():
    coins = read(balances={"iso_currency_code": None, "unofficial_currency_code": "DOGE"})
    assert coins.status is SourceAccountStatus.UNSUPPORTED
    assert (coins.currency, coins.current_minor, coins.reason) == ("", None, "CURRENCY_UNSUPPORTED")


def test_what_is_missing_reads_as_empty():
    (bare,) = source_accounts({"accounts": [{"account_id": "a"}]})
    assert (bare.name, bare.mask, bare.subtype, bare.persistent_id) == ("", "", "", "")
    assert bare.status is SourceAccountStatus.UNSUPPORTED


def test_the_official_name_stands_in_for_a_missing_one():
    assert read(name=None).name == "Platypus Business Checking"


def test_an_account_without_a_usable_id_is_left_out():
    accounts = [account(account_id=""), account(account_id=None), account(account_id="x" * 201), 5]
    assert source_accounts({"accounts": accounts}) == ()


def test_what_the_database_cannot_keep_is_cut():
    long = read(mask="1234567890", subtype="s" * 99, name="Nul\0 \ud800 bytes")
    assert (long.mask, len(long.subtype), long.name) == ("34567890", 60, "Nul ? bytes")
