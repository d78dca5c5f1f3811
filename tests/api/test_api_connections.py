"""/api/financial_connections/v2: every row of its contract."""

from __future__ import annotations

import pytest

from app.kernel.ids import new_id
from app.models import Upload, db
from app.tenancy.scope import owned
from tests.api_support import CONNECTIONS, problem_of, program
from tests.books import nothing_changes, run_waiting_jobs, set_up_books
from tests.scripted_bank import row

CONNECTION = {
    "id",
    "path",
    "aggregator",
    "connector",
    "institution",
    "status",
    "status_reason",
    "created_at",
    "last_sync_at",
    "successfully_aggregated_at",
    "refresh_available_at",
    "accounts",
}
ACCOUNT = {
    "id",
    "name",
    "mask",
    "type",
    "subtype",
    "currency",
    "current_balance",
    "available_balance",
    "status",
    "ledger_bank_account_id",
}
FILE = b"Date,Description,Amount\n2026-10-05,COFFEE,-5.00\n2026-10-16,RENT,-1200.00\n"


@pytest.fixture
def caller(app, cast):
    return program(app, cast.alice)


@pytest.fixture
def connected(caller, bank):
    """Return a connection that was connected, completed and synced by calls alone."""
    made = caller.post(f"{CONNECTIONS}/connections/connect/", {"path": "standard"})
    assert made.status_code == 201, made.text
    body = made.get_json()
    assert body["connection"].keys() == CONNECTION
    assert (body["connection"]["status"], body["hosted_flow"]["mode"]) == ("pending", "create")
    assert {"url", "expires_at", "mode"} == body["hosted_flow"].keys()
    address = f"{CONNECTIONS}/connections/{body['connection']['id']}"
    problem_of(caller.post(f"{address}/complete/", {}), 409)
    bank.add_login("item-1").log.extend([row("t1"), row("t2", 99)])
    token = bank.finish(f"link-{bank.requests[-1].reference}", "item-1")
    done = caller.post(f"{address}/complete/", {"public_token": token})
    assert done.status_code == 202, done.text
    answer = done.get_json()
    assert answer["connection"]["status"] == "in_progress"
    assert caller.post(f"{address}/complete/", {}).status_code == 202
    assert answer["sync"]["state"] == "queued"
    run_waiting_jobs()
    sync = caller.get(f"{CONNECTIONS}/syncs/{answer['sync']['id']}/").get_json()
    assert (sync["state"], sync["progress"], sync["errors"]) == ("succeeded", 100, [])
    return address


def test_a_bank_is_connected_and_read_by_calls_alone(caller, connected):
    found = caller.get(f"{connected}/").get_json()
    assert (found["status"], found["aggregator"]) == ("active", "plaid")
    (account,) = found["accounts"]
    assert account.keys() == ACCOUNT
    assert (account["current_balance"], account["currency"]) == ("1000.00", "USD")
    health = caller.get(f"{connected}/status/").get_json()
    assert health.keys() == {
        "status",
        "status_reason",
        "last_sync_at",
        "successfully_aggregated_at",
        "refresh_available_at",
        "accounts",
    }
    assert health["accounts"] == [{"id": account["id"], "status": "active"}]
    listed = caller.get(f"{CONNECTIONS}/connections/").get_json()
    assert (len(listed["data"]), listed["next_cursor"]) == (1, None)
    rows = caller.get(f"{CONNECTIONS}/transactions/").get_json()["data"]
    assert [one["amount"] for one in rows] == ["-12.50", "0.99"]


def test_a_hint_begins_with_the_bank_that_it_names(caller, bank):
    body = {"path": "standard", "aggregator": "plaid", "institution_hint": "Platypus"}
    made = caller.post(f"{CONNECTIONS}/connections/connect/", body)
    assert made.get_json()["connection"]["institution"]["name"] == "First Platypus Bank"
    unknown = body | {"aggregator": "nobody"}
    problem_of(caller.post(f"{CONNECTIONS}/connections/connect/", unknown), 422)


def test_a_refresh_is_possible_once_an_hour_and_says_when(caller, connected):
    first = caller.post(f"{connected}/refresh/")
    assert (first.status_code, first.get_json()["sync"]["state"]) == (202, "queued")
    again = caller.post(f"{connected}/trigger-sync/", {})
    refusal = problem_of(again, 429)
    assert refusal["refresh_available_at"]
    assert 3500 < int(again.headers["Retry-After"]) <= 3601
    assert caller.post(f"{connected}/trigger-sync/", {"refresh": False}).status_code == 202


def test_a_repair_and_added_accounts_are_flows_on_the_same_connection(caller, connected):
    for body in ({}, {"add_accounts": True}):
        answer = caller.post(f"{connected}/repair/", body)
        assert answer.status_code == 200
        assert answer.get_json()["hosted_flow"]["mode"] == "update"
    assert len(caller.get(f"{CONNECTIONS}/connections/").get_json()["data"]) == 1


