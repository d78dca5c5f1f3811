"""Every call through the unmodified official SDK, whose models refuse what Plaid would not send."""

from __future__ import annotations

import datetime as dt
import json

import plaid
import pytest
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.country_code import CountryCode
from plaid.model.custom_sandbox_transaction import CustomSandboxTransaction
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest
from plaid.model.institutions_search_request import InstitutionsSearchRequest
from plaid.model.item_access_token_invalidate_request import ItemAccessTokenInvalidateRequest
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.item_webhook_update_request import ItemWebhookUpdateRequest
from plaid.model.link_token_create_hosted_link import LinkTokenCreateHostedLink
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_update import LinkTokenCreateRequestUpdate
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.link_token_transactions import LinkTokenTransactions
from plaid.model.products import Products
from plaid.model.sandbox_item_fire_webhook_request import SandboxItemFireWebhookRequest
from plaid.model.sandbox_item_reset_login_request import SandboxItemResetLoginRequest
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_transactions_create_request import SandboxTransactionsCreateRequest
from plaid.model.transactions_refresh_request import TransactionsRefreshRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.transactions_sync_request_options import TransactionsSyncRequestOptions
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from tests.plaid_sandbox import TODAY
from tests.sandbox_support import (
    FOUNDRY,
    MERIDIAN,
    PUGET,
    Browser,
    connect,
    hosted_link,
    through_hosted_page,
)


@pytest.fixture
def api(sandbox):
    with sandbox.sdk() as client:
        yield client


def refusal(call, *arguments):
    with pytest.raises(plaid.ApiException) as caught:
        call(*arguments)
    return caught.value.status, json.loads(caught.value.body)


def test_link_token_create_gives_a_hosted_url_only_when_asked(api):
    body = {
        "client_name": "Tieout",
        "language": "en",
        "country_codes": [CountryCode("US")],
        "products": [Products("transactions")],
        "user": LinkTokenCreateRequestUser(client_user_id="person-1"),
        "transactions": LinkTokenTransactions(days_requested=120),
    }
    plain = api.link_token_create(LinkTokenCreateRequest(**body))
    assert "hosted_link_url" not in plain.to_dict()
    hosted = api.link_token_create(
        LinkTokenCreateRequest(
            **body, hosted_link=LinkTokenCreateHostedLink(url_lifetime_seconds=600)
        )
    )
    assert Browser().open(hosted.hosted_link_url).heading == "Choose your bank"
    left = hosted.expiration - dt.datetime.now(dt.UTC)
    assert dt.timedelta(seconds=590) < left <= dt.timedelta(seconds=600)


def test_link_token_create_in_update_mode(api, sandbox):
    made = connect(sandbox)
    answer = api.link_token_create(
        LinkTokenCreateRequest(
            client_name="Tieout",
            language="en",
            country_codes=[CountryCode("US")],
            user=LinkTokenCreateRequestUser(client_user_id="person-1"),
            access_token=made.access_token,
            update=LinkTokenCreateRequestUpdate(account_selection_enabled=True),
            hosted_link=LinkTokenCreateHostedLink(),
        )
    )
    page = Browser().open(answer.hosted_link_url)
    assert page.heading == "Sign in again to Puget Harbor Bank"


def test_link_token_get_before_during_and_after_a_session(api, sandbox):
    link = hosted_link(sandbox, webhook="http://127.0.0.1:9/hooks")

    def sessions():
        answer = api.link_token_get(LinkTokenGetRequest(link_token=link["link_token"]))
        assert answer.metadata.client_name == "Tieout"
        return answer.link_sessions

    assert sessions() == []
    Browser().open(link["hosted_link_url"])
    (opened,) = sessions()
    assert opened.finished_at is None
    assert [event.event_name for event in opened.events] == ["OPEN"]

    through_hosted_page(link, PUGET)
    _, finished = sessions()
    (result,) = finished.results.item_add_results
    assert result.institution.name == "Puget Harbor Bank"
    assert [account.mask for account in result.accounts] == ["4417"]
    assert finished.on_success.public_token == result.public_token


