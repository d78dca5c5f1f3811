"""What the Bank Connections page shows: each connection, how it stands, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.connections.due import Due
from app.connections.hosted_flows import UNNAMED_BANK
from app.connections.sources import title_of
from app.connections.statuses import SYNCABLE
from app.kernel import limits
from app.models import (
    ConnectionPath,
    ConnectionStatus,
    FinancialConnection,
    FlowMode,
    FlowProgress,
    HostedFlow,
    JobKind,
    JobRun,
    JobStatus,
    db,
)
from app.reports.connection_words import StatusWords, exit_sentence, words_of
from app.reports.financial_accounts import (
    AccountCard,
    LedgerChoice,
    account_cards,
    ledger_choices,
)
from app.tenancy.actor import Actor
from app.tenancy.scope import current_organization_id, get_owned, owned

_GRACE: Final = timedelta(seconds=limits.FLOW_GRACE_SECONDS)
_SOON: Final = timedelta(seconds=2 * limits.REFRESH_LOOK_AGAIN_SECONDS)
_URGENCY: Final = {"bad": 0, "warn": 1, "neutral": 2, "ok": 2}
_ENDED: Final = (JobStatus.SUCCEEDED, JobStatus.FAILED)
_WAITS_FOR_A_PERSON: Final = (
    ConnectionStatus.RECONNECT_REQUIRED,
    ConnectionStatus.EXPIRED,
    ConnectionStatus.DELETED,
)


@dataclass(frozen=True, slots=True)
class OpenFlow:
    """A visit to the bank that somebody has begun; its address is not shown to anybody."""

    flow_id: str
    expires_at: datetime
    is_over: bool
    """Its time is up, and its end is being settled."""
    creates: bool
    opened: bool
    last_exit: str
    """How the last visit ended, in a sentence; empty when there was none."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """The newest sync, and what came of the last one that has ended."""

    running: bool
    percent: int
    progress: str
    outcome: str
    """Such as “14 new”; empty while there was none."""
    failure: str
    """Why the last one brought nothing; empty when it did."""


NO_SYNC: Final = SyncState(running=False, percent=0, progress="", outcome="", failure="")


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
    def needs_somebody(self) -> bool:
        if self.deleted or self.awaits_visit:
            return not self.deleted
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
    def _order(self) -> tuple[int, int, str, str]:
        urgency = 0 if self.awaits_visit else _URGENCY[self.words.tone]
        return (
            0 if self.needs_somebody else 1,
            urgency if self.needs_somebody else 0,
            self.institution_name.casefold(),
            self.connection_id,
        )


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    connections: tuple[ConnectionCard, ...]
    deleted: tuple[ConnectionCard, ...]
    ledger_choices: tuple[LedgerChoice, ...]

    @property
    def accounts_count(self) -> int:
        return sum(len(connection.accounts) for connection in self.connections)

    @property
    def needing_count(self) -> int:
        return sum(connection.needs_somebody for connection in self.connections)

    @property
    def live(self) -> bool:
        return any(connection.live for connection in self.connections)

    @property
    def without_path(self) -> tuple[LedgerChoice, ...]:
        """Return the ledger bank accounts for which no bank data arrives."""
        fed = {
            account.ledger_bank_account_id
            for connection in self.connections
            for account in connection.accounts
        }
        return tuple(
            choice for choice in self.ledger_choices if choice.ledger_bank_account_id not in fed
        )

    def choices_for(self, account: AccountCard) -> list[LedgerChoice]:
        """Return the ledger bank accounts of its currency that are free, and its own."""
        return [
            choice
            for choice in self.ledger_choices
            if choice.currency == account.currency and choice.taken_by in {None, account.account_id}
        ]


def connections_page(actor: Actor, now: datetime, shown: Sequence[str] = ()) -> ConnectionsPage:
    """Return everything on the Bank Connections page, in six statements.

    Args:
        shown: Ids in the order in which somebody is looking at them already, which is kept;
            otherwise those that need somebody come first.
    """
    cards = _cards(actor, now)
    places = {connection_id: place for place, connection_id in enumerate(shown)}
    cards.sort(key=lambda card: (places.get(card.connection_id, -1), card._order))  # noqa: SLF001
    return ConnectionsPage(
        connections=tuple(card for card in cards if not card.deleted),
        deleted=tuple(card for card in cards if card.deleted),
        ledger_choices=ledger_choices(),
    )


def connection_card(actor: Actor, connection_id: str, now: datetime) -> ConnectionCard:
    """Return one connection with its accounts.

    Raises:
        NotFound: There is no such connection here.
    """
    get_owned(FinancialConnection, connection_id)
    return _cards(actor, now, FinancialConnection.id == connection_id)[0]


def _cards(actor: Actor, now: datetime, *where: sa.ColumnElement[bool]) -> list[ConnectionCard]:
    accounts = account_cards(actor, now, *where)
    flows = _open_flows(now)
    syncs = _syncs()
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
    status = ConnectionStatus(connection.status)
    words = words_of(status, connection.status_reason, was_connected=bool(connection.external_id))
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
    ends_at = connection.access_ends_at
    ends_on = ends_at.astimezone(ZoneInfo(actor.time_zone)).date() if ends_at else None
    filled = sentence.format(
        bank="the bank" if unnamed else connection.institution_name,
        through=through,
        day=f"{ends_on.day} {ends_on:%B %Y}" if ends_on else "its last day",
        accounts="; ".join(f"{one.label}, {one.trouble}" for one in accounts if one.trouble),
    )
    return filled[:1].upper() + filled[1:]


def _minutes_until(moment: datetime | None, now: datetime) -> int:
    return 0 if moment is None else max(1, -(-int((moment - now).total_seconds()) // 60))


def _looks_soon(connection: FinancialConnection, now: datetime) -> bool:
    """Tell whether the clock looks again so soon that it is worth waiting for.

    A folder is looked at every minute, so that says nothing there.
    """
    if connection.path != ConnectionPath.STANDARD or connection.next_sync_at is None:
        return False
    return connection.next_sync_at <= now + _SOON


def _open_flows(now: datetime) -> dict[str, OpenFlow]:
    """Return the newest open flow of each connection."""
    flows = db.session.scalars(
        owned(HostedFlow)
        .where(
            HostedFlow.progress.in_([FlowProgress.OPEN, FlowProgress.EXCHANGING]),
            HostedFlow.expires_at > now - _GRACE,
        )
        .order_by(HostedFlow.id)
    )
    return {
        flow.connection_id: OpenFlow(
            flow_id=flow.id,
            expires_at=flow.expires_at,
            is_over=flow.progress != FlowProgress.OPEN or flow.expires_at <= now,
            creates=flow.mode == FlowMode.CREATE,
            opened=flow.opened,
            last_exit=exit_sentence(flow.exit_code),
        )
        for flow in flows
    }


def _syncs() -> dict[str, SyncState]:
    """Return how the syncs of each connection stand, along the index of runs by subject."""
    newest, newest_ended = _newest_sync(*JobStatus), _newest_sync(*_ENDED)
    runs = db.session.scalars(
        owned(JobRun)
        .where(sa.or_(JobRun.id.in_(newest), JobRun.id.in_(newest_ended)))
        .order_by(JobRun.id)
    )
    by_connection: dict[str, list[JobRun]] = {}
    for run in runs:
        by_connection.setdefault(run.subject_id, []).append(run)
    return {connection_id: _state(found) for connection_id, found in by_connection.items()}


def _newest_sync(*statuses: JobStatus) -> sa.Select[str]:
    run = aliased(JobRun)
    newest = sa.select(sa.func.max(run.id)).where(
        run.organization_id == current_organization_id(),
        run.kind == JobKind.SYNC,
        run.subject_id == FinancialConnection.id,
        run.status.in_(statuses),
    )
    return owned(FinancialConnection).with_only_columns(newest.scalar_subquery())


def _state(runs: Sequence[JobRun]) -> SyncState:
    """Return the state told by the newest run and the newest that has ended, oldest first."""
    newest = runs[-1]
    running = newest.status not in _ENDED
    ended = next((run for run in reversed(runs) if run.status in _ENDED), None)
    failed = ended is not None and ended.status == JobStatus.FAILED
    outcome = ""
    if ended is not None:
        outcome = "failed" if failed else ended.progress_text.partition(".")[0]
    return SyncState(
        running=running,
        percent=newest.progress_percent if running else 100,
        progress=newest.progress_text if running else "",
        outcome=outcome[:1].lower() + outcome[1:],
        failure=ended.failure if ended is not None and failed else "",
    )
