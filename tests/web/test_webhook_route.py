"""Where aggregators report to: signed messages, answers for machines."""

from __future__ import annotations

import pytest

from app.aggregators.contract import Webhook, WebhookKind
from app.kernel import limits
from app.models import JobRun, WebhookReceipt, db
from app.tenancy.scope import enter_scope, owned
from tests.books import nothing_changes
from tests.connection_world import a_connection
from tests.web_support import csrf_checked

GOOD = {"Plaid-Verification": "good"}


def test_a_verified_message_leads_to_a_sync_and_is_answered_without_a_body(app, cast, bank):
    connection_id = a_connection("First Platypus Bank", external_id="item-1")
    bank.webhooks[b'{"a":1}'] = Webhook(
        WebhookKind.DATA, "TRANSACTIONS/SYNC", login_external_id="item-1"
    )
    stranger = app.test_client()
    with csrf_checked(app):
        answer = stranger.post("/webhooks/plaid", data=b'{"a":1}', headers=GOOD)
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    enter_scope(cast.acme_id)
    db.session.rollback()
    waiting = db.session.scalars(owned(JobRun).where(JobRun.status == "queued")).all()
    assert [one.subject_id for one in waiting] == [connection_id]


@pytest.mark.parametrize(
    ("path", "body", "headers", "status"),
    [
        ("plaid", b"{}", {}, 401),
        ("plaid", b"{}", GOOD, 401),
        ("nobody", b"{}", GOOD, 404),
        ("plaid", b"x" * (limits.WEBHOOK_BYTES_MAX + 1), GOOD, 413),
        ("plaid", b"", {}, 401),
    ],
    ids=["unsigned", "altered", "unknown aggregator", "too long", "empty"],
)
def test_what_is_not_taken_is_a_problem_in_json(app, cast, bank, path, body, headers, status):
    with nothing_changes():
        answer = app.test_client().post(f"/webhooks/{path}", data=body, headers=headers)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "request_id"} == set(answer.json)
    assert answer.json["status"] == status


def test_a_message_of_the_longest_allowed_length_is_read_whole(app, cast, bank):
    body = b"y" * limits.WEBHOOK_BYTES_MAX
    bank.webhooks[body] = Webhook(WebhookKind.IGNORED, "LINK/EVENTS")
    answer = app.test_client().post("/webhooks/plaid", data=body, headers=GOOD)
    assert answer.status_code == 204
    db.session.rollback()
    assert len(db.session.scalars(db.select(WebhookReceipt)).all()) == 1
