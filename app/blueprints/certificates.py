"""Around the certificate: its files and versions, review by a second person, reopening."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.blueprints.reconciliation import certify_page
from app.kernel.errors import Invalid
from app.reconciliation import discarding, reopening, second_review
from app.reports import bank_exceptions, reconciliations, workspace
from app.reports.audit_extract import audit_extract
from app.reports.document import Document
from app.reports.statement_document import statement_document
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.files import csv_answer, pdf_answer
from app.web.forms import Form, load_form
from app.web.pages import go, render

bp = Blueprint("certificates", __name__, url_prefix="/reconciliations")

REMARKS_CHARACTERS_MAX: Final = 2_000


class RemarksForm(Form):
    remarks = fields.Str(load_default="", validate=validate.Length(max=REMARKS_CHARACTERS_MAX))


class ReasonForm(Form):
    reason = fields.Str(load_default="")


@bp.get("/<reconciliation_id>/report.pdf")
@needs(Permission.VIEW)
def report_pdf(reconciliation_id: str) -> ResponseReturnValue:
    return pdf_answer(_statement(reconciliation_id))


@bp.get("/<reconciliation_id>/report.csv")
@needs(Permission.VIEW)
def report_csv(reconciliation_id: str) -> ResponseReturnValue:
    return csv_answer(_statement(reconciliation_id))


@bp.get("/<reconciliation_id>/certificates/<int:version>")
@needs(Permission.VIEW)
def version(reconciliation_id: str, version: int) -> ResponseReturnValue:
    report = reconciliations.report(reconciliation_id, version)
    return render("reconciliation/certificate.html", report=report)


@bp.get("/<reconciliation_id>/certificates/<int:version>.pdf")
@needs(Permission.VIEW)
def version_pdf(reconciliation_id: str, version: int) -> ResponseReturnValue:
    return pdf_answer(_statement(reconciliation_id, version))


@bp.get("/<reconciliation_id>/certificates/<int:version>.csv")
@needs(Permission.VIEW)
def version_csv(reconciliation_id: str, version: int) -> ResponseReturnValue:
    return csv_answer(_statement(reconciliation_id, version))


@bp.get("/<reconciliation_id>/audit")
@needs(Permission.VIEW)
def audit(reconciliation_id: str) -> ResponseReturnValue:
    return render(
        "reconciliation/audit.html",
        document=audit_extract(current_actor(), reconciliation_id),
        reconciliation_id=reconciliation_id,
    )


@bp.get("/<reconciliation_id>/audit.pdf")
@needs(Permission.VIEW)
def audit_pdf(reconciliation_id: str) -> ResponseReturnValue:
    return pdf_answer(audit_extract(current_actor(), reconciliation_id))


@bp.get("/<reconciliation_id>/audit.csv")
@needs(Permission.VIEW)
def audit_csv(reconciliation_id: str) -> ResponseReturnValue:
    return csv_answer(audit_extract(current_actor(), reconciliation_id))


@bp.get("/<reconciliation_id>/reopen")
@needs(Permission.REOPEN)
def ask_reopen(reconciliation_id: str) -> ResponseReturnValue:
    return _reopening(reconciliation_id)


@bp.post("/<reconciliation_id>/reopen")
@needs(Permission.REOPEN)
def reopen(reconciliation_id: str) -> ResponseReturnValue:
    try:
        reason = load_form(ReasonForm())["reason"]
        reopening.reopen(current_actor(), reconciliation_id, reason)
    except Invalid as refusal:
        return _reopening(reconciliation_id, refusal)
    return go(
        url_for("reconciliation.unmatched", reconciliation_id=reconciliation_id),
        "Reopened. What was signed stays readable as a version.",
    )


@bp.get("/<reconciliation_id>/discard")
@needs(Permission.RECONCILE)
def ask_discard(reconciliation_id: str) -> ResponseReturnValue:
    return render(
        "reconciliation/discard.html",
        head=workspace.header(reconciliation_id),
        refusal=reconciliations.discard_refusal(reconciliation_id),
    )


@bp.post("/<reconciliation_id>/discard")
@needs(Permission.RECONCILE)
def discard(reconciliation_id: str) -> ResponseReturnValue:
    account_id = discarding.discard(current_actor(), reconciliation_id)
    return go(
        url_for("reconciliation.history", account_id=account_id),
        "Discarded. The audit trail keeps that it was opened.",
    )


@bp.post("/<reconciliation_id>/review/submit")
@needs(Permission.CERTIFY)
def submit(reconciliation_id: str) -> ResponseReturnValue:
    remarks = load_form(RemarksForm())["remarks"]
    second_review.submit(current_actor(), reconciliation_id, remarks)
    return _after(reconciliation_id, "Submitted. Another person reviews it now.")


@bp.post("/<reconciliation_id>/review/approve")
@needs(Permission.CERTIFY)
def approve(reconciliation_id: str) -> ResponseReturnValue:
    second_review.approve(current_actor(), reconciliation_id)
    return _after(reconciliation_id, "Approved and certified. Its matches are locked.")


@bp.post("/<reconciliation_id>/review/return")
@needs(Permission.CERTIFY)
def return_(reconciliation_id: str) -> ResponseReturnValue:
    try:
        reason = load_form(ReasonForm())["reason"]
        second_review.return_(current_actor(), reconciliation_id, reason)
    except Invalid as refusal:
        return certify_page(reconciliation_id, refusal)
    return _after(reconciliation_id, "Returned, with your reason.")


@bp.post("/<reconciliation_id>/review/withdraw")
@needs(Permission.CERTIFY)
def withdraw(reconciliation_id: str) -> ResponseReturnValue:
    second_review.withdraw(current_actor(), reconciliation_id)
    return _after(reconciliation_id, "Withdrawn. It can be changed again.")


def _after(reconciliation_id: str, text: str) -> ResponseReturnValue:
    return go(url_for("reconciliation.report", reconciliation_id=reconciliation_id), text)


def _statement(reconciliation_id: str, version: int | None = None) -> Document:
    report = reconciliations.report(reconciliation_id, version)
    return statement_document(current_actor(), report)


def _reopening(reconciliation_id: str, refusal: Invalid | None = None) -> Response:
    return render(
        "reconciliation/reopen.html",
        status=refusal.status if refusal else 200,
        report=reconciliations.report(reconciliation_id),
        changes=bank_exceptions.changes_of_statement(reconciliation_id),
        reopen_refusal=reconciliations.reopen_refusal(reconciliation_id),
        errors=(refusal.fields or {"": [refusal.detail]}) if refusal else {},
        reason=request.form.get("reason", ""),
    )
