"""Company → Audit trail: read it, filter it, take it along, and check that it is whole."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue

from app.audit import trail
from app.reports.audit import AuditFilter, audit_csv, audit_page, filter_choices, in_words
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.filters import local_today
from app.web.forms import query_date, query_number
from app.web.pages import render

bp = Blueprint("audit", __name__, url_prefix="/audit")

_FILTERS: Final = ("person", "area", "subject_type", "subject_id", "from", "to")


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    page = audit_page(
        _filter(),
        before=query_number("before"),
        after=query_number("after"),
    )
    filters = _as_sent()
    return render(
        "audit/index.html",
        page=page,
        choices=filter_choices(),
        filters=filters,
        in_words=in_words,
        newer_url=_page_url(filters, after=page.newer_after),
        older_url=_page_url(filters, before=page.older_before),
    )


@bp.get("/export.csv")
@needs(Permission.VIEW)
def export() -> ResponseReturnValue:
    name = f"audit-trail-{local_today().isoformat()}.csv"
    return Response(
        stream_with_context(audit_csv(_filter())),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.get("/verification")
@needs(Permission.VIEW)
def verification() -> ResponseReturnValue:
    return render("audit/verification.html", "outcome", outcome=trail.verify())


def _filter() -> AuditFilter:
    sent = request.args
    return AuditFilter(
        user_id=sent.get("person", ""),
        area=sent.get("area", ""),
        subject_type=sent.get("subject_type", ""),
        subject_id=sent.get("subject_id", ""),
        first_day=query_date("from"),
        last_day=query_date("to"),
        time_zone=current_actor().time_zone,
    )


def _as_sent() -> dict[str, str]:
    return {name: request.args[name] for name in _FILTERS if request.args.get(name)}


def _page_url(filters: dict[str, str], **place: Any) -> str | None:
    """Return the address of a page beside this one; None when there is none."""
    if None in place.values():
        return None
    values: dict[str, Any] = {**filters, **place}
    return url_for("audit.index", **values)