def test_link_token_get_of_a_session_that_was_left(api, sandbox):
    link = hosted_link(sandbox)
    browser = Browser().open(link["hosted_link_url"])
    browser.submit("bank", institution_id=PUGET)
    browser.submit("sign-in", username="user_good", password="wrong")
    browser.submit("leave")
    answer = api.link_token_get(LinkTokenGetRequest(link_token=link["link_token"]))
    (left,) = answer.link_sessions
    assert left.exit.metadata.status == "requires_credentials"
    assert left.exit.error.error_code == "INVALID_CREDENTIALS"
    assert left.finished_at is not None


def test_public_token_create_and_exchange(api):
    made = api.sandbox_public_token_create(
        SandboxPublicTokenCreateRequest(
            institution_id=PUGET, initial_products=[Products("transactions")]
        )
    )
    request = ItemPublicTokenExchangeRequest(public_token=made.public_token)
    given = api.item_public_token_exchange(request)
    assert given.access_token.startswith("access-sandbox-")
    status, error = refusal(api.item_public_token_exchange, request)
    assert (status, error["error_code"]) == (400, "INVALID_PUBLIC_TOKEN")


def test_item_get_has_its_status_beside_the_item(api, sandbox):
    made = connect(sandbox, webhook="http://127.0.0.1:9/hooks")
    answer = api.item_get(ItemGetRequest(access_token=made.access_token))
    assert answer.item.item_id == made.item_id
    assert answer.item.error is None
    assert answer.item.webhook == "http://127.0.0.1:9/hooks"
    assert answer.status.transactions.last_successful_update.tzinfo is not None


def test_item_remove_ends_every_other_call(api, sandbox):
    made = connect(sandbox)
    api.item_remove(ItemRemoveRequest(access_token=made.access_token))
    status, error = refusal(api.item_get, ItemGetRequest(access_token=made.access_token))
    assert (status, error["error_type"], error["error_code"]) == (
        400,
        "ITEM_ERROR",
        "ITEM_NOT_FOUND",
    )


def test_item_webhook_update_is_acknowledged_at_the_new_address(api, sandbox, receiver):
    made = connect(sandbox)
    answer = api.item_webhook_update(
        ItemWebhookUpdateRequest(access_token=made.access_token, webhook=receiver.url)
    )
    assert answer.item.webhook == receiver.url
    told = receiver.wait_for("WEBHOOK_UPDATE_ACKNOWLEDGED").content
    assert told["new_webhook_url"] == receiver.url


def test_item_access_token_invalidate_kills_the_old_one(api, sandbox):
    made = connect(sandbox)
    answer = api.item_access_token_invalidate(
        ItemAccessTokenInvalidateRequest(access_token=made.access_token)
    )
    _, error = refusal(api.item_get, ItemGetRequest(access_token=made.access_token))
    assert error["error_code"] == "INVALID_ACCESS_TOKEN"
    item = api.item_get(ItemGetRequest(access_token=answer.new_access_token)).item
    assert item.item_id == made.item_id


def test_accounts_get_and_balance_get_agree(api, sandbox):
    made = connect(sandbox, FOUNDRY)
    cached = api.accounts_get(AccountsGetRequest(access_token=made.access_token))
    live = api.accounts_balance_get(AccountsBalanceGetRequest(access_token=made.access_token))
    assert cached.accounts == live.accounts
    assert [str(account.subtype) for account in cached.accounts] == [
        "checking",
        "savings",
        "cash management",
        "credit card",
    ]
    card = cached.accounts[-1]
    assert card.balances.current > 0  # what is owed
    assert card.balances.limit == 40_000


def test_accounts_get_of_chosen_accounts(api, sandbox):
    made = connect(sandbox, FOUNDRY)
    first, *_ = sandbox.call("/accounts/get", access_token=made.access_token)["accounts"]
    chosen = {"access_token": made.access_token, "options": {"account_ids": [first["account_id"]]}}
    assert sandbox.call("/accounts/get", **chosen)["accounts"] == [first]
    unknown = {"access_token": made.access_token, "options": {"account_ids": ["strange"]}}
    assert sandbox.call("/accounts/get", **unknown)["error_code"] == "INVALID_ACCOUNT_ID"


