"""Operations → Connector requests: what organizations ask for, and the operator's answers."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.connections.nonstandard import answer_request
from app.kernel.errors import Invalid
from app.reports.connector_requests import requests_of_all
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("operator", __name__, url_prefix="/operations/connector-requests")


class AnswerForm(Form):
    outcome = fields.Str(
        required=True,
        validate=validate.OneOf(["configured", "declined"], error="Choose one of the two."),
        error_messages={"required": "Choose one of the two."},
    )
    answer = fields.Str(load_default="")


@bp.get("/")
@needs(Permission.OPERATIONS)
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/<organization_id>/<request_id>")
@needs(Permission.OPERATIONS)
def answer(organization_id: str, request_id: str) -> ResponseReturnValue:
    try:
        values = load_form(AnswerForm())
        answer_request(
            current_actor(),
            organization_id,
            request_id,
            configured=values["outcome"] == "configured",
            answer=values["answer"],
        )
    except Invalid as refusal:
        errors = refusal.fields or {"": [refusal.detail]}
        return _page(request_id, errors, status=UNPROCESSABLE)
    return go(url_for(".index"), "The answer stands on their page of requests.")


def _page(
    answered_id: str = "", errors: Mapping[str, list[str]] | None = None, status: int = 200
) -> ResponseReturnValue:
    """Show all requests; `errors` and what was typed belong to the form of `answered_id`."""
    return render(
        "operations/connector_requests.html",
        status=status,
        requests=requests_of_all(current_actor()),
        answered_id=answered_id,
        values=request.form,
        errors=errors or {},
    )
