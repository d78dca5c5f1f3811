"""What is no part of MX: a call with which tests change transactions at a member's bank."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from flask import request

from sandbox import entries, items
from sandbox.entries import Entry
from sandbox.ids import random_id
from sandbox.mx import members
from sandbox.mx.calls import NOT_FOUND, Call, endpoint
from sandbox.mx.guids import guid_of
from sandbox.story.events import Kind

if TYPE_CHECKING:
    import sqlite3

    from sandbox.items import Item


MINOR_DIGITS: Final = 2


@endpoint("POST", "/sandbox/members/<member_guid>/changes")
def change_transactions(call: Call, member_guid: str) -> dict[str, Any]:
    """Let the bank add, remove, post or amend transactions; returns their ids in order."""
    asked = (request.get_json(silent=True) or {}).get("changes") or []
    with call.world.store.writing() as db:
        if members.find(db, member_guid) is None:
            raise NOT_FOUND
        guids = [_changed(db, items.find(db, member_guid), change) for change in asked]
    return {"guids": guids}


def _changed(db: sqlite3.Connection, item: Item, change: dict[str, Any]) -> str:
    item = items.change(db, item, head=item.head + 1)
    if change["do"] == "add":
        return _added(db, item, change)
    guid = str(change["guid"])
    entry = _known(db, item, guid)
    if change["do"] == "remove":
        _remove(db, item, entry)
        return guid
    if change["do"] == "post":
        _remove(db, item, entry)
        posted = entry._replace(
            transaction_id=random_id(),
            is_pending=0,
            day=change.get("posted") or entry.day,
            authorized_day=entry.authorized_day or entry.day,
            amount_minor=_minor(change, entry.amount_minor),
        )
        return _insert(db, items.change(db, item, head=item.head + 1), posted)
    assert change["do"] == "amend"
    db.execute(
        "UPDATE entry SET changed_at = ?, amount_minor = ? "
        "WHERE item_id = ? AND transaction_id = ?",
        (item.head, _minor(change, entry.amount_minor), item.item_id, entry.transaction_id),
    )
    return guid


def _added(db: sqlite3.Connection, item: Item, change: dict[str, Any]) -> str:
    accounts = items.shared_accounts(db, item)
    account = accounts[change.get("account", 0) % len(accounts)]
    entry = Entry(
        transaction_id=random_id(),
        account_id=account.account_id,
        added_at=0,
        changed_at=0,
        removed_at=None,
        day=change.get("posted") or change["day"],
        authorized_day=change["day"],
        is_pending=int(bool(change.get("pending"))),
        pending_transaction_id="",
        amount_minor=_minor(change, 0),
        currency=account.plan.currency,
        description=change.get("description") or "COUNTER DEPOSIT",
        merchant="",
        kind=Kind.DEPOSIT,
        check_number="",
    )
    return _insert(db, item, entry)


def _insert(db: sqlite3.Connection, item: Item, entry: Entry) -> str:
    entries.insert(db, item.item_id, [entry._replace(added_at=item.head, changed_at=item.head)])
    return guid_of("TRN", entry.transaction_id)


def _remove(db: sqlite3.Connection, item: Item, entry: Entry) -> None:
    db.execute(
        "UPDATE entry SET changed_at = ?, removed_at = ? WHERE item_id = ? AND transaction_id = ?",
        (item.head, item.head, item.item_id, entry.transaction_id),
    )


def _known(db: sqlite3.Connection, item: Item, guid: str) -> Entry:
    account_ids = [account.account_id for account in items.shared_accounts(db, item)]
    for entry in entries.living(db, item, account_ids):
        if guid_of("TRN", entry.transaction_id) == guid:
            return entry
    raise NOT_FOUND


def _minor(change: dict[str, Any], default: int) -> int:
    amount = change.get("amount")
    return default if amount is None else int(Decimal(amount).scaleb(MINOR_DIGITS))
