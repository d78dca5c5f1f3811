"""Keys: who may call what, and how the API says no."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.config import Environment
from app.extensions import limiter
from app.factory import create_app
from app.kernel.errors import Forbidden, Invalid
from app.kernel.ids import new_id
from app.models import ApiKey, AuditEvent, db
from app.people.api_keys import create_api_key, revoke_api_key
from app.tenancy.scope import owned
from tests.api_support import CONNECTIONS, LEDGER, RECONCILIATION, problem_of, program
from tests.books import run_waiting_jobs, set_up_books
from tests.conftest import LonelyClient, sign_in


def calls(app):
    """Yield method, address with ids that nothing has, and permission of every call."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        permission = getattr(view, "required_permission", None)
        if rule.rule.startswith("/api/") and permission != "public":
            method = next(iter(rule.methods - {"HEAD", "OPTIONS"}))
            ids = {name: new_id() for name in rule.arguments}
            yield method, adapter.build(rule.endpoint, ids, method=method), permission


def test_every_call_needs_a_key_and_its_permission(app, cast):
    viewer = program(app, cast.alice, "view")
    found = list(calls(app))
    assert len(found) > 35
    for method, address, permission in found:
        assert problem_of(app.test_client().open(address, method=method), 401)
        wrong = {"X-API-KEY": "tieout_wrong"}
        problem_of(app.test_client().open(address, method=method, headers=wrong), 401)
        if permission != "view":
            problem_of(viewer.call(method, address), 403)


def test_an_id_of_somebody_else_is_answered_as_one_that_nothing_has(app, cast):
    books = set_up_books(cast.alice)
    opened = books.open(0)
    stranger = program(app, cast.charlie)
    theirs = [
        f"{CONNECTIONS}/accounts/{books.financial_account_id}/uploads/",
        f"{RECONCILIATION}/reconciliations/{opened}/",
        f"{RECONCILIATION}/reconciliations/{opened}/report/",
    ]
    for address in theirs:
        nothing = address.replace(opened, new_id()).replace(books.financial_account_id, new_id())
        if address.endswith("uploads/"):
            answers = [stranger.send_file(one, b"Date,Amount\n") for one in (address, nothing)]
        else:
            answers = [stranger.get(one) for one in (address, nothing)]
        bodies = [problem_of(answer, 404) for answer in answers]
        for body in bodies:
            body.pop("request_id")
        assert bodies[0] == bodies[1]


def test_a_session_is_no_key(app, cast):
    client = sign_in(app, cast.alice)
    problem_of(client.get(f"{LEDGER}/accounts/"), 401)
    problem_of(client.post(f"{LEDGER}/accounts/", json={}), 401)


def test_a_key_is_shown_once_kept_as_its_digest_and_ends_when_revoked(app, cast):
    caller = program(app, cast.alice, "view")
    stored = db.session.scalars(owned(ApiKey)).one()
    assert caller.key not in repr(vars(stored))
    assert caller.get(f"{LEDGER}/accounts/").status_code == 200
    db.session.rollback()
    assert db.session.scalars(owned(ApiKey)).one().last_used_at is not None
    revoke_api_key(cast.alice, caller.key_id)
    revoke_api_key(cast.alice, caller.key_id)
    problem_of(caller.get(f"{LEDGER}/accounts/"), 401)


def test_only_who_manages_people_makes_keys(cast):
    with pytest.raises(Forbidden):
        create_api_key(cast.carol, "Mine")
    for name, permissions in (("", ()), ("x" * 81, ()), ("Mine", ("people",))):
        with pytest.raises(Invalid):
            create_api_key(cast.alice, name, permissions)
    assert db.session.scalars(owned(ApiKey)).all() == []


def test_what_a_key_does_stands_under_its_name_and_its_jobs_end_with_it(app, cast):
    books = set_up_books(cast.alice)
    caller = program(app, cast.alice)
    body = {
        "ledger_bank_account_id": books.ledger_bank_account_id,
        "ending_date": "2026-10-31",
        "ending_balance": "0.00",
        "opening_balance": "0.00",
    }
    assert caller.post(f"{RECONCILIATION}/reconciliations/", body).status_code == 201
    db.session.rollback()
    newest = owned(AuditEvent).order_by(AuditEvent.sequence.desc()).limit(1)
    event = db.session.scalars(newest).one()
    assert (event.actor_name, event.via) == ("API key “Close script”", "api")
    revoke_api_key(cast.alice, caller.key_id)
    (run,) = run_waiting_jobs()
    assert run.status == "failed"


def test_what_is_no_call_is_a_problem_document_too(app, cast):
    caller = program(app, cast.alice)
    problem_of(caller.get("/api/nowhere"), 404)
    refused = caller.call("PATCH", f"{LEDGER}/accounts/")
    problem_of(refused, 405)
    assert "GET" in refused.headers["Allow"]
    problem_of(caller.call("POST", f"{LEDGER}/accounts/", data="number=1"), 415)


@pytest.fixture
def counting(app, cast, monkeypatch):
    """An application that counts calls, as outside of tests, on the same database."""
    monkeypatch.setattr("app.factory.configure_logs", lambda _level: None)
    made = create_app(replace(app.extensions["settings"], environment=Environment.DEVELOPMENT))
    made.test_client_class = LonelyClient
    yield made
    limiter.enabled = False
    with made.app_context():
        db.engine.dispose()


def test_calls_are_counted_by_key_and_too_many_are_put_off(cast, counting, monkeypatch):
    caller = program(counting, cast.alice)
    answer = caller.get(f"{LEDGER}/accounts/")
    assert answer.headers["RateLimit-Limit"] == "600"
    assert answer.headers["RateLimit-Remaining"] == "598"
    assert 0 < int(answer.headers["RateLimit-Reset"]) <= 60
    assert "Retry-After" not in answer.headers
    for _ in range(598):
        last = caller.get(f"{LEDGER}/accounts/", query_string={"limit": "x"})
    assert last.status_code == 422
    late = caller.get(f"{RECONCILIATION}/rules/")  # all calls of a key count together
    assert problem_of(late, 429)["code"] == "rate_limited"
    assert int(late.headers["Retry-After"]) > 0
    assert program(counting, cast.charlie).get(f"{LEDGER}/accounts/").status_code == 200


def test_the_command_prints_a_key_that_works(app, cast):
    runner = app.test_cli_runner()
    answer = runner.invoke(
        args=["create-api-key", cast.acme_id, "--name", "N", "--permission", "view"]
    )
    key = json.loads(answer.stdout)
    found = app.test_client().get(f"{LEDGER}/accounts/", headers={"X-API-KEY": key["key"]})
    assert (found.status_code, set(key)) == (200, {"id", "key"})
    refused = runner.invoke(args=["create-api-key", "nobody", "--name", "N"])
    assert refused.exit_code == 2
    assert db.session.scalar(sa.text("SELECT count(*) FROM api_key")) == 1
