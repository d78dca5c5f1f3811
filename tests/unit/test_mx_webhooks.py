"""MX's messages: believed with the password alone, read leniently, never acted on blindly."""

import json
from base64 import b64encode

import pytest

from app.aggregators.contract import WebhookInvalid, WebhookKind
from app.aggregators.mx.webhooks import WEBHOOK_USER, read

PASSWORD = "a-long-password"


def headers(password=PASSWORD, user=WEBHOOK_USER, **more):
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode(), **more}


def message(**fields):
    return json.dumps(fields).encode()


AGGREGATION = message(
    type="AGGREGATION",
    action="member_data_updated",
    member_guid="MBR-1",
    user_guid="USR-1",
    transactions_created_count=3,
)


def test_new_data_name_their_login():
    webhook = read(headers(), AGGREGATION, PASSWORD)
    assert webhook.kind is WebhookKind.DATA
    assert webhook.login_external_id == "MBR-1"
    assert webhook.name == "AGGREGATION/member_data_updated"


def test_the_same_words_again_are_no_repetition():
    assert not read(headers(), AGGREGATION, PASSWORD).is_unique


@pytest.mark.parametrize("status", ["CHALLENGED", "DENIED", "SOMETHING_NEW", None])
def test_a_change_of_status_leads_to_a_read_whatever_it_says(status):
    body = message(
        type="CONNECTION_STATUS", action="CHANGED", connection_status=status, member_guid="MBR-1"
    )
    webhook = read(headers(), body, PASSWORD)
    assert (webhook.kind, webhook.health) == (WebhookKind.DATA, None)


def test_a_members_message_with_a_flows_payload_ends_the_flow():
    payload = b64encode(b"token-of-a-flow").decode()
    body = message(type="MEMBER", action="created", guid="MBR-2")
    webhook = read(headers(**{"x-callback-payload": payload}), body, PASSWORD)
    assert webhook.kind is WebhookKind.FLOW_ENDED
    assert (webhook.flow_token, webhook.login_external_id) == ("token-of-a-flow", "MBR-2")


def test_new_data_stay_news_also_with_a_flows_payload():
    payload = b64encode(b"token-of-a-flow").decode()
    webhook = read(headers(**{"x-callback-payload": payload}), AGGREGATION, PASSWORD)
    assert (webhook.kind, webhook.flow_token) == (WebhookKind.DATA, "")
    assert webhook.login_external_id == "MBR-1"


@pytest.mark.parametrize("payload", ["", "%%%", "gICA", "é"])
def test_a_payload_that_is_none_is_no_flow(payload):
    body = message(type="member", action="deleted", member={"guid": "MBR-3"})
    webhook = read(headers(**{"x-callback-payload": payload}), body, PASSWORD)
    assert (webhook.kind, webhook.flow_token) == (WebhookKind.DATA, "")
    assert webhook.login_external_id == "MBR-3"


@pytest.mark.parametrize("body", [b"{}", message(type="BUDGET", action=None), message(type=7)])
def test_what_nobody_asked_for_is_taken_and_ignored(body):
    assert read(headers(), body, PASSWORD).kind is WebhookKind.IGNORED


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"authorization": ""},
        {"authorization": "Basic"},
        {"authorization": "Bearer " + headers()["authorization"].split()[1]},
        {"authorization": "Basic é"},
        headers(password="another"),
        headers(user="mx"),
        headers(password=PASSWORD + "x"),
    ],
)
def test_without_the_password_nothing_is_believed(given):
    with pytest.raises(WebhookInvalid):
        read(given, AGGREGATION, PASSWORD)


def test_without_a_password_of_ours_nothing_is_believed():
    with pytest.raises(WebhookInvalid):
        read(headers(password=""), AGGREGATION, "")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_message_is_refused(body):
    with pytest.raises(WebhookInvalid):
        read(headers(), body, PASSWORD)
