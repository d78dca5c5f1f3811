"""What the banks do with an item: tell its first transactions, let days pass, keep balances.

Pure functions of the item's story decide what is shown on a day; this module writes the difference
between two days into the item's stream of changes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sandbox import entries, items
from sandbox.entries import Entry
from sandbox.ids import derived_id, random_id, token
from sandbox.items import Account, Item, Stage
from sandbox.story.draws import months_between
from sandbox.story.events import Event, Kind, Version, posted_minor, version_on

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator

    from sandbox.banks import Institution

INITIAL_DAYS: Final = 30
LOOK_BACK_DAYS: Final = 45
"""A correction or removal comes at most this long after the event's day."""
LOOK_AHEAD_DAYS: Final = 10
"""A pending transaction is shown at most this long before it posts."""
SECONDS_PER_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Opening:
    """A login that somebody connects, and the accounts that he shares.

    A wire format that has identifiers of its own form gives `item_id`.
    """

    wire: str
    bank: Institution
    username: str
    account_keys: frozenset[str]
    webhook: str
    history_days: int
    item_id: str = ""


def open_item(
    db: sqlite3.Connection, opening: Opening, *, now: float, today: date, bulk_rows: int
) -> Item:
    """Make an item whose transactions are not ready yet."""
    item = Item(
        item_id=opening.item_id or random_id(),
        wire=opening.wire,
        access_token=token("access"),
        institution_id=opening.bank.institution_id,
        username=opening.username,
        webhook=opening.webhook,
        created_at=now,
        created_day=str(today),
        first_day=str(today - timedelta(days=opening.history_days)),
        bank_day=str(today),
        days_ahead=0,
        stage=Stage.NOT_READY,
        stage_due_at=now,
        head=bulk_rows,
        bulk_rows=bulk_rows,
        cursor_epoch=0,
        is_synced=0,
        error_code="",
        error_reason="",
        error_since=None,
        consent_expires_at=_consent_end(opening.bank, now),
        disconnect_at=None,
        last_success_at=now,
        last_failure_at=None,
        last_webhook_at=None,
        last_webhook_code="",
        is_removed=0,
    )
    items.insert(db, item)
    for plan in opening.bank.accounts:
        if not plan.is_opened_later:
            add_account(db, item, plan.key, is_shared=plan.key in opening.account_keys)
    _write_balances(db, item)
    return item


def _consent_end(bank: Institution, now: float) -> float | None:
    return None if bank.consent_days is None else now + bank.consent_days * SECONDS_PER_DAY


def renew_consent(db: sqlite3.Connection, item: Item, *, now: float) -> Item:
    return items.change(
        db, item, consent_expires_at=_consent_end(item.bank, now), disconnect_at=None
    )


def add_account(db: sqlite3.Connection, item: Item, key: str, *, is_shared: bool) -> None:
    """Let the login have one more account; its transactions come once it is shared."""
    account_id = derived_id(item.item_id, key)
    db.execute(
        "INSERT INTO account VALUES (?, ?, ?, ?, 0, 0)",
        (account_id, item.item_id, key, int(is_shared)),
    )


def advance_stage(db: sqlite3.Connection, item: Item) -> Item:
    """Take the next step from not ready to initial to historical."""
    accounts = items.shared_accounts(db, item)
    if item.stage is Stage.NOT_READY and not item.bulk_rows:
        item = _show(db, item, accounts, item.today - timedelta(days=INITIAL_DAYS))
        return items.change(db, item, stage=Stage.INITIAL)
    item = _show(db, item, accounts, date.fromisoformat(item.first_day))
    return items.change(db, item, stage=Stage.HISTORICAL, stage_due_at=None)


def rewind(db: sqlite3.Connection, item: Item, stage: Stage) -> Item:
    """Bring the item back to a stage and hold it there; cursors given so far are void."""
    db.execute("DELETE FROM entry WHERE item_id = ?", (item.item_id,))
    item = items.change(
        db,
        item,
        stage=Stage.NOT_READY,
        stage_due_at=None,
        head=item.bulk_rows,
        cursor_epoch=item.cursor_epoch + 1,
    )
    while item.stage is not stage:
        item = advance_stage(db, item)
    return items.change(db, item, stage_due_at=None)


