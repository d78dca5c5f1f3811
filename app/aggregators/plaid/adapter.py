"""Plaid as an aggregator: each method is one request, one call, one reading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from app.aggregators.contract import (
    Access,
    AggregatorError,
    Coverage,
    CursorRefused,
    FlowRequest,
    FlowResult,
    FlowState,
    History,
    HostedFlow,
    Institution,
    LoginStatus,
    SourceAccount,
    SyncPage,
    Webhook,
)
from app.aggregators.plaid import flows, items, requests, transactions
from app.aggregators.plaid.accounts import source_accounts
from app.aggregators.plaid.client import Call, Client, Patience
from app.aggregators.plaid.errors import incomplete
from app.aggregators.plaid.institutions import coverages, institution_of
from app.aggregators.plaid.reading import Json, id_of, text_of
from app.aggregators.plaid.settings import PlaidSettings
from app.aggregators.plaid.webhook_keys import WebhookKeys
from app.aggregators.plaid.webhooks import read_webhook
from app.kernel.clock import utc_now

# A person waits for the first ones; a web server gives a request up after a minute.
LINK_TOKEN_CREATE: Final = Call("link_token_create", read_seconds=10, total_seconds=20)
LINK_TOKEN_GET: Final = Call("link_token_get", read_seconds=10, total_seconds=20)
# A public token works once: a second try would meet INVALID_PUBLIC_TOKEN and hide the first.
EXCHANGE: Final = Call(
    "item_public_token_exchange", read_seconds=15, total_seconds=30, repeatable=False
)
ITEM_REMOVE: Final = Call("item_remove", read_seconds=10, total_seconds=20)
INSTITUTIONS_SEARCH: Final = Call("institutions_search", read_seconds=10, total_seconds=20)
INSTITUTIONS_GET_BY_ID: Final = Call("institutions_get_by_id", read_seconds=10, total_seconds=20)
# Plaid waits ten seconds for the answer to a webhook, and sends it again.
WEBHOOK_KEY_GET: Final = Call("webhook_verification_key_get", read_seconds=3, total_seconds=9)
ITEM_GET: Final = Call("item_get", read_seconds=15, total_seconds=40)
ACCOUNTS_GET: Final = Call("accounts_get", read_seconds=30, total_seconds=60)
TRANSACTIONS_SYNC: Final = Call("transactions_sync", read_seconds=30, total_seconds=60)
# Plaid reads the bank while we wait, and every call is paid for.
TRANSACTIONS_REFRESH: Final = Call(
    "transactions_refresh", read_seconds=50, total_seconds=60, repeatable=False
)

INSTITUTIONS_KEPT_MAX: Final = 1_000

_GONE: Final = frozenset({"ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN", "ITEM_CONCURRENTLY_DELETED"})
_CURSOR_REFUSED: Final = frozenset({"INVALID_CURSOR", "INVALID_FIELD"})
"""Of all fields of that request the cursor alone is not ours."""
_MUTATION: Final = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"


class Plaid:
    name = "plaid"
    title = "Plaid"

    def __init__(self, settings: PlaidSettings, patience: Patience | None = None) -> None:
        self._client = Client(settings, patience)
        self._host = settings.host
        self._institutions: dict[str, Institution] = {}
        self._keys = WebhookKeys(self._fetch_key)

    def search_institutions(self, query: str) -> tuple[Coverage, ...]:
        query = query.strip()
        if not query:
            return ()
        return coverages(
            self._client.call(INSTITUTIONS_SEARCH, requests.institutions_search(query))
        )

    def start_flow(self, request: FlowRequest) -> HostedFlow:
        answer = self._client.call(LINK_TOKEN_CREATE, requests.link_token_create(request))
        return flows.hosted_flow(answer, self._host, utc_now())

    def flow_result(self, flow_token: str) -> FlowResult:
        try:
            answer = self._client.call(LINK_TOKEN_GET, {"link_token": flow_token})
        except AggregatorError as error:
            if error.code == "INVALID_LINK_TOKEN":  # forgotten some hours after its end
                return FlowResult(FlowState.EXPIRED)
            raise
        return flows.flow_result(answer, utc_now())

    def exchange(self, grant_token: str) -> Access:
        answer = self._client.call(EXCHANGE, {"public_token": grant_token})
        item_id, access_token = id_of(answer, "item_id"), text_of(answer, "access_token")
        if not (item_id and access_token):
            raise incomplete("access_token")
        return Access(item_id, {"access_token": access_token})

    def login_status(self, access: Access) -> LoginStatus:
        answer = self._call_with(access, ITEM_GET)
        return LoginStatus(
            health=items.health(answer, utc_now()),
            institution=self._institution(items.item_of(answer)),
            aggregated_at=items.aggregated_at(answer),
        )

    def accounts(self, access: Access) -> tuple[SourceAccount, ...]:
        answer = self._call_with(access, ACCOUNTS_GET)
        if not isinstance(answer.get("accounts"), list):
            raise incomplete("accounts")
        return source_accounts(answer)

    def sync_page(self, access: Access, cursor: str) -> SyncPage:
        body = requests.transactions_sync(access.secrets["access_token"], cursor)
        try:
            answer = self._client.call(TRANSACTIONS_SYNC, body)
        except AggregatorError as error:
            if error.code == "PRODUCT_NOT_READY":
                return SyncPage(cursor=cursor, has_more=False, history=History.NOT_READY)
            if error.code == _MUTATION or (cursor and error.code in _CURSOR_REFUSED):
                raise CursorRefused(error.code) from None
            raise
        return transactions.sync_page(answer)

    def refresh(self, access: Access) -> None:
        self._call_with(access, TRANSACTIONS_REFRESH)

    def remove(self, access: Access) -> None:
        try:
            self._call_with(access, ITEM_REMOVE)
        except AggregatorError as error:
            if error.code not in _GONE:
                raise

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Webhook:
        return read_webhook(headers, body, now, self._keys)

    def _call_with(self, access: Access, call: Call) -> Json:
        return self._client.call(call, {"access_token": access.secrets["access_token"]})

    def _fetch_key(self, key_id: str) -> Json:
        return self._client.call(WEBHOOK_KEY_GET, {"key_id": key_id})

    def _institution(self, item: Json) -> Institution | None:
        external_id, name = id_of(item, "institution_id"), text_of(item, "institution_name")
        if not external_id or name:
            return Institution(external_id, name) if external_id else None
        if external_id not in self._institutions:
            if len(self._institutions) >= INSTITUTIONS_KEPT_MAX:
                self._institutions.clear()
            found = self._look_up(external_id)
            if found is None:
                return None
            self._institutions[external_id] = found
        return self._institutions[external_id]

    def _look_up(self, external_id: str) -> Institution | None:
        try:
            answer = self._client.call(
                INSTITUTIONS_GET_BY_ID, requests.institutions_get_by_id(external_id)
            )
        except AggregatorError:
            return None  # a name that cannot be had now must not hide how the login is
        return institution_of(answer)
