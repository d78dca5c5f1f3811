"""MX's webhooks: what is said when something happens to a member."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox import items, webhooks
from sandbox.mx import members
from sandbox.mx.statuses import TOLD_BY_WEBHOOK, number, sentence
from sandbox.world import Happening

if TYPE_CHECKING:
    import sqlite3

    from sandbox.items import Item
    from sandbox.mx.members import Member
    from sandbox.world import News


def announce(db: sqlite3.Connection, item: Item, news: News, *, now: float) -> Item:
    """Tell what the banks' core says happened to an item; the end of a job tells more itself."""
    member = members.find(db, item.item_id)
    assert member is not None
    if news.happening is Happening.FAILED:
        tell_status(db, member, item.error_code, now=now)
    elif news.happening is Happening.UPDATED and not member.is_being_aggregated:
        member = members.change(db, member, aggregated_at=now, successfully_aggregated_at=now)
        tell_aggregated(db, member, now=now, changes_count=news.changes_count, is_background=True)
    return items.find(db, item.item_id)


def tell_status(db: sqlite3.Connection, member: Member, status: str, *, now: float) -> None:
    """Tell of a status that asks the person to do something."""
    if status not in TOLD_BY_WEBHOOK:
        return
    body = {
        "type": "CONNECTION_STATUS",
        "action": "CHANGED",
        "connection_status": status,
        "connection_status_id": number(status),
        "connection_status_message": sentence(status),
    }
    _queue(db, member, body, now=now)


def tell_aggregated(
    db: sqlite3.Connection, member: Member, *, now: float, changes_count: int, is_background: bool
) -> None:
    body = {
        "type": "AGGREGATION",
        "action": "member_data_updated",
        "completed_at": int(now),
        "completed_on": str(datetime.fromtimestamp(now, UTC).date()),
        "is_background": is_background,
        "transactions_created_count": changes_count,
        "transactions_updated_count": 0,
    }
    _queue(db, member, body, now=now)


def tell_member(db: sqlite3.Connection, member: Member, action: str, *, now: float) -> None:
    """Tell that a member was created, updated or deleted."""
    status = members.status_of(db, member)
    body = {
        "type": "MEMBER",
        "action": action,
        "guid": member.guid,
        "connection_status": status,
        "connection_status_id": number(status),
        "is_being_aggregated": member.is_being_aggregated,
    }
    _queue(db, member, body, now=now)


def _queue(db: sqlite3.Connection, member: Member, body: dict[str, Any], *, now: float) -> None:
    url = items.find(db, member.guid).webhook
    ids = {"member_guid": member.guid, "user_guid": member.user_guid}
    webhooks.queue(
        db,
        url,
        {**body, **ids},
        code=f"{body['type']}/{body['action']}",
        now=now,
        item_id=member.guid,
        link_token=member.callback,
    )
