"""Settings → Bank data: how often it is fetched."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.connections.interval import (
    HOURS_MAX,
    HOURS_MIN,
    set_sync_interval,
    sync_interval_hours,
)
from app.kernel.errors import Invalid
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs, reason_against
from app.web.forms import Form, WholeNumber, load_form
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("bank_data", __name__, url_prefix="/settings/bank-data")


class IntervalForm(Form):
    sync_interval_hours = WholeNumber(required=True)


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    hours = sync_interval_hours(current_actor().organization_id)
    return _page({"sync_interval_hours": hours}, {})


@bp.post("/")
@needs(Permission.SETTINGS)
def change() -> ResponseReturnValue:
    try:
        hours = load_form(IntervalForm())["sync_interval_hours"]
        set_sync_interval(current_actor(), hours)
    except Invalid as refusal:
        return _page(request.form, refusal.fields or {"": [refusal.detail]}, UNPROCESSABLE)
    return go(url_for(".index"), "Saved; the next syncs keep to it.")


def _page(
    form: Mapping[str, object], errors: Mapping[str, list[str]], status: int = 200
) -> ResponseReturnValue:
    return render(
        "settings/bank_data.html",
        status=status,
        form=form,
        errors=errors,
        hours_min=HOURS_MIN,
        hours_max=HOURS_MAX,
        reason=reason_against(Permission.SETTINGS),
    )
