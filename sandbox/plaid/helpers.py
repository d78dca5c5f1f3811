"""Plaid's own helpers of its sandbox: the calls under /sandbox."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from marshmallow import fields, validate

from sandbox import banking, banks, items, operations
from sandbox.banking import Opening
from sandbox.ids import random_id
from sandbox.plaid import WIRE, announcements
from sandbox.plaid.calls import Call, endpoint
from sandbox.plaid.errors import PlaidRefusal
from sandbox.plaid.fields import (
    MISSING,
    LoosePart,
    Part,
    PlaidBody,
    anything,
    part,
    required_text,
    text,
    texts,
    web_url,
    whole_number,
)
from sandbox.plaid.institutions import known_bank
from sandbox.plaid.items import AccessBody
from sandbox.plaid.link import DAYS_DEFAULT, DAYS_MAX
from sandbox.plaid.render import instant
from sandbox.story.events import Event, Kind

if TYPE_CHECKING:
    from sandbox.items import Account

TRANSACTIONS_MAX: Final = 10
DAYS_BACK_MAX: Final = 14
ITEM_WEBHOOKS: Final = (
    "ERROR",
    "LOGIN_REPAIRED",
    "NEW_ACCOUNTS_AVAILABLE",
    "PENDING_DISCONNECT",
    "USER_ACCOUNT_REVOKED",
    "USER_PERMISSION_REVOKED",
)
TRANSACTIONS_WEBHOOKS: Final = (
    "DEFAULT_UPDATE",
    "RECURRING_TRANSACTIONS_UPDATE",
    "SYNC_UPDATES_AVAILABLE",
)
OTHER_WEBHOOKS: Final = (
    "AUTHORIZATION_GRANTED",
    "PRODUCT_READY",
    "SMS_MICRODEPOSITS_VERIFICATION",
)


class HistoryOptions(Part):
    start_date = fields.Date(allow_none=True)
    end_date = fields.Date(allow_none=True)
    days_requested = whole_number(1, DAYS_MAX)


class PublicTokenOptions(Part):
    webhook = text(validate=web_url)
    override_username = text()
    override_password = text()
    transactions = part(HistoryOptions)
    statements = anything()
    income_verification = anything()


class PublicTokenBody(PlaidBody):
    institution_id = required_text()
    initial_products = texts(required=True)
    options = part(PublicTokenOptions)
    user_token = text()
    user_id = text()


class FireOptions(LoosePart):
    new_transactions = whole_number(0, 1_000_000)


class FireBody(AccessBody):
    webhook_code = required_text()
    webhook_type = text()
    options = part(FireOptions)


class NewTransaction(Part):
    date_transacted = fields.Date(required=True, error_messages={"required": MISSING})
    date_posted = fields.Date(required=True, error_messages={"required": MISSING})
    amount = fields.Decimal(required=True, error_messages={"required": MISSING})
    description = required_text()
    iso_currency_code = text()
    account_id = text()


class TransactionsBody(AccessBody):
    transactions = fields.List(
        fields.Nested(NewTransaction),
        required=True,
        validate=validate.Length(1, TRANSACTIONS_MAX, error="must be 1 to 10 transactions"),
        error_messages={"required": MISSING},
    )


@endpoint("/sandbox/public_token/create", PublicTokenBody)
def create_public_token(call: Call) -> dict[str, Any]:
    bank = known_bank(call.body["institution_id"])
    options = call.body.get("options") or {}
    if not bank.accounts or not bank.is_supported:
        raise PlaidRefusal("INVALID_INSTITUTION", "the institution is not supported")
    if "transactions" in call.body["initial_products"] and not bank.has_transactions:
        raise PlaidRefusal("PRODUCTS_NOT_SUPPORTED")
    opening = Opening(
        wire=WIRE,
        bank=bank,
        username=_username(options),
        account_keys=frozenset(plan.key for plan in bank.accounts),
        webhook=options.get("webhook") or "",
        history_days=_history_days(options.get("transactions") or {}, call.world.today()),
    )
    with call.world.store.writing() as db:
        item = operations.connect(call.world, db, opening)
        return {"public_token": operations.give_public_token(call.world, db, item)}


def _username(options: dict[str, Any]) -> str:
    username: str = options.get("override_username") or banks.USER_GOOD
    if not banks.knows(username):
        raise PlaidRefusal("INVALID_CREDENTIALS")
    return username


def _history_days(options: dict[str, Any], today: date) -> int:
    if options.get("start_date"):
        start_date: date = options["start_date"]
        return max(1, min((today - start_date).days, DAYS_MAX))
    days_requested: int = options.get("days_requested") or DAYS_DEFAULT
    return days_requested


@endpoint("/sandbox/item/reset_login", AccessBody)
def reset_login(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        operations.fail(call.world, db, call.item(db), operations.LOGIN_REQUIRED)
    return {"reset_login": True}


@endpoint("/sandbox/item/fire_webhook", FireBody)
def fire_webhook(call: Call) -> dict[str, Any]:
    code = call.body["webhook_code"]
    now = call.world.now()
    with call.world.store.writing() as db:
        item = call.item(db)
        if not item.webhook:
            raise PlaidRefusal("SANDBOX_WEBHOOK_INVALID", "the item has no webhook")
        if code == announcements.SYNC_UPDATES:
            announcements.send_sync_updates(db, item, now=now)
        elif code in (*ITEM_WEBHOOKS, *TRANSACTIONS_WEBHOOKS, *OTHER_WEBHOOKS):
            webhook_type, extra = _fired(call, code, items.shared_accounts(db, item))
            announcements.send(db, item, webhook_type, code, extra, now=now)
        else:
            raise PlaidRefusal("INVALID_FIELD", f"webhook_code: {code} cannot be fired")
    call.world.wake.set()
    return {"webhook_fired": True}


def _fired(call: Call, code: str, accounts: list[Account]) -> tuple[str, dict[str, Any]]:
    """Return the type and the fields of a webhook that is fired though nothing happened."""
    if code in TRANSACTIONS_WEBHOOKS:
        count = (call.body.get("options") or {}).get("new_transactions", 0)
        return "TRANSACTIONS", {"error": None, "new_transactions": count}
    if code in OTHER_WEBHOOKS:
        return call.body.get("webhook_type", "AUTH"), {}
    if code == "PENDING_DISCONNECT":
        disconnect_at = call.world.now() + operations.DISCONNECT_SECONDS
        reason = "INSTITUTION_TOKEN_EXPIRATION"
        return "ITEM", {"reason": reason, "disconnect_time": instant(disconnect_at)}
    if code == "USER_ACCOUNT_REVOKED":
        return "ITEM", {"account_id": accounts[0].account_id}
    if code == "ERROR":
        return "ITEM", {"error": announcements.error_in_webhook("ITEM_LOGIN_REQUIRED")}
    return "ITEM", {}


@endpoint("/sandbox/transactions/create", TransactionsBody)
def create_transactions(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        item = call.item(db)
        if item.username != banks.USER_DYNAMIC:
            raise PlaidRefusal(
                "INVALID_FIELD", f"access_token: only items of {banks.USER_DYNAMIC} take these"
            )
        item = operations.catch_up(call.world, db, item)
        accounts = items.shared_accounts(db, item)
        before = item.head
        for asked in call.body["transactions"]:
            account = _account_of(accounts, asked.get("account_id"))
            event = _event(asked, item.today)
            item = banking.tell_event(db, item, account, event)
        operations.announce_changes(call.world, db, item, before)
    return {}


def _account_of(accounts: list[Account], account_id: str | None) -> Account:
    for account in accounts:
        if account_id in {None, account.account_id}:
            return account
    raise PlaidRefusal("INVALID_ACCOUNT_ID")


def _event(asked: dict[str, Any], today: date) -> Event:
    """Return the movement that was asked for; one that posts later is pending until then."""
    transacted, posted = asked["date_transacted"], asked["date_posted"]
    oldest = today - timedelta(days=DAYS_BACK_MAX)
    if not oldest <= transacted <= today or posted < transacted:
        raise PlaidRefusal(
            "INVALID_FIELD",
            f"transactions: dates must lie within the last {DAYS_BACK_MAX} days, and posting "
            "not before the transaction",
        )
    amount_minor = -int((asked["amount"] * 100).to_integral_value())
    return Event(
        key=f"told {random_id()}",
        day=posted,
        amount_minor=amount_minor,
        description=asked["description"],
        kind=Kind.CARD if amount_minor < 0 else Kind.DEPOSIT,
        pending_from=transacted if posted > transacted else None,
        pending_minor=amount_minor,
    )
