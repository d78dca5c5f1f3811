"""What no client should send, and what each of it is told."""

from __future__ import annotations

import base64
import json

import pytest

from app.kernel import limits
from tests.api_support import CONNECTIONS, LEDGER, RECONCILIATION, problem_of, program
from tests.books import nothing_changes

ACCOUNT = {"number": "2000", "name": "Card", "type": "liability", "currency": "EUR"}


@pytest.fixture
def caller(app, cast):
    return program(app, cast.alice)


def sent(caller, data: bytes):
    return caller.call("POST", f"{LEDGER}/accounts/", data=data, content_type="application/json")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 40 + b"1" + b"}" * 40, 400),
        (b'{"number": "1", "number": "2"}', 400),
        (b'{"number": NaN}', 400),
        (b'{"number": "a\\u0000"}', 400),
        (b'{"number": "\\ud800"}', 400),
        (b'{"number": ["a\\u0000"]}', 400),
        (b"[]", 422),
        (b"null", 422),
        (b'"text"', 422),
        (json.dumps(ACCOUNT | {"unknown": 1}).encode(), 422),
        (json.dumps(ACCOUNT | {"number": 5}).encode(), 422),
        (json.dumps(ACCOUNT | {"type": "wealth"}).encode(), 422),
        (json.dumps(ACCOUNT | {"currency": "x" * 10_000}).encode(), 422),
    ],
)
def test_a_body_that_makes_no_sense_is_refused_and_changes_nothing(caller, data, status):
    with nothing_changes():
        assert problem_of(sent(caller, data), status)["detail"]


def test_a_body_is_taken_up_to_its_limit(caller):
    room = limits.API_JSON_BYTES_MAX - len(json.dumps(ACCOUNT | {"name": ""}))
    assert problem_of(sent(caller, json.dumps(ACCOUNT | {"name": "x" * room}).encode()), 422)
    late = json.dumps(ACCOUNT | {"name": "x" * (room + 1)}).encode()
    problem_of(sent(caller, late), 413)
    problem_of(sent(caller, b"x" * 10 * 1024 * 1024), 413)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "-1"),
        ("limit", "0"),
        ("limit", "201"),
        ("limit", "ten"),
        ("cursor", "nonsense"),
        ("cursor", "WyJHbEVudHJ5LmRhdGUiLCAiMjAyNi0xMC0wMSIsICJ4Il0"),
        ("updated_since", "yesterday"),
        ("updated_since", "2026-10-01T00:00:00"),
        ("updated_since", "0001-01-01T00:00:00+14:00"),
        ("updated_since", "9999-12-31T23:59:59-14:00"),
        ("posted_from", "31/10/2026"),
        ("account_id", "a\0b"),
        ("status", "lost"),
    ],
)
def test_a_query_that_makes_no_sense_is_told_its_name(caller, name, value):
    answer = caller.get(f"{CONNECTIONS}/transactions/", query_string={name: value})
    assert list(problem_of(answer, 422)["errors"]) == [name]


def test_a_cursor_of_another_list_is_refused(caller):
    for number in ("1", "2"):
        assert sent(caller, json.dumps(ACCOUNT | {"number": number}).encode()).status_code == 201
    cursor = caller.get(f"{LEDGER}/accounts/?limit=1").get_json()["next_cursor"]
    assert cursor
    for address in (f"{LEDGER}/entries/", f"{LEDGER}/bank-accounts/"):
        problem_of(caller.get(address, query_string={"cursor": cursor}), 422)


@pytest.mark.parametrize(
    ("key", "row_id"),
    [("a\0", "x"), ("a", "\0"), ("\ud800", "x"), (5, "x"), (None, "x"), ("a", ["x"])],
)
def test_a_cursor_that_somebody_made_up_is_refused(caller, key, row_id):
    made_up = json.dumps(["GlAccount.number", key, row_id])
    cursor = base64.urlsafe_b64encode(made_up.encode()).decode()
    problem_of(caller.get(f"{LEDGER}/accounts/", query_string={"cursor": cursor}), 422)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "2026-10-01T00:00:00", "soon"])
def test_a_cursor_of_an_instant_that_is_none_is_refused(caller, at):
    made_up = json.dumps(["GlEntry.updated_at", at, "x"])
    cursor = base64.urlsafe_b64encode(made_up.encode()).decode()
    query = {"cursor": cursor, "updated_since": "2026-10-01T00:00:00Z"}
    problem_of(caller.get(f"{LEDGER}/entries/", query_string=query), 422)


def test_ids_that_no_text_can_hold_are_refused(caller):
    body = {"bank_transaction_ids": ["a\0"], "gl_entry_ids": []}
    address = f"{RECONCILIATION}/reconciliations/nothing/matches/"
    problem_of(caller.post(address, body), 400)


def test_a_file_with_a_field_nobody_knows_is_refused(caller):
    answer = caller.send_file(f"{LEDGER}/imports/", b"x", surprise="1")
    assert list(problem_of(answer, 422)["errors"]) == ["surprise"]
