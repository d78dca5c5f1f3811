"""Company → Bank Connections: accounts, mapping, files by hand."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Blueprint, Response, request, send_file, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.connections import accounts, deletion, uploads
from app.connections.reading import ACCOUNT_UNCLEAR
from app.kernel.clock import utc_now
from app.kernel.errors import Invalid
from app.models import AccountType
from app.reports import connections as report
from app.reports import uploads as upload_report
from app.tenancy.permissions import Permission
from app.web import csv_reading
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render, wants_fragment

bp = Blueprint("connections", __name__, url_prefix="/connections")

ACCOUNT_TYPE_WORDS = {
    AccountType.CHECKING: "Checking",
    AccountType.SAVINGS: "Savings",
    AccountType.CARD: "Card",
    AccountType.LINE_OF_CREDIT: "Line of credit",
    AccountType.OTHER: "Other",
}


class AccountForm(Form):
    institution_name = fields.Str(required=True)
    account_name = fields.Str(required=True)
    mask = fields.Str(load_default="")
    type = fields.Enum(AccountType, by_value=True, required=True)
    currency = fields.Str(required=True)
    ledger_bank_account_id = fields.Str(load_default="")


class MappingForm(Form):
    ledger_bank_account_id = fields.Str(load_default="")


class ChoiceForm(Form):
    chosen_account = fields.Str(required=True, validate=validate.Length(1, 200))


class ConfirmForm(Form):
    probable = fields.Str(load_default="leave", validate=validate.OneOf(["leave", "import"]))
    covers_until = fields.Date(
        load_default=None, allow_none=True, error_messages={"invalid": "Give a date."}
    )


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    page = report.connections_page(current_actor(), utc_now())
    return render("connections/index.html", page=page)


@bp.get("/new")
@needs(Permission.BANK_CONNECTIONS)
def new() -> ResponseReturnValue:
    values = {"type": AccountType.CHECKING.value, "currency": "USD"}
    return _account_form(values, {})


@bp.post("/")
@needs(Permission.BANK_CONNECTIONS)
def add() -> ResponseReturnValue:
    try:
        values = load_form(AccountForm())
        command = accounts.AddManualAccount(**values)
        added = accounts.add_manual_account(current_actor(), command)
    except Invalid as refusal:
        return _account_form(request.form, _errors(refusal), status=UNPROCESSABLE)
    return go(
        url_for(".account", account_id=added.account_id),
        f"{command.account_name} was added; upload its first file.",
    )


@bp.get("/<connection_id>/delete")
@needs(Permission.BANK_CONNECTIONS)
def ask_delete(connection_id: str) -> ResponseReturnValue:
    card = report.connection_card(current_actor(), connection_id, utc_now())
    return render("connections/delete.html", connection=card)


@bp.post("/<connection_id>/delete")
@needs(Permission.BANK_CONNECTIONS)
def delete(connection_id: str) -> ResponseReturnValue:
    deletion.delete_connection(current_actor(), connection_id)
    return go(url_for(".index"), "The connection was deleted; what it imported stays readable.")


@bp.post("/accounts/<account_id>/ledger-bank-account")
@needs(Permission.BANK_CONNECTIONS)
def map_(account_id: str) -> ResponseReturnValue:
    chosen = load_form(MappingForm())["ledger_bank_account_id"] or None
    accounts.map_account(current_actor(), account_id, chosen)
    said = "The account is mapped to the books." if chosen else "The account is no longer mapped."
    return go(url_for(".index"), said)


@bp.get("/accounts/<account_id>")
@needs(Permission.VIEW)
def account(account_id: str) -> ResponseReturnValue:
    return _account_page(account_id, {})


@bp.post("/accounts/<account_id>/uploads")
@needs(Permission.BANK_CONNECTIONS)
def upload_file(account_id: str) -> ResponseReturnValue:
    file = request.files.get("file")
    if file is None or not file.filename:
        errors = {"file": ["Choose the file that the bank gave you."]}
        return _account_page(account_id, errors, status=UNPROCESSABLE)
    stored = uploads.store_upload(current_actor(), account_id, file.filename, file.read())
    return go(url_for(".upload", upload_id=stored.upload_id))


@bp.get("/uploads/<upload_id>")
@needs(Permission.VIEW)
def upload(upload_id: str) -> ResponseReturnValue:
    return _upload_page(upload_id, {})


@bp.post("/uploads/<upload_id>/reading")
@needs(Permission.BANK_CONNECTIONS)
def correct_reading(upload_id: str) -> ResponseReturnValue:
    view = upload_report.upload_view(upload_id)
    try:
        mapping = csv_reading.corrected_mapping(view.csv_mapping, request.form)
        uploads.read_again(current_actor(), upload_id, mapping=mapping)
    except Invalid as refusal:
        return _upload_page(upload_id, _errors(refusal), status=UNPROCESSABLE)
    return go(url_for(".upload", upload_id=upload_id), "The file was read again.")


@bp.post("/uploads/<upload_id>/account")
@needs(Permission.BANK_CONNECTIONS)
def choose_account(upload_id: str) -> ResponseReturnValue:
    try:
        chosen = load_form(ChoiceForm())["chosen_account"]
    except Invalid:
        errors = {"": ["Choose one of the accounts in the file."]}
        return _upload_page(upload_id, errors, status=UNPROCESSABLE)
    uploads.read_again(current_actor(), upload_id, chosen_account=chosen)
    return go(url_for(".upload", upload_id=upload_id))


@bp.post("/uploads/<upload_id>/confirm")
@needs(Permission.BANK_CONNECTIONS)
def confirm(upload_id: str) -> ResponseReturnValue:
    try:
        values = load_form(ConfirmForm())
        uploads.confirm_upload(
            current_actor(),
            upload_id,
            import_probable=values["probable"] == "import",
            covers_until=values["covers_until"],
        )
    except Invalid as refusal:
        return _upload_page(upload_id, _errors(refusal), status=UNPROCESSABLE)
    return go(url_for(".upload", upload_id=upload_id))


@bp.post("/uploads/<upload_id>/discard")
@needs(Permission.BANK_CONNECTIONS)
def discard(upload_id: str) -> ResponseReturnValue:
    account_id = upload_report.upload_view(upload_id).account_id
    uploads.discard_upload(current_actor(), upload_id)
    return go(url_for(".account", account_id=account_id), "The file was discarded.")


@bp.get("/uploads/<upload_id>/progress")
@needs(Permission.VIEW)
def progress(upload_id: str) -> ResponseReturnValue:
    view = upload_report.upload_view(upload_id)
    if view.progress is None or view.progress.done or not wants_fragment():
        return go(url_for(".upload", upload_id=upload_id))
    return render("connections/upload.html", "progress", **_upload_context(view, {}))


@bp.get("/uploads/<upload_id>/file")
@needs(Permission.VIEW)
def download(upload_id: str) -> ResponseReturnValue:
    file = upload_report.uploaded_file(upload_id)
    return send_file(
        BytesIO(file.data),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=file.filename,
    )


def _account_form(values: Any, errors: dict[str, list[str]], status: int = 200) -> Response:
    return render(
        "connections/new.html",
        status=status,
        values=values,
        errors=errors,
        types=[(kind.value, words) for kind, words in ACCOUNT_TYPE_WORDS.items()],
        choices=[
            (one.ledger_bank_account_id, f"{one.label} ({one.currency})")
            for one in report.ledger_choices()
            if one.taken_by is None
        ],
    )


def _account_page(account_id: str, errors: dict[str, list[str]], status: int = 200) -> Response:
    page = report.account_page(current_actor(), account_id, utc_now())
    return render("connections/account.html", status=status, page=page, errors=errors)


def _upload_page(upload_id: str, errors: dict[str, list[str]], status: int = 200) -> Response:
    view = upload_report.upload_view(upload_id)
    return render("connections/upload.html", status=status, **_upload_context(view, errors))


def _upload_context(view: upload_report.UploadView, errors: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "view": view,
        "errors": errors,
        "typed": request.form,
        "account_unclear": any(one["code"] == ACCOUNT_UNCLEAR for one in view.errors),
        "reading": csv_reading,
    }


def _errors(refusal: Invalid) -> dict[str, list[str]]:
    return refusal.fields or {"": [refusal.detail]}
