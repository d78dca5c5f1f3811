"""One connection as the pages show it: how it stands, in words, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.connections.due import Due
from app.connections.hosted_flows import UNNAMED_BANK
from app.connections.sources import title_of
from app.connections.statuses import SYNCABLE
from app.kernel import limits
from app.models import (
    ConnectionPath,
    ConnectionStatus,
    FinancialConnection,
    db,
)
from app.reports.connection_progress import NO_SYNC, OpenFlow, SyncState, open_flows, sync_states
from app.reports.connection_words import StatusWords, words_of
from app.reports.financial_accounts import AccountCard, account_cards
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned

_STOPPED: Final = "No new transactions arrive until then."
_SOON: Final = timedelta(seconds=2 * limits.REFRESH_LOOK_AGAIN_SECONDS)
_URGENCY: Final = {"bad": 0, "warn": 1, "neutral": 2, "ok": 2}
_WAITS_FOR_A_PERSON: Final = (
    ConnectionStatus.RECONNECT_REQUIRED,
    ConnectionStatus.EXPIRED,
    ConnectionStatus.DELETED,
)


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    connection_id: str
    institution_name: str
    path: ConnectionPath
    provider_title: str
    status: ConnectionStatus
    words: StatusWords
    sentence: str
    """What the status asks for, filled in; empty when it asks for nothing."""
    flow: OpenFlow | None
    sync: SyncState
    last_sync_at: datetime | None
    successfully_aggregated_at: datetime | None
    access_ends_at: datetime | None
    refresh_available_at: datetime | None
    """None when it is possible now."""
    refresh_minutes: int
    access_removed: bool | None
    looks_soon: bool
    settings: Mapping[str, str]
    accounts: tuple[AccountCard, ...]

    @property
    def deleted(self) -> bool:
        return self.status is ConnectionStatus.DELETED

    def account(self, account_id: str) -> AccountCard:
        return next(one for one in self.accounts if one.account_id == account_id)

    @property
    def due(self) -> Due | None:
        """Return what is due first among the accounts."""
        dues = [account.due for account in self.accounts if account.due is not None]
        return min(dues, key=lambda due: due.due_date, default=None)

    @property
    def is_lost(self) -> bool:
        """Tell whether it ended without a person's doing and still stands in the books."""
        return self.deleted and any(one.ledger_bank_account_id for one in self.accounts)

    @property
    def needs_somebody(self) -> bool:
        if self.deleted:
            return self.is_lost
        if self.awaits_visit:
            return True
        return self.words.needs_somebody or any(one.needs_somebody for one in self.accounts)

    @property
    def awaits_visit(self) -> bool:
        """Tell whether a person has begun a visit to the bank and not finished it."""
        return self.flow is not None and not self.flow.is_over

    @property
    def live(self) -> bool:
        """Tell whether what it shows may change any moment without anybody's doing here."""
        return not self.deleted and (
            self.flow is not None
            or self.sync.running
            or self.looks_soon
            or self.status is ConnectionStatus.IN_PROGRESS
        )

    @property
    def says_more(self) -> bool:
        """Tell whether the last sync's failure says what the status does not."""
        silent = not self.words.needs_somebody and self.status is not ConnectionStatus.DEGRADED
        by_connector = self.path is ConnectionPath.NON_STANDARD
        return bool(self.sync.failure) and not self.sync.running and (silent or by_connector)

    @property
    def can_sync(self) -> bool:
        by_itself = self.path is not ConnectionPath.MANUAL_UPLOAD and self.status in SYNCABLE
        return by_itself and self.status not in _WAITS_FOR_A_PERSON

    @property
    def can_visit(self) -> bool:
        """Tell whether a person can sign in at the bank for it."""
        return self.path is ConnectionPath.STANDARD and not self.deleted

    @property
    def reason_against_refresh(self) -> str:
        """Return why the button is disabled; empty when it is not."""
        if not self.can_sync:
            return f"{self.institution_name} gives no data until somebody signs in at the bank."
        if self.sync.running:
            return "A sync is running; its end is near."
        return "A connection can be refreshed once an hour." if self.refresh_available_at else ""

    @property
    def accounts_pause(self) -> bool:
        """Tell whether accounts that are fine themselves bring nothing all the same."""
        return self.path is not ConnectionPath.MANUAL_UPLOAD and not self.can_sync

    @property
    def order(self) -> tuple[int, int, str, str]:
        """Return the key by which what needs somebody comes first."""
        urgency = 0 if self.awaits_visit else _URGENCY[self.words.tone]
        return (
            0 if self.needs_somebody else 1,
            urgency if self.needs_somebody else 0,
            self.institution_name.casefold(),
            self.connection_id,
        )


