"""What the banks tell: believable, the same every time, and in balance."""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from pathlib import Path

import pytest

from sandbox import banking, entries, items
from sandbox.banking import Opening
from sandbox.banks import INSTITUTIONS, PUGET_HARBOR, SUMMIT_CARD, USER_GOOD
from sandbox.store import Store
from sandbox.story import northgate
from sandbox.story.company import company_month, paydays
from sandbox.story.draws import bank_holidays, is_business_day, months_between
from sandbox.story.events import Kind, posted_minor
from tests.plaid_sandbox import TODAY
from tests.sandbox_support import (
    CASCADE,
    FOUNDRY,
    NOORDERLICHT,
    PUGET,
    SUMMIT,
    apply_pages,
    connect,
    read_stream,
)

DEMO = Path(__file__).parents[2] / "demo" / "bank"
MONTHS = months_between(dt.date(2024, 1, 1), dt.date(2027, 12, 1))
TOLD = {
    (bank.institution_id, plan.key): [
        event
        for month in MONTHS
        for event in bank.story(USER_GOOD, month).get(plan.key, ())
        if event.day > plan.balance_day
    ]
    for bank in INSTITUTIONS.values()
    for plan in bank.accounts
}


def truth(sandbox, made):
    return sandbox.control("GET", f"/items/{made.item_id}/transactions")


def test_the_holidays_are_those_of_the_calendar():
    assert bank_holidays(2026) == {
        dt.date(2026, *day)
        for day in (
            (1, 1),
            (1, 19),
            (2, 16),
            (5, 25),
            (6, 19),
            (7, 4),
            (9, 7),
            (10, 12),
            (11, 11),
            (11, 26),
            (12, 25),
        )
    }
    assert dt.date(2027, 7, 5) in bank_holidays(2027)  # a Sunday's holiday is kept on Monday


def test_wages_are_paid_every_other_friday_without_a_gap():
    days = [day for month in MONTHS for day in paydays(month)]
    assert {(b - a).days for a, b in itertools.pairwise(days)} == {14}
    assert {day.weekday() for day in days} == {4}


@pytest.mark.parametrize("place", TOLD, ids=str)
def test_events_have_keys_of_their_own_and_lives_in_order(place):
    events = TOLD[place]
    assert len({event.key for event in events}) == len(events)
    for event in events:
        assert event.amount_minor != 0, event
        assert is_business_day(event.day), event
        assert event.pending_from is None or event.pending_from <= event.day, event
        assert event.corrected_on is None or event.corrected_on > event.day, event
        assert event.removed_on is None or event.removed_on >= event.day, event


@pytest.mark.parametrize("place", TOLD, ids=str)
def test_balances_stay_believable_for_years(place):
    institution_id, key = place
    plan = INSTITUTIONS[institution_id].account(key)
    end = MONTHS[-1]
    balance_minor = plan.balance_minor
    for event in sorted(TOLD[place], key=lambda event: event.day):
        balance_minor += posted_minor(event, end)
        if plan.is_owed:
            assert -plan.limit_minor < balance_minor < 0, event
        else:
            assert balance_minor > 0, event


def test_a_month_is_told_the_same_way_again():
    told = INSTITUTIONS[FOUNDRY].story(USER_GOOD, MONTHS[5])
    company_month.cache_clear()
    assert INSTITUTIONS[FOUNDRY].story(USER_GOOD, MONTHS[5]) == told


def test_money_between_a_company_s_accounts_leaves_one_and_reaches_the_other():
    for month in MONTHS:
        told = INSTITUTIONS[FOUNDRY].story(USER_GOOD, month)
        out = [e for e in told["operating"] if e.kind in {Kind.TRANSFER, Kind.CARD_PAYMENT}]
        into = {
            (e.key, e.amount_minor)
            for key in ("savings", "sweep", "card")
            for e in told[key]
            if e.kind in {Kind.TRANSFER, Kind.CARD_PAYMENT}
        }
        assert {(e.key, -e.amount_minor) for e in out} == into


