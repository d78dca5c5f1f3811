"""Reads one member: its health, its accounts, its transactions in a window of days."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from app.aggregators.contract import (
    Access,
    AggregatorError,
    CursorRefused,
    History,
    LoginStatus,
    SourceAccount,
    SourceTransaction,
    SyncPage,
    UnreadableRow,
)
from app.aggregators.mx import cursor as cursors
from app.aggregators.mx.client import MxClient
from app.aggregators.mx.cursor import UNKNOWN_COUNT, Reading
from app.aggregators.mx.errors import CONFLICT, NOT_FOUND
from app.aggregators.mx.fields import Json, text
from app.aggregators.mx.members import Member
from app.aggregators.mx.rows import account, transaction
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now

REFRESH_SECONDS_MAX: Final = 20.0
"""A visit to a bank that takes longer goes on without us; MX reports its end."""

REFRESH_START_SECONDS: Final = 2.0
"""MX passes over a visit when the last was a short while ago: then none begins."""

REFRESH_POLL_SECONDS: Final = 0.5


def login_status(client: MxClient, access: Access) -> LoginStatus:
    member = _member(client, access)
    return LoginStatus(
        health=member.health,
        institution=member.institution,
        aggregated_at=member.successfully_aggregated_at,
    )


def accounts(client: MxClient, access: Access) -> tuple[SourceAccount, ...]:
    found = client.list_all("accounts", *_path(access), "accounts")
    return tuple(account(row) for row in found if text(row, "guid"))


def sync_page(client: MxClient, access: Access, cursor: str) -> SyncPage:
    """Return a page of the window; all pages of an undisturbed read are a snapshot."""
    reading = cursors.load(cursor) or _begun(_member(client, access), cursor)
    known = accounts(client, access)
    if reading is None:
        return SyncPage(cursor, has_more=False, history=History.NOT_READY, accounts=known)
    page = _page(client, access, reading, known)
    if reading.is_whole and _stamp(_member(client, access)) != reading.stamp:
        raise CursorRefused("READ_DURING_AGGREGATION")
    return page


def refresh(client: MxClient, access: Access) -> None:
    """Send MX to the bank and wait a while for its return."""
    before = _member(client, access)
    try:
        client.post(*_path(access), "aggregate")
    except AggregatorError as error:
        if error.code != CONFLICT:  # another visit is under way: its end serves as well
            raise
    began = time.monotonic()
    while (waited := time.monotonic() - began) < REFRESH_SECONDS_MAX:
        member = _member(client, access)
        has_begun = member.aggregated_at != before.aggregated_at
        needs_person = member.health.status is ConnectionStatus.RECONNECT_REQUIRED
        has_ended = not member.is_being_aggregated and (has_begun or waited > REFRESH_START_SECONDS)
        if has_ended or (has_begun and needs_person):
            return
        time.sleep(REFRESH_POLL_SECONDS)


def remove(client: MxClient, access: Access) -> None:
    try:
        client.delete(*_path(access))
    except AggregatorError as error:
        if error.code != NOT_FOUND:
            raise


def _begun(member: Member, cursor: str) -> Reading | None:
    """Begin a read; None when MX has nothing of this bank yet."""
    if member.successfully_aggregated_at is None:
        return None
    today = utc_now().date()
    return Reading(
        window=cursors.window_after(cursor, today),
        rested=cursor,
        today=today,
        next_page=1,
        stamp=_stamp(member),
        entries_count=UNKNOWN_COUNT,
        is_whole=not member.is_being_aggregated,
    )


def _page(
    client: MxClient, access: Access, reading: Reading, known: tuple[SourceAccount, ...]
) -> SyncPage:
    answer = client.list_page(
        *_path(access),
        "transactions",
        page=reading.next_page,
        query={
            "from_date": reading.window.first_day.isoformat(),
            "to_date": reading.window.last_day.isoformat(),
        },
    )
    entries_count = answer.paging("total_entries")
    if reading.is_whole and reading.entries_count not in {UNKNOWN_COUNT, entries_count}:
        raise CursorRefused("READ_DURING_AGGREGATION")
    has_more = reading.next_page < answer.paging("total_pages")
    upserts, unreadable = _turned(answer.records("transactions"), known)
    return SyncPage(
        cursor=_next_cursor(reading, entries_count, has_more=has_more),
        has_more=has_more,
        history=History.COMPLETE if reading.is_whole else History.RECENT,
        accounts=known if reading.next_page == 1 else (),
        upserts=upserts,
        unreadable=unreadable,
        snapshot_from=reading.window.snapshot_from if reading.is_whole else None,
    )


def _next_cursor(reading: Reading, entries_count: int, *, has_more: bool) -> str:
    if has_more:
        return cursors.dump(
            replace(reading, next_page=reading.next_page + 1, entries_count=entries_count)
        )
    return cursors.at_rest(reading.today) if reading.is_whole else reading.rested


def _turned(
    found: list[Json], known: tuple[SourceAccount, ...]
) -> tuple[tuple[SourceTransaction, ...], tuple[UnreadableRow, ...]]:
    currencies = {a.external_id: a.currency for a in known}
    turned = [transaction(row, currencies) for row in found]
    return (
        tuple(row for row in turned if isinstance(row, SourceTransaction)),
        tuple(row for row in turned if isinstance(row, UnreadableRow)),
    )


def _member(client: MxClient, access: Access) -> Member:
    return Member.from_row(client.get(*_path(access)).record("member"))


def _path(access: Access) -> tuple[str, str, str, str]:
    return ("users", access.secrets["user_guid"], "members", access.external_id)


def _stamp(member: Member) -> str:
    return f"{member.aggregated_at} {member.is_being_aggregated}"
