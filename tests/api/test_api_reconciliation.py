"""/api/reconciliation/v1: every row of its contract."""

from __future__ import annotations

import pytest

from app.kernel.ids import new_id
from tests.api_support import RECONCILIATION, problem_of, program
from tests.books import nothing_changes, run_waiting_jobs, set_up_books


@pytest.fixture
def books(cast):
    return set_up_books(cast.alice)


@pytest.fixture
def caller(app, cast, books):
    return program(app, cast.alice)


@pytest.fixture
def opened(caller, books):
    """Return the address of an October with one sure pair, one odd pair and one bank fee."""
    books.bank(-10000, "CHECK 1043", reference="1043")
    books.gl(-10000, "Rent", reference="1043")
    books.bank(25075, "ORIG CO NAME:GUSTO", day=20)
    books.gl(25000, "Gusto, Inc.", day=19, counterparty="Gusto, Inc.")
    books.bank(-1500, "WIRE FEE", day=21)
    body = {
        "ledger_bank_account_id": books.ledger_bank_account_id,
        "ending_date": "2026-10-31",
        "ending_balance": "135.75",
        "opening_balance": "0.00",
    }
    made = caller.post(f"{RECONCILIATION}/reconciliations/", body)
    assert made.status_code == 201, made.text
    run_waiting_jobs()
    return f"{RECONCILIATION}/reconciliations/{made.get_json()['id']}"


def matches(caller, opened, state):
    return caller.get(f"{opened}/matches/", query_string={"state": state}).get_json()["data"]


def settled(caller, books, opened):
    """Match by calls what is left, and return the open bank lines that there were."""
    for suggestion in matches(caller, opened, "suggested"):
        caller.post(f"{RECONCILIATION}/matches/{suggestion['id']}/reject/")
    taken = {i for one in matches(caller, opened, "matched") for i in one["bank_transaction_ids"]}
    rows = caller.get("/api/financial_connections/v2/transactions/").get_json()["data"]
    left = [row for row in rows if row["id"] not in taken]
    for row in left:
        body = {"bank_transaction_ids": [row["id"]], "contra_account_id": books.fees_id}
        made = caller.post(f"{opened}/adjustments/", body | {"memo": "Found at the bank"})
        assert made.status_code == 201, made.text
        assert made.get_json()["bank_total"] == made.get_json()["gl_total"] == row["amount"]
    return left


def test_a_month_is_opened_matched_certified_reported_and_reopened(caller, books, opened):
    found = caller.get(f"{opened}/").get_json()
    assert (found["status"], found["progress"]["state"]) == ("open", "succeeded")
    assert found["totals"]["ending_balance"] == "135.75"
    not_yet = problem_of(caller.post(f"{opened}/complete/", {}), 409)
    assert not_yet["reasons"]
    assert settled(caller, books, opened)
    balanced = caller.get(f"{opened}/").get_json()
    assert (balanced["difference"], balanced["matched_difference"]) == ("0.00", "0.00")
    certified = caller.post(f"{opened}/complete/", {"remarks": "By the script"})
    assert (certified.status_code, certified.get_json()["status"]) == (200, "certified")
    problem_of(caller.post(f"{opened}/complete/", {}), 409)
    problem_of(caller.post(f"{opened}/match/"), 409)

    report = caller.get(f"{opened}/report/").get_json()
    assert report["adjusted_bank_balance"] == report["adjusted_book_balance"]
    assert report["remarks"] == "By the script"
    pdf = caller.get(f"{opened}/report/", headers={"Accept": "application/pdf"})
    assert (pdf.content_type, pdf.data[:5]) == ("application/pdf", b"%PDF-")
    table = caller.get(f"{opened}/report/", headers={"Accept": "text/csv"})
    assert table.mimetype == "text/csv"
    assert report["adjusted_bank_balance"] in table.text

    problem_of(caller.post(f"{opened}/reopen/", {}), 422)
    again = caller.post(f"{opened}/reopen/", {"reason": "The bank sent another statement."})
    assert (again.status_code, again.get_json()["status"]) == (200, "open")
    listed = caller.get(f"{RECONCILIATION}/reconciliations/").get_json()["data"]
    assert [one["status"] for one in listed] == ["open"]


def test_suggestions_are_explained_and_decided_once(caller, books, opened):
    suggestions = matches(caller, opened, "suggested")
    assert suggestions
    for one in suggestions:
        assert one["explanation"]
        assert 0 < one["score"] < 100
    decided = f"{RECONCILIATION}/matches/{suggestions[0]['id']}"
    body = {"contra_account_id": books.fees_id, "memo": "Rounding"}
    approved = caller.post(f"{decided}/approve/", body)
    assert approved.status_code == 200, approved.text
    assert (approved.get_json()["state"], approved.get_json()["origin"]) == ("matched", "ai")
    problem_of(caller.post(f"{decided}/reject/"), 409)
    assert caller.post(f"{decided}/unmatch/").get_json()["state"] == "unmatched"
    problem_of(caller.post(f"{decided}/approve/", {}), 409)


