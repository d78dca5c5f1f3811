"""The visit to MX's Connect widget, from its address to the member that it brought.

MX has no token of a visit and says nothing of its end.  What it brought is told by looking:
members of the user that MX tried at their bank since the visit began, and that no other visit
has taken.  A member that is taken gets a mark in its metadata, so that two visits at the same
time never share one, and a login that another connection has already is recognised: MX itself
refuses to make a second member of the same bank and user name.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import timedelta
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
from app.aggregators.mx.errors import not_found
from app.aggregators.mx.fields import text
from app.aggregators.mx.members import Member, owner_mark
from app.aggregators.mx.rows import account
from app.aggregators.mx.tokens import Flow, Gift, Signer
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now

VISIT_SECONDS: Final = 1_800
"""From the address to the end of the visit: it must be opened, once, within ten minutes, and
second factors take their time."""

ALREADY_CONNECTED: Final = "ALREADY_CONNECTED"

CALLBACK_HEADER: Final = "x-callback-payload"
"""What is sent under this name comes back with the webhooks of the members of a visit."""


def start(client: MxClient, signer: Signer, request: FlowRequest) -> HostedFlow:
    """Ask for an address of the widget."""
    access, now = request.access, utc_now()
    user_guid = access.secrets["user_guid"] if access else _user(client, request.user_reference)
    members = _members(client, user_guid)
    tries = [member.aggregated_at for member in members if member.aggregated_at]
    flow = Flow(
        user_guid=user_guid,
        reference=request.reference,
        began_at=now,
        last_try_at=max(tries, default=None),
        repaired_guid=access.external_id if access else "",
    )
    token = signer.flow_token(flow)
    answer = client.post(
        "users",
        user_guid,
        "widget_urls",
        body={"widget_url": _widget(request, members)},
        headers={CALLBACK_HEADER: b64encode(token.encode()).decode()},
    )
    url = text(answer.record("widget_url"), "url")
    return HostedFlow(token=token, url=url, expires_at=now + _visit_time())


def result(client: MxClient, signer: Signer, token: str) -> FlowResult:
    """Look what a visit has brought so far."""
    flow = signer.read_flow(token)
    tried = [m for m in _members(client, flow.user_guid) if m.was_tried_after(flow.last_try_at)]
    if flow.repaired_guid:
        own = [member for member in tried if member.guid == flow.repaired_guid]
    else:
        own = [member for member in tried if member.owner in {"", flow.reference}]
    finished = [member for member in own if member.is_signed_in]
    if finished:
        grants = () if flow.repaired_guid else _grants(client, signer, flow, finished)
        return FlowResult(FlowState.FINISHED, grants)
    if utc_now() > flow.began_at + _visit_time():
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


def _widget(request: FlowRequest, members: Iterable[Member]) -> dict[str, object]:
    widget: dict[str, object] = {
        "widget_type": "connect_widget",
        "mode": "aggregation",
        "ui_message_version": 4,
        "is_mobile_webview": False,
        "client_redirect_url": request.return_url,
    }
    if request.access:
        guid = request.access.external_id
        member = next((member for member in members if member.guid == guid), None)
        if member is None:
            raise not_found()
        widget["current_member_guid"] = guid
        # Of a broken login the widget knows what to ask for; a healthy one must be told to ask.
        needs_person = member.health.status is ConnectionStatus.RECONNECT_REQUIRED
        widget["update_credentials"] = not needs_person
        widget["disable_institution_search"] = True  # else the visit could add another login
    elif request.institution:
        widget["current_institution_code"] = request.institution.external_id
    return widget


def _user(client: MxClient, reference: str) -> str:
    """Find or make the person's user; return its id."""
    guid = _found_user(client, reference)
    if guid:
        return guid
    try:
        answer = client.post("users", body={"user": {"id": reference}})
    except AggregatorError as error:
        guid = _found_user(client, reference)  # somebody was faster
        if not guid:
            raise error from None
        return guid
    return text(answer.record("user"), "guid")


def _found_user(client: MxClient, reference: str) -> str:
    answer = client.list_page("users", page=1, query={"id": reference})
    guids = (text(row, "guid") for row in answer.records("users") if text(row, "id") == reference)
    return next(guids, "")


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


def _last_status(members: list[Member]) -> str:
    return members[-1].connection_status if members else ""


def _visit_time() -> timedelta:
    return timedelta(seconds=VISIT_SECONDS)