def connection_card(actor: Actor, connection_id: str, now: datetime) -> ConnectionCard:
    """Return one connection with its accounts.

    Raises:
        NotFound: There is no such connection here.
    """
    get_owned(FinancialConnection, connection_id)
    return connection_cards(actor, now, FinancialConnection.id == connection_id)[0]


def connection_cards(
    actor: Actor, now: datetime, *where: sa.ColumnElement[bool]
) -> list[ConnectionCard]:
    accounts = account_cards(actor, now, *where)
    flows = open_flows(now)
    syncs = sync_states()
    return [
        _card(
            actor,
            connection,
            tuple(accounts[connection.id]),
            flows.get(connection.id),
            syncs.get(connection.id, NO_SYNC),
            now,
        )
        for connection in db.session.scalars(owned(FinancialConnection).where(*where))
    ]


def _card(
    actor: Actor,
    connection: FinancialConnection,
    accounts: tuple[AccountCard, ...],
    flow: OpenFlow | None,
    sync: SyncState,
    now: datetime,
) -> ConnectionCard:
    status, path = ConnectionStatus(connection.status), ConnectionPath(connection.path)
    words = words_of(
        status,
        connection.status_reason,
        was_connected=bool(connection.external_id),
        by_connector=path is ConnectionPath.NON_STANDARD,
    )
    path = ConnectionPath(connection.path)
    title = title_of(connection)
    available_at = connection.refresh_available_at
    if available_at is not None and available_at <= now:
        available_at = None
    return ConnectionCard(
        connection_id=connection.id,
        institution_name=connection.institution_name,
        path=path,
        provider_title=title,
        status=status,
        words=words,
        sentence=_filled(words.sentence, actor, connection, title, accounts),
        flow=flow,
        sync=sync,
        last_sync_at=connection.last_sync_at,
        successfully_aggregated_at=connection.successfully_aggregated_at,
        access_ends_at=connection.access_ends_at,
        refresh_available_at=available_at,
        refresh_minutes=_minutes_until(available_at, now),
        access_removed=connection.access_removed,
        looks_soon=_looks_soon(connection, now),
        settings=connection.settings,
        accounts=accounts,
    )


def _filled(
    sentence: str,
    actor: Actor,
    connection: FinancialConnection,
    through: str,
    accounts: Sequence[AccountCard],
) -> str:
    unnamed = connection.institution_name == UNNAMED_BANK
    stopped_on = _day(actor, connection.successfully_aggregated_at)
    filled = sentence.format(
        bank="the bank" if unnamed else connection.institution_name,
        through=through,
        day=_day(actor, connection.access_ends_at) or "its last day",
        accounts="; ".join(f"{one.label}, {one.trouble}" for one in accounts if one.trouble),
        stopped=f"New transactions stopped on {stopped_on}." if stopped_on else _STOPPED,
    )
    return filled[:1].upper() + filled[1:]


def _day(actor: Actor, moment: datetime | None) -> str:
    if moment is None:
        return ""
    day = moment.astimezone(ZoneInfo(actor.time_zone)).date()
    return f"{day.day} {day:%B %Y}"


def _minutes_until(moment: datetime | None, now: datetime) -> int:
    return 0 if moment is None else max(1, -(-int((moment - now).total_seconds()) // 60))


def _looks_soon(connection: FinancialConnection, now: datetime) -> bool:
    """Tell whether the clock looks again so soon that it is worth waiting for.

    A folder is looked at every minute, so that says nothing there.
    """
    if connection.path != ConnectionPath.STANDARD or connection.next_sync_at is None:
        return False
    return connection.next_sync_at <= now + _SOON
