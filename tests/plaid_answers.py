"""Answers as Plaid gives them, to be varied by a test."""

from __future__ import annotations

from typing import Any

Answer = dict[str, Any]

ITEM: Answer = {
    "item_id": "item-1",
    "institution_id": "ins_1",
    "institution_name": "Platypus Bank",
    "webhook": "https://books.example/webhooks/plaid",
    "error": None,
    "available_products": ["balance"],
    "billed_products": ["transactions"],
    "products": ["transactions"],
    "consent_expiration_time": None,
    "update_type": "background",
}


def item_get(*, updates: Answer | None = None, **item: Any) -> Answer:
    status = {
        "transactions": {
            "last_successful_update": "2026-11-20T06:00:00Z",
            "last_failed_update": None,
            **(updates or {}),
        },
        "last_webhook": None,
    }
    return {"item": {**ITEM, **item}, "status": status, "request_id": "r"}


def account(**changes: Any) -> Answer:
    balances = {
        "available": 100.0,
        "current": 110.5,
        "limit": None,
        "iso_currency_code": "USD",
        "unofficial_currency_code": None,
    }
    balances |= changes.pop("balances", {})
    return {
        "account_id": "account-1",
        "balances": balances,
        "mask": "0000",
        "name": "Operating",
        "official_name": "Platypus Business Checking",
        "type": "depository",
        "subtype": "checking",
        **changes,
    }


def row(**changes: Any) -> Answer:
    """One transaction; money out, since Plaid's amounts are turned."""
    return {
        "transaction_id": "transaction-1",
        "account_id": "account-1",
        "amount": 12.34,
        "iso_currency_code": "USD",
        "unofficial_currency_code": None,
        "date": "2026-10-31",
        "authorized_date": "2026-10-30",
        "datetime": "2026-10-31T23:59:59-08:00",
        "authorized_datetime": None,
        "pending": False,
        "pending_transaction_id": None,
        "name": "OFFICE DEPOT",
        "original_description": "OFFICE DEPOT #1170 PURCHASE",
        "merchant_name": "Office Depot",
        "payment_channel": "in store",
        "transaction_code": None,
        "check_number": None,
        "payment_meta": {"reference_number": None, "payee": None, "payer": None},
        "counterparties": [],
        **changes,
    }


def sync(**changes: Any) -> Answer:
    return {
        "accounts": [account()],
        "added": [],
        "modified": [],
        "removed": [],
        "next_cursor": "cursor-1",
        "has_more": False,
        "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
        "request_id": "r",
        **changes,
    }


def session(**changes: Any) -> Answer:
    return {
        "link_session_id": "session-1",
        "started_at": "2026-11-21T09:00:00Z",
        "finished_at": None,
        "on_success": None,
        "on_exit": None,
        "exit": None,
        "events": [],
        "results": None,
        **changes,
    }


def granted(token: str = "public-1") -> Answer:
    """A session's results with one bank login."""
    offered = {"id": "a", "name": "Operating", "mask": "0000", "type": "depository"}
    return {
        "item_add_results": [
            {
                "public_token": token,
                "accounts": [{**offered, "subtype": "checking"}],
                "institution": {"name": "Platypus Bank", "institution_id": "ins_1"},
            }
        ]
    }


def link_token(*sessions: Answer, products: tuple[str, ...] = ("transactions",)) -> Answer:
    return {
        "link_token": "link-1",
        "created_at": "2026-11-21T08:59:00Z",
        "expiration": "2026-11-21T10:00:00Z",
        "request_id": "r",
        "metadata": {"initial_products": list(products)},
        "link_sessions": list(sessions),
    }
