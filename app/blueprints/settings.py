"""Settings → Bank Match AI: thresholds, what others would have done, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from app.kernel.errors import Invalid
from app.reconciliation.settings import Thresholds, set_thresholds, thresholds
from app.reports import performance as report
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs, reason_against
from app.web.charts import share_chart
from app.web.filters import share_words
from app.web.forms import Form, WholeNumber, load_form, query_number
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


@bp.get("/bank-match-ai/performance")
@needs(Permission.VIEW)
def performance() -> ResponseReturnValue:
    found = report.performance()
    oldest_first = found.periods[::-1]
    rates = share_chart(
        "Rates by reconciliation",
        "Auto-match rate, review acceptance and override rate, oldest to newest; the table below "
        "has the figures.",
        [f"{period.ending_date:%b %y}" for period in oldest_first],
        (
            ("Auto-match rate", "one", [period.auto_match_rate for period in oldest_first]),
            ("Review acceptance", "two", [period.acceptance_rate for period in oldest_first]),
            ("Override rate", "three", [period.override_rate for period in oldest_first]),
        ),
    )
    calibration = share_chart(
        "Calibration",
        "What the scores said and how often they were right, by score; the table below has the "
        "figures.",
        [f"{band.score_from}–{band.score_to}" for band in found.bands],
        (
            ("Said", "two", [band.mean_score / 100 for band in found.bands]),
            ("Was right", "one", [band.right_rate for band in found.bands]),
        ),
    )
    return render(
        "settings/performance.html",
        performance=found,
        rates=rates if len(oldest_first) > 1 else None,
        calibration=calibration if len(found.bands) > 1 else None,
        share=share_words,
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
        simulated=_simulated(),
    )


def _simulated() -> report.Simulated:
    """Try the thresholds of the address on the past; those in force where it names none."""
    now = thresholds(current_actor().organization_id)
    auto_match = query_number("try_auto_match") or now.auto_match
    review = query_number("try_review") or now.review
    return report.simulate(min(auto_match, 100), min(review, auto_match, 100))
