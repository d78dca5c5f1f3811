"""Bank files by hand: one account's files, the preview of one, and the decision on it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Blueprint, Response, request, send_file, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.connections import uploads
from app.connections.reading import ACCOUNT_UNCLEAR
from app.kernel.clock import utc_now
from app.kernel.errors import Invalid
from app.reports import financial_accounts
from app.reports import uploads as upload_report
from app.tenancy.permissions import Permission
from app.web import csv_reading
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render, wants_fragment

bp = Blueprint("files", __name__)


class ChoiceForm(Form):
    chosen_account = fields.Str(required=True, validate=validate.Length(1, 200))


class ConfirmForm(Form):
    probable = fields.Str(load_default="leave", validate=validate.OneOf(["leave", "import"]))
    covers_until = fields.Date(
        load_default=None, allow_none=True, error_messages={"invalid": "Give a date."}
    )


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


def _account_page(account_id: str, errors: dict[str, list[str]], status: int = 200) -> Response:
    page = financial_accounts.account_page(current_actor(), account_id, utc_now())
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
