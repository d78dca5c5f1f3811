"""The same key and body are done once; a crash between doing and answering doubles nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.kernel import limits
from app.models import GlAccount, IdempotentCall, db
from app.people.idempotency import prune_calls
from app.tenancy.scope import owned
from tests.api_support import CONNECTIONS, LEDGER, problem_of, program
from tests.books import everything, set_up_books
from tests.races import race

BODY = {"number": "2000", "name": "Card", "type": "liability", "currency": "EUR"}
KEY = {"Idempotency-Key": "close-2026-10"}


def accounts_count() -> int:
    db.session.rollback()
    return len(db.session.scalars(owned(GlAccount)).all())


@pytest.fixture
def caller(app, cast):
    return program(app, cast.alice)


def test_a_repeated_call_gets_the_first_answer_again(app, cast, caller):
    first = caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY)
    again = caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.get_json() == first.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert accounts_count() == 1
    other = caller.post(f"{LEDGER}/accounts/", BODY | {"number": "3"}, headers=KEY)
    assert problem_of(other, 422)["code"] == "idempotency_key_reused"
    elsewhere = caller.post(f"{LEDGER}/bank-accounts/", BODY, headers=KEY)
    assert problem_of(elsewhere, 422)
    stranger = program(app, cast.charlie)
    assert stranger.post(f"{LEDGER}/accounts/", BODY, headers=KEY).status_code == 201


def test_a_refused_call_may_be_sent_again_corrected_by_time(caller):
    body = {"name": "Operating", "gl_account_id": "nothing"}
    problem_of(caller.post(f"{LEDGER}/bank-accounts/", body, headers=KEY), 422)
    db.session.rollback()
    assert db.session.scalars(owned(IdempotentCall)).all() == []


def test_an_answer_is_kept_sealed_since_it_may_let_somebody_into_a_bank(caller, bank):
    body = {"path": "standard"}
    first = caller.post(f"{CONNECTIONS}/connections/connect/", body, headers=KEY)
    again = caller.post(f"{CONNECTIONS}/connections/connect/", body, headers=KEY)
    url = first.get_json()["hosted_flow"]["url"]
    assert again.get_json() == first.get_json()
    assert url not in repr(everything())


def test_an_error_of_the_database_is_not_taken_for_a_repetition(caller, monkeypatch):
    def clash(*_arguments: object) -> None:
        raise IntegrityError("INSERT", {}, Exception("another key"))

    monkeypatch.setattr("app.ledger.accounts.record", clash)
    problem_of(caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY), 500)


def test_a_call_that_died_before_its_answer_was_kept_is_not_done_again(app, caller, monkeypatch):
    def die(*_arguments: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("app.web.idempotency.keep_answer", die)
        problem_of(caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY), 500)
    assert accounts_count() == 1
    again = caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY)
    assert problem_of(again, 409)["code"] == "idempotency_key_in_use"
    assert accounts_count() == 1


def test_a_transaction_that_fails_leaves_no_trace_of_its_key(caller, monkeypatch):
    def die(*_arguments: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("app.ledger.accounts.record", die)
        problem_of(caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY), 500)
    assert accounts_count() == 0
    assert caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY).status_code == 201


def test_of_many_calls_in_one_moment_one_is_done(app, cast, caller):
    def send() -> int:
        headers = {"X-API-KEY": caller.key, **KEY}
        sent = app.test_client().post(f"{LEDGER}/accounts/", json=BODY, headers=headers)
        return sent.status_code

    statuses = race(cast.acme_id, *[send] * 4)
    assert statuses.count(201) >= 1
    assert set(statuses) <= {201, 409}
    assert accounts_count() == 1


def test_a_file_sent_again_with_another_boundary_is_the_same_call(cast, caller):
    books = set_up_books(cast.alice)
    address = f"{CONNECTIONS}/accounts/{books.financial_account_id}/uploads/"
    data = b"Date,Description,Amount\n2026-10-05,COFFEE,-5.00\n2026-10-16,RENT,-1200.00\n"
    bodies = [
        (f"--{edge}\r\nContent-Disposition: form-data; name=file; filename=a.csv\r\n\r\n").encode()
        + data
        + f"\r\n--{edge}--\r\n".encode()
        for edge in ("first", "second")
    ]
    answers = [
        caller.call(
            "POST",
            address,
            data=body,
            headers=KEY | {"Content-Type": f"multipart/form-data; boundary={edge}"},
        )
        for body, edge in zip(bodies, ("first", "second"), strict=True)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].get_json() == answers[1].get_json()


def test_keys_are_forgotten_after_a_day(caller, clock):
    caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY)
    clock.pass_by(seconds=limits.IDEMPOTENCY_KEPT_SECONDS + 1)
    taken = caller.post(f"{LEDGER}/accounts/", BODY, headers=KEY)
    assert list(problem_of(taken, 422)["errors"]) == ["number"]
    assert prune_calls(clock.at) == 1
    db.session.rollback()
    assert db.session.scalar(sa.text("SELECT count(*) FROM idempotent_call")) == 0


@pytest.mark.parametrize("key", ["x" * 256, "\u00e9\u0001"])
def test_a_key_that_cannot_be_kept_is_refused(caller, key):
    answer = caller.post(f"{LEDGER}/accounts/", BODY, headers={"Idempotency-Key": key})
    problem_of(answer, 422)
    assert accounts_count() == 0
