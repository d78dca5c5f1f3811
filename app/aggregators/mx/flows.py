"""The visit to MX's Connect widget, from its address to the member that it brought.

MX has no token of a visit and says nothing of its end.  What it brought is told by looking:
members of the person's user that MX tried at their bank since the visit began and that no
earlier visit has taken.  A member that is taken gets a mark in its metadata, so that two
visits at the same time never share one, and a login that another connection already has is
recognised: MX itself refuses to make a second member of the same bank and user name.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from app.aggregators.contract import (
    Access,
    AggregatorError,
    FlowRequest,
    FlowResult,
    FlowState,
    Grant,
    HostedFlow,
    OfferedAccount,
)
from app.aggregators.mx.client import MxClient
from app.aggregators.mx.fields import text
from app.aggregators.mx.members import Member, owner_mark
from app.aggregators.mx.rows import account
from app.aggregators.mx.tokens import Flow, Gift, Signer
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now

WIDGET_OPEN_SECONDS: Final = 600
"""An address that nobody opened by then is dead, and it opens once."""

VISIT_SECONDS: Final = 1_800
"""From the address to the end of the visit; second factors take their time."""

ALREADY_CONNECTED: Final = "ALREADY_CONNECTED"

CALLBACK_HEADER: Final = "x-callback-payload"
"""What is sent under this name comes back with the webhooks of the members of a visit."""


def start(client: MxClient, signer: Signer, request: FlowRequest) -> HostedFlow:
    """Ask for an address of the widget."""
    widget: dict[str, object] = {
        "widget_type": "connect_widget",
        "mode": "aggregation",
        "ui_message_version": 4,
        "is_mobile_webview": False,
        "client_redirect_url": request.return_url,
    }
    if request.access:
        user_guid = request.access.secrets["user_guid"]
        answer = client.get("users", user_guid, "members", request.access.external_id)
        widget["current_member_guid"] = request.access.external_id
        # Of a broken login the widget knows what to ask for; a healthy one must be told to ask.
        widget["update_credentials"] = not _needs_person(Member.from_row(answer.record("member")))
        widget["disable_institution_search"] = True  # else the visit could add another login
        began_at = answer.server_time
    else:
        user_guid, began_at = _user(client, request.user_reference)
        if request.institution:
            widget["current_institution_code"] = request.institution.external_id
    flow = Flow(
        user_guid=user_guid,
        reference=request.reference,
        since=began_at or utc_now(),
        repaired_guid=request.access.external_id if request.access else "",
    )
    token = signer.flow_token(flow)
    answer = client.post(
        "users",
        user_guid,
        "widget_urls",
        body={"widget_url": widget},
        headers={CALLBACK_HEADER: b64encode(token.encode()).decode()},
    )
    url = text(answer.record("widget_url"), "url")
    return HostedFlow(token=token, url=url, expires_at=utc_now() + _visit_time())


def result(client: MxClient, signer: Signer, token: str) -> FlowResult:
    """Look what a visit has brought so far."""
    flow = signer.read_flow(token)
    tried = [m for m in _members(client, flow.user_guid) if m.was_tried_since(flow.since)]
    if flow.repaired_guid:
        own = [member for member in tried if member.guid == flow.repaired_guid]
    else:
        own = [member for member in tried if member.owner in {"", flow.reference}]
    finished = [member for member in own if member.is_signed_in]
    if finished:
        grants = () if flow.repaired_guid else _grants(client, signer, flow, finished)
        return FlowResult(FlowState.FINISHED, grants)
    if utc_now() > flow.since + _visit_time():
        return FlowResult(FlowState.EXPIRED, exit_code=_last_status(own))
    if own:
        return FlowResult(FlowState.OPENED)
    if tried and not flow.repaired_guid:
        return FlowResult(FlowState.EXITED, exit_code=ALREADY_CONNECTED)
    return FlowResult(FlowState.WAITING)


def exchange(client: MxClient, signer: Signer, token: str) -> Access:
    """Take the member for the flow that brought it; again for the same flow is harmless."""
    gift = signer.read_grant(token)
    path = ("users", gift.user_guid, "members", gift.member_guid)
    member = Member.from_row(client.get(*path).record("member"))
    if member.owner not in {"", gift.reference}:
        raise AggregatorError(
            ALREADY_CONNECTED, "This bank login is connected already.", permanent=True
        )
    mark = {"metadata": owner_mark(gift.reference), "skip_aggregation": True}
    client.put(*path, body={"member": mark})
    return Access(external_id=member.guid, secrets={"user_guid": gift.user_guid})


def _user(client: MxClient, reference: str) -> tuple[str, datetime | None]:
    """Find or make the person's user; return its id and the time on MX's clock."""
    guid, server_time = _found_user(client, reference)
    if guid:
        return guid, server_time
    try:
        answer = client.post("users", body={"user": {"id": reference}})
    except AggregatorError as error:
        guid, server_time = _found_user(client, reference)  # somebody was faster
        if not guid:
            raise error from None
        return guid, server_time
    return text(answer.record("user"), "guid"), answer.server_time


def _found_user(client: MxClient, reference: str) -> tuple[str, datetime | None]:
    answer = client.list_page("users", page=1, query={"id": reference})
    guids = (text(row, "guid") for row in answer.records("users") if text(row, "id") == reference)
    return next(guids, ""), answer.server_time


def _members(client: MxClient, user_guid: str) -> list[Member]:
    found = client.list_all("members", "users", user_guid, "members")
    return [Member.from_row(row) for row in found]


def _grants(
    client: MxClient, signer: Signer, flow: Flow, members: Iterable[Member]
) -> tuple[Grant, ...]:
    return tuple(
        Grant(
            token=signer.grant_token(Gift(flow.user_guid, member.guid, flow.reference)),
            institution=member.institution,
            accounts=_offered(client, flow.user_guid, member.guid),
        )
        for member in members
    )


def _offered(client: MxClient, user_guid: str, member_guid: str) -> tuple[OfferedAccount, ...]:
    found = client.list_all("accounts", "users", user_guid, "members", member_guid, "accounts")
    accounts = [account(row) for row in found]
    return tuple(OfferedAccount(name=a.name, mask=a.mask, type=a.type) for a in accounts)


def _needs_person(member: Member) -> bool:
    return member.health.status is ConnectionStatus.RECONNECT_REQUIRED


def _last_status(members: list[Member]) -> str:
    return members[-1].connection_status if members else ""


def _visit_time() -> timedelta:
    return timedelta(seconds=VISIT_SECONDS)
