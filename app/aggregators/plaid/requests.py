"""The bodies of the requests, as Plaid's description wants them; no call is made here."""

from __future__ import annotations

from typing import Any, Final

from app.aggregators.contract import FlowRequest

CLIENT_NAME: Final = "Tieout"
LANGUAGE: Final = "en"
COUNTRY_CODES: Final = ("US", "CA")
"""What every Plaid contract includes; accounts can be added to a login in these alone."""
PRODUCT: Final = "transactions"
DAYS_REQUESTED: Final = 90
"""Of history; it cannot be raised afterwards, and older days come by file."""
FLOW_SECONDS: Final = 3_600
"""How long the address of a hosted flow can be opened."""
SYNC_ROWS: Final = 500
"""The most that Plaid gives on one page."""
QUERY_CHARACTERS_MAX: Final = 200

Body = dict[str, Any]


def link_token_create(request: FlowRequest) -> Body:
    """Ask for a hosted flow, to add a login or to repair one."""
    body: Body = {
        "client_name": CLIENT_NAME,
        "language": LANGUAGE,
        "country_codes": list(COUNTRY_CODES),
        "user": {"client_user_id": request.user_reference},
        "hosted_link": {
            "completion_redirect_uri": request.return_url,
            "url_lifetime_seconds": FLOW_SECONDS,
        },
    }
    if request.access is not None:
        return body | _of_an_update(request.access.secrets["access_token"], request.add_accounts)
    body |= {"products": [PRODUCT], "transactions": {"days_requested": DAYS_REQUESTED}}
    if request.webhook_url:
        body["webhook"] = request.webhook_url
    if request.institution is not None:
        body["institution_id"] = request.institution.external_id
    return body


def _of_an_update(access_token: str, add_accounts: bool) -> Body:
    # Plaid refuses products here, and a webhook address would have no effect.
    body: Body = {"access_token": access_token}
    if add_accounts:
        body["update"] = {"account_selection_enabled": True}
    return body


def transactions_sync(access_token: str, cursor: str) -> Body:
    """Ask for the page at the cursor; without one, for the first."""
    body: Body = {
        "access_token": access_token,
        "count": SYNC_ROWS,
        "options": {"include_original_description": True},
    }
    if cursor:
        body["cursor"] = cursor
    return body


def institutions_search(query: str) -> Body:
    return {
        "query": query[:QUERY_CHARACTERS_MAX],
        "products": [PRODUCT],
        "country_codes": list(COUNTRY_CODES),
    }


def institutions_get_by_id(institution_id: str) -> Body:
    return {"institution_id": institution_id, "country_codes": list(COUNTRY_CODES)}
