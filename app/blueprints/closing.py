"""Settings → Closing: a second person's review, and the period lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields

from app.kernel.errors import Invalid
from app.ledger.period_lock import set_period_lock
from app.reconciliation.second_review import set_second_review
from app.reports.closing import closing_page
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs, reason_against
from app.web.forms import Form, load_form
from app.web.pages import go, render

bp = Blueprint("closing", __name__, url_prefix="/settings/closing")


class LockForm(Form):
    locked_until = fields.Date(required=True, error_messages={"invalid": "Give the date."})
    reason = fields.Str(load_default="")


class LiftForm(Form):
    reason = fields.Str(load_default="")


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/review")
@needs(Permission.SETTINGS)
def set_review() -> ResponseReturnValue:
    wanted = request.form.get("second_review") == "1"
    try:
        set_second_review(current_actor(), wanted=wanted)
    except Invalid as refusal:
        return _page(refusal, "review")
    saved = "A second person reviews from now on." if wanted else "One person certifies alone."
    return go(url_for(".index"), saved)


@bp.post("/lock")
@needs(Permission.SETTINGS)
def lock() -> ResponseReturnValue:
    try:
        values = load_form(LockForm())
        set_period_lock(current_actor(), values["locked_until"], values["reason"])
    except Invalid as refusal:
        return _page(refusal, "lock", request.form)
    return go(url_for(".index"), "Locked: nothing enters the books on or before that day.")


@bp.post("/lock/lift")
@needs(Permission.SETTINGS)
def lift() -> ResponseReturnValue:
    try:
        set_period_lock(current_actor(), None, load_form(LiftForm())["reason"])
    except Invalid as refusal:
        return _page(refusal, "lift", request.form)
    return go(url_for(".index"), "The lock is lifted.")


def _page(
    refusal: Invalid | None = None, refused: str = "", typed: Mapping[str, Any] | None = None
) -> Response:
    return render(
        "settings/closing.html",
        status=refusal.status if refusal else 200,
        closing=closing_page(),
        refused=refused,
        errors=(refusal.fields or {"": [refusal.detail]}) if refusal else {},
        typed=typed or {},
        barred=reason_against(Permission.SETTINGS),
    )
