"""Read accounts: kinds, balances with our sign, currencies."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from app.aggregators.contract import OfferedAccount, SourceAccount, SourceAccountStatus
from app.aggregators.plaid.reading import Json, amount_of, id_of, record_of, records_of, text_of
from app.kernel.bank import AccountType
from app.kernel.errors import Invalid
from app.kernel.money import AmountInvalid, to_minor, valid_currency

MASK_CHARACTERS_MAX: Final = 8
SUBTYPE_CHARACTERS_MAX: Final = 60

_TYPES: Final[Mapping[tuple[str, str], AccountType]] = MappingProxyType(
    {
        ("depository", "checking"): AccountType.CHECKING,
        ("depository", "limited purpose checking"): AccountType.CHECKING,
        ("depository", "cash management"): AccountType.CHECKING,
        ("depository", "savings"): AccountType.SAVINGS,
        ("depository", "money market"): AccountType.SAVINGS,
        ("depository", "cd"): AccountType.SAVINGS,
        ("credit", "credit card"): AccountType.CARD,
        ("loan", "line of credit"): AccountType.LINE_OF_CREDIT,
        ("loan", "home equity"): AccountType.LINE_OF_CREDIT,
        ("loan", "overdraft"): AccountType.LINE_OF_CREDIT,
    }
)
_TYPES_WITHOUT_SUBTYPE: Final[Mapping[str, AccountType]] = MappingProxyType(
    {"depository": AccountType.CHECKING, "credit": AccountType.CARD}
)
_OWED: Final = frozenset({"credit", "loan"})


def account_type(record: Json) -> AccountType:
    """Return our kind of account; OTHER for what is not a bank account, a card or a line."""
    kind, subtype = text_of(record, "type"), text_of(record, "subtype")
    if not subtype:
        return _TYPES_WITHOUT_SUBTYPE.get(kind, AccountType.OTHER)
    return _TYPES.get((kind, subtype), AccountType.OTHER)


def offered_account(record: Json) -> OfferedAccount:
    return OfferedAccount(text_of(record, "name"), mask_of(record), account_type(record))


def mask_of(record: Json) -> str:
    return text_of(record, "mask")[-MASK_CHARACTERS_MAX:]


def currency_of(record: Json) -> str:
    """Return the ISO 4217 code; empty for points, coins and other unofficial ones."""
    try:
        return valid_currency(text_of(record, "iso_currency_code"))
    except Invalid:
        return ""


def source_accounts(answer: Json) -> tuple[SourceAccount, ...]:
    """Return the accounts of an answer; one without an id of its own cannot be kept."""
    return tuple(
        _source_account(record)
        for record in records_of(answer, "accounts")
        if id_of(record, "account_id")
    )


def _source_account(record: Json) -> SourceAccount:
    balances = record_of(record, "balances")
    currency = currency_of(balances)
    # Plaid states what is owed on a card or a loan as a positive balance.
    sign = -1 if text_of(record, "type") in _OWED else 1
    return SourceAccount(
        external_id=id_of(record, "account_id"),
        name=text_of(record, "name") or text_of(record, "official_name"),
        mask=mask_of(record),
        type=account_type(record),
        subtype=text_of(record, "subtype")[:SUBTYPE_CHARACTERS_MAX],
        currency=currency,
        current_minor=_minor(amount_of(balances, "current"), currency, sign),
        available_minor=_minor(amount_of(balances, "available"), currency, 1),
        persistent_id=id_of(record, "persistent_account_id"),
        status=SourceAccountStatus.ACTIVE if currency else SourceAccountStatus.UNSUPPORTED,
        reason="" if currency else "CURRENCY_UNSUPPORTED",
    )


def _minor(amount: Decimal | None, currency: str, sign: int) -> int | None:
    """Return minor units; a balance that its currency cannot express is not known."""
    if amount is None or not currency:
        return None
    try:
        return to_minor(sign * amount, currency)
    except AmountInvalid:
        return None
