"""What happens to items: connected, caught up with the calendar, failing, repaired, removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from sandbox import banking, banks, faults, items
from sandbox.ids import token
from sandbox.items import Stage
from sandbox.story.draws import draw
from sandbox.story.events import Event, Kind
from sandbox.world import Happening, News

if TYPE_CHECKING:
    import sqlite3

    from sandbox.banking import Opening
    from sandbox.items import Item
    from sandbox.world import World

PUBLIC_TOKEN_SECONDS: Final = 1_800
DISCONNECT_SECONDS: Final = 7 * banking.SECONDS_PER_DAY
CONTACT_SECONDS: Final = 6 * 3_600
"""Banks are asked for news this often when nobody refreshes."""
DYNAMIC_PENDING: Final = timedelta(days=3)
"""A fresh purchase posts at the next refresh, or by itself after this long."""
LOGIN_REQUIRED: Final = "ITEM_LOGIN_REQUIRED"
CONSENT_EXPIRED: Final = "OAUTH_CONSENT_EXPIRED"
DYNAMIC_PURCHASES: Final = (
    ("Corner Deli", "SQ *CORNER DELI", 18_00),
    ("Office Barn", "OFFICE BARN #2218", 64_00),
    ("Tank Stop", "TANK STOP #0417", 71_00),
)


@dataclass(frozen=True, slots=True)
class PublicToken:
    token: str
    item_id: str
    expires_at: float
    is_used: int


def connect(world: World, db: sqlite3.Connection, opening: Opening) -> Item:
    """Make an item of a login; its transactions come at the sandbox's pace."""
    now = world.now()
    if opening.bank.break_each_other:
        for other in _same_login(db, opening):
            fail(world, db, other, LOGIN_REQUIRED)
    bulk_rows = 0
    if opening.bank is banks.CONTINENTAL_LEDGER:
        bulk_rows = banks.bulk_rows_of(opening.username)
    item = banking.open_item(db, opening, now=now, today=world.today(), bulk_rows=bulk_rows)
    if not world.settings.pace_seconds:
        return banking.advance_stage(db, banking.advance_stage(db, item))
    world.wake.set()
    return items.change(db, item, stage_due_at=now + world.settings.pace_seconds)


def _same_login(db: sqlite3.Connection, opening: Opening) -> list[Item]:
    return [
        item
        for item in items.everything(db)
        if item.institution_id == opening.bank.institution_id
        and item.username == opening.username
        and not item.is_removed
    ]


def give_public_token(world: World, db: sqlite3.Connection, item: Item) -> str:
    """Return a token that can be exchanged once within half an hour."""
    given = token("public")
    expires_at = world.now() + PUBLIC_TOKEN_SECONDS
    db.execute(
        "INSERT INTO public_token (token, item_id, expires_at) VALUES (?, ?, ?)",
        (given, item.item_id, expires_at),
    )
    return given


def find_public_token(db: sqlite3.Connection, name: str) -> PublicToken | None:
    row = db.execute("SELECT * FROM public_token WHERE token = ?", (name,)).fetchone()
    return None if row is None else PublicToken(**row)


def step_stage(world: World, db: sqlite3.Connection, item: Item) -> Item:
    """Bring the item's first transactions one stage further and say so."""
    before = item.head
    item = banking.advance_stage(db, item)
    happening = Happening.INITIAL_READY
    if item.stage is Stage.HISTORICAL:
        happening = Happening.HISTORICAL_READY
    else:
        due_at = world.now() + world.settings.pace_seconds
        item = items.change(db, item, stage_due_at=due_at)
    count = item.head - before or item.bulk_rows
    return world.announce(db, item, News(happening, changes_count=count))


def bank_now(world: World, item: Item) -> float:
    """Return the time at the item's bank."""
    return world.now() + item.days_ahead * banking.SECONDS_PER_DAY


