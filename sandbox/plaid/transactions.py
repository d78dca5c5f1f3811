"""/transactions/sync and /transactions/refresh."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sandbox import entries, faults, items, operations
from sandbox.entries import Position
from sandbox.faults import Fault
from sandbox.items import Stage
from sandbox.plaid import render
from sandbox.plaid.calls import Call, endpoint
from sandbox.plaid.errors import PlaidRefusal
from sandbox.plaid.fields import (
    Part,
    PlaidBody,
    anything,
    flag,
    part,
    required_text,
    text,
    whole_number,
)

if TYPE_CHECKING:
    from sandbox.entries import Page
    from sandbox.items import Account, Item

COUNT_DEFAULT: Final = 100
COUNT_MAX: Final = 500
DAYS_MAX: Final = 730
CURSOR_VERSION: Final = "1"
STORED: Final = "stored"
STATUSES: Final = {
    Stage.NOT_READY: "NOT_READY",
    Stage.INITIAL: "INITIAL_UPDATE_COMPLETE",
    Stage.HISTORICAL: "HISTORICAL_UPDATE_COMPLETE",
}


class SyncOptions(Part):
    account_id = text()
    include_original_description = flag()
    days_requested = whole_number(1, DAYS_MAX)
    include_personal_finance_category = flag()
    include_logo_and_counterparty_beta = flag()
    personal_finance_category_version = anything()


class SyncBody(PlaidBody):
    access_token = required_text()
    cursor = text()
    count = whole_number(1, COUNT_MAX)
    options = part(SyncOptions)


class RefreshBody(PlaidBody):
    access_token = required_text()


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in an item's stream, with the page's number inside its loop, from 1 on."""

    position: Position
    page: int

    def text(self, item: Item) -> str:
        place = self.position
        parts = (
            CURSOR_VERSION,
            item.item_id,
            item.cursor_epoch,
            place.start,
            place.at,
            place.head,
            place.account_id,
            self.page,
        )
        return urlsafe_b64encode("|".join(map(str, parts)).encode()).decode()


def read_cursor(content: str, item: Item, account_id: str) -> Cursor:
    """Return where a cursor points.

    Raises:
        PlaidRefusal: INVALID_FIELD when it is none of this item's stream.
    """
    if not content:
        return Cursor(Position(0, 0, item.head, account_id), 1)
    try:
        parts = urlsafe_b64decode(content.encode()).decode().split("|")
        version, item_id, epoch, start, at, head, account, page = parts
        position = Position(int(start), int(at), int(head), account)
        cursor = Cursor(position, int(page))
    except ValueError:
        raise PlaidRefusal("INVALID_FIELD", "cursor: is not valid") from None
    is_ours = (version, item_id, epoch) == (CURSOR_VERSION, item.item_id, str(item.cursor_epoch))
    if not is_ours or account != account_id:
        raise PlaidRefusal("INVALID_FIELD", "cursor: is not associated with the access_token")
    return cursor


@endpoint("/transactions/sync", SyncBody)
def sync(call: Call) -> dict[str, Any] | str:
    options = call.body.get("options") or {}
    with call.world.store.reading() as db:
        item = call.item(db)
    item = _noticed(call, item)
    with call.world.store.reading() as db:
        item = call.item(db)
        accounts = items.shared_accounts(db, item)
        if not item.is_ready:
            return _not_ready(accounts, item)
        asked = _asked_accounts(accounts, options.get("account_id"))
        cursor = read_cursor(call.body.get("cursor", ""), item, options.get("account_id") or "")
        _refuse_mutation(call, item, cursor)
        count = _count(call)
        page = entries.read_page(db, item, cursor.position, count, account_ids=asked)
    return _page_text(
        call, item, accounts, cursor, page, bool(options.get("include_original_description"))
    )


def _noticed(call: Call, item: Item) -> Item:
    """Remember the first reading, after which new data are announced; catch up with the days."""
    is_behind = item.today < call.world.bank_day(item) and item.stage is Stage.HISTORICAL
    if item.is_synced and not is_behind:
        return item
    with call.world.store.writing() as db:
        item = items.change(db, call.item(db), is_synced=1)
        return operations.catch_up(call.world, db, item)


def _not_ready(accounts: list[Account], item: Item) -> dict[str, Any]:
    return {
        "accounts": [render.account_body(account, item.bank) for account in accounts],
        "added": [],
        "modified": [],
        "removed": [],
        "next_cursor": "",
        "has_more": False,
        "transactions_update_status": STATUSES[item.stage],
    }


def _asked_accounts(accounts: list[Account], account_id: str | None) -> list[str]:
    shared = [account.account_id for account in accounts]
    if account_id is None:
        return shared
    if account_id not in shared:
        raise PlaidRefusal("INVALID_ACCOUNT_ID")
    return [account_id]


def _count(call: Call) -> int:
    count: int = call.body.get("count", COUNT_DEFAULT)
    small = call.faults.get(Fault.SMALL_PAGES)
    return count if small is None else min(count, int(small.value))


def _refuse_mutation(call: Call, item: Item, cursor: Cursor) -> None:
    """Refuse a page whose loop began before the data changed, or as the fault menu wants it."""
    position = cursor.position
    is_mutated = position.is_inside_loop and position.head != item.head
    fault = call.faults.get(Fault.MUTATION)
    if fault is not None:
        is_meant = position.start > 0 if fault.value == STORED else str(cursor.page) == fault.value
        if is_meant:
            with call.world.store.writing() as db:
                faults.use_up(db, fault)
        is_mutated = is_mutated or is_meant
    if is_mutated:
        raise PlaidRefusal("TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")


def _page_text(
    call: Call,
    item: Item,
    accounts: list[Account],
    cursor: Cursor,
    page: Page,
    with_original: bool,
) -> str:
    has_more = page.has_more or Fault.ENDLESS_PAGES in call.faults
    next_cursor = Cursor(page.next_position, cursor.page + 1 if has_more else 1)
    removed = [
        {"transaction_id": entry.transaction_id, "account_id": entry.account_id}
        for entry in page.removed
    ]
    rest = json.dumps(
        {
            "accounts": [render.account_body(account, item.bank) for account in accounts],
            "removed": removed,
            "next_cursor": next_cursor.text(item),
            "has_more": has_more,
            "transactions_update_status": STATUSES[item.stage],
        }
    )
    added = render.transactions(page.added, with_original=with_original)
    modified = render.transactions(page.modified, with_original=with_original)
    return f'{rest[:-1]},"added":{added},"modified":{modified}'


@endpoint("/transactions/refresh", RefreshBody)
def refresh(call: Call) -> dict[str, Any]:
    with call.world.store.writing() as db:
        operations.refresh(call.world, db, call.item(db))
    return {}
