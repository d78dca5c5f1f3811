"""The demo's files are what their generator writes, and they add up."""

from __future__ import annotations

import csv
import json
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest

from demo.generate import FOLDER, generated_files, write_files

MONTHS = ("2026-08", "2026-09", "2026-10")
DEBIT_CODES = range(400, 700)


def load_json(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def ledger_rows(*months):
    rows = []
    for month in months:
        with (FOLDER / f"ledger/{month}.csv").open(encoding="utf-8", newline="") as source:
            rows += csv.DictReader(source)
    return rows


def checking_rows(month):
    """Return (date, amount, description, balance), oldest first."""
    with (FOLDER / f"bank/operating-{month}.csv").open(encoding="utf-8", newline="") as source:
        _header, *rows = csv.reader(source)
    found = []
    for _details, day, description, amount, _kind, balance, _slip, tail in reversed(rows):
        assert not tail
        month_day, year = day.rsplit("/", 1)
        iso = f"{year}-{month_day.replace('/', '-')}"
        found.append((iso, Decimal(amount), description, Decimal(balance)))
    return found


def bai2_records(month):
    text = (FOLDER / f"bank/reserve-{month}.bai").read_text(encoding="ascii")
    return [line.removesuffix("/").split(",") for line in text.splitlines()]


def savings_rows(month):
    """Return (date, amount, description, balance at the end of that day)."""
    found, day, closing = [], "", Decimal(0)
    for record in bai2_records(month):
        if record[0] == "02":
            day = f"20{record[4][:2]}-{record[4][2:4]}-{record[4][4:]}"
        elif record[0] == "03":
            closing = Decimal(record[record.index("015") + 1]) / 100
        elif record[0] == "16":
            sign = -1 if int(record[1]) in DEBIT_CODES else 1
            found.append((day, sign * Decimal(record[2]) / 100, ",".join(record[6:]), closing))
    return found


def bank_rows(number, month):
    return checking_rows(month) if number == "1000" else savings_rows(month)


def account_answers():
    return [
        pytest.param(month, account, id=f"{month}-{account['gl_account_number']}")
        for month in MONTHS
        for account in load_json(f"answers-{month}.json")["accounts"]
    ]


def test_the_generator_writes_the_committed_files_byte_for_byte(tmp_path):
    write_files(tmp_path)
    written = {path: (tmp_path / path).read_bytes() for path in generated_files()}
    committed = {path: (FOLDER / path).read_bytes() for path in written}
    assert written == committed


def test_no_data_file_stands_beside_the_generated_ones():
    kinds = {".csv", ".bai", ".json"}
    present = {
        path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.suffix in kinds
    }
    assert present == set(generated_files())


@pytest.mark.parametrize("number", ["1000", "1010"])
def test_statement_balances_follow_from_the_opening_balance_and_the_lines(number):
    company = load_json("company.json")
    account = next(
        account
        for account in company["ledger_bank_accounts"]
        if account["gl_account_number"] == number
    )
    balance = Decimal(account["opening_balance"])
    for statement in account["statements"]:
        rows = bank_rows(number, statement["month"])
        assert len(rows) == statement["lines"]
        assert balance + sum(row[1] for row in rows) == Decimal(statement["ending_balance"])
        balance = Decimal(statement["ending_balance"])
        assert rows[-1][3] == balance


@pytest.mark.parametrize("month", MONTHS)
def test_the_running_balance_of_the_checking_account_holds_on_every_row(month):
    rows = checking_rows(month)
    for before, row in pairwise(rows):
        assert before[3] + row[1] == row[3]
        assert row[3] > 0
        assert before[0] <= row[0]


@pytest.mark.parametrize("month", MONTHS)
def test_a_month_of_the_checking_account_has_80_to_110_lines_of_that_month(month):
    rows = checking_rows(month)
    assert 80 <= len(rows) <= 110
    assert {row[0][:7] for row in rows} == {month}


@pytest.mark.parametrize("month", MONTHS)
def test_bank_descriptions_hold_no_runs_of_blanks(month):
    for number in ("1000", "1010"):
        for row in bank_rows(number, month):
            assert row[2] == " ".join(row[2].split())


def test_every_journal_sums_to_zero_and_lines_are_unique():
    rows = ledger_rows(*MONTHS)
    sums = Counter()
    for row in rows:
        sums[row["journal"]] += Decimal(row["amount"])
    assert not [journal for journal, total in sums.items() if total]
    assert len({row["external_id"] for row in rows}) == len(rows)


def test_every_ledger_line_names_an_account_of_the_chart():
    numbers = {account["number"] for account in load_json("company.json")["gl_accounts"]}
    assert {row["account_number"] for row in ledger_rows(*MONTHS)} <= numbers


@pytest.mark.parametrize("month", MONTHS)
def test_bai2_control_totals_and_record_counts_hold_at_all_three_levels(month):
    account_total = group_total = file_total = 0
    account_records = group_records = groups = accounts = 0
    records = bai2_records(month)
    for record in records:
        code, fields = record[0], record[1:]
        account_records += 1
        group_records += 1
        if code == "02":
            group_total, group_records, accounts, groups = 0, 1, 0, groups + 1
        elif code == "03":
            account_total, account_records, accounts = summary_total(fields[2:]), 1, accounts + 1
        elif code == "88":
            account_total += summary_total(fields)
        elif code == "16":
            account_total += int(fields[1])
        elif code == "49":
            assert fields == [str(account_total), str(account_records)]
            group_total += account_total
        elif code == "98":
            assert fields == [str(group_total), str(accounts), str(group_records)]
            file_total += group_total
    assert records[-1] == ["99", str(file_total), str(groups), str(len(records))]


def summary_total(fields):
    """Return the sum of amounts in (type, amount, count, funds type) fields."""
    return sum(int(amount) for amount in fields[1::4] if amount)


@pytest.mark.parametrize("month", MONTHS)
def test_bai2_balances_of_each_day_follow_from_its_lines(month):
    opening = closing = None
    moved = 0
    for record in bai2_records(month):
        if record[0] == "03":
            opening, closing = int(record[4]), int(record[8])
            moved = 0
        elif record[0] == "16":
            moved += int(record[2]) * (-1 if int(record[1]) in DEBIT_CODES else 1)
        elif record[0] == "49":
            assert opening + moved == closing


@pytest.mark.parametrize(("month", "account"), account_answers())
def test_answers_name_every_bank_line_exactly_once(month, account):
    rows = bank_rows(account["gl_account_number"], month)
    named = Counter()
    for match in account["matches"]:
        for key in match["bank"]:
            twin = (key["date"], Decimal(key["amount"]), key["description"])
            named[(*twin, key["occurrence"])] += 1
    seen, expected = Counter(), Counter()
    for day, amount, description, _balance in rows:
        seen[day, amount, description] += 1
        expected[day, amount, description, seen[day, amount, description]] += 1
    assert named == expected


@pytest.mark.parametrize(("month", "account"), account_answers())
def test_each_answer_adds_up_with_entries_dated_by_the_end_of_the_month(month, account):
    ledger = {row["external_id"]: row for row in ledger_rows(*MONTHS)}
    chart = {row["number"] for row in load_json("company.json")["gl_accounts"]}
    for match in account["matches"]:
        entries = [ledger[external_id] for external_id in match["ledger"]]
        assert {row["account_number"] for row in entries} <= {account["gl_account_number"]}
        assert all(row["date"] <= account["ending_date"] for row in entries)
        bank_total = sum(Decimal(key["amount"]) for key in match["bank"])
        ledger_total = sum(Decimal(row["amount"]) for row in entries)
        adjustment = match["adjustment"] or {"amount": "0"}
        assert bank_total == ledger_total + Decimal(adjustment["amount"])
        if match["adjustment"]:
            assert Decimal(adjustment["amount"])
            assert adjustment["account_number"] in chart
            assert adjustment["memo"]
        else:
            assert entries


def test_no_ledger_line_is_used_twice_and_the_rest_is_outstanding():
    rows = ledger_rows(*MONTHS)
    used = Counter()
    for month in MONTHS:
        for account in load_json(f"answers-{month}.json")["accounts"]:
            used.update(
                identifier for match in account["matches"] for identifier in match["ledger"]
            )
            expected = {
                row["external_id"]
                for row in rows
                if row["account_number"] == account["gl_account_number"]
                and row["date"] <= account["ending_date"]
                and row["external_id"] not in used
            }
            assert set(account["outstanding"]) == expected
    assert set(used.values()) == {1}


@pytest.mark.parametrize("number", ["1000", "1010"])
def test_adjusted_bank_and_book_balances_agree_every_month(number):
    company = load_json("company.json")
    opening = next(
        Decimal(account["opening_balance"])
        for account in company["ledger_bank_accounts"]
        if account["gl_account_number"] == number
    )
    rows = [row for row in ledger_rows(*MONTHS) if row["account_number"] == number]
    adjustments = Decimal(0)
    for month in MONTHS:
        accounts = load_json(f"answers-{month}.json")["accounts"]
        account = next(one for one in accounts if one["gl_account_number"] == number)
        adjustments += sum(
            Decimal(match["adjustment"]["amount"])
            for match in account["matches"]
            if match["adjustment"]
        )
        books = sum(Decimal(row["amount"]) for row in rows if row["date"] <= account["ending_date"])
        assert opening + books + adjustments == Decimal(account["adjusted_balance"])
        outstanding = sum(
            Decimal(row["amount"]) for row in rows if row["external_id"] in account["outstanding"]
        )
        ending = Decimal(account["ending_balance"])
        assert ending + outstanding == Decimal(account["adjusted_balance"])


def test_a_ledger_file_holds_its_own_month_and_the_first_also_what_july_left():
    for month in MONTHS:
        months = {row["date"][:7] for row in ledger_rows(month)}
        assert months == ({"2026-07", month} if month == MONTHS[0] else {month})


def test_october_leaves_work_of_every_kind():
    account = load_json("answers-2026-10.json")["accounts"][0]
    habits = Counter(match["habit"] for match in account["matches"])
    for habit in (
        "batch deposit",
        "payout less fees",
        "one payment, several bills",
        "one entry, two payments",
        "twins on one day",
        "not in the books",
        "wrong amount in the books",
        "foreign card purchase",
        "wire less a bank's charge",
        "cheque, number misread",
    ):
        assert habits[habit], habit
    assert 8 <= len(account["outstanding"]) <= 20


def test_the_readme_names_every_generated_folder_and_file():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in ("company.json", "bank/operating-", "bank/reserve-", "ledger/", "answers-"):
        assert name in readme