def test_the_demo_company_pays_its_card_what_the_card_was_used_for():
    for month in MONTHS[:-1]:
        card = northgate.card_month(month)
        bought_minor = sum(e.amount_minor for e in card if e.kind is Kind.CARD and not e.removed_on)
        following = northgate.checking_month(months_between(month, month + dt.timedelta(40))[1])
        (payment,) = (e for e in following if northgate.CARD_ISSUER in e.description)
        assert bought_minor == payment.amount_minor


def test_what_the_demo_company_sends_to_its_reserve_arrives_there():
    told = TOLD[PUGET, "operating"], TOLD[CASCADE, "savings"]
    sent = [e for e in told[0] if northgate.SAVINGS_BANK in e.description]
    arrived = [e for e in told[1] if "PUGET HARBOR" in e.description]
    assert len(sent) > 10
    assert [-e.amount_minor for e in sent] == [e.amount_minor for e in arrived]
    assert all(0 < (b.day - a.day).days <= 4 for a, b in zip(sent, arrived, strict=True))


def test_the_demo_company_is_wired_what_a_month_lacks():
    for month in MONTHS:
        last = northgate.checking_month(month)[-1]
        assert last.kind is not Kind.WIRE or last.amount_minor > 0


def test_the_demo_company_s_checks_have_numbers_of_their_own():
    numbers = [e.check_number for e in TOLD[PUGET, "operating"] if e.check_number]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("month", ["2026-08", "2026-09", "2026-10"])
