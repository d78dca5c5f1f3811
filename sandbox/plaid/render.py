"""Write items, accounts and transactions as Plaid does.

Plaid's amounts are positive when money leaves the account, ours when it comes; Plaid's balances of
cards and credit lines are positive when money is owed.
"""

from __future__ import annotations

from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Any, Final

from sandbox.banks import AccountKind
from sandbox.plaid.errors import error_body
from sandbox.story.events import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.banks import Institution
    from sandbox.entries import Entry
    from sandbox.items import Account, Item

TYPES: Final = {
    AccountKind.CHECKING: ("depository", "checking"),
    AccountKind.SAVINGS: ("depository", "savings"),
    AccountKind.SWEEP: ("depository", "cash management"),
    AccountKind.CARD: ("credit", "credit card"),
    AccountKind.LINE_OF_CREDIT: ("loan", "line of credit"),
}
CATEGORIES: Final = {
    Kind.ACH: ("GENERAL_SERVICES", "GENERAL_SERVICES_OTHER_GENERAL_SERVICES", "other", "null"),
    Kind.CARD: (
        "GENERAL_MERCHANDISE",
        "GENERAL_MERCHANDISE_OTHER_GENERAL_MERCHANDISE",
        "in store",
        '"purchase"',
    ),
    Kind.CARD_PAYMENT: (
        "LOAN_PAYMENTS",
        "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT",
        "other",
        '"bill payment"',
    ),
    Kind.CHECK: ("TRANSFER_OUT", "TRANSFER_OUT_OTHER_TRANSFER_OUT", "other", '"cheque"'),
    Kind.DEPOSIT: ("TRANSFER_IN", "TRANSFER_IN_DEPOSIT", "other", "null"),
    Kind.FEE: ("BANK_FEES", "BANK_FEES_OTHER_BANK_FEES", "other", '"bank charge"'),
    Kind.INTEREST: ("INCOME", "INCOME_INTEREST_EARNED", "other", '"interest"'),
    Kind.LOAN: ("LOAN_PAYMENTS", "LOAN_PAYMENTS_OTHER_PAYMENT", "other", '"direct debit"'),
    Kind.PAYROLL: ("TRANSFER_OUT", "TRANSFER_OUT_OTHER_TRANSFER_OUT", "other", "null"),
    Kind.REFUND: ("TRANSFER_IN", "TRANSFER_IN_OTHER_TRANSFER_IN", "other", '"adjustment"'),
    Kind.TAX: (
        "GOVERNMENT_AND_NON_PROFIT",
        "GOVERNMENT_AND_NON_PROFIT_TAX_PAYMENT",
        "other",
        "null",
    ),
    Kind.TRANSFER: ("TRANSFER_OUT", "TRANSFER_OUT_ACCOUNT_TRANSFER", "online", '"transfer"'),
    Kind.WIRE: ("TRANSFER_IN", "TRANSFER_IN_OTHER_TRANSFER_IN", "other", '"transfer"'),
}
"""By kind: category, detailed category, payment channel, and the transaction code as JSON."""
NO_LOCATION: Final = ",".join(
    f'"{name}":null'
    for name in (
        "address",
        "city",
        "region",
        "postal_code",
        "country",
        "lat",
        "lon",
        "store_number",
    )
)
NO_PAYMENT_META: Final = ",".join(
    f'"{name}":null'
    for name in (
        "reference_number",
        "ppd_id",
        "payee",
        "by_order_of",
        "payer",
        "payment_method",
        "payment_processor",
        "reason",
    )
)
ROW: Final = (
    '{"account_id":"%s","amount":%s,"iso_currency_code":"%s","unofficial_currency_code":null,'
    '"category":null,"category_id":null,"check_number":%s,"date":"%s","location":{'
    + NO_LOCATION
    + '},"name":%s,"merchant_name":%s,"merchant_entity_id":null,"logo_url":null,"website":null,'
    '"original_description":%s,"payment_meta":{'
    + NO_PAYMENT_META
    + '},"pending":%s,"pending_transaction_id":%s,"account_owner":null,"transaction_id":"%s",'
    '"transaction_type":"%s","authorized_date":%s,"authorized_datetime":null,"datetime":null,'
    '"payment_channel":"%s","personal_finance_category":{"primary":"%s","detailed":"%s",'
    '"confidence_level":"HIGH"},"personal_finance_category_icon_url":'
    '"https://plaid-category-icons.plaid.com/PFC_%s.png","transaction_code":%s,'
    '"counterparties":[]}'
)
TRANSACTION_TYPES: Final = {"in store": "place", "online": "digital", "other": "unresolved"}


