"""MX's messages on the wire: sent with the password, late, doubled, lost, by a stranger."""

from __future__ import annotations

import json

import pytest

from app.aggregators.contract import WebhookInvalid, WebhookKind
from app.kernel.clock import utc_now
from tests.mx_support import CASCADE, connected, request_for, running, sign_in
from tests.waiting import comes_true


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mx")) as sandbox:
        yield sandbox


def believed(sandbox, message):
    headers = {name.lower(): value for name, value in message.headers.items()}
    return sandbox.adapter.read_webhook(headers, message.body, utc_now())


def messages(sandbox, access, kind):
    return [
        message
        for message in list(sandbox.receiver.received)
        if message.content["member_guid"] == access.external_id and message.content["type"] == kind
    ]


def arrived(sandbox, access, kind, count=1):
    assert comes_true(lambda: len(messages(sandbox, access, kind)) >= count), [
        json.loads(m.body) for m in sandbox.receiver.received
    ]
    return messages(sandbox, access, kind)


def test_a_visit_is_reported_with_the_flow_that_it_belongs_to(sandbox):
    flow = sandbox.adapter.start_flow(request_for())
    sign_in(flow.url, CASCADE).submit("code", code="1234")
    (grant,) = sandbox.adapter.flow_result(flow.token).grants
    access = sandbox.adapter.exchange(grant.token)
    ends = [believed(sandbox, m) for m in arrived(sandbox, access, "MEMBER", count=3)]
    assert {end.flow_token for end in ends if end.kind is WebhookKind.FLOW_ENDED} == {flow.token}


def test_new_data_and_a_new_status_are_reported(sandbox):
    access = connected(sandbox)
    sandbox.adapter.refresh(access)
    news = believed(sandbox, arrived(sandbox, access, "AGGREGATION", count=2)[-1])
    assert (news.kind, news.login_external_id) == (WebhookKind.DATA, access.external_id)
    sandbox.set_status(access, "LOCKED")
    news = believed(sandbox, arrived(sandbox, access, "CONNECTION_STATUS")[-1])
    assert (news.kind, news.login_external_id) == (WebhookKind.DATA, access.external_id)


def test_of_a_status_that_asks_nobody_for_anything_no_message_comes(sandbox):
    access = connected(sandbox)
    sandbox.set_status(access, "DEGRADED")
    sandbox.set_status(access, "DENIED")
    (only,) = arrived(sandbox, access, "CONNECTION_STATUS")
    assert only.content["connection_status"] == "DENIED"


def test_a_removed_login_is_reported(sandbox):
    access = connected(sandbox)
    sandbox.adapter.remove(access)
    told = arrived(sandbox, access, "MEMBER")
    assert comes_true(
        lambda: any(m.content["action"] == "deleted" for m in messages(sandbox, access, "MEMBER"))
    ), told


@pytest.mark.parametrize("flaw", ["webhook_unsigned", "webhook_bad_signature"])
def test_a_message_of_a_stranger_is_not_believed(sandbox, flaw):
    access = connected(sandbox)
    sandbox.set_fault(flaw, access)
    sandbox.set_status(access, "LOCKED")
    (message,) = arrived(sandbox, access, "CONNECTION_STATUS")
    with pytest.raises(WebhookInvalid):
        believed(sandbox, message)


def test_a_doubled_message_is_the_same_twice(sandbox):
    access = connected(sandbox)
    sandbox.set_fault("webhook_doubled", access)
    sandbox.set_status(access, "LOCKED")
    first, second = arrived(sandbox, access, "CONNECTION_STATUS", count=2)
    assert first.body == second.body
    assert not believed(sandbox, second).is_unique


def test_a_lost_message_leaves_the_truth_where_it_is(sandbox):
    access = connected(sandbox)
    sandbox.set_fault("webhook_lost", access)
    sandbox.set_status(access, "LOCKED")
    assert sandbox.adapter.login_status(access).health.reason == "LOCKED"
    assert messages(sandbox, access, "CONNECTION_STATUS") == []


def test_a_late_message_leads_to_a_read_that_says_how_it_stands_now(sandbox):
    access = connected(sandbox)
    sandbox.set_fault("webhook_late", access, value="0.3", times=1)
    sandbox.set_status(access, "LOCKED")
    sandbox.set_status(access, "CONNECTED")
    (message,) = arrived(sandbox, access, "CONNECTION_STATUS")
    assert believed(sandbox, message).health is None
    assert sandbox.adapter.login_status(access).health.reason == ""