def test_transactions_sync_reads_to_the_end(api, sandbox):
    made = connect(sandbox, FOUNDRY)
    rows, cursor = {}, ""
    while True:
        page = api.transactions_sync(
            TransactionsSyncRequest(access_token=made.access_token, cursor=cursor, count=100)
        )
        rows |= {row.transaction_id: row for row in page.added}
        cursor = page.next_cursor
        if not page.has_more:
            break
    assert page.transactions_update_status.value == "HISTORICAL_UPDATE_COMPLETE"
    known = sandbox.control("GET", f"/items/{made.item_id}/transactions")["transactions"]
    assert rows.keys() == {row["transaction_id"] for row in known}
    assert all(isinstance(row.date, dt.date) for row in rows.values())
    assert all(row.iso_currency_code == "USD" for row in rows.values())


def test_transactions_sync_of_one_account_with_the_original_description(api, sandbox):
    made = connect(sandbox, FOUNDRY)
    account_id = (
        api.accounts_get(AccountsGetRequest(access_token=made.access_token)).accounts[3].account_id
    )
    options = TransactionsSyncRequestOptions(
        account_id=account_id, include_original_description=True
    )
    page = api.transactions_sync(
        TransactionsSyncRequest(access_token=made.access_token, count=50, options=options)
    )
    assert {row.account_id for row in page.added} == {account_id}
    assert all(row.original_description == row.name for row in page.added)
    _, error = refusal(
        api.transactions_sync,
        TransactionsSyncRequest(access_token=made.access_token, cursor=page.next_cursor),
    )
    assert error["error_code"] == "INVALID_FIELD"  # another stream's cursor


def test_transactions_refresh_of_the_dynamic_login_brings_purchases(api, sandbox, receiver):
    made = connect(sandbox, username="user_transactions_dynamic", webhook=receiver.url)
    request = TransactionsSyncRequest(access_token=made.access_token, count=500)
    cursor = api.transactions_sync(request).next_cursor
    api.transactions_refresh(TransactionsRefreshRequest(access_token=made.access_token))
    receiver.wait_for("SYNC_UPDATES_AVAILABLE")
    first = api.transactions_sync(
        TransactionsSyncRequest(access_token=made.access_token, cursor=cursor)
    )
    assert [row.pending for row in first.added] == [True] * 3
    api.transactions_refresh(TransactionsRefreshRequest(access_token=made.access_token))
    second = api.transactions_sync(
        TransactionsSyncRequest(access_token=made.access_token, cursor=first.next_cursor)
    )
    pending = {row.transaction_id for row in first.added}
    assert {row.transaction_id for row in second.removed} == pending
    assert {row.pending_transaction_id for row in second.added if not row.pending} == pending


def test_institutions_search_and_get_by_id(api):
    found = api.institutions_search(
        InstitutionsSearchRequest(
            query="puget", country_codes=[CountryCode("US")], products=[Products("transactions")]
        )
    ).institutions
    assert [bank.name for bank in found] == ["Puget Harbor Bank"]
    bank = api.institutions_get_by_id(
        InstitutionsGetByIdRequest(institution_id=MERIDIAN, country_codes=[CountryCode("US")])
    ).institution
    assert bank.oauth is True
    assert str(bank.connection_availability) == "SUPPORTED"
    _, error = refusal(
        api.institutions_get_by_id,
        InstitutionsGetByIdRequest(institution_id="ins_0", country_codes=[CountryCode("US")]),
    )
    assert error["error_code"] == "INVALID_INSTITUTION"


def test_webhook_verification_key_get(api, sandbox):
    key_id = sandbox.control("POST", "/keys/rotate")["key_id"]
    key = api.webhook_verification_key_get(WebhookVerificationKeyGetRequest(key_id=key_id)).key
    assert (key.alg, key.crv, key.kid, key.expired_at) == ("ES256", "P-256", key_id, None)
    sandbox.control("POST", "/keys/rotate")
    old = api.webhook_verification_key_get(WebhookVerificationKeyGetRequest(key_id=key_id)).key
    assert old.expired_at >= old.created_at
    _, error = refusal(
        api.webhook_verification_key_get, WebhookVerificationKeyGetRequest(key_id="strange")
    )
    assert error["error_code"] == "INVALID_WEBHOOK_VERIFICATION_KEY_ID"


