"""What every source of live bank data does, in our words and with our signs.

A provider turns its wire into these dataclasses; nothing else of it is seen outside its
folder.  Amounts are signed minor units, money into the account positive; dates are the
bank's calendar dates; instants are aware.  No method touches the database, and each may
block on the network no longer than its provider's named timeouts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from app.kernel.bank import AccountType, ConnectionStatus


class AggregatorError(Exception):
    """The provider did not do what it was asked.

    Args:
        code: The provider's own error code, or one of ours in capitals, never a secret.
        sentence: What happened, for a person; no secret, no account number.
        permanent: Asking again is useless; somebody has to act.  Otherwise it passes by itself.
        health: What the answer says about the connection, if it says anything.
        retry_after_seconds: How long the provider asks to be left alone.
    """

    def __init__(
        self,
        code: str,
        sentence: str,
        *,
        permanent: bool,
        health: Health | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence
        self.permanent = permanent
        self.health = health
        self.retry_after_seconds = retry_after_seconds


class CursorRefused(AggregatorError):  # noqa: N818 - it says what happened
    """The stream changed while it was read, or the cursor is not accepted any more.

    The reader throws its pages away and starts again from its last kept cursor; when that
    does not help either, from none.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code, "The bank's data changed while they were read.", permanent=False)


class WebhookInvalid(Exception):  # noqa: N818 - it says what is wrong
    """A webhook that is not the provider's, altered, or too old; it is not acted on."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a provider says of one bank login, in our words.

    Args:
        status: ACTIVE, DEGRADED, RECONNECT_REQUIRED, RECONNECT_AVAILABLE, EXPIRED, DELETED or
            IN_PROGRESS (the provider has not read the bank yet).
        reason: Stable code in capitals, such as `ITEM_LOGIN_REQUIRED`; empty when healthy.
        deadline: When access ends unless somebody acts, where the provider says so.
        sentence: What the provider says of it to people; one printable line, often empty.
    """

    status: ConnectionStatus
    reason: str = ""
    deadline: datetime | None = None
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """What opens one bank login at the provider; kept sealed, never logged.

    Args:
        external_id: The provider's id of the login; not secret, webhooks name it.
        secrets: Whatever the adapter needs to be let in, such as an access token.
    """

    external_id: str
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Institution:
    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """A bank that a provider reaches, and the kinds of account it reaches there."""

    institution: Institution
    account_types: tuple[AccountType, ...]
    note: str = ""
    """What a person should know before choosing it, in a sentence; often empty."""


@dataclass(frozen=True, slots=True)
class FlowRequest:
    """What a hosted flow is started with.

    Args:
        reference: Our opaque id of the flow; the same reference is the same person's flow.
        user_reference: Our opaque id of organization and person, stable between flows.
        return_url: Where the provider sends the browser afterwards; says nothing of success.
        webhook_url: Where the provider reports to; None when nobody outside can reach us.
        institution: A bank to begin with, if the person chose one.
        access: Of an existing login: the flow repairs it instead of adding another.
        add_accounts: In such a repair, let the person choose accounts again.
    """

    reference: str
    user_reference: str
    return_url: str
    webhook_url: str | None
    institution: Institution | None = None
    access: Access | None = None
    add_accounts: bool = False


@dataclass(frozen=True, slots=True)
class HostedFlow:
    """Where the person has to go, and how to ask what became of it.

    Args:
        url: Empty when the provider has no page for it; then the grant has to come from the
            program that asked, which shows the provider's own module.
    """

    token: str = field(repr=False)
    url: str = field(repr=False)
    expires_at: datetime


class FlowState(StrEnum):
    WAITING = "waiting"
    """Nobody opened it yet."""
    OPENED = "opened"
    FINISHED = "finished"
    EXITED = "exited"
    """The last visit ended without success; it can be opened again until it expires."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OfferedAccount:
    """An account as the hosted flow shows it, before any token is exchanged."""

    name: str
    mask: str
    type: AccountType


@dataclass(frozen=True, slots=True)
class Grant:
    """What a finished flow gives: to be exchanged once for `Access`."""

    token: str = field(repr=False)
    institution: Institution | None
    accounts: tuple[OfferedAccount, ...]


@dataclass(frozen=True, slots=True)
class FlowResult:
    state: FlowState
    grants: tuple[Grant, ...] = ()
    exit_code: str = ""
    """Why the last visit ended without success, as the provider calls it."""


class SourceAccountStatus(StrEnum):
    ACTIVE = "active"
    FAILING = "failing"
    """Shared, but the provider cannot read it now."""
    NOT_SHARED = "not_shared"
    CLOSED = "closed"
    UNSUPPORTED = "unsupported"
    """Such as one in a currency without an ISO 4217 code."""


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """One account of a login.

    Args:
        external_id: Unique within the login, stable while the login lives.
        persistent_id: The provider's id that outlives a login; often empty.
        currency: ISO 4217, empty when there is none.
        current_minor: Positive is what is there; owed on a card or loan is negative.
        available_minor: What can be spent.
    """

    external_id: str
    name: str
    mask: str
    type: AccountType
    subtype: str
    currency: str
    current_minor: int | None
    available_minor: int | None
    persistent_id: str = ""
    status: SourceAccountStatus = SourceAccountStatus.ACTIVE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SourceTransaction:
    """One bank transaction as a provider states it.

    Args:
        external_id: Unique within the account.
        pending_external_id: Of a posted transaction: the pending one that it replaces.
        posted_date: Of a pending one: the day it occurred.
        value_date: The day it was authorized or takes effect, where known.
    """

    external_id: str
    account_external_id: str
    pending: bool
    posted_date: date
    amount_minor: int
    currency: str
    description: str
    counterparty: str = ""
    reference: str = ""
    value_date: date | None = None
    pending_external_id: str = ""


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that cannot be kept as it came; it is counted and shown, never dropped silently."""

    account_external_id: str
    external_id: str
    reason: str