def roll_to(db: sqlite3.Connection, item: Item, day: date) -> Item:
    """Let the bank tell every day up to this one; nothing happens when it already has."""
    accounts = items.shared_accounts(db, item)
    while item.today < day:
        before, after = item.today, item.today + timedelta(days=1)
        changes = list(_changes(db, item, accounts, before, after))
        # Which comes first differs from day to day, as it does with real banks.
        changes.sort(key=lambda change: (change[0] is None) == (after.toordinal() % 2 == 0))
        item = items.change(db, item, bank_day=str(after))
        item = _apply(db, item, changes)
    _write_balances(db, item)
    return item


def share_accounts(db: sqlite3.Connection, item: Item, keys: frozenset[str]) -> Item:
    """Share exactly these accounts; those shared anew bring their whole history.

    Also one that was shared before: who began to read in between has nothing of it.
    """
    accounts = items.accounts_of(db, item)
    fresh = {account.account_id for account in accounts if not account.is_shared}
    db.executemany(
        "UPDATE account SET is_shared = ? WHERE account_id = ?",
        [(int(account.key in keys), account.account_id) for account in accounts],
    )
    if item.is_ready:
        shared = items.shared_accounts(db, item)
        item = _show(db, item, shared, date.fromisoformat(item.first_day), anew=fresh)
    _write_balances(db, item)
    return item


def tell_event(db: sqlite3.Connection, item: Item, account: Account, event: Event) -> Item:
    """Add an event that is in no story, and show it if it is pending or posted already."""
    db.execute(
        "INSERT INTO told_event VALUES (?, ?, ?)",
        (item.item_id, account.key, json.dumps(asdict(event), default=str)),
    )
    version = version_on(event, item.today)
    if version is not None and item.is_ready:
        item = _apply(db, item, [(None, _entry(item, account, version))])
    _write_balances(db, item)
    return item


def settle_pending(db: sqlite3.Connection, item: Item) -> Item:
    """Let every told event that is pending post today."""
    accounts = {account.key: account for account in items.shared_accounts(db, item)}
    changes: list[tuple[Entry | None, Entry | None]] = []
    for row in db.execute(
        "SELECT rowid, account_key, event FROM told_event WHERE item_id = ?", (item.item_id,)
    ).fetchall():
        event = _event_of(row["event"])
        before = version_on(event, item.today)
        if before is None or not before.is_pending or row["account_key"] not in accounts:
            continue
        values = {**asdict(event), "day": item.today}
        db.execute(
            "UPDATE told_event SET event = ? WHERE rowid = ?",
            (json.dumps(values, default=str), row["rowid"]),
        )
        after = version_on(Event(**values), item.today)
        assert after is not None
        account = accounts[row["account_key"]]
        changes.append((_entry(item, account, before), None))
        changes.append((None, _entry(item, account, after)))
    item = _apply(db, item, changes)
    _write_balances(db, item)
    return item


def _show(
    db: sqlite3.Connection,
    item: Item,
    accounts: list[Account],
    first_day: date,
    *,
    anew: Collection[str] = (),
) -> Item:
    """Let the stream say what the bank shows today of these accounts since a day.

    What it said before is not repeated, except for the accounts whose identifiers are in `anew`.
    """
    if item.bulk_rows:
        return item
    shown = [
        _entry(item, account, version)
        for account in accounts
        for event in _events(db, item, account, first_day, item.today)
        if (version := version_on(event, item.today)) and version.day >= first_day
    ]
    shown.sort(key=lambda entry: (entry.day, entry.transaction_id))
    account_ids = [account.account_id for account in accounts]
    told = {
        entry.transaction_id: entry._replace(added_at=0, changed_at=0)
        for entry in entries.living(db, item, account_ids)
    }
    gone = told.keys() - {entry.transaction_id for entry in shown}
    changes: list[tuple[Entry | None, Entry | None]] = [
        (told[transaction_id], None) for transaction_id in sorted(gone)
    ]
    for entry in shown:
        was = None if entry.account_id in anew else told.get(entry.transaction_id)
        if was != entry:
            changes.append((was, entry))
    return _apply(db, item, changes)


