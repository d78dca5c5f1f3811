"""Reports: on screen, as PDF and as CSV; all three are one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.reports import reconciliations
from app.reports.adjustments import AdjustmentFilter, adjustments_report
from app.reports.document import Document
from app.reports.exceptions_document import exceptions_report
from app.reports.outstanding import account_choices, outstanding_report
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.files import csv_answer, pdf_answer
from app.web.forms import query_date
from app.web.pages import render

bp = Blueprint("reports", __name__, url_prefix="/reports")


@bp.get("/statements")
@needs(Permission.VIEW)
def statements() -> ResponseReturnValue:
    account_id = request.args.get("account", "")
    return render(
        "reports/statements.html",
        rows=reconciliations.history(account_id),
        accounts=account_choices(),
        account_id=account_id,
    )


@bp.get("/outstanding")
@needs(Permission.VIEW)
def outstanding() -> ResponseReturnValue:
    return _page("outstanding", _outstanding())


@bp.get("/outstanding.pdf")
@needs(Permission.VIEW)
def outstanding_pdf() -> ResponseReturnValue:
    return pdf_answer(_outstanding())


@bp.get("/outstanding.csv")
@needs(Permission.VIEW)
def outstanding_csv() -> ResponseReturnValue:
    return csv_answer(_outstanding())


@bp.get("/adjustments")
@needs(Permission.VIEW)
def adjustments() -> ResponseReturnValue:
    return _page("adjustments", _adjustments(), with_period=True)


@bp.get("/adjustments.pdf")
@needs(Permission.VIEW)
def adjustments_pdf() -> ResponseReturnValue:
    return pdf_answer(_adjustments())


@bp.get("/adjustments.csv")
@needs(Permission.VIEW)
def adjustments_csv() -> ResponseReturnValue:
    return csv_answer(_adjustments())


@bp.get("/exceptions")
@needs(Permission.VIEW)
def exceptions() -> ResponseReturnValue:
    return _page("exceptions", _exceptions())


@bp.get("/exceptions.pdf")
@needs(Permission.VIEW)
def exceptions_pdf() -> ResponseReturnValue:
    return pdf_answer(_exceptions())


@bp.get("/exceptions.csv")
@needs(Permission.VIEW)
def exceptions_csv() -> ResponseReturnValue:
    return csv_answer(_exceptions())


def _outstanding() -> Document:
    return outstanding_report(current_actor(), request.args.get("account", ""))


def _adjustments() -> Document:
    wanted = AdjustmentFilter(
        account_id=request.args.get("account", ""),
        first_day=query_date("from"),
        last_day=query_date("to"),
    )
    return adjustments_report(current_actor(), wanted)


def _exceptions() -> Document:
    return exceptions_report(current_actor(), request.args.get("account", ""))


def _page(name: str, document: Document, *, with_period: bool = False) -> ResponseReturnValue:
    sent: Mapping[str, Any] = {
        part: request.args[part] for part in ("account", "from", "to") if request.args.get(part)
    }
    return render(
        "reports/document.html",
        document=document,
        accounts=account_choices(),
        sent=sent,
        with_period=with_period,
        here=url_for(f"reports.{name}"),
        pdf_url=url_for(f"reports.{name}_pdf", **sent),
        csv_url=url_for(f"reports.{name}_csv", **sent),
    )
