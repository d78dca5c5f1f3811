"""What the adapter does with answers that the sandbox would never give."""

from __future__ import annotations

import pytest

from app.aggregators.contract import (
    Access,
    AggregatorError,
    CursorRefused,
    FlowState,
    History,
    Institution,
)
from app.aggregators.plaid import adapter
from tests.plaid_answers import item_get, sync
from tests.plaid_server import Reply, plaid_error, plaid_server

ACCESS = Access("item-1", {"access_token": "access-1"})
MUTATION = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
NAMELESS = item_get(institution_name=None)
BANK = {"institution": {"institution_id": "ins_1", "name": "Platypus Bank"}, "request_id": "r"}


@pytest.fixture
def server():
    with plaid_server() as running:
        yield running


@pytest.mark.parametrize(
    "answer",
    [{}, {"item_id": "i"}, {"access_token": "a"}, {"item_id": "i" * 201, "access_token": "a"}],
)
def test_an_exchange_that_gives_no_access_is_a_failure(server, answer):
    server.reply_to("/item/public_token/exchange", answer)
    with pytest.raises(AggregatorError, match="ANSWER_WITHOUT_ACCESS_TOKEN"):
        server.plaid().exchange("public-1")


def test_accounts_that_are_missing_are_not_no_accounts(server):
    server.reply_to("/accounts/get", {"request_id": "r"})
    with pytest.raises(AggregatorError, match="ANSWER_WITHOUT_ACCOUNTS"):
        server.plaid().accounts(ACCESS)


def test_data_that_are_not_ready_leave_the_cursor_where_it_is(server):
    server.reply_to("/transactions/sync", plaid_error("PRODUCT_NOT_READY"))
    page = server.plaid().sync_page(ACCESS, "cursor-1")
    assert (page.cursor, page.has_more, page.history) == ("cursor-1", False, History.NOT_READY)


@pytest.mark.parametrize(
    ("code", "cursor", "refused"),
    [
        (MUTATION, "", True),
        (MUTATION, "c", True),
        ("INVALID_FIELD", "c", True),
        ("INVALID_CURSOR", "c", True),
        ("INVALID_FIELD", "", False),  # then something else is wrong, for good
        ("ITEM_LOGIN_REQUIRED", "c", False),
    ],
)
def test_only_a_refused_cursor_is_begun_again(server, code, cursor, refused):
    server.reply_to("/transactions/sync", plaid_error(code))
    with pytest.raises(AggregatorError) as raised:
        server.plaid().sync_page(ACCESS, cursor)
    assert isinstance(raised.value, CursorRefused) is refused
    assert raised.value.code == code


def test_the_first_page_is_asked_for_without_a_cursor(server):
    server.reply_to("/transactions/sync", sync())
    plaid = server.plaid()
    plaid.sync_page(ACCESS, "")
    plaid.sync_page(ACCESS, "c")
    first, second = server.bodies("/transactions/sync")
    assert "cursor" not in first
    assert second["cursor"] == "c"
    assert first["count"] == 500
    assert first["options"] == {"include_original_description": True}


@pytest.mark.parametrize(
    "code", ["ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN", "ITEM_CONCURRENTLY_DELETED"]
)
def test_what_is_gone_already_counts_as_removed(server, code):
    server.reply_to("/item/remove", plaid_error(code))
    server.plaid().remove(ACCESS)


def test_a_removal_that_fails_is_told(server):
    server.reply_to("/item/remove", plaid_error("INTERNAL_SERVER_ERROR", "API_ERROR", 500))
    with pytest.raises(AggregatorError):
        server.plaid().remove(ACCESS)


def test_a_flow_that_cannot_be_asked_for_has_not_expired(server):
    server.reply_to("/link/token/get", plaid_error("INVALID_API_KEYS", "INVALID_INPUT"))
    with pytest.raises(AggregatorError):
        server.plaid().flow_result("link-1")
    server.reply_to("/link/token/get", plaid_error("INVALID_LINK_TOKEN", "INVALID_INPUT"))
    assert server.plaid().flow_result("link-1").state is FlowState.EXPIRED


def test_a_bank_without_a_name_is_looked_up_once(server):
    server.reply_to("/item/get", NAMELESS)
    server.reply_to("/institutions/get_by_id", BANK)
    plaid = server.plaid()
    for _ in range(3):
        assert plaid.login_status(ACCESS).institution == Institution("ins_1", "Platypus Bank")
    assert len(server.bodies("/institutions/get_by_id")) == 1


@pytest.mark.parametrize(
    "answer", [plaid_error("INVALID_INSTITUTION"), Reply({"institution": None}), Reply({})]
)
def test_a_name_that_cannot_be_had_does_not_hide_the_health(server, answer):
    server.reply_to("/item/get", NAMELESS)
    server.reply_to("/institutions/get_by_id", answer)
    status = server.plaid().login_status(ACCESS)
    assert status.institution is None
    assert status.health.status == "active"


def test_a_login_of_no_bank_has_no_bank(server):
    server.reply_to("/item/get", item_get(institution_id=None))
    assert server.plaid().login_status(ACCESS).institution is None


def test_the_names_that_are_kept_are_bounded(server, monkeypatch):
    monkeypatch.setattr(adapter, "INSTITUTIONS_KEPT_MAX", 2)
    server.reply_to("/institutions/get_by_id", BANK)
    plaid = server.plaid()
    for number in range(7):
        nameless = item_get(institution_id=f"ins_{number}", institution_name=None)
        server.reply_to("/item/get", nameless)
        assert plaid.login_status(ACCESS).institution is not None
        assert len(plaid._institutions) <= 2


def test_banks_that_cannot_be_connected_are_not_offered(server):
    bank = {"institution_id": "ins_1", "name": "Bank", "products": ["transactions"]}
    server.reply_to(
        "/institutions/search",
        {
            "institutions": [
                {**bank, "oauth": True},
                {**bank, "name": "No transactions", "products": ["auth"]},
                {**bank, "name": "Closed", "connection_availability": "NOT_SUPPORTED"},
                {**bank, "name": ""},
                *({**bank, "name": f"Bank {number}"} for number in range(30)),
            ]
        },
    )
    found = server.plaid().search_institutions(" bank ")
    assert len(found) == 20
    assert found[0].note == "You sign in on the bank's own page."
    assert (found[1].institution.name, found[1].note) == ("Bank 0", "")
    assert server.bodies("/institutions/search")[0]["query"] == "bank"