def _changes(
    db: sqlite3.Connection, item: Item, accounts: Iterable[Account], before: date, after: date
) -> Iterator[tuple[Entry | None, Entry | None]]:
    """Yield what the bank shows before and after; a pending and its posted one are two."""
    first_day = max(date.fromisoformat(item.first_day), before - timedelta(days=LOOK_BACK_DAYS))
    for account in accounts:
        for event in _events(db, item, account, first_day, after):
            old, new = version_on(event, before), version_on(event, after)
            if old == new or event.day < first_day:
                continue
            was = None if old is None else _entry(item, account, old)
            now = None if new is None else _entry(item, account, new)
            if was is None or now is None or was.transaction_id == now.transaction_id:
                yield was, now
            else:
                yield was, None
                yield None, now


def _events(
    db: sqlite3.Connection, item: Item, account: Account, first: date, last: date
) -> Iterator[Event]:
    """Yield the account's events whose day may lie between the two days, and some around them."""
    for month in months_between(first, last + timedelta(days=LOOK_AHEAD_DAYS)):
        yield from item.bank.story(item.username, month).get(account.key, ())
    for row in db.execute(
        "SELECT event FROM told_event WHERE item_id = ? AND account_key = ? ORDER BY rowid",
        (item.item_id, account.key),
    ):
        yield _event_of(row["event"])


def _event_of(text: str) -> Event:
    values: dict[str, Any] = json.loads(text)
    for name in ("day", "pending_from", "corrected_on", "removed_on"):
        values[name] = date.fromisoformat(values[name]) if values[name] else None
    values["kind"] = Kind(values["kind"])
    return Event(**values)


def _entry(item: Item, account: Account, version: Version) -> Entry:
    event = version.event
    pending_id = ""
    if not version.is_pending and event.pending_from is not None and event.is_linked:
        pending_id = derived_id(item.item_id, account.key, event.key, "pending")
    stage = "pending" if version.is_pending else "posted"
    return Entry(
        transaction_id=derived_id(item.item_id, account.key, event.key, stage),
        account_id=account.account_id,
        added_at=0,
        changed_at=0,
        removed_at=None,
        day=str(version.day),
        authorized_day=str(event.pending_from or ""),
        is_pending=int(version.is_pending),
        pending_transaction_id=pending_id,
        amount_minor=version.amount_minor,
        currency=account.plan.currency,
        description=version.description,
        merchant=event.merchant,
        kind=event.kind,
        check_number=event.check_number,
    )


def _apply(
    db: sqlite3.Connection, item: Item, changes: list[tuple[Entry | None, Entry | None]]
) -> Item:
    """Write each change under the item's next number."""
    head = item.head
    for was, now in changes:
        head += 1
        if was is None:
            assert now is not None
            entries.insert(db, item.item_id, [now._replace(added_at=head, changed_at=head)])
        elif now is None:
            db.execute(
                "UPDATE entry SET changed_at = ?, removed_at = ? "
                "WHERE item_id = ? AND transaction_id = ?",
                (head, head, item.item_id, was.transaction_id),
            )
        else:
            db.execute(
                "UPDATE entry SET changed_at = ?, amount_minor = ?, description = ? "
                "WHERE item_id = ? AND transaction_id = ?",
                (head, now.amount_minor, now.description, item.item_id, was.transaction_id),
            )
    return items.change(db, item, head=head)


def _write_balances(db: sqlite3.Connection, item: Item) -> None:
    for account in items.accounts_of(db, item):
        db.execute(
            "UPDATE account SET current_minor = ?, pending_minor = ? WHERE account_id = ?",
            (*_balances(db, item, account), account.account_id),
        )


def _balances(db: sqlite3.Connection, item: Item, account: Account) -> tuple[int, int]:
    """Return the balance at the end of the bank's day, and the sum of what is pending.

    Reckoned from the day whose balance is known, forwards or back: each event adds what is shown
    of it today less what was shown of it then.
    """
    plan, today = account.plan, item.today
    first, last = min(plan.balance_day, today), max(plan.balance_day, today)
    events = list(_events(db, item, account, first - timedelta(days=LOOK_BACK_DAYS), last))
    moved_minor = sum(posted_minor(e, today) - posted_minor(e, plan.balance_day) for e in events)
    bulk_minor = entries.bulk_total_minor(item.bulk_rows) if item.bulk_rows else 0
    versions = [version_on(e, today) for e in events]
    pending_minor = sum(v.amount_minor for v in versions if v is not None and v.is_pending)
    return plan.balance_minor + bulk_minor + moved_minor, pending_minor