def instant(seconds: float | None) -> str | None:
    """Return a time as the API writes it, in UTC."""
    if seconds is None:
        return None
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def decimal_text(amount_minor: int) -> str:
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole}.{cents:02}"


def transactions(entries: Iterable[Entry], *, with_original: bool) -> str:
    """Return transactions as the JSON text of an array.

    One template, filled by hand: a page of 500 takes two milliseconds, and the general encoder
    would take ten times as long.
    """
    return "[" + ",".join([_transaction(entry, with_original) for entry in entries]) + "]"


def _transaction(entry: Entry, with_original: bool) -> str:
    category, detailed, channel, code = CATEGORIES[entry.kind]  # type: ignore[index]  # a StrEnum
    name = quoted(entry.description)
    return ROW % (
        entry.account_id,
        decimal_text(-entry.amount_minor),
        entry.currency,
        _text_or_null(entry.check_number),
        entry.day,
        name,
        _text_or_null(entry.merchant),
        name if with_original else "null",
        "true" if entry.is_pending else "false",
        _text_or_null(entry.pending_transaction_id),
        entry.transaction_id,
        TRANSACTION_TYPES[channel],
        _text_or_null(entry.authorized_day),
        channel,
        category,
        detailed,
        category,
        code,
    )


def _text_or_null(text: str) -> str:
    return quoted(text) if text else "null"


def account_body(account: Account, bank: Institution) -> dict[str, Any]:
    plan = account.plan
    kind, subtype = TYPES[plan.kind]
    sign = -1 if plan.is_owed else 1
    available_minor = account.current_minor + min(account.pending_minor, 0) + plan.limit_minor
    body: dict[str, Any] = {
        "account_id": account.account_id,
        "balances": {
            "available": available_minor / 100,
            "current": sign * account.current_minor / 100,
            "limit": plan.limit_minor / 100 if plan.is_owed else None,
            "iso_currency_code": plan.currency,
            "unofficial_currency_code": None,
        },
        "mask": plan.mask,
        "name": plan.name,
        "official_name": plan.official_name,
        "type": kind,
        "subtype": subtype,
        "holder_category": "business",
    }
    if bank.has_persistent_ids:
        body["persistent_account_id"] = f"{bank.institution_id}-{plan.key}-{plan.mask}"
    return body


def item_body(item: Item) -> dict[str, Any]:
    error = error_body(item.error_code, reason=item.error_reason) if item.error_code else None
    return {
        "item_id": item.item_id,
        "institution_id": item.institution_id,
        "institution_name": item.bank.name,
        "webhook": item.webhook or None,
        "auth_method": None,
        "error": error,
        "available_products": ["balance"],
        "billed_products": ["transactions"],
        "products": ["transactions"],
        "consented_products": ["transactions"],
        "consent_expiration_time": instant(item.consent_expires_at),
        "update_type": "background",
        "created_at": instant(item.created_at),
        "consented_use_cases": [],
        "consented_data_scopes": [],
    }


def item_status(item: Item) -> dict[str, Any]:
    last_webhook = None
    if item.last_webhook_at is not None:
        last_webhook = {
            "sent_at": instant(item.last_webhook_at),
            "code_sent": item.last_webhook_code,
        }
    return {
        "investments": None,
        "transactions": {
            "last_successful_update": instant(item.last_success_at),
            "last_failed_update": instant(item.last_failure_at),
        },
        "last_webhook": last_webhook,
    }


def institution_body(bank: Institution) -> dict[str, Any]:
    return {
        "institution_id": bank.institution_id,
        "name": bank.name,
        "products": ["transactions", "balance"] if bank.has_transactions else ["balance"],
        "country_codes": [bank.country],
        "url": bank.url,
        "primary_color": bank.colour,
        "logo": None,
        "routing_numbers": list(bank.routing_numbers),
        "oauth": bank.is_oauth,
        "connection_availability": "SUPPORTED" if bank.is_supported else "NOT_SUPPORTED",
        "status": None,
    }
