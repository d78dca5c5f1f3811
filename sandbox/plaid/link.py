"""Link tokens: /link/token/create and /link/token/get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import url_for
from marshmallow import validate

from sandbox import items, links
from sandbox.banks import INSTITUTIONS
from sandbox.plaid import render
from sandbox.plaid.calls import Call, endpoint
from sandbox.plaid.errors import PlaidRefusal, error_body
from sandbox.plaid.fields import (
    LoosePart,
    Part,
    PlaidBody,
    anything,
    flag,
    part,
    required_text,
    text,
    texts,
    web_url,
    whole_number,
)

if TYPE_CHECKING:
    import sqlite3

    from sandbox.links import Link, Session

NAME_CHARACTERS_MAX: Final = 30
URL_SECONDS_MAX: Final = 21 * 86_400
URL_SECONDS_DEFAULT: Final = 1_800
TOKEN_SECONDS: Final = 4 * 3_600
UPDATE_TOKEN_SECONDS: Final = 1_800
DAYS_MAX: Final = 730
DAYS_DEFAULT: Final = 90
COUNTRIES: Final = ("US", "CA", "GB", "IE", "FR", "ES", "NL", "DE", "IT", "PL", "BE", "AT")
LANGUAGES: Final = ("en", "fr", "es", "nl", "de", "it", "pl", "da", "no", "et", "lt", "lv", "ro")
PRODUCTS: Final = ("transactions", "balance", "auth", "identity", "liabilities", "investments")
UNUSED: Final = (
    "access_tokens",
    "base_report",
    "card_switch",
    "cashflow_report",
    "consumer_report_permissible_purpose",
    "cra_enabled",
    "cra_options",
    "cra_report_parameter",
    "credit_partner_insights",
    "employment",
    "eu_config",
    "identity_verification",
    "income_verification",
    "investments_auth",
    "payment_configuration",
    "payment_initiation",
    "third_party_user_token",
    "transfer",
    "user_id",
    "link_customization_name",
    "appearance_mode",
    "android_package_name",
    "account_filters",
    "institution_data",
    "institution_id",
    "auth",
    "identity",
    "investments",
    "statements",
    "enable_multi_item_link",
    "financekit_supported",
    "user_token",
)
"""Fields that are known and change nothing here."""


class User(LoosePart):
    client_user_id = required_text()


class HostedLink(Part):
    delivery_method = text(validate=validate.OneOf(("sms", "email")))
    completion_redirect_uri = text(validate=web_url)
    url_lifetime_seconds = whole_number(1, URL_SECONDS_MAX)
    is_mobile_app = flag()


class Update(Part):
    account_selection_enabled = flag()
    reauthorization_enabled = flag()
    user = flag()
    item_ids = texts()


class TransactionsOptions(Part):
    days_requested = whole_number(1, DAYS_MAX)


class CreateBody(PlaidBody.from_dict({name: anything() for name in UNUSED})):  # type: ignore[misc]
    client_name = required_text()
    language = required_text()
    country_codes = texts(required=True)
    user = part(User)
    products = texts()
    required_if_supported_products = texts()
    optional_products = texts()
    additional_consented_products = texts()
    webhook = text(validate=web_url)
    access_token = text()
    redirect_uri = text()
    update = part(Update)
    hosted_link = part(HostedLink)
    transactions = part(TransactionsOptions)


class GetBody(PlaidBody):
    link_token = required_text()


@endpoint("/link/token/create", CreateBody)
def create(call: Call) -> dict[str, Any]:
    body = call.body
    _check(body)
    hosted = body.get("hosted_link")
    with call.world.store.writing() as db:
        item_id = call.item(db).item_id if "access_token" in body else ""
        lifetime_seconds = UPDATE_TOKEN_SECONDS if item_id else TOKEN_SECONDS
        if hosted is not None:
            lifetime_seconds = hosted.get("url_lifetime_seconds") or URL_SECONDS_DEFAULT
        link = links.make_link(
            call.world, db, body, item_id=item_id, lifetime_seconds=lifetime_seconds
        )
    answer = {"link_token": link.token, "expiration": render.instant(link.expires_at)}
    if hosted is not None:
        answer["hosted_link_url"] = url_for(
            "hosted.open_link", hosted_id=link.hosted_id, _external=True
        )
    return answer


def _check(body: dict[str, Any]) -> None:
    """Raise PlaidRefusal where fields contradict each other or hold what is not offered."""
    if "user" not in body and "user_id" not in body:
        raise PlaidRefusal(
            "MISSING_FIELDS", "the following required fields are missing: user.client_user_id"
        )
    _choices("country_codes", body["country_codes"], COUNTRIES)
    _choices("language", [body["language"]], LANGUAGES)
    if len(body["client_name"]) > NAME_CHARACTERS_MAX:
        raise PlaidRefusal(
            "INVALID_FIELD", f"client_name: must have at most {NAME_CHARACTERS_MAX} characters"
        )
    products = body.get("products") or []
    if "access_token" in body:
        if products:
            raise PlaidRefusal("INVALID_FIELD", "products: must be absent in update mode")
        return
    if not products:
        raise PlaidRefusal("MISSING_FIELDS", "the following required fields are missing: products")
    if not set(products) <= set(PRODUCTS):
        raise PlaidRefusal("INVALID_PRODUCT")


def _choices(name: str, values: list[str], allowed: tuple[str, ...]) -> None:
    if not values or not set(values) <= set(allowed):
        raise PlaidRefusal("INVALID_FIELD", f"{name}: must be one of {', '.join(allowed)}")


@endpoint("/link/token/get", GetBody)
def get(call: Call) -> dict[str, Any]:
    with call.world.store.reading() as db:
        link = links.find_link(db, call.body["link_token"])
        if link is None:
            raise PlaidRefusal("INVALID_LINK_TOKEN")
        oldest = call.world.now() - links.KEPT_SECONDS
        sessions = [
            session_body(db, link, session)
            for session in links.sessions_of(db, link)
            if session.finished_at is None or session.finished_at > oldest
        ]
    asked = link.asked
    return {
        "link_token": link.token,
        "created_at": render.instant(link.created_at),
        "expiration": render.instant(link.expires_at),
        "metadata": {
            "initial_products": asked.get("products") or [],
            "webhook": asked.get("webhook"),
            "country_codes": asked["country_codes"],
            "language": asked["language"],
            "redirect_uri": asked.get("redirect_uri"),
            "client_name": asked["client_name"],
            "account_filters": asked.get("account_filters") or {},
        },
        "link_sessions": sessions,
    }


def session_body(db: sqlite3.Connection, link: Link, session: Session) -> dict[str, Any]:
    """Return what happened in one session, in its new and its old words."""
    body: dict[str, Any] = {
        "link_session_id": session.session_id,
        "started_at": render.instant(session.started_at),
        "finished_at": render.instant(session.finished_at),
        "events": session.event_list,
        "results": None,
    }
    if session.public_token:
        body |= _success(db, link, session)
    elif session.is_over:
        body["exit"] = _exit(session)
        body["on_exit"] = {"error": body["exit"]["error"], "metadata": body["exit"]["metadata"]}
    return body


def _success(db: sqlite3.Connection, link: Link, session: Session) -> dict[str, Any]:
    item = items.find(db, session.public_token)
    institution = {"name": item.bank.name, "institution_id": item.institution_id}
    accounts = [
        {
            "id": account.account_id,
            "name": account.plan.name,
            "mask": account.plan.mask,
            "type": render.TYPES[account.plan.kind][0],
            "subtype": render.TYPES[account.plan.kind][1],
            "verification_status": None,
            "class_type": None,
        }
        for account in items.shared_accounts(db, item)
    ]
    result = {
        "public_token": session.public_token,
        "accounts": accounts,
        "institution": institution,
    }
    return {
        "on_success": {
            "public_token": session.public_token,
            "metadata": {
                "institution": institution,
                "accounts": accounts,
                "link_session_id": session.session_id,
                "transfer_status": None,
            },
        },
        "results": {
            # A repaired item is not added: only its old words name it.
            "item_add_results": [] if link.is_update else [result],
            "cra_item_add_results": [],
            "cra_update_results": [],
            "bank_income_results": [],
            "payroll_income_results": [],
            "document_income_results": None,
            "bank_employment_results": [],
            "protect_results": [],
        },
    }


def _exit(session: Session) -> dict[str, Any]:
    bank = INSTITUTIONS.get(session.institution_id)
    institution = {"name": bank.name, "institution_id": bank.institution_id} if bank else None
    metadata = {
        "status": session.exit_status,
        "link_session_id": session.session_id,
        "request_id": session.session_id[:16],
    }
    if institution:
        metadata["institution"] = institution  # type: ignore[assignment]
    error = error_body(session.error_code) if session.error_code else None
    return {"error": error, "metadata": metadata}
