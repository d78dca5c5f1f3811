"""Plaid's webhooks: what is said, under which code, when something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sandbox import items, webhooks
from sandbox.items import Stage
from sandbox.plaid.errors import ERRORS, error_body
from sandbox.plaid.render import instant
from sandbox.world import Happening, News

if TYPE_CHECKING:
    import sqlite3

    from sandbox.items import Item

ENVIRONMENT: Final = "sandbox"
SYNC_UPDATES: Final = "SYNC_UPDATES_AVAILABLE"
LEGACY_CODES: Final = {
    Happening.INITIAL_READY: "INITIAL_UPDATE",
    Happening.HISTORICAL_READY: "HISTORICAL_UPDATE",
    Happening.UPDATED: "DEFAULT_UPDATE",
}
ITEM_CODES: Final = {
    Happening.FAILED: "ERROR",
    Happening.REPAIRED: "LOGIN_REPAIRED",
    Happening.NEW_ACCOUNTS: "NEW_ACCOUNTS_AVAILABLE",
    Happening.ACCOUNT_REVOKED: "USER_ACCOUNT_REVOKED",
    Happening.PERMISSION_REVOKED: "USER_PERMISSION_REVOKED",
    Happening.DISCONNECT_AHEAD: "PENDING_DISCONNECT",
    Happening.EXPIRATION_AHEAD: "PENDING_EXPIRATION",
}


def announce(db: sqlite3.Connection, item: Item, news: News, *, now: float) -> Item:
    """Queue the webhooks that tell of a happening; return the item as it is then."""
    if news.happening in ITEM_CODES:
        return send(db, item, "ITEM", ITEM_CODES[news.happening], _item_fields(item, news), now=now)
    fields = {"error": None, "new_transactions": news.changes_count}
    item = send(db, item, "TRANSACTIONS", LEGACY_CODES[news.happening], fields, now=now)
    # Who never read the stream is not told of it.
    return send_sync_updates(db, item, now=now) if item.is_synced else item


def send_sync_updates(db: sqlite3.Connection, item: Item, *, now: float) -> Item:
    fields = {
        "initial_update_complete": item.is_ready,
        "historical_update_complete": item.stage is Stage.HISTORICAL,
    }
    return send(db, item, "TRANSACTIONS", SYNC_UPDATES, fields, now=now)


def send(
    db: sqlite3.Connection,
    item: Item,
    webhook_type: str,
    code: str,
    fields: dict[str, Any],
    *,
    now: float,
) -> Item:
    """Queue one webhook of an item; return the item, which remembers its last one."""
    body = {
        "webhook_type": webhook_type,
        "webhook_code": code,
        "item_id": item.item_id,
        **fields,
        "environment": ENVIRONMENT,
    }
    webhooks.queue(db, item.webhook, body, now=now, item_id=item.item_id)
    return items.change(db, item, last_webhook_at=now, last_webhook_code=code)


def _item_fields(item: Item, news: News) -> dict[str, Any]:
    match news.happening:
        case Happening.FAILED | Happening.PERMISSION_REVOKED:
            code = item.error_code or "USER_PERMISSION_REVOKED"
            return {"error": error_in_webhook(code, item.error_reason)}
        case Happening.NEW_ACCOUNTS:
            return {"error": None}
        case Happening.ACCOUNT_REVOKED:
            assert news.account is not None
            return {"account_id": news.account.account_id}
        case Happening.DISCONNECT_AHEAD:
            return {"reason": news.reason, "disconnect_time": instant(item.disconnect_at)}
        case Happening.EXPIRATION_AHEAD:
            return {"consent_expiration_time": instant(item.consent_expires_at)}
    return {}


def error_in_webhook(code: str, reason: str = "") -> dict[str, Any]:
    """Return an error as webhooks hold it: with the HTTP status a call would have had."""
    return {**error_body(code, reason=reason), "status": ERRORS[code].status}
