"""From a server's JSON to accounts and transactions in our words.

Amounts are numeric strings, positive where money comes in, as ours are.  Times are seconds
since 1970; the calendar date of one is its date in UTC (docs/connectors.md says why).
Nothing of the JSON is trusted to have the right shape.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from app.aggregators.contract import (
    Health,
    Institution,
    SourceAccount,
    SourceAccountStatus,
    SourceTransaction,
    UnreadableRow,
)
from app.connectors.simplefin.problems import Problem, health_of, problems_of, shown
from app.kernel.bank import AccountType
from app.kernel.errors import Invalid
from app.kernel.money import to_minor

EXTERNAL_ID_CHARACTERS_MAX: Final = 200
NAME_CHARACTERS_MAX: Final = 200
SECONDS_MAX: Final = 50_000_000_000
"""Since 1970: beyond any date of a bank."""
_NUMERIC: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,6})?", re.ASCII)
_ISO_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class AnswerUnreadable(ValueError):  # noqa: N818 - it says what is wrong
    """It is not an account set."""


@dataclass(frozen=True, slots=True)
class Rows:
    """What an account set holds of transactions."""

    upserts: tuple[SourceTransaction, ...]
    unreadable: tuple[UnreadableRow, ...]


@dataclass(frozen=True, slots=True)
class AccountSet:
    """One answer of `GET /accounts`."""

    accounts: tuple[SourceAccount, ...]
    health: Health
    institution: Institution | None
    """None where the login has accounts at several banks.

    Its id is empty: accounts are recognized by their own ids, whatever bank they are at.
    """
    aggregated_at: datetime | None
    rows: Rows

    @property
    def is_whole(self) -> bool:
        """Say whether no account lacks transactions."""
        return all(account.status is not SourceAccountStatus.FAILING for account in self.accounts)


def read_account_set(answer: Any, server: str, today: date, *, with_rows: bool) -> AccountSet:
    """Read an answer.

    Args:
        answer: As JSON was parsed, decimals as `Decimal`.
        server: Whose ids they are: another token of the same server gives the same ones.
        today: The day of a pending transaction that has none, in UTC.
        with_rows: The answer was asked for transactions.

    Raises:
        AnswerUnreadable: It has no list of accounts.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("accounts"), list):
        raise AnswerUnreadable("no list of accounts")
    problems = problems_of(answer)
    raw_accounts = [raw for raw in answer["accounts"] if isinstance(raw, dict) and raw.get("id")]
    accounts: dict[str, SourceAccount] = {}
    upserts: list[SourceTransaction] = []
    unreadable: list[UnreadableRow] = []
    for raw in raw_accounts:
        account = _account(raw, server, problems, with_rows=with_rows)
        if account.external_id in accounts:
            continue
        accounts[account.external_id] = account
        if with_rows and account.currency:
            _read_rows(raw, account, today, upserts, unreadable)
    connection_ids = frozenset(_connection_id(raw) for raw in raw_accounts)
    return AccountSet(
        accounts=tuple(accounts.values()),
        health=health_of(problems, connection_ids),
        institution=_institution(answer, raw_accounts),
        aggregated_at=max(
            filter(None, (_instant(raw.get("balance-date")) for raw in raw_accounts)), default=None
        ),
        rows=Rows(tuple(upserts), tuple(unreadable)),
    )


def _account(
    raw: Mapping[str, Any], server: str, problems: Sequence[Problem], *, with_rows: bool
) -> SourceAccount:
    connection_id, account_id = _connection_id(raw), _text(raw, "id")
    currency = _text(raw, "currency").strip().upper()
    if not _ISO_CURRENCY.fullmatch(currency):
        currency = ""
    current = _minor_or_none(raw.get("balance"), currency)
    available = raw.get("available-balance")
    status, reason = _status(raw, problems, currency, with_rows=with_rows)
    external_id = _kept_id(f"{connection_id}/{account_id}")
    return SourceAccount(
        external_id=external_id,
        persistent_id=hashlib.sha256(f"{server}\n{external_id}".encode()).hexdigest(),
        name=shown(_text(raw, "name"))[:NAME_CHARACTERS_MAX] or "Account",
        mask="",
        type=AccountType.OTHER,
        subtype="",
        currency=currency,
        current_minor=current,
        available_minor=current if available is None else _minor_or_none(available, currency),
        status=status,
        reason=reason,
    )