def test_the_demo_s_statements_are_what_its_bank_tells(sandbox, month):
    made = connect(sandbox, PUGET, days=200)
    told = sorted(
        (row["date"], f"{row['amount_minor'] / 100:.2f}", row["description"])
        for row in truth(sandbox, made)["transactions"]
        if row["date"].startswith(month) and not row["is_pending"]
    )
    with (DEMO / f"operating-{month}.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    printed = sorted(("{2}-{0}-{1}".format(*row[1].split("/")), row[3], row[2]) for row in rows)
    assert told == printed


def test_the_demo_s_balances_are_what_its_banks_tell(sandbox):
    for institution_id, ending_minor in ((PUGET, 54_148_15), (CASCADE, 152_587_35)):
        made = connect(sandbox, institution_id)
        shown = truth(sandbox, made)
        since_minor = sum(
            row["amount_minor"]
            for row in shown["transactions"]
            if row["date"] > "2026-10-31" and not row["is_pending"]
        )
        assert shown["accounts"][0]["current_minor"] == ending_minor + since_minor


def test_balances_before_the_demo_are_reckoned_back_and_lead_up_to_it(tmp_path):
    store = Store(tmp_path / "sandbox.sqlite3")
    with store.writing() as db:
        opening = Opening("plaid", PUGET_HARBOR, USER_GOOD, frozenset({"operating"}), "", 60)
        day = dt.date(2026, 6, 15)
        item = banking.open_item(db, opening, now=0.0, today=day, bulk_rows=0)
        item = banking.advance_stage(db, banking.advance_stage(db, item))

        def balance_minor():
            (account,) = items.accounts_of(db, item)
            return account.current_minor

        def posted_since_minor():
            (account,) = items.accounts_of(db, item)
            living = entries.living(db, item, [account.account_id])
            return sum(entry.amount_minor for entry in living if not entry.is_pending)

        opening_minor = balance_minor() - posted_since_minor()
        for day, expected_minor in (
            (dt.date(2026, 7, 31), 86_412_07),
            (dt.date(2026, 8, 31), 74_818_38),
        ):
            item = banking.roll_to(db, item, day)
            assert balance_minor() == expected_minor
            assert balance_minor() - posted_since_minor() == opening_minor
    store.close()


@pytest.mark.parametrize("institution_id", [PUGET, CASCADE, SUMMIT, FOUNDRY, NOORDERLICHT])
def test_balances_move_with_the_posted_transactions(sandbox, institution_id):
    made = connect(sandbox, institution_id)

    def openings_minor():
        shown = truth(sandbox, made)
        posted_minor = {account["account_id"]: 0 for account in shown["accounts"]}
        for row in shown["transactions"]:
            posted_minor[row["account_id"]] += 0 if row["is_pending"] else row["amount_minor"]
        return {
            account["key"]: account["current_minor"] - posted_minor[account["account_id"]]
            for account in shown["accounts"]
        }

    at_first = openings_minor()
    for days in (1, 2, 5, 11, 30):
        sandbox.control("POST", f"/items/{made.item_id}/advance", days=days)
        assert openings_minor() == at_first


def test_two_months_hold_every_kind_of_change(sandbox):
    made = connect(sandbox, FOUNDRY)
    pages = read_stream(sandbox, made.access_token)
    seen = apply_pages(pages)
    fates = set()
    for _ in range(70):
        sandbox.control("POST", f"/items/{made.item_id}/advance", days=1)
        pages = read_stream(sandbox, made.access_token, cursor=pages[-1]["next_cursor"])
        removed = {row["transaction_id"] for page in pages for row in page["removed"]}
        added = [row for page in pages for row in page["added"]]
        for row in added:
            before = seen.get(row["pending_transaction_id"])
            if before is not None:
                assert before["transaction_id"] in removed
                fates.add("same amount" if before["amount"] == row["amount"] else "tip")
        for transaction_id in removed:
            if not seen[transaction_id]["pending"]:
                fates.add("posted, then removed")
            elif transaction_id not in {row["pending_transaction_id"] for row in added}:
                fates.add("pending, then nameless or never")
        fates |= {"modified" for page in pages if page["modified"]}
        seen = apply_pages(pages, seen)
    assert fates == {
        "same amount",
        "tip",
        "posted, then removed",
        "pending, then nameless or never",
        "modified",
    }


def test_the_same_login_shows_the_same_rows_under_new_identifiers(sandbox):
    one, other = (truth(sandbox, connect(sandbox, FOUNDRY)) for _ in range(2))

    def rows(shown):
        keys = {account["account_id"]: account["key"] for account in shown["accounts"]}
        return [
            (keys[row["account_id"]], row["date"], row["amount_minor"], row["description"])
            for row in shown["transactions"]
        ]

    assert sorted(rows(one)) == sorted(rows(other))
    identifiers = [{row["transaction_id"] for row in s["transactions"]} for s in (one, other)]
    assert not identifiers[0] & identifiers[1]


@pytest.mark.parametrize("days", [1, 30, 730])
def test_history_begins_where_it_was_asked_to(sandbox, days):
    made = connect(sandbox, FOUNDRY, days=days)
    first = TODAY - dt.timedelta(days=days)
    dates = [row["date"] for row in truth(sandbox, made)["transactions"]]
    assert str(first) <= min(dates) <= str(first + dt.timedelta(days=7))
    assert max(dates) <= str(TODAY)


def test_plaid_s_signs(sandbox):
    made = connect(sandbox, FOUNDRY)
    accounts = {
        account["account_id"]: account
        for account in sandbox.call("/accounts/get", access_token=made.access_token)["accounts"]
    }
    for row in read_stream(sandbox, made.access_token)[0]["added"]:
        if "VENDOR PAY" in row["name"] or "THANK YOU" in row["name"]:
            assert row["amount"] < 0  # money comes in
        if row["check_number"]:
            assert row["amount"] > 0  # money goes out
        assert row["account_id"] in accounts
    card = next(a for a in accounts.values() if a["subtype"] == "credit card")
    assert card["balances"]["current"] > 0
    assert card["balances"]["available"] < card["balances"]["limit"]


def test_the_card_bank_has_nothing_but_a_card():
    assert [plan.kind.value for plan in SUMMIT_CARD.accounts] == ["card"]
