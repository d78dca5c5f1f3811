from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.aggregators.contract import (
    Access,
    Coverage,
    FlowRequest,
    FlowResult,
    HostedFlow,
    LoginStatus,
    SourceAccount,
    SyncPage,
    Webhook,
)
from app.aggregators.mx import flows, institutions, reading, webhooks
from app.aggregators.mx.client import MxClient
from app.aggregators.mx.settings import MxSettings
from app.aggregators.mx.tokens import Signer


class Mx:
    """MX's Platform API as an `Aggregator`; every method does what that protocol says."""

    name = "mx"
    title = "MX"

    def __init__(self, settings: MxSettings) -> None:
        self._client = MxClient(settings)
        self._signer = Signer(settings.api_key)
        self._webhook_password = settings.webhook_password

    def search_institutions(self, query: str) -> tuple[Coverage, ...]:
        return institutions.search(self._client, query)

    def start_flow(self, request: FlowRequest) -> HostedFlow:
        return flows.start(self._client, self._signer, request)

    def flow_result(self, flow_token: str) -> FlowResult:
        return flows.result(self._client, self._signer, flow_token)

    def exchange(self, grant_token: str) -> Access:
        return flows.exchange(self._client, self._signer, grant_token)

    def login_status(self, access: Access) -> LoginStatus:
        return reading.login_status(self._client, access)

    def accounts(self, access: Access) -> tuple[SourceAccount, ...]:
        return reading.accounts(self._client, access)

    def sync_page(self, access: Access, cursor: str) -> SyncPage:
        return reading.sync_page(self._client, access, cursor)

    def refresh(self, access: Access) -> None:
        reading.refresh(self._client, access)

    def remove(self, access: Access) -> None:
        reading.remove(self._client, access)

    def read_webhook(
        self,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,  # noqa: ARG002 - MX's messages carry no time
    ) -> Webhook:
        return webhooks.read(headers, body, self._webhook_password)
