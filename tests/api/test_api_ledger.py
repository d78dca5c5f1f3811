"""/api/ledger/v1: every row of its contract."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError, fields

from app.blueprints.api.ledger import EntriesBody, EntryBody
from app.kernel import limits
from app.models import GlEntry, db
from app.tenancy.scope import owned
from tests.api_support import LEDGER, problem_of, program
from tests.books import nothing_changes, run_waiting_jobs, set_up_books

ENTRY = {
    "external_id": "E-1",
    "account_number": "1010",
    "date": "2026-10-31",
    "amount": "-12.50",
    "currency": "USD",
    "description": "Bank fee",
}


@pytest.fixture
def books(cast):
    return set_up_books(cast.alice)


@pytest.fixture
def caller(app, cast, books):
    return program(app, cast.alice)


def test_accounts_are_made_and_listed(caller):
    body = {"number": "2000", "name": "Card", "type": "liability", "currency": "EUR"}
    made = caller.post(f"{LEDGER}/accounts/", body)
    assert made.status_code == 201
    assert made.get_json() == body | {"id": made.get_json()["id"]}
    taken = problem_of(caller.post(f"{LEDGER}/accounts/", body), 422)
    assert list(taken["errors"]) == ["number"]
    numbers = [one["number"] for one in caller.get(f"{LEDGER}/accounts/").get_json()["data"]]
    assert numbers == ["1010", "2000", "6100"]
    bank = {"name": "Card, company", "gl_account_id": made.get_json()["id"]}
    assert caller.post(f"{LEDGER}/bank-accounts/", bank).status_code == 201
    names = [one["name"] for one in caller.get(f"{LEDGER}/bank-accounts/").get_json()["data"]]
    assert names == ["Card, company", "Operating"]


def test_entries_are_created_changed_and_left_alone_by_their_external_id(caller):
    second = ENTRY | {"external_id": "E-2", "amount": "3.00"}
    first = caller.post(f"{LEDGER}/entries/", {"entries": [ENTRY, second]})
    assert first.status_code == 200, first.text
    assert [one["outcome"] for one in first.get_json()["results"]] == ["created", "created"]
    changed = second | {"amount": "4.00"}
    again = caller.post(f"{LEDGER}/entries/", {"entries": [ENTRY, changed]}).get_json()
    assert [one["outcome"] for one in again["results"]] == ["unchanged", "updated"]
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 1, 1)
    found = caller.get(f"{LEDGER}/entries/").get_json()["data"]
    assert [(one["external_id"], one["amount"]) for one in found] == [
        ("E-1", "-12.50"),
        ("E-2", "4.00"),
    ]
    since = found[1]["updated_at"]
    fed = caller.get(f"{LEDGER}/entries/", query_string={"updated_since": since}).get_json()
    assert [one["external_id"] for one in fed["data"]] == ["E-2"]


BAD = [
    ("amount", ENTRY | {"external_id": "X", "amount": "1.234"}),
    ("date", ENTRY | {"external_id": "X", "date": "31/10/2026"}),
    ("account_number", ENTRY | {"external_id": "X", "account_number": "9999"}),
    ("currency", ENTRY | {"external_id": "X", "currency": "Dollars"}),
    ("external_id", ENTRY),
    ("amount", ENTRY | {"external_id": "X", "journal": "J-1"}),
]


@pytest.mark.parametrize(("column", "bad"), BAD)
def test_one_bad_entry_stops_all_unless_told_otherwise(caller, column, bad):
    with nothing_changes():
        refusal = problem_of(caller.post(f"{LEDGER}/entries/", {"entries": [ENTRY, bad]}), 422)
    assert list(refusal["errors"]) == [f"entries.1.{column}"]
    answer = caller.post(f"{LEDGER}/entries/?atomic=false", {"entries": [ENTRY, bad]})
    results = answer.get_json()["results"]
    assert [one["outcome"] for one in results] == ["created", "error"]
    assert results[1]["message"].startswith(f"{column}: ")
    db.session.rollback()
    assert db.session.scalars(owned(GlEntry)).one().external_id == "E-1"


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY,
        ENTRY | {"reference": "R-1"},
        ENTRY | {"amount": -12.5},
        ENTRY | {"unknown": "x"},
        ENTRY | {"description": "x" * 4_001},
        {"external_id": "E-1"},
        None,
        "entry",
    ],
)
def test_entries_that_are_looked_at_quickly_are_judged_as_by_the_schema(entry):
    slowly = fields.List(fields.Nested(EntryBody))
    quickly = EntriesBody().fields["entries"]
    outcomes = []
    for field in (slowly, quickly):
        try:
            outcomes.append(field.deserialize([entry]))
        except ValidationError as error:
            outcomes.append(error.messages)
    assert outcomes[0] == outcomes[1]


def test_a_journal_is_taken_with_all_of_its_lines_or_not_at_all(caller):
    lines = [
        ENTRY | {"external_id": "J-1-1", "journal": "J-1"},
        ENTRY | {"external_id": "J-1-2", "journal": "J-1", "account_number": "6100", "amount": "x"},
        ENTRY,
    ]
    answer = caller.post(f"{LEDGER}/entries/?atomic=false", {"entries": lines}).get_json()
    assert [one["outcome"] for one in answer["results"]] == ["error", "error", "created"]
    lines[1] |= {"amount": "12.50"}
    whole = caller.post(f"{LEDGER}/entries/", {"entries": lines}).get_json()
    assert [one["outcome"] for one in whole["results"]] == ["created", "created", "unchanged"]


def test_five_thousand_entries_are_taken_and_one_more_is_not(caller):
    entries = [ENTRY | {"external_id": f"E-{n}"} for n in range(limits.API_ENTRIES_MAX + 1)]
    problem_of(caller.post(f"{LEDGER}/entries/", {"entries": entries}), 422)
    answer = caller.post(f"{LEDGER}/entries/", {"entries": entries[:-1]}).get_json()
    assert answer["created"] == limits.API_ENTRIES_MAX
    lines = caller.get(f"{LEDGER}/entries/", headers={"Accept": "application/x-ndjson"})
    assert len(lines.text.splitlines()) == limits.API_ENTRIES_MAX


def test_entries_for_an_open_reconciliation_are_matched(caller, books):
    books.open(0)
    run_waiting_jobs()
    caller.post(f"{LEDGER}/entries/", {"entries": [ENTRY]})
    assert [run.kind for run in run_waiting_jobs()] == ["match"]


def test_a_ledger_file_is_imported_whole_or_not_at_all(caller):
    head = b"external_id,account_number,date,amount,currency,description\n"
    good = b"F-1,1010,2026-10-01,5.00,USD,Interest\n"
    bad = b"F-2,1010,2026-10-01,five,USD,Interest\n"
    with nothing_changes():
        refusal = problem_of(caller.send_file(f"{LEDGER}/imports/", head + good + bad), 422)
    assert list(refusal["errors"]) == ["3"]
    taken = caller.send_file(f"{LEDGER}/imports/", head + good)
    assert taken.status_code == 201
    assert taken.get_json()["import"]["created"] == 1
