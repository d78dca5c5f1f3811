"""Write items, accounts and transactions as SimpleFIN does, in its first and second version.

Amounts are numeric strings, positive where money comes in, as the sandbox has them.  The days of
banks become noon, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sandbox import entries, items
from sandbox.ids import derived_id
from sandbox.items import Stage
from sandbox.operations import LOGIN_REQUIRED
from sandbox.simplefin import STATES

if TYPE_CHECKING:
    import sqlite3

    from sandbox.banks import Institution
    from sandbox.entries import Entry
    from sandbox.items import Account, Item

DAYS_MAX: Final = 90
"""A wider question is answered for its last days, and the answer says so."""
MINOR_UNITS: Final = 100
MISSING_DATA: Final = "act.missingdata"
REWARDS_KEY: Final = "rewards"
REWARDS_BANK: Final = "ins_900203"
"""Its card collects points, which are a currency of their own."""
MESSAGES: Final = {
    "gen.": "Something is wrong with SimpleFIN",
    "gen.api": "The program does not use SimpleFIN as it should",
    "gen.auth": "SimpleFIN wants you to sign in again",
    "con.": "{bank} cannot be reached",
    "con.auth": "{bank} wants you to sign in again",
    "act.failed": "{bank} did not show {account}; try again later",
    "act.missingdata": "Not all transactions of {account} are there yet; try again later",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a program asks for; an empty set of accounts means all of them."""

    version: int
    begin: float | None
    end: float | None
    accounts: frozenset[str]
    with_pending: bool
    balances_only: bool
    base_url: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """An entry of `errlist`."""

    code: str
    message: str
    connection_id: str = ""
    account_id: str = ""

    def body(self) -> dict[str, str]:
        body = {"code": self.code, "msg": self.message}
        if self.code.startswith("con."):
            body["conn_id"] = self.connection_id
        if self.code.startswith("act."):
            body["account_id"] = self.account_id
        return body


def account_set(db: sqlite3.Connection, shown: list[Item], asked: Question) -> dict[str, Any]:
    """Return the answer to `GET /accounts`."""
    begin, end = _period(shown, asked)
    troubles = [trouble for item in shown for trouble in _troubles(db, item)]
    if asked.begin is not None and asked.begin < begin:
        troubles.append(Trouble("gen.api", f"At most {DAYS_MAX} days are given at a time"))
    accounts = [
        body
        for item in shown
        for body in _accounts(db, item, asked, (begin, end))
        if not asked.accounts or body["id"] in asked.accounts
    ]
    if asked.version == 1:
        return {"errors": [trouble.message for trouble in troubles], "accounts": accounts}
    return {
        "errlist": [trouble.body() for trouble in troubles],
        "connections": [_connection(item, asked.base_url) for item in shown],
        "accounts": accounts,
    }


def _period(shown: list[Item], asked: Question) -> tuple[float, float]:
    """Return the begin and the end of the days that are answered for."""
    last_day = max((item.today for item in shown), default=date.min + timedelta(days=DAYS_MAX))
    # Whoever asks up to now asks for the day that has begun as well.
    latest = datetime.combine(last_day + timedelta(days=1), time.min, UTC).timestamp()
    end = latest if asked.end is None else min(asked.end, latest)
    earliest = end - timedelta(days=DAYS_MAX).total_seconds()
    return max(earliest, asked.begin or 0), end


def _connection(item: Item, base_url: str) -> dict[str, str]:
    return {
        "conn_id": item.item_id,
        "name": f"{item.bank.name} - {item.username}",
        "org_id": item.institution_id,
        "org_name": item.bank.name,
        "org_url": item.bank.url,
        "sfin_url": base_url,
    }


def _organization(bank: Institution, base_url: str) -> dict[str, str]:
    return {
        "id": bank.institution_id,
        "name": bank.name,
        "domain": bank.url.removeprefix("https://"),
        "url": bank.url,
        "sfin-url": base_url,
    }


def _accounts(
    db: sqlite3.Connection, item: Item, asked: Question, period: tuple[float, float]
) -> list[dict[str, Any]]:
    bodies = []
    for account in items.shared_accounts(db, item):
        body = _account(item, account)
        if not asked.balances_only:
            body["transactions"] = _transactions(
                db, item, account, period, with_pending=asked.with_pending
            )
        bodies.append(body)
    if item.institution_id == REWARDS_BANK:
        bodies.append(_rewards(item, asked))
    for body in bodies:
        if asked.version == 1:
            body["org"] = _organization(item.bank, asked.base_url)
        else:
            body["conn_id"] = item.item_id
    return bodies


def _account(item: Item, account: Account) -> dict[str, Any]:
    plan = account.plan
    body = {
        "id": account.account_id,
        "name": f"{plan.name} ({plan.mask})",
        "currency": plan.currency,
        "balance": _amount(account.current_minor),
        "balance-date": int(item.last_success_at or item.created_at),
    }
    if not plan.is_owed:
        body["available-balance"] = _amount(account.current_minor + account.pending_minor)
    return body


def _rewards(item: Item, asked: Question) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": derived_id(item.item_id, REWARDS_KEY),
        "name": "Reward points",
        "currency": f"{asked.base_url}/currencies/points",
        "balance": "48210",
        "balance-date": int(item.last_success_at or item.created_at),
    }
    return body if asked.balances_only else {**body, "transactions": []}


def _transactions(
    db: sqlite3.Connection,
    item: Item,
    account: Account,
    period: tuple[float, float],
    *,
    with_pending: bool,
) -> list[dict[str, Any]]:
    begin, end = period
    living = entries.living(db, item, [account.account_id])
    bodies = [
        _transaction(entry)
        for entry in sorted(living, key=lambda entry: (entry.day, entry.transaction_id))
        if (with_pending if entry.is_pending else begin <= _noon(entry.day) < end)
    ]
    return bodies[::2] if item.error_code == MISSING_DATA else bodies


def _transaction(entry: Entry) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": entry.transaction_id,
        "posted": 0 if entry.is_pending else _noon(entry.day),
        "amount": _amount(entry.amount_minor),
        "description": entry.description,
        "payee": entry.merchant,
    }
    happened = entry.authorized_day or (entry.day if entry.is_pending else "")
    if happened:
        body["transacted_at"] = _noon(happened)
    if entry.is_pending:
        body["pending"] = True
    return body


def _troubles(db: sqlite3.Connection, item: Item) -> list[Trouble]:
    shared = items.shared_accounts(db, item)
    if item.stage is not Stage.HISTORICAL:
        return [_of_account(MISSING_DATA, item, account) for account in shared]
    code = item.error_code
    if not code:
        return []
    if code not in STATES:  # the banks' own words for what befalls every wire's items
        code = "con.auth" if code == LOGIN_REQUIRED else "con."
    if not code.startswith("act."):
        return [Trouble(code, MESSAGES[code].format(bank=item.bank.name), item.item_id)]
    named = [account for account in shared if account.key == item.error_reason] or shared[:1]
    if code == MISSING_DATA:
        named = shared
    return [_of_account(code, item, account) for account in named]


def _of_account(code: str, item: Item, account: Account) -> Trouble:
    message = MESSAGES[code].format(bank=item.bank.name, account=account.plan.name)
    return Trouble(code, message, item.item_id, account.account_id)


def _amount(amount_minor: int) -> str:
    return f"{Decimal(amount_minor) / MINOR_UNITS:.2f}"


def _noon(day: str) -> int:
    return int(datetime.combine(date.fromisoformat(day), time(12), UTC).timestamp())