def _status(
    raw: Mapping[str, Any], problems: Sequence[Problem], currency: str, *, with_rows: bool
) -> tuple[SourceAccountStatus, str]:
    if not currency:
        return SourceAccountStatus.UNSUPPORTED, "CUSTOM_CURRENCY"
    connection_id, account_id = _connection_id(raw), _text(raw, "id")
    for problem in problems:
        if problem.is_of(connection_id, account_id):
            return SourceAccountStatus.FAILING, problem.reason
    if with_rows and not isinstance(raw.get("transactions"), list):
        return SourceAccountStatus.FAILING, "TRANSACTIONS_MISSING"
    return SourceAccountStatus.ACTIVE, ""


def _read_rows(
    raw: Mapping[str, Any],
    account: SourceAccount,
    today: date,
    upserts: list[SourceTransaction],
    unreadable: list[UnreadableRow],
) -> None:
    listed = raw.get("transactions")
    for row in listed if isinstance(listed, list) else []:
        fields = row if isinstance(row, dict) else {}
        try:
            upserts.append(_transaction(fields, account, today))
        except Invalid as refused:
            unread = UnreadableRow(account.external_id, _text(fields, "id"), refused.detail)
            unreadable.append(unread)


def _transaction(row: Mapping[str, Any], account: SourceAccount, today: date) -> SourceTransaction:
    external_id = _text(row, "id")
    if not external_id:
        raise Invalid("A transaction has no id.")
    posted, transacted = _instant(row.get("posted")), _instant(row.get("transacted_at"))
    pending = row.get("pending") is True or row.get("posted") in (0, "0")
    if posted is None and not pending:
        raise Invalid("A transaction has no date.")
    if pending:
        day = (transacted or posted or datetime.combine(today, datetime.min.time(), UTC)).date()
    else:
        assert posted is not None
        day = posted.date()
    return SourceTransaction(
        external_id=external_id,
        account_external_id=account.external_id,
        pending=pending,
        posted_date=day,
        amount_minor=_minor(row.get("amount"), account.currency),
        currency=account.currency,
        description=_text(row, "description"),
        counterparty=_text(row, "payee"),
        value_date=transacted.date() if transacted and not pending else None,
    )


def _institution(
    answer: Mapping[str, Any], raw_accounts: Sequence[Mapping[str, Any]]
) -> Institution | None:
    listed = answer.get("connections")
    if isinstance(listed, list) and listed:
        of_accounts = {_connection_id(raw) for raw in raw_accounts}
        banks = {
            (_text(raw, "org_id"), _text(raw, "org_name") or _text(raw, "name"))
            for raw in listed
            if isinstance(raw, dict) and (not of_accounts or _text(raw, "conn_id") in of_accounts)
        }
    else:
        banks = {
            (_text(org, "id") or _text(org, "domain"), _text(org, "name") or _text(org, "domain"))
            for org in (raw.get("org") for raw in raw_accounts)
            if isinstance(org, dict)
        }
    if len({bank_id for bank_id, _ in banks}) != 1:
        return None
    name = shown(min(name for _, name in banks))[:NAME_CHARACTERS_MAX]
    return Institution("", name) if name else None


def _connection_id(raw: Mapping[str, Any]) -> str:
    """Return the connection; before there were any, the bank stood for it."""
    connection_id = _text(raw, "conn_id")
    org = raw.get("org")
    if connection_id or not isinstance(org, dict):
        return connection_id
    return _text(org, "id") or _text(org, "domain") or _text(org, "sfin-url")


def _minor(value: Any, currency: str) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Invalid("A transaction has no amount.")
    if isinstance(value, str) and not _NUMERIC.fullmatch(value):
        raise Invalid(f"“{shown(value)[:40]}” is not an amount.")
    return to_minor(Decimal(value), currency)


def _minor_or_none(value: Any, currency: str) -> int | None:
    if not currency:
        return None
    try:
        return _minor(value, currency)
    except Invalid:
        return None


def _instant(value: Any) -> datetime | None:
    """Return the instant of a time; none for 0, which says that there is none yet."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:20])
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not value:
        return None
    # Before anything is computed: an exponent can be huge.
    if not -SECONDS_MAX <= value <= SECONDS_MAX:
        return None
    return _EPOCH + timedelta(seconds=int(value))


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:EXTERNAL_ID_CHARACTERS_MAX]
    # JSON can hold half a character, which no database takes.
    return value.encode(errors="replace").decode().strip() if isinstance(value, str) else ""


def _kept_id(external_id: str) -> str:
    if len(external_id) <= EXTERNAL_ID_CHARACTERS_MAX:
        return external_id
    return hashlib.sha256(external_id.encode(errors="surrogatepass")).hexdigest()
