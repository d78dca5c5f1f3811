"""Everything that the control API and its page can do, each in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sandbox import banking, entries, faults, items, keys, operations, webhooks
from sandbox.faults import EVERYWHERE, ActiveFault, Fault
from sandbox.items import Item, Stage
from sandbox.plaid.errors import ERRORS
from sandbox.world import Happening, News

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from sandbox.world import World

DAYS_MAX: Final = 800


class CommandRefused(ValueError):  # noqa: N818  an answer, not a bug
    """What was asked for makes no sense; the message says why."""


class Action(StrEnum):
    """What happens once, when it is asked for."""

    NEW_ACCOUNTS = "new_accounts"
    ACCOUNT_REVOKED = "account_revoked"
    PERMISSION_REVOKED = "permission_revoked"
    PENDING_DISCONNECT = "pending_disconnect"
    PENDING_EXPIRATION = "pending_expiration"
    CONSENT_EXPIRED = "consent_expired"
    REMOVED_AT_BANK = "removed_at_bank"
    TOKEN_DEAD = "token_dead"  # noqa: S105  no secret
    CURSOR_REJECTED = "cursor_rejected"


ACTION_TEXTS: Final = {
    Action.NEW_ACCOUNTS: "Open the accounts that this bank keeps for later",
    Action.ACCOUNT_REVOKED: "Stop sharing one account (value: its key; else the first)",
    Action.PERMISSION_REVOKED: "Take the permission away",
    Action.PENDING_DISCONNECT: "Announce the end of the access in seven days (US)",
    Action.PENDING_EXPIRATION: "Announce the end of the consent in seven days (EU)",
    Action.CONSENT_EXPIRED: "Let the consent run out now",
    Action.REMOVED_AT_BANK: "Remove the item at the bank’s side",
    Action.TOKEN_DEAD: "Make the access token invalid",
    Action.CURSOR_REJECTED: "Accept no cursor given so far",
}


@dataclass(frozen=True, slots=True)
class FaultOrder:
    """A fault as it is asked for; `times` None lets it stay until cleared."""

    name: str
    value: str = ""
    times: int | None = None
    path: str = ""


def find(db: sqlite3.Connection, name: str) -> Item:
    try:
        return items.find(db, name)
    except items.ItemUnknown:
        raise CommandRefused(f"There is no item {name}.") from None


def set_fault(world: World, item_name: str, order: FaultOrder) -> None:
    """Let something go wrong for one item, or for all calls when the name is `EVERYWHERE`.

    A lasting error code with neither times nor path becomes the item's state, as if its bank had
    said so; everything else meets calls, pages or webhooks as they come.
    """
    with world.store.writing() as db:
        item = None if item_name == EVERYWHERE else find(db, item_name)
        states = world.states[item.wire] if item else frozenset()
        if order.name not in {*ERRORS, *Fault, *states}:
            raise CommandRefused(f"There is no fault {order.name}.")
        if item and order.name in states and not order.path and order.times is None:
            operations.fail(world, db, item, order.name, order.value)
            return
        item_id = item.item_id if item else EVERYWHERE
        value = _checked_value(order)
        faults.set_fault(db, ActiveFault(item_id, order.name, order.path, value, order.times))


def _checked_value(order: FaultOrder) -> str:
    value = order.value or faults.DEFAULTS.get(order.name, "")
    if order.name in {Fault.SLOW, Fault.SLOW_AGGREGATION, Fault.WEBHOOK_LATE}:
        _refuse_unless(_is_number(value), f"{order.name} needs seconds, not “{value}”.")
    if order.name == Fault.SMALL_PAGES:
        is_count = value.isdecimal() and int(value) > 0
        _refuse_unless(is_count, f"{order.name} needs a number of rows, not “{value}”.")
    return value


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def _refuse_unless(is_right: bool, sentence: str) -> None:
    if not is_right:
        raise CommandRefused(sentence)


def clear_faults(world: World, item_name: str, fault_name: str | None = None) -> None:
    """Clear one fault or all; an item's error is healed, which its owner is told."""
    with world.store.writing() as db:
        if item_name == EVERYWHERE:
            faults.clear(db, EVERYWHERE, fault_name)
            return
        item = find(db, item_name)
        faults.clear(db, item.item_id, fault_name)
        if item.error_code and fault_name in {None, item.error_code}:
            operations.repair(world, db, item)


def advance(world: World, item_name: str, days: int) -> None:
    """Send the item's bank so many days ahead of the calendar, and let it tell them."""
    _refuse_unless(0 < days <= DAYS_MAX, f"Days must be from 1 to {DAYS_MAX}, not {days}.")
    with world.store.writing() as db:
        item = find(db, item_name)
        item = items.change(db, item, days_ahead=item.days_ahead + days)
        operations.catch_up(world, db, item)


def set_stage(world: World, item_name: str, stage: str) -> None:
    """Hold the item's first transactions at a stage; the way on is asked for step by step."""
    _refuse_unless(stage in set(Stage), f"Stage must be one of {', '.join(Stage)}.")
    with world.store.writing() as db:
        item = find(db, item_name)
        order = list(Stage)
        if order.index(Stage(stage)) <= order.index(item.stage):
            banking.rewind(db, item, Stage(stage))
            return
        while item.stage is not Stage(stage):
            item = operations.step_stage(world, db, item)
        items.change(db, item, stage_due_at=None)


