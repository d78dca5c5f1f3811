"""MX's accounts and transactions in our words and with our signs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from app.aggregators.contract import (
    SourceAccount,
    SourceAccountStatus,
    SourceTransaction,
    UnreadableRow,
)
from app.aggregators.mx.fields import Json, day, number, text
from app.kernel.bank import AccountType
from app.kernel.errors import Invalid
from app.kernel.money import to_minor, valid_currency

_TYPES: Final[Mapping[str, AccountType]] = {
    "CHECKING": AccountType.CHECKING,
    "SAVINGS": AccountType.SAVINGS,
    "CREDIT_CARD": AccountType.CARD,
    "LINE_OF_CREDIT": AccountType.LINE_OF_CREDIT,
    "CHECKING_LINE_OF_CREDIT": AccountType.LINE_OF_CREDIT,
}
_OWED_IS_POSITIVE: Final = frozenset(
    {"CREDIT_CARD", "LINE_OF_CREDIT", "CHECKING_LINE_OF_CREDIT", "LOAN", "MORTGAGE"}
)
_DIRECTIONS: Final[Mapping[str, int]] = {"CREDIT": 1, "DEBIT": -1}
"""MX's amounts have no sign; a debit is money out of the account, of a card too."""

MASK_CHARACTERS: Final = 4


def account(row: Json) -> SourceAccount:
    kind = text(row, "type")
    owed_is_positive = kind in _OWED_IS_POSITIVE
    currency = _currency(row)
    subtype = text(row, "subtype").lower()
    is_closed = row.get("is_closed") is True
    return SourceAccount(
        external_id=text(row, "guid"),
        name=text(row, "name"),
        mask=mask(row),
        type=_TYPES.get(kind, AccountType.OTHER),
        subtype="" if subtype == "none" else subtype,
        currency=currency,
        current_minor=_balance(row, "balance", currency, -1 if owed_is_positive else 1),
        available_minor=_balance(
            row, "available_credit" if owed_is_positive else "available_balance", currency, 1
        ),
        status=_account_status(currency, is_closed=is_closed),
        reason="" if currency or is_closed else "NO_CURRENCY",
    )


def mask(row: Json) -> str:
    """Return the last four characters; MX gives more of the number at some banks."""
    return "".join(c for c in text(row, "account_number") if c.isalnum())[-MASK_CHARACTERS:]


def transaction(
    row: Json, account_currencies: Mapping[str, str]
) -> SourceTransaction | UnreadableRow:
    """Turn one row.

    Args:
        account_currencies: By account id, for rows that do not name their own.
    """
    guid, account_guid = text(row, "guid"), text(row, "account_guid")
    pending = text(row, "status") == "PENDING"
    occurred = day(row, "date") or day(row, "transacted_at")
    posted_date = occurred if pending else day(row, "posted_at") or occurred
    currency = _currency(row) or account_currencies.get(account_guid, "")
    amount = _amount(row, currency)
    if not guid or not account_guid or posted_date is None or isinstance(amount, str):
        reason = amount if isinstance(amount, str) else "It lacks its id, its account or its day."
        return UnreadableRow(account_external_id=account_guid, external_id=guid, reason=reason)
    description = text(row, "original_description") or text(row, "description")
    cleaned = text(row, "description")
    return SourceTransaction(
        external_id=guid,
        account_external_id=account_guid,
        pending=pending,
        posted_date=posted_date,
        amount_minor=amount,
        currency=currency,
        description=description,
        counterparty="" if cleaned == description else cleaned,
        reference=text(row, "check_number_string"),
        value_date=day(row, "transacted_at"),
    )


def _amount(row: Json, currency: str) -> int | str:
    """Return signed minor units, or the sentence that says why there are none."""
    unsigned = number(row, "amount")
    direction = _DIRECTIONS.get(text(row, "type"))
    if unsigned is None or unsigned < 0 or direction is None:
        return "It has no unsigned amount with DEBIT or CREDIT."
    if not currency:
        return "It has no currency with an ISO 4217 code."
    try:
        return direction * to_minor(unsigned, currency)
    except Invalid as error:
        return error.detail


def _currency(row: Json) -> str:
    try:
        return valid_currency(text(row, "currency_code"))
    except Invalid:
        return ""


def _balance(row: Json, key: str, currency: str, sign: int) -> int | None:
    value: Decimal | None = number(row, key)
    if value is None or not currency:
        return None
    try:
        return sign * to_minor(value, currency)
    except Invalid:
        return None


def _account_status(currency: str, *, is_closed: bool) -> SourceAccountStatus:
    if is_closed:
        return SourceAccountStatus.CLOSED
    return SourceAccountStatus.ACTIVE if currency else SourceAccountStatus.UNSUPPORTED
