"""How MX's objects look on the wire: amounts without sign, owed balances positive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sandbox import items
from sandbox.banks import AccountKind
from sandbox.mx import members
from sandbox.mx.guids import guid_of

if TYPE_CHECKING:
    import sqlite3

    from sandbox.banks import Institution
    from sandbox.entries import Entry
    from sandbox.items import Account
    from sandbox.mx.members import Member
    from sandbox.mx.users import User

TYPES: Final = {
    AccountKind.CHECKING: ("CHECKING", "NONE"),
    AccountKind.SAVINGS: ("SAVINGS", "NONE"),
    AccountKind.SWEEP: ("SAVINGS", "MONEY_MARKET"),
    AccountKind.CARD: ("CREDIT_CARD", "NONE"),
    AccountKind.LINE_OF_CREDIT: ("LINE_OF_CREDIT", "NONE"),
}


def instant(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def noon(day: str) -> str | None:
    """Return a moment of a calendar day: MX gives days with an hour behind them."""
    return f"{day}T12:00:00Z" if day else None


def user(user: User) -> dict[str, Any]:
    return {
        "email": user.email or None,
        "guid": user.guid,
        "id": user.own_id,
        "is_disabled": bool(user.is_disabled),
        "metadata": user.metadata or None,
    }


def code_of(bank: Institution) -> str:
    """Return MX's code of a bank."""
    return "".join(c if c.isalnum() else "_" for c in bank.name.lower())


def institution(bank: Institution) -> dict[str, Any]:
    return {
        "code": code_of(bank),
        "iso_country_code": bank.country,
        "is_disabled_by_client": False,
        "name": bank.name,
        "supports_account_identification": False,
        "supports_account_statement": False,
        "supports_account_verification": False,
        "supports_oauth": bank.is_oauth,
        "supports_transaction_history": bank.has_transactions,
        "url": bank.url,
    }


def member(db: sqlite3.Connection, member: Member, user: User) -> dict[str, Any]:
    item = items.find(db, member.guid)
    return {
        "aggregated_at": instant(member.aggregated_at),
        "background_aggregation_is_disabled": False,
        "connection_status": members.status_of(db, member),
        "guid": member.guid,
        "id": member.own_id or None,
        "institution_code": code_of(item.bank),
        "institution_guid": guid_of("INS", item.institution_id),
        "is_being_aggregated": member.is_being_aggregated,
        "is_managed_by_user": True,
        "is_manual": False,
        "is_oauth": item.bank.is_oauth,
        "metadata": member.metadata or None,
        "name": item.bank.name,
        "oauth_window_uri": None,
        "successfully_aggregated_at": instant(member.successfully_aggregated_at),
        "use_cases": None,
        "user_guid": member.user_guid,
        "user_id": user.own_id,
    }


def account_guid(account_id: str) -> str:
    return guid_of("ACT", account_id)


def account(account: Account, bank: Institution, member: Member, user: User) -> dict[str, Any]:
    plan = account.plan
    kind, subtype = TYPES[plan.kind]
    spendable = account.current_minor + min(account.pending_minor, 0) + plan.limit_minor
    return {
        "account_number": f"XXXXXX{plan.mask}",
        "available_balance": None if plan.is_owed else spendable / 100,
        "available_credit": spendable / 100 if plan.is_owed else None,
        "balance": (-account.current_minor if plan.is_owed else account.current_minor) / 100,
        "credit_limit": plan.limit_minor / 100 if plan.is_owed else None,
        "currency_code": plan.currency,
        "guid": account_guid(account.account_id),
        "id": None,
        "institution_code": code_of(bank),
        "is_closed": False,
        "is_hidden": False,
        "is_manual": False,
        "member_guid": member.guid,
        "metadata": None,
        "name": plan.name,
        "nickname": None,
        "subtype": subtype,
        "type": kind,
        "user_guid": member.user_guid,
        "user_id": user.own_id,
    }


def transaction(entry: Entry, member: Member, user: User) -> dict[str, Any]:
    """Return a row; a pending one and what it becomes are two, and nothing ties them."""
    day = entry.authorized_day or entry.day
    return {
        "account_guid": account_guid(entry.account_id),
        "account_id": None,
        "amount": abs(entry.amount_minor) / 100,
        "category": "Uncategorized",
        "check_number_string": entry.check_number or None,
        "currency_code": entry.currency,
        "date": day,
        "description": entry.merchant or entry.description.title(),
        "guid": guid_of("TRN", entry.transaction_id),
        "id": None,
        "is_manual": False,
        "member_guid": member.guid,
        "memo": None,
        "original_description": entry.description,
        "posted_at": None if entry.is_pending else noon(entry.day),
        "status": "PENDING" if entry.is_pending else "POSTED",
        "transacted_at": noon(day),
        "type": "CREDIT" if entry.amount_minor > 0 else "DEBIT",
        "user_guid": member.user_guid,
        "user_id": user.own_id,
    }
