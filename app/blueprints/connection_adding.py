"""Add bank connection: search the bank, and take the path that remains if nobody reaches it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.aggregators.contract import Institution
from app.connections import accounts, coverage, hosted_flows, nonstandard, sources
from app.connections.coverage import CoverageAnswer
from app.kernel.bank import AccountType
from app.kernel.errors import Invalid
from app.reports import connector_requests as requests_report
from app.reports.financial_accounts import ledger_choices
from app.tenancy.permissions import Permission
from app.web import connector_form
from app.web.access import current_actor, needs
from app.web.addresses import outside_url
from app.web.bank_words import ACCOUNT_TYPE_WORDS
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("adding", __name__)


class ConnectForm(Form):
    aggregator = fields.Str(required=True, validate=validate.Length(1, 40))
    institution_id = fields.Str(load_default="", validate=validate.Length(max=200))
    institution_name = fields.Str(load_default="", validate=validate.Length(max=200))


class AccountForm(Form):
    institution_name = fields.Str(required=True)
    account_name = fields.Str(required=True)
    mask = fields.Str(load_default="")
    type = fields.Enum(AccountType, by_value=True, required=True)
    currency = fields.Str(required=True)
    ledger_bank_account_id = fields.Str(load_default="")


class RequestForm(Form):
    institution_name = fields.Str(load_default="")
    account_description = fields.Str(load_default="")
    reason = fields.Str(load_default="")


@bp.get("/new")
@needs(Permission.BANK_CONNECTIONS)
def new() -> ResponseReturnValue:
    query = request.args.get("q", "").strip()
    if not query:
        return _search_page(query, None)
    try:
        answer = coverage.search_coverage(current_actor(), query)
    except Invalid as refusal:
        return _search_page(query, None, refusal.fields["query"])
    return _search_page(query, answer)


@bp.post("/connect")
@needs(Permission.BANK_CONNECTIONS)
def connect() -> ResponseReturnValue:
    values = load_form(ConnectForm())
    chosen = values["institution_id"]
    institution = Institution(chosen, values["institution_name"] or chosen) if chosen else None
    flow = hosted_flows.connect(
        current_actor(),
        values["aggregator"],
        outside_url("connections.flow_ended"),
        institution,
    )
    return go(url_for("connections.index", visit=flow.flow_id))


@bp.get("/new/files")
@needs(Permission.BANK_CONNECTIONS)
def manual() -> ResponseReturnValue:
    return _account_form(
        {
            "type": AccountType.CHECKING.value,
            "currency": "USD",
            "institution_name": request.args.get("bank", ""),
            "ledger_bank_account_id": request.args.get("ledger", ""),
        },
        {},
    )


@bp.post("/new/files")
@needs(Permission.BANK_CONNECTIONS)
def add_manual() -> ResponseReturnValue:
    try:
        command = accounts.AddManualAccount(**load_form(AccountForm()))
        added = accounts.add_manual_account(current_actor(), command)
    except Invalid as refusal:
        return _account_form(request.form, _errors(refusal), status=UNPROCESSABLE)
    return go(
        url_for("connections.files.account", account_id=added.account_id),
        f"{command.account_name} was added; upload its first file.",
    )


@bp.get("/new/connectors/<name>")
@needs(Permission.BANK_CONNECTIONS)
def connector(name: str) -> ResponseReturnValue:
    values = {"type": AccountType.CHECKING.value, "currency": "USD"}
    return _connector_form(name, values | request.args.to_dict(), {})


@bp.post("/new/connectors/<name>")
@needs(Permission.BANK_CONNECTIONS)
def connect_through(name: str) -> ResponseReturnValue:
    chosen = connector_form.connector_named(name)
    try:
        command = connector_form.sent_connector(chosen)
        connection_id = nonstandard.connect_through(current_actor(), command)
    except Invalid as refusal:
        errors = connector_form.as_fields(chosen, _errors(refusal))
        return _connector_form(name, request.form, errors, status=UNPROCESSABLE)
    return go(
        url_for("connections.index", _anchor=f"connection-{connection_id}"),
        f"{command.institution_name} is set up through {chosen.title}; its data is being read.",
    )


@bp.get("/requests")
@needs(Permission.VIEW)
def requests() -> ResponseReturnValue:
    return _requests_page({"institution_name": request.args.get("bank", "")}, {})


@bp.post("/requests")
@needs(Permission.BANK_CONNECTIONS)
def ask() -> ResponseReturnValue:
    try:
        command = nonstandard.AskForConnector(**load_form(RequestForm()))
        nonstandard.ask_for_connector(current_actor(), command)
    except Invalid as refusal:
        return _requests_page(request.form, _errors(refusal), status=UNPROCESSABLE)
    return go(url_for(".requests"), "The operator has your request; the answer stands here.")


def _search_page(
    query: str, answer: CoverageAnswer | None, errors: list[str] | None = None
) -> Response:
    return render(
        "connections/new.html",
        "results",
        status=UNPROCESSABLE if errors else 200,
        query=query,
        answer=answer,
        errors=errors or [],
        type_words=ACCOUNT_TYPE_WORDS,
        aggregators=sources.aggregators().titles(),
        connectors=sources.connectors().values(),
    )


def _account_form(values: Any, errors: dict[str, list[str]], status: int = 200) -> Response:
    return render(
        "connections/manual.html",
        status=status,
        values=values,
        errors=errors,
        types=_type_choices(),
        choices=[
            (one.ledger_bank_account_id, f"{one.label} ({one.currency})")
            for one in ledger_choices()
            if one.taken_by is None
        ],
    )


def _connector_form(
    name: str, values: Any, errors: dict[str, list[str]], status: int = 200
) -> Response:
    chosen = connector_form.connector_named(name)
    return render(
        "connections/connector.html",
        status=status,
        connector=chosen,
        brings_files=connector_form.brings_files(chosen),
        values=values,
        errors=errors,
        types=_type_choices(),
    )


def _requests_page(values: Any, errors: dict[str, list[str]], status: int = 200) -> Response:
    return render(
        "connections/requests.html",
        status=status,
        values=values,
        errors=errors,
        requests=requests_report.own_requests(),
    )


def _type_choices() -> list[tuple[str, str]]:
    return [(kind.value, words) for kind, words in ACCOUNT_TYPE_WORDS.items()]


def _errors(refusal: Invalid) -> dict[str, list[str]]:
    return refusal.fields or {"": [refusal.detail]}
