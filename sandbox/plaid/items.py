"""Items and their accounts: the calls under /item and /accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from marshmallow import validate

from sandbox import items, operations
from sandbox.plaid import announcements, render
from sandbox.plaid.calls import Call, endpoint
from sandbox.plaid.errors import PlaidRefusal
from sandbox.plaid.fields import (
    Part,
    PlaidBody,
    anything,
    part,
    required_text,
    text,
    texts,
    web_url,
)

if TYPE_CHECKING:
    from sandbox.items import Account, Item

REASON_CODES: Final = (
    "FRAUD_FIRST_PARTY",
    "FRAUD_FALSE_IDENTITY",
    "FRAUD_ABUSE",
    "FRAUD_OTHER",
    "CONNECTION_IS_NON_FUNCTIONAL",
    "OTHER",
)
NOTE_CHARACTERS_MAX: Final = 512


class AccessBody(PlaidBody):
    access_token = required_text()


class ExchangeBody(PlaidBody):
    public_token = required_text()


class RemoveBody(AccessBody):
    reason_code = text(validate=validate.OneOf(REASON_CODES))
    reason_note = text(validate=validate.Length(max=NOTE_CHARACTERS_MAX))


class WebhookBody(AccessBody):
    webhook = text(validate=web_url)


class AccountsOptions(Part):
    account_ids = texts()


class AccountsBody(AccessBody):
    options = part(AccountsOptions)


class BalanceOptions(AccountsOptions):
    min_last_updated_datetime = anything()


class BalanceBody(AccessBody):
    options = part(BalanceOptions)


@endpoint("/item/public_token/exchange", ExchangeBody)
def exchange(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        public_token = operations.find_public_token(db, call.body["public_token"])
        if public_token is None or public_token.is_used:
            raise PlaidRefusal("INVALID_PUBLIC_TOKEN")
        if public_token.expires_at < call.world.now():
            raise PlaidRefusal("INVALID_PUBLIC_TOKEN", "the public token has expired")
        db.execute("UPDATE public_token SET is_used = 1 WHERE token = ?", (public_token.token,))
        item = items.find(db, public_token.item_id)
    return {"access_token": item.access_token, "item_id": item.item_id}


@endpoint("/item/get", AccessBody)
def get(call: Call) -> dict[str, Any]:
    with call.world.store.reading() as db:
        item = call.item(db)
    return {"item": render.item_body(item), "status": render.item_status(item)}


@endpoint("/item/remove", RemoveBody)
def remove(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        operations.remove(db, call.item(db))
    return {}


@endpoint("/item/webhook/update", WebhookBody)
def update_webhook(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        item = items.change(db, call.item(db), webhook=call.body.get("webhook", ""))
        fields = {"error": None, "new_webhook_url": item.webhook}
        code = "WEBHOOK_UPDATE_ACKNOWLEDGED"
        item = announcements.send(db, item, "ITEM", code, fields, now=call.world.now())
    call.world.wake.set()
    return {"item": render.item_body(item)}


@endpoint("/item/access_token/invalidate", AccessBody)
def invalidate_access_token(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        item = operations.new_access_token(db, call.item(db))
    return {"new_access_token": item.access_token}


@endpoint("/accounts/get", AccountsBody)
def accounts(call: Call) -> dict[str, Any]:
    with call.world.store.reading() as db:
        item = call.item(db)
        return _accounts(call, item, items.shared_accounts(db, item))


@endpoint("/accounts/balance/get", BalanceBody)
def balances(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        item = operations.catch_up(call.world, db, call.item(db))
        return _accounts(call, item, items.shared_accounts(db, item))


def _accounts(call: Call, item: Item, shared: list[Account]) -> dict[str, Any]:
    asked = (call.body.get("options") or {}).get("account_ids")
    known = {account.account_id: account for account in shared}
    if asked is not None and not known.keys() >= set(asked):
        raise PlaidRefusal("INVALID_ACCOUNT_ID")
    shown = shared if asked is None else [known[account_id] for account_id in asked]
    return {
        "accounts": [render.account_body(account, item.bank) for account in shown],
        "item": render.item_body(item),
    }
