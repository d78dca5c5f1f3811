"""Read what became of a hosted flow.

The browser's return says nothing; the sessions of its link token do.  One address can be
opened several times, so there can be several sessions.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urljoin

from app.aggregators.contract import FlowResult, FlowState, Grant, HostedFlow, Institution
from app.aggregators.plaid.accounts import offered_account
from app.aggregators.plaid.errors import incomplete
from app.aggregators.plaid.reading import Json, id_of, instant_of, record_of, records_of, text_of
from app.aggregators.plaid.requests import FLOW_SECONDS

EXIT_CODE_CHARACTERS_MAX: Final = 60


def hosted_flow(answer: Json, host: str, now: datetime) -> HostedFlow:
    """Return where the person has to go.

    Args:
        host: Of Plaid; an address without one is meant there.

    Raises:
        AggregatorError: The answer names no token, or an address that no browser may be sent to.
    """
    token, stated = text_of(answer, "link_token"), text_of(answer, "hosted_link_url")
    if not token:
        raise incomplete("link_token")
    url = _address(host, stated) if stated else ""
    if stated and not url.startswith(("https://", "http://")):
        raise incomplete("hosted_link_url")
    expires_at = instant_of(answer, "expiration")
    if expires_at is None or expires_at <= now:  # a clock that differs must not end it at once
        expires_at = now + timedelta(seconds=FLOW_SECONDS)
    return HostedFlow(token=token, url=url, expires_at=expires_at)


def _address(host: str, stated: str) -> str:
    try:
        return urljoin(f"{host}/", stated)
    except ValueError:  # such as half an IPv6 address
        return ""


def flow_result(answer: Json, now: datetime) -> FlowResult:
    """Return how far the person came.

    Args:
        answer: Of /link/token/get.
    """
    sessions = sorted(records_of(answer, "link_sessions"), key=lambda s: text_of(s, "started_at"))
    grants = tuple(grant for session in sessions for grant in _grants(session))
    if grants or any(_repaired(session, answer) for session in sessions):
        return FlowResult(FlowState.FINISHED, grants)
    ended = [session for session in sessions if _has_ended(session)]
    exit_code = _exit_code(ended[-1]) if ended else ""
    expiration = instant_of(answer, "expiration")
    if expiration is not None and expiration <= now:
        return FlowResult(FlowState.EXPIRED, exit_code=exit_code)
    if not sessions:
        return FlowResult(FlowState.WAITING)
    state = FlowState.EXITED if _has_ended(sessions[-1]) else FlowState.OPENED
    return FlowResult(state, exit_code=exit_code)


def _grants(session: Json) -> list[Grant]:
    """Return what a session gave; `on_success` is the older twin of the results."""
    results = records_of(record_of(session, "results"), "item_add_results")
    grants = [_grant(text_of(result, "public_token"), result) for result in results]
    if not grants:
        success = record_of(session, "on_success")
        grants = [_grant(text_of(success, "public_token"), record_of(success, "metadata"))]
    return [grant for grant in grants if grant.token]


def _grant(token: str, metadata: Json) -> Grant:
    institution = record_of(metadata, "institution")
    external_id = id_of(institution, "institution_id")
    return Grant(
        token=token,
        institution=Institution(external_id, text_of(institution, "name")) if external_id else None,
        accounts=tuple(offered_account(account) for account in records_of(metadata, "accounts")),
    )


def _exit(session: Json) -> Json:
    return record_of(session, "exit") or record_of(session, "on_exit")


def _has_ended(session: Json) -> bool:
    return bool(text_of(session, "finished_at") or _exit(session))


def _repaired(session: Json, answer: Json) -> bool:
    """Whether it ended without an exit, in a flow that grants nothing: the repair of a login."""
    asked = record_of(answer, "metadata").get("initial_products")
    return not asked and bool(text_of(session, "finished_at")) and not _exit(session)


def _exit_code(session: Json) -> str:
    ended = _exit(session)
    code = text_of(record_of(ended, "error"), "error_code") or text_of(
        record_of(ended, "metadata"), "status"
    )
    return code[:EXIT_CODE_CHARACTERS_MAX]