def test_sandbox_item_reset_login_shows_in_the_item_and_in_calls(api, sandbox, receiver):
    made = connect(sandbox, webhook=receiver.url)
    answer = api.sandbox_item_reset_login(
        SandboxItemResetLoginRequest(access_token=made.access_token)
    )
    assert answer.reset_login is True
    item = api.item_get(ItemGetRequest(access_token=made.access_token)).item
    assert item.error.error_code == "ITEM_LOGIN_REQUIRED"
    status, error = refusal(
        api.transactions_sync, TransactionsSyncRequest(access_token=made.access_token)
    )
    assert (status, error["error_code"]) == (400, "ITEM_LOGIN_REQUIRED")
    told = receiver.wait_for("ERROR").content["error"]
    assert told["status"] == 400
    assert "request_id" not in told


@pytest.mark.parametrize(
    "code",
    [
        "DEFAULT_UPDATE",
        "ERROR",
        "LOGIN_REPAIRED",
        "NEW_ACCOUNTS_AVAILABLE",
        "PENDING_DISCONNECT",
        "RECURRING_TRANSACTIONS_UPDATE",
        "SYNC_UPDATES_AVAILABLE",
        "USER_ACCOUNT_REVOKED",
        "USER_PERMISSION_REVOKED",
    ],
)
def test_sandbox_item_fire_webhook(api, sandbox, receiver, code):
    made = connect(sandbox, webhook=receiver.url)
    answer = api.sandbox_item_fire_webhook(
        SandboxItemFireWebhookRequest(access_token=made.access_token, webhook_code=code)
    )
    assert answer.webhook_fired is True
    assert receiver.wait_for(code).content["item_id"] == made.item_id


def test_sandbox_item_fire_webhook_needs_an_address_and_a_known_code(api, sandbox, receiver):
    silent = connect(sandbox)
    _, error = refusal(
        api.sandbox_item_fire_webhook,
        SandboxItemFireWebhookRequest(
            access_token=silent.access_token, webhook_code="DEFAULT_UPDATE"
        ),
    )
    assert error["error_code"] == "SANDBOX_WEBHOOK_INVALID"
    made = connect(sandbox, webhook=receiver.url)
    error = sandbox.call(
        "/sandbox/item/fire_webhook", access_token=made.access_token, webhook_code="STRANGE"
    )
    assert error["error_code"] == "INVALID_FIELD"


def test_sandbox_transactions_create(api, sandbox):
    made = connect(sandbox, username="user_transactions_dynamic")
    cursor = sandbox.call("/transactions/sync", access_token=made.access_token, count=500)[
        "next_cursor"
    ]
    before = api.accounts_get(AccountsGetRequest(access_token=made.access_token)).accounts[0]
    today = TODAY
    api.sandbox_transactions_create(
        SandboxTransactionsCreateRequest(
            access_token=made.access_token,
            transactions=[
                CustomSandboxTransaction(
                    date_transacted=today,
                    date_posted=today,
                    amount=12.34,
                    description="Paper",
                    iso_currency_code="USD",
                ),
                CustomSandboxTransaction(
                    date_transacted=today,
                    date_posted=today + dt.timedelta(days=2),
                    amount=5.5,
                    description="Ink",
                    iso_currency_code="USD",
                ),
            ],
        )
    )
    page = api.transactions_sync(
        TransactionsSyncRequest(access_token=made.access_token, cursor=cursor)
    )
    assert [(row.name, row.amount, row.pending) for row in page.added] == [
        ("Paper", 12.34, False),
        ("Ink", 5.5, True),
    ]
    after = api.accounts_get(AccountsGetRequest(access_token=made.access_token)).accounts[0]
    assert round(before.balances.current - after.balances.current, 2) == 12.34


def test_sandbox_transactions_create_is_for_one_login_and_recent_days(sandbox):
    today = TODAY

    def create(username, day, count=1):
        made = connect(sandbox, username=username)
        row = {
            "date_transacted": str(day),
            "date_posted": str(day),
            "amount": 1,
            "description": "x",
        }
        return sandbox.call(
            "/sandbox/transactions/create",
            access_token=made.access_token,
            transactions=[row] * count,
        )

    assert create("user_good", today)["error_code"] == "INVALID_FIELD"
    dynamic = "user_transactions_dynamic"
    assert create(dynamic, today - dt.timedelta(days=15))["error_code"] == "INVALID_FIELD"
    assert create(dynamic, today, count=11)["error_code"] == "INVALID_FIELD"
    assert "error_code" not in create(dynamic, today - dt.timedelta(days=14), count=10)
