"""What the adapter sends is valid under Plaid's description, and it bears all that it may answer.

`PLAID_DESCRIPTION=2020-09-14.yml` in the environment runs the same against the published file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from app.aggregators.contract import (
    Access,
    AggregatorError,
    FlowRequest,
    FlowState,
    Institution,
    WebhookInvalid,
)
from tests.plaid_description import PATHS, Description, described
from tests.plaid_server import plaid_server
from tests.plaid_signatures import Signer

SOURCES = ["sdk", *filter(None, [os.environ.get("PLAID_DESCRIPTION")])]
ADD = FlowRequest("flow-1", "person-1", "http://127.0.0.1:5000/back", None)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module", params=SOURCES)
def description(request):
    return described(request.param)


@pytest.fixture(params=[True, False], ids=["full", "bare"])
def server(request, description):
    with plaid_server() as running:
        for path in PATHS.values():
            running.reply_to(path, description.answer(path, full=request.param))
        running.full = request.param
        yield running


def walk(plaid):
    """Connect, complete, sync, refresh, repair, remove; every request that the adapter knows."""
    with suppress(AggregatorError):
        plaid.start_flow(ADD)
        plaid.start_flow(
            FlowRequest(
                "flow-2",
                "person-1",
                "https://books.example/back",
                "https://books.example/webhooks/plaid",
                institution=Institution("ins_1", "Bank"),
            )
        )
    plaid.flow_result("link-1")
    access = plaid.exchange("public-1")
    plaid.login_status(access)
    plaid.accounts(access)
    plaid.sync_page(access, "")
    plaid.sync_page(access, "cursor")
    plaid.refresh(access)
    for add_accounts in (False, True):
        with suppress(AggregatorError):
            plaid.start_flow(
                FlowRequest(
                    "f", "u", "https://b.example", "https://b.example/w", None, access, add_accounts
                )
            )
    plaid.search_institutions("chase")
    plaid.search_institutions("x" * 300)
    body = b"{}"
    token = Signer("key-1").token(body, NOW)
    with pytest.raises(WebhookInvalid):  # an example key has signed nothing
        plaid.read_webhook({"plaid-verification": token}, body, NOW)
    plaid.remove(access)


def test_every_request_is_valid_under_the_description(server, description):
    walk(server.plaid())
    violations = [v for seen in server.seen for v in description.violations(seen.path, seen.body)]
    assert violations == []
    asked = {seen.path for seen in server.seen}
    by_name = {PATHS["institutions_get_by_id"]}  # where the login does not name its bank itself
    assert set(PATHS.values()) - asked <= by_name


def test_the_whole_life_of_a_connection_passes_on_full_answers(server):
    if not server.full:
        return
    plaid = server.plaid()
    flow = plaid.start_flow(ADD)
    result = plaid.flow_result(flow.token)
    assert result.state is FlowState.FINISHED
    access = plaid.exchange(result.grants[0].token)
    assert plaid.login_status(access).institution is not None
    assert len(plaid.accounts(access)) == 1
    page = plaid.sync_page(access, "")
    assert page.upserts or page.unreadable
    assert not page.has_more
    plaid.refresh(access)
    repair = FlowRequest("flow-2", "person-1", "http://127.0.0.1:5000/back", None, access=access)
    assert plaid.start_flow(repair).url
    plaid.remove(access)


def test_a_bare_answer_breaks_nothing(server):
    if server.full:
        return
    plaid = server.plaid()
    assert plaid.start_flow(ADD).url == ""
    assert plaid.flow_result("link-1").state is FlowState.WAITING
    access = plaid.exchange("public-1")
    assert plaid.accounts(access) == ()
    assert plaid.sync_page(access, "").upserts == ()


def test_the_name_of_a_bank_is_asked_for_once(description):
    with plaid_server() as running:
        for path in PATHS.values():
            running.reply_to(path, description.answer(path, full=True))
        item = description.answer("/item/get", full=True)
        item["item"] |= {"institution_id": "ins_1", "institution_name": None}
        running.reply_to("/item/get", item)
        plaid = running.plaid()
        access = Access("item-1", {"access_token": "access-1"})
        for _ in range(3):
            plaid.login_status(access)
        (asked,) = running.bodies("/institutions/get_by_id")
    assert description.violations("/institutions/get_by_id", asked) == []


def test_the_check_finds_what_is_wrong(description):
    body = {
        "client_name": "",
        "language": "en",
        "country_codes": ["XX"],
        "user": {},
        "transactions": {"days_requested": 731, "days": 1},
        "hosted_link": {"url_lifetime_seconds": "3600"},
        "webhook": None,
    }
    found = " ".join(description.violations("/link/token/create", body))
    for words in (
        "client_name is too small",
        "country_codes[0] is none of",
        "days_requested is too large",
        "days is unknown",
        "url_lifetime_seconds is no int",
        "webhook is null",
    ):
        assert words in found


FILE = """
openapi: 3.0.0
paths:
  /item/remove:
    post:
      requestBody:
        content: {application/json: {schema: {$ref: '#/components/schemas/Request'}}}
      responses:
        "200":
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Answer'}
              examples:
                one: {value: {request_id: from the example, added: beyond the schema}}
components:
  schemas:
    Token: {type: string, minLength: 1}
    Request:
      type: object
      required: [access_token]
      properties: {access_token: {$ref: '#/components/schemas/Token'}}
    Base: {type: object, required: [request_id], properties: {request_id: {type: string}}}
    Answer:
      allOf:
      - $ref: '#/components/schemas/Base'
      - {type: object, properties: {note: {type: string, nullable: true}}}
"""


def test_a_published_file_is_read_with_its_examples(tmp_path):
    path = tmp_path / "description.yml"
    path.write_text(FILE)
    described = Description.of_file(path)
    assert described.violations("/item/remove", {"access_token": "a"}) == []
    assert described.violations("/item/remove", {"access_token": ""})
    assert described.violations("/item/remove", {"token": "a"})
    assert described.answer("/item/remove", full=True) == {
        "request_id": "from the example",
        "note": "string",
        "added": "beyond the schema",
    }
    assert described.answer("/item/remove", full=False) == {"request_id": "string"}