def is_due(world: World, item: Item) -> bool:
    """Return whether the bank has days to tell, or has not been asked for hours."""
    if item.stage is not Stage.HISTORICAL or item.is_removed:
        return False
    has_days = item.today < world.bank_day(item) and not item.error_code
    last_try_at = max(item.last_success_at or 0, item.last_failure_at or 0)
    return has_days or world.now() > last_try_at + CONTACT_SECONDS


def catch_up(world: World, db: sqlite3.Connection, item: Item) -> Item:
    """Let the bank tell the days that have passed, unless it does not let us in."""
    now = world.now()
    if item.stage is not Stage.HISTORICAL or item.is_removed:
        return item
    if not item.error_code:
        item = _run_out(world, db, item)
    if item.error_code or _is_bank_away(db, item):
        return items.change(db, item, last_failure_at=now)
    before = item.head
    item = banking.roll_to(db, item, world.bank_day(item))
    item = items.change(db, item, last_success_at=now)
    return announce_changes(world, db, item, before)


def _run_out(world: World, db: sqlite3.Connection, item: Item) -> Item:
    """Let the item need its user when its consent or its access has come to its end."""
    now = bank_now(world, item)
    if item.consent_expires_at is not None and item.consent_expires_at <= now:
        return fail(world, db, item, LOGIN_REQUIRED, CONSENT_EXPIRED)
    if item.disconnect_at is not None and item.disconnect_at <= now:
        return fail(world, db, item, LOGIN_REQUIRED)
    return item


def _is_bank_away(db: sqlite3.Connection, item: Item) -> bool:
    """Return whether the fault menu lets the bank itself, not a call, be out of reach."""
    wrong = faults.active(db, item.item_id)
    return any(name.startswith("INSTITUTION_") for name in wrong)


def announce_changes(world: World, db: sqlite3.Connection, item: Item, before: int) -> Item:
    if item.head == before:
        return item
    return world.announce(db, item, News(Happening.UPDATED, changes_count=item.head - before))


def refresh(world: World, db: sqlite3.Connection, item: Item) -> Item:
    """Ask the bank for news now; a login made for that always has some."""
    item = catch_up(world, db, item)
    if item.username != banks.USER_DYNAMIC or item.error_code or not item.is_ready:
        return item
    before = item.head
    item = banking.settle_pending(db, item)
    for account in items.shared_accounts(db, item)[:1]:
        for place, purchase in enumerate(DYNAMIC_PURCHASES):
            event = _fresh_purchase(f"refresh {item.head} {place}", item.today, *purchase)
            item = banking.tell_event(db, item, account, event)
    return announce_changes(world, db, item, before)


def _fresh_purchase(key: str, day: date, merchant: str, text: str, usual_minor: int) -> Event:
    amount_minor = -draw(key, usual_minor // 2, usual_minor * 2)
    return Event(
        key=key,
        day=day + DYNAMIC_PENDING,
        amount_minor=amount_minor,
        description=text,
        kind=Kind.CARD,
        merchant=merchant,
        pending_from=day,
        pending_minor=amount_minor,
    )


def fail(world: World, db: sqlite3.Connection, item: Item, code: str, reason: str = "") -> Item:
    """Let the item need its user; it stays so until the fault is cleared or the login repaired."""
    now = world.now()
    item = items.change(
        db, item, error_code=code, error_reason=reason, error_since=now, last_failure_at=now
    )
    return world.announce(db, item, News(Happening.FAILED))


def repair(world: World, db: sqlite3.Connection, item: Item) -> Item:
    """Let the user's new sign-in heal the item; what was missed comes with the next update."""
    had_error = bool(item.error_code)
    item = items.change(db, item, error_code="", error_reason="", error_since=None)
    item = banking.renew_consent(db, item, now=bank_now(world, item))
    if had_error:
        item = world.announce(db, item, News(Happening.REPAIRED))
    return catch_up(world, db, item)


def remove(db: sqlite3.Connection, item: Item) -> None:
    items.change(db, item, is_removed=1)
    faults.clear(db, item.item_id)


def new_access_token(db: sqlite3.Connection, item: Item) -> Item:
    """Give the item another access token; the one before is dead at once."""
    return items.change(db, item, access_token=token("access"))