class History(StrEnum):
    """How much of the past the provider has gathered."""

    NOT_READY = "not_ready"
    RECENT = "recent"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class SyncPage:
    """One page of a read; all pages up to `has_more=False` belong together.

    Args:
        cursor: Where the next page, or the next read, begins; opaque, at most 4,000 characters.
        upserts: New and changed transactions, in any order.
        removed: External ids that are gone, as (account, transaction).
        accounts: All accounts of the login as they are now; may be empty on later pages.
        snapshot_from: The pages together hold ALL transactions of these accounts from this
            day on, so that what is not among them is gone; None for a stream of changes.
            Nothing is gone from an account that fails, or of which the pages hold nothing:
            a source that falls silent takes nothing back.
    """

    cursor: str
    has_more: bool
    history: History
    accounts: tuple[SourceAccount, ...] = ()
    upserts: tuple[SourceTransaction, ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    unreadable: tuple[UnreadableRow, ...] = ()
    snapshot_from: date | None = None


@dataclass(frozen=True, slots=True)
class LoginStatus:
    """What the provider says of a login, apart from its data.

    Args:
        aggregated_at: The provider's own time of its last success at the bank.
    """

    health: Health
    institution: Institution | None
    aggregated_at: datetime | None


class WebhookKind(StrEnum):
    FLOW_ENDED = "flow_ended"
    DATA = "data"
    """New data or another health: read both."""
    HINT = "hint"
    """Something that reading alone does not tell: `health` says it.

    New accounts, an access that ends at the deadline, or, when healthy, that an announced
    end is off because somebody has signed in again.
    """
    ACCOUNT_GONE = "account_gone"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A verified message; it only ever leads to a read, whose answer counts."""

    kind: WebhookKind
    name: str
    """As the provider calls it, such as `ITEM/ERROR`."""
    login_external_id: str = ""
    flow_token: str = field(default="", repr=False)
    account_external_id: str = ""
    health: Health | None = None
    is_unique: bool = True
    """An equal message is the same one sent again; some providers' may rightly be equal."""


class DataSource(Protocol):
    """Reads one bank login.  Every method raises `AggregatorError`."""

    def login_status(self, access: Access) -> LoginStatus: ...

    def accounts(self, access: Access) -> tuple[SourceAccount, ...]:
        """Return all accounts with the balances that the provider holds."""
        ...

    def sync_page(self, access: Access, cursor: str) -> SyncPage:
        """Return the page that begins at the cursor; an empty one begins at the beginning.

        Raises:
            CursorRefused: Begin again, as its text says.
        """
        ...

    def remove(self, access: Access) -> None:
        """End the provider's access to the bank; one that is gone already is a success."""
        ...


class Aggregator(DataSource, Protocol):
    """A certified aggregator: a data source with a hosted flow."""

    name: str
    """As in settings, URLs and the API, such as `plaid`."""
    title: str
    """As people write it, such as “Plaid”."""

    def search_institutions(self, query: str) -> tuple[Coverage, ...]:
        """Return at most 20 banks whose name fits, best first."""
        ...

    def start_flow(self, request: FlowRequest) -> HostedFlow: ...

    def flow_result(self, flow_token: str) -> FlowResult: ...

    def exchange(self, grant_token: str) -> Access:
        """Turn a grant into access, which works once."""
        ...

    def refresh(self, access: Access) -> None:
        """Ask the provider to read the bank now; what it finds comes by a later sync."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Webhook:
        """Verify and read a message.

        Args:
            headers: Names in lower case.

        Raises:
            WebhookInvalid: It must not be acted on.
            AggregatorError: What verifies it could not be fetched now.
        """
        ...
