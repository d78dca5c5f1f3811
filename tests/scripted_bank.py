"""A bank behind an aggregator, in the test's own process: every move of it is the test's.

It keeps to `app.aggregators.contract` and answers by a log of changes with a cursor, as
certified aggregators do.  What only the wire can show is tested against the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from app.aggregators.contract import (
    Access,
    AggregatorError,
    Coverage,
    CursorRefused,
    FlowRequest,
    FlowResult,
    FlowState,
    Grant,
    Health,
    History,
    HostedFlow,
    Institution,
    LoginStatus,
    OfferedAccount,
    SourceAccount,
    SourceTransaction,
    SyncPage,
    Webhook,
    WebhookInvalid,
)
from app.kernel.bank import AccountType, ConnectionStatus

PLATYPUS = Institution("ins_1", "First Platypus Bank")
HEALTHY = Health(ConnectionStatus.ACTIVE)


def checking(external_id: str = "acc_1", mask: str = "4821", **changes) -> SourceAccount:
    account = SourceAccount(
        external_id=external_id,
        name="Operating checking",
        mask=mask,
        type=AccountType.CHECKING,
        subtype="checking",
        currency="USD",
        current_minor=100_000,
        available_minor=90_000,
    )
    return replace(account, **changes)


def row(external_id: str, amount_minor: int = -1250, **changes) -> SourceTransaction:
    transaction = SourceTransaction(
        external_id=external_id,
        account_external_id="acc_1",
        pending=False,
        posted_date=date(2026, 10, 5),
        amount_minor=amount_minor,
        currency="USD",
        description=f"PAYMENT {external_id}",
    )
    return replace(transaction, **changes)


@dataclass
class Login:
    """One bank login: its accounts, and the log of everything that happened to its rows."""

    accounts: list[SourceAccount] = field(default_factory=lambda: [checking()])
    log: list[SourceTransaction | tuple[str, str]] = field(default_factory=list)
    health: Health = HEALTHY
    aggregated_at: datetime = datetime(2026, 10, 31, 6, tzinfo=UTC)
    history: History = History.COMPLETE
    removed_access: bool = False
    epoch: int = 0
    """Rises when the aggregator forgets its log; cursors of before are refused."""


@dataclass
class ScriptedBank:
    """One aggregator; `page_rows` log lines make a page."""

    name: str = "plaid"
    title: str = "Plaid"
    page_rows: int = 3
    logins: dict[str, Login] = field(default_factory=dict)
    flows: dict[str, FlowResult] = field(default_factory=dict)
    grants: dict[str, str] = field(default_factory=dict)
    webhooks: dict[bytes, Webhook] = field(default_factory=dict)
    refreshed: list[str] = field(default_factory=list)
    requests: list[FlowRequest] = field(default_factory=list)
    before: Callable[[str], None] = lambda _call: None
    """Called with the name of each call; raises what the test wants to happen."""

    def add_login(self, login_id: str, login: Login | None = None) -> Login:
        self.logins[login_id] = login or Login()
        return self.logins[login_id]

    def finish(self, flow_token: str, login_id: str) -> str:
        """Let the person finish the hosted flow with this login; returns the grant."""
        login = self.logins[login_id]
        offered = tuple(OfferedAccount(a.name, a.mask, a.type) for a in login.accounts)
        grant = Grant(f"public-{flow_token}", PLATYPUS, offered)
        self.grants[grant.token] = login_id
        self.flows[flow_token] = FlowResult(FlowState.FINISHED, (grant,))
        return grant.token

    def search_institutions(self, query: str) -> tuple[Coverage, ...]:
        self.before("search_institutions")
        if query.casefold() not in PLATYPUS.name.casefold():
            return ()
        return (Coverage(PLATYPUS, (AccountType.CHECKING, AccountType.SAVINGS)),)

    def start_flow(self, request: FlowRequest) -> HostedFlow:
        self.before("start_flow")
        self.requests.append(request)
        token = f"link-{request.reference}"
        self.flows[token] = FlowResult(FlowState.WAITING)
        expires_at = datetime.now(UTC) + timedelta(minutes=30)
        return HostedFlow(token, f"https://bank.example/{token}", expires_at)

    def flow_result(self, flow_token: str) -> FlowResult:
        self.before("flow_result")
        return self.flows[flow_token]

    def exchange(self, grant_token: str) -> Access:
        self.before("exchange")
        login_id = self.grants.pop(grant_token, None)
        if login_id is None:
            raise AggregatorError("INVALID_PUBLIC_TOKEN", "The grant is used.", permanent=True)
        return Access(login_id, {"access_token": f"canary-access-{login_id}"})

    def login_status(self, access: Access) -> LoginStatus:
        self.before("login_status")
        login = self._login(access)
        return LoginStatus(login.health, PLATYPUS, login.aggregated_at)

    def accounts(self, access: Access) -> tuple[SourceAccount, ...]:
        return tuple(self._login(access).accounts)

    def sync_page(self, access: Access, cursor: str) -> SyncPage:
        self.before("sync_page")
        login = self._login(access)
        epoch, begin = map(int, (cursor or f"{login.epoch}.0").split("."))
        if epoch != login.epoch:
            raise CursorRefused("CURSOR_UNKNOWN")
        lines = login.log[begin : begin + self.page_rows]
        end = begin + len(lines)
        return SyncPage(
            cursor=f"{epoch}.{end}" if login.history is not History.NOT_READY else "",
            has_more=end < len(login.log),
            history=login.history,
            accounts=tuple(login.accounts),
            upserts=tuple(line for line in lines if isinstance(line, SourceTransaction)),
            removed=tuple(line for line in lines if not isinstance(line, SourceTransaction)),
        )

    def refresh(self, access: Access) -> None:
        self.before("refresh")
        self.refreshed.append(access.external_id)

    def remove(self, access: Access) -> None:
        self.before("remove")
        self.logins[access.external_id].removed_access = True

    def read_webhook(self, headers: Mapping[str, str], body: bytes, _now: datetime) -> Webhook:
        if headers.get("plaid-verification", "").startswith("good") and body in self.webhooks:
            return self.webhooks[body]
        raise WebhookInvalid("the signature is not the aggregator's")

    def _login(self, access: Access) -> Login:
        assert access.secrets == {"access_token": f"canary-access-{access.external_id}"}
        return self.logins[access.external_id]