def act(world: World, item_name: str, action: str, value: str = "") -> None:
    _refuse_unless(action in set(Action), f"There is no action {action}.")
    with world.store.writing() as db:
        ACTIONS[Action(action)](world, db, find(db, item_name), value)


def _new_accounts(world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    known = {account.key for account in items.accounts_of(db, item)}
    later = [plan for plan in item.bank.accounts if plan.key not in known]
    _refuse_unless(bool(later), f"{item.bank.name} has no account left to open.")
    for plan in later:
        banking.add_account(db, item, plan.key, is_shared=False)
    world.announce(db, item, News(Happening.NEW_ACCOUNTS))


def _account_revoked(world: World, db: sqlite3.Connection, item: Item, value: str) -> None:
    shared = items.shared_accounts(db, item)
    chosen = [account for account in shared if value in {"", account.key, account.account_id}]
    _refuse_unless(bool(chosen), f"The item shares no account {value}.")
    rest = frozenset(account.key for account in shared) - {chosen[0].key}
    item = banking.share_accounts(db, item, rest)
    item = world.announce(db, item, News(Happening.ACCOUNT_REVOKED, account=chosen[0]))
    if not rest:
        operations.fail(world, db, item, "NO_ACCOUNTS")


def _permission_revoked(world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    now = world.now()
    item = items.change(
        db, item, error_code="USER_PERMISSION_REVOKED", error_reason="", last_failure_at=now
    )
    world.announce(db, item, News(Happening.PERMISSION_REVOKED))


def _pending_disconnect(world: World, db: sqlite3.Connection, item: Item, value: str) -> None:
    ends_at = operations.bank_now(world, item) + operations.DISCONNECT_SECONDS
    item = items.change(db, item, disconnect_at=ends_at)
    reason = value or "INSTITUTION_TOKEN_EXPIRATION"
    world.announce(db, item, News(Happening.DISCONNECT_AHEAD, reason=reason))


def _pending_expiration(world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    ends_at = operations.bank_now(world, item) + operations.DISCONNECT_SECONDS
    item = items.change(db, item, consent_expires_at=ends_at)
    world.announce(db, item, News(Happening.EXPIRATION_AHEAD))


def _consent_expired(world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    item = items.change(db, item, consent_expires_at=operations.bank_now(world, item))
    operations.fail(world, db, item, operations.LOGIN_REQUIRED, operations.CONSENT_EXPIRED)


def _removed_at_bank(_world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    operations.remove(db, item)


def _token_dead(_world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    operations.new_access_token(db, item)


def _cursor_rejected(_world: World, db: sqlite3.Connection, item: Item, _value: str) -> None:
    items.change(db, item, cursor_epoch=item.cursor_epoch + 1)


ACTIONS: Final[dict[Action, Callable[[World, sqlite3.Connection, Item, str], None]]] = {
    Action.NEW_ACCOUNTS: _new_accounts,
    Action.ACCOUNT_REVOKED: _account_revoked,
    Action.PERMISSION_REVOKED: _permission_revoked,
    Action.PENDING_DISCONNECT: _pending_disconnect,
    Action.PENDING_EXPIRATION: _pending_expiration,
    Action.CONSENT_EXPIRED: _consent_expired,
    Action.REMOVED_AT_BANK: _removed_at_bank,
    Action.TOKEN_DEAD: _token_dead,
    Action.CURSOR_REJECTED: _cursor_rejected,
}


def expire(world: World, token: str) -> None:
    """Let a link token or a public token run out now."""
    past = world.now() - 1
    with world.store.writing() as db:
        changed = sum(
            db.execute(
                f"UPDATE {table} SET expires_at = ? WHERE token = ?",  # noqa: S608  ours
                (past, token),
            ).rowcount
            for table in ("link", "public_token")
        )
    _refuse_unless(changed > 0, f"There is no token {token}.")


def rotate_key(world: World) -> str:
    """Sign webhooks with a new key from now on; return its identifier."""
    with world.store.writing() as db:
        return keys.rotate(db, now=world.now()).key_id


def send_again(world: World, delivery_id: int) -> None:
    with world.store.writing() as db:
        is_known = webhooks.send_again(db, delivery_id, now=world.now())
    _refuse_unless(is_known, f"There is no webhook {delivery_id}.")
    world.wake.set()


def reset(world: World) -> None:
    """Forget every item, user, grant, link, fault and webhook; the signing keys stay."""
    with world.store.writing() as db:
        tables = ("delivery", "fault", "session", "link", "public_token", "item", "mx_user")
        for table in (*tables, "simplefin_grant"):
            db.execute(f"DELETE FROM {table}")  # noqa: S608  named above


def truth(world: World, item_name: str) -> dict[str, Any]:
    """Return what the bank shows now, in minor units with money in positive."""
    with world.store.reading() as db:
        item = find(db, item_name)
        accounts = items.shared_accounts(db, item)
        living = entries.living(db, item, [account.account_id for account in accounts])
    return {
        "bank_day": item.bank_day,
        "accounts": [
            {
                "account_id": account.account_id,
                "key": account.key,
                "mask": account.plan.mask,
                "currency": account.plan.currency,
                "current_minor": account.current_minor,
                "pending_minor": account.pending_minor,
            }
            for account in accounts
        ],
        "transactions": [
            {
                "transaction_id": entry.transaction_id,
                "account_id": entry.account_id,
                "date": entry.day,
                "amount_minor": entry.amount_minor,
                "description": entry.description,
                "is_pending": bool(entry.is_pending),
            }
            for entry in living
        ],
    }
