"""Read a page of /transactions/sync: signs turned once, amounts exact, dates as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from app.aggregators.contract import History, SourceTransaction, SyncPage, UnreadableRow
from app.aggregators.plaid.accounts import currency_of, source_accounts
from app.aggregators.plaid.errors import incomplete
from app.aggregators.plaid.reading import (
    Json,
    amount_of,
    date_of,
    id_of,
    record_of,
    records_of,
    text_of,
)
from app.kernel.limits import BOOKING_YEAR_MAX, BOOKING_YEAR_MIN
from app.kernel.money import AmountInvalid, to_minor

CURSOR_CHARACTERS_MAX: Final = 4_000

_HISTORY: Final[Mapping[str, History]] = MappingProxyType(
    {
        "NOT_READY": History.NOT_READY,
        "INITIAL_UPDATE_COMPLETE": History.RECENT,
        "HISTORICAL_UPDATE_COMPLETE": History.COMPLETE,
    }
)


class _Unreadable(ValueError):  # noqa: N818 - it says what is wrong
    """Why a row cannot be kept."""


def sync_page(answer: Json) -> SyncPage:
    """Return the page.

    Raises:
        AggregatorError: It lacks what moves the cursor safely: then nothing of it counts.
    """
    for field in ("added", "modified", "removed"):
        if not isinstance(answer.get(field), list):
            raise incomplete(field)
    cursor, has_more = answer.get("next_cursor"), answer.get("has_more")
    if not isinstance(cursor, str) or len(cursor) > CURSOR_CHARACTERS_MAX:
        raise incomplete("next_cursor")
    if not isinstance(has_more, bool) or (has_more and not cursor):
        raise incomplete("has_more")
    # A row that is in both lists was changed after it was added.
    rows = [*records_of(answer, "added"), *records_of(answer, "modified")]
    upserts, unreadable = _read_rows(rows)
    return SyncPage(
        cursor=cursor,
        has_more=has_more,
        history=_history(answer, cursor),
        accounts=source_accounts(answer),
        upserts=upserts,
        removed=tuple(_removed(answer)),
        unreadable=unreadable,
    )


def _history(answer: Json, cursor: str) -> History:
    """Return how much there is; a cursor is only given once there is something."""
    told = _HISTORY.get(text_of(answer, "transactions_update_status"))
    return told or (History.RECENT if cursor else History.NOT_READY)


def _removed(answer: Json) -> Iterable[tuple[str, str]]:
    for row in records_of(answer, "removed"):
        if external_id := id_of(row, "transaction_id"):
            yield id_of(row, "account_id"), external_id


def _read_rows(
    rows: list[Json],
) -> tuple[tuple[SourceTransaction, ...], tuple[UnreadableRow, ...]]:
    read: dict[str, SourceTransaction] = {}
    unreadable: list[UnreadableRow] = []
    for row in rows:
        external_id = id_of(row, "transaction_id")
        try:
            read[external_id] = _transaction(row, external_id)
        except _Unreadable as reason:
            account = id_of(row, "account_id")
            unreadable.append(UnreadableRow(account, external_id, str(reason)))
    return tuple(read.values()), tuple(unreadable)


def _transaction(row: Json, external_id: str) -> SourceTransaction:
    account = id_of(row, "account_id")
    if not (external_id and account):
        raise _Unreadable("It has no usable id.")
    posted = date_of(row, "date")
    if posted is None or not BOOKING_YEAR_MIN <= posted.year <= BOOKING_YEAR_MAX:
        raise _Unreadable("It has no usable date.")
    currency = currency_of(row)
    if not currency:
        raise _Unreadable("Its currency has no ISO 4217 code.")
    return SourceTransaction(
        external_id=external_id,
        account_external_id=account,
        pending=row.get("pending") is True,
        posted_date=posted,
        amount_minor=_amount_minor(row, currency),
        currency=currency,
        description=text_of(row, "original_description") or text_of(row, "name"),
        counterparty=_counterparty(row),
        reference=_reference(row),
        value_date=date_of(row, "authorized_date"),
        pending_external_id=id_of(row, "pending_transaction_id"),
    )


def _amount_minor(row: Json, currency: str) -> int:
    amount = amount_of(row, "amount")
    if amount is None:
        raise _Unreadable("It has no amount.")
    try:
        return to_minor(
            -amount, currency
        )  # Plaid counts money out as positive, whatever the account
    except AmountInvalid as refusal:
        raise _Unreadable(refusal.detail) from None


def _counterparty(row: Json) -> str:
    if merchant := text_of(row, "merchant_name"):
        return merchant
    named = (text_of(party, "name") for party in records_of(row, "counterparties"))
    payment = record_of(row, "payment_meta")
    return next(filter(None, named), "") or text_of(payment, "payee") or text_of(payment, "payer")


def _reference(row: Json) -> str:
    return (
        text_of(record_of(row, "payment_meta"), "reference_number")
        or text_of(row, "check_number")
        or text_of(row, "transaction_code")
    )
