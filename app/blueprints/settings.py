"""Settings → Bank Match AI: from which score on a pair is matched or suggested."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.kernel.errors import Invalid
from app.reconciliation.settings import Thresholds, set_thresholds, thresholds
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs, reason_against
from app.web.forms import Form, WholeNumber, load_form
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("settings", __name__, url_prefix="/settings")


class ThresholdForm(Form):
    auto_match = WholeNumber(required=True)
    review = WholeNumber(required=True)


@bp.get("/bank-match-ai")
@needs(Permission.VIEW)
def bank_match_ai() -> ResponseReturnValue:
    now = thresholds(current_actor().organization_id)
    form = {"auto_match": now.auto_match, "review": now.review}
    return _page(form)


@bp.post("/bank-match-ai")
@needs(Permission.SETTINGS)
def change_bank_match_ai() -> ResponseReturnValue:
    try:
        set_thresholds(current_actor(), Thresholds(**load_form(ThresholdForm())))
    except Invalid as refusal:
        errors = refusal.fields or {"": [refusal.detail]}
        return _page(request.form, status=UNPROCESSABLE, errors=errors)
    return go(
        url_for("settings.bank_match_ai"),
        "Thresholds saved; they count for reconciliations opened from now on.",
    )


def _page(
    form: Mapping[str, object],
    *,
    status: int = 200,
    errors: Mapping[str, list[str]] | None = None,
) -> ResponseReturnValue:
    return render(
        "settings/bank_match_ai.html",
        status=status,
        form=form,
        errors=errors or {},
        reason=reason_against(Permission.SETTINGS),
    )