def test_lines_are_matched_by_hand_only_where_they_balance_and_are_free(caller, cast, books):
    opened = f"{RECONCILIATION}/reconciliations/{books.open(0)}"
    bank, gl, other = books.bank(-500), books.gl(-500), books.gl(-499)
    body = {"bank_transaction_ids": [bank], "gl_entry_ids": [other]}
    with nothing_changes():
        problem_of(caller.post(f"{opened}/matches/", body), 422)
        wrong = {"bank_transaction_ids": [new_id()], "gl_entry_ids": [gl]}
        problem_of(caller.post(f"{opened}/matches/", wrong), 404)
    body["gl_entry_ids"] = [gl]
    made = caller.post(f"{opened}/matches/", body)
    assert (made.status_code, made.get_json()["origin"]) == (201, "manual")
    problem_of(caller.post(f"{opened}/matches/", body), 409)


def test_an_account_is_opened_once_with_amounts_that_can_be_read(caller, books):
    body = {
        "ledger_bank_account_id": books.ledger_bank_account_id,
        "ending_date": "2026-10-31",
        "ending_balance": "1.234",
    }
    address = f"{RECONCILIATION}/reconciliations/"
    assert list(problem_of(caller.post(address, body), 422)["errors"]) == ["ending_balance"]
    body["ending_balance"] = "0.00"
    assert list(problem_of(caller.post(address, body), 422)["errors"]) == ["opening_balance"]
    body["opening_balance"] = "0.00"
    assert caller.post(address, body).status_code == 201
    problem_of(caller.post(address, body), 409)
    problem_of(caller.post(address, body | {"ledger_bank_account_id": new_id()}), 404)


def test_rules_are_kept_tried_and_changed_by_who_has_read_them(caller, books):
    address = f"{RECONCILIATION}/rules/"
    conditions = {"bank_description_test": "contains", "bank_description": "WIRE FEE"}
    books.open(0)
    books.bank(-1500, "WIRE FEE")
    books.gl(-1500, "Wire fee")
    tried = caller.post(f"{address}test/", {"conditions": conditions})
    assert (tried.status_code, tried.get_json()["matched_count"]) == (200, 1)
    made = caller.post(address, {"name": "Fees", "conditions": conditions})
    assert made.status_code == 201, made.text
    rule = f"{address}{made.get_json()['id']}/"
    read = caller.get(rule)
    changed = {
        "name": "Fees, small",
        "enabled": False,
        "conditions": conditions | {"amount_to": "20.00", "amount_currency": "USD"},
    }
    first = caller.put(rule, changed, headers={"If-Match": read.headers["ETag"]})
    assert first.status_code == 200
    assert first.get_json()["conditions"]["amount_to"] == "20.00"
    late = caller.put(rule, changed, headers={"If-Match": read.headers["ETag"]})
    problem_of(late, 412)
    assert caller.get(rule, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert [one["enabled"] for one in caller.get(address).get_json()["data"]] == [False]
    assert caller.delete(rule).status_code == 200
    problem_of(caller.get(rule), 404)


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({}, None),
        ({"bank_description_test": "expression", "bank_description": "("}, "bank_description"),
        (
            {"bank_description_test": "expression", "bank_description": "(a+)+$"},
            "bank_description",
        ),
        ({"amount_from": "5", "amount_to": "1", "amount_currency": "USD"}, "amount_to"),
        ({"amount_from": "x", "amount_currency": "USD"}, "amount_from"),
        ({"days_apart_max": -1, "gl_description_contains": "x"}, "days_apart_max"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(caller, conditions, field):
    with nothing_changes():
        body = {"name": "Bad", "conditions": conditions}
        refusal = problem_of(caller.post(f"{RECONCILIATION}/rules/", body), 422)
    if field:
        assert f"conditions.{field}" in refusal["errors"] or field in refusal["errors"]


def test_thresholds_are_read_and_set(caller):
    address = f"{RECONCILIATION}/settings/"
    read = caller.get(address)
    assert read.get_json() == {"auto_match_threshold": 85, "review_threshold": 50}
    wanted = {"auto_match_threshold": 90, "review_threshold": 60}
    assert caller.put(address, wanted).get_json() == wanted
    problem_of(caller.put(address, wanted, headers={"If-Match": read.headers["ETag"]}), 412)
    problem_of(caller.put(address, {"auto_match_threshold": 50, "review_threshold": 60}), 422)
    problem_of(caller.put(address, {"auto_match_threshold": -1, "review_threshold": 60}), 422)