def test_a_deletion_repeats_itself(caller, connected):
    answers = [caller.delete(f"{connected}/") for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.get_json()["aggregator_access_removed"] is True
        assert answer.get_json()["connection"]["status"] == "deleted"
    problem_of(caller.post(f"{connected}/refresh/"), 409)
    assert len(caller.get(f"{CONNECTIONS}/transactions/").get_json()["data"]) == 2


def test_an_account_is_mapped_and_unmapped(caller, cast, connected):
    books = set_up_books(cast.alice)
    (account,) = caller.get(f"{connected}/").get_json()["accounts"]
    address = f"{CONNECTIONS}/accounts/{account['id']}/ledger-bank-account/"
    taken = caller.put(address, {"ledger_bank_account_id": books.ledger_bank_account_id})
    problem_of(taken, 409)
    problem_of(caller.put(address, {"ledger_bank_account_id": new_id()}), 404)
    assert caller.put(address, {"ledger_bank_account_id": None}).status_code == 200
    read = caller.get(f"{connected}/").headers["ETag"]
    unmapped = {"ledger_bank_account_id": None}
    assert caller.put(address, unmapped, headers={"If-Match": read}).status_code == 200
    problem_of(caller.put(address, unmapped, headers={"If-Match": '"something old"'}), 412)


def test_a_manual_account_takes_files_whole_and_once(caller):
    made = caller.post(
        f"{CONNECTIONS}/connections/connect/",
        {
            "path": "manual_upload",
            "account": {"name": "Checking", "type": "checking", "currency": "USD", "mask": "4417"},
        },
    )
    assert made.status_code == 201
    body = made.get_json()
    assert (body["connection"]["status"], "hosted_flow" in body) == ("active", False)
    address = f"{CONNECTIONS}/accounts/{body['connection']['accounts'][0]['id']}/uploads/"
    with nothing_changes():
        looked = caller.send_file(f"{address}?preview=true", FILE)
        assert looked.status_code == 200, looked.text
        assert looked.get_json()["upload"]["counts"]["new"] == 2
    sent = caller.send_file(address, FILE)
    assert sent.status_code == 202
    run_waiting_jobs()
    upload = caller.get(f"{CONNECTIONS}/uploads/{sent.get_json()['upload']['id']}/").get_json()
    assert (upload["state"], upload["progress"]) == ("imported", 100)
    assert upload["counts"] == {
        "rows": 2,
        "new": 2,
        "duplicates": 0,
        "left_out": 0,
        "rejected": 0,
    }
    again = caller.send_file(f"{address}?preview=true", FILE).get_json()["upload"]
    assert (again["counts"]["new"], again["counts"]["duplicates"]) == (0, 2)


def test_a_bad_file_is_refused_by_line_and_imports_nothing(caller, cast):
    books = set_up_books(cast.alice)
    address = f"{CONNECTIONS}/accounts/{books.financial_account_id}/uploads/"
    bad = FILE + b"2026-10-17,HALF A ROW,twelve\n"
    for query in ("", "?preview=true"):
        refusal = problem_of(caller.send_file(address + query, bad), 422)
        assert list(refusal["errors"]) == ["4"]
        assert "twelve" in refusal["errors"]["4"][0]
    db.session.rollback()
    assert db.session.scalars(owned(Upload)).one().state == "refused"
    assert caller.get(f"{CONNECTIONS}/transactions/").get_json()["data"] == []
    problem_of(caller.call("POST", address, data={}, content_type="multipart/form-data"), 422)


def test_a_connector_is_tried_out_before_it_is_kept(caller):
    address = f"{CONNECTIONS}/connections/connect/"
    for body in (
        {"path": "non_standard"},
        {"path": "non_standard", "connector": "nothing"},
        {"path": "non_standard", "connector": "folder", "settings": {"folder": "../.."}},
        {"path": "manual_upload"},
        {"path": "elsewhere"},
        {},
    ):
        assert problem_of(caller.post(address, body), 422)["detail"]
    assert caller.get(f"{CONNECTIONS}/connections/").get_json()["data"] == []


def test_transactions_are_filtered_paged_and_followed(caller, cast):
    books = set_up_books(cast.alice)
    for day in range(1, 8):
        books.bank(-100 * day, day=day)
    address = f"{CONNECTIONS}/transactions/"
    seen, cursor = [], ""
    while cursor is not None:
        page = caller.get(address, query_string={"limit": 3, "cursor": cursor}).get_json()
        seen += [one["posted_date"] for one in page["data"]]
        cursor = page["next_cursor"]
        books.bank(-1, day=1)  # what comes in before the place of the reader moves nothing
    assert seen == [f"2026-10-0{day}" for day in range(1, 8)]
    wanted = {"posted_from": "2026-10-03", "posted_to": "2026-10-04", "status": "posted"}
    found = caller.get(address, query_string=wanted).get_json()["data"]
    assert [one["amount"] for one in found] == ["-3.00", "-4.00"]
    newest = max(one["updated_at"] for one in caller.get(address).get_json()["data"])
    fed = caller.get(address, query_string={"updated_since": newest}).get_json()["data"]
    assert [one["updated_at"] for one in fed] == [newest]
    elsewhere = caller.get(address, query_string={"account_id": new_id()}).get_json()
    assert elsewhere["data"] == []
    lines = caller.get(address, headers={"Accept": "application/x-ndjson"})
    assert lines.content_type == "application/x-ndjson"
    assert len(lines.text.splitlines()) == 10
