"""The API's description: OpenAPI 3.1 for programs, and the same as a page for people."""

from __future__ import annotations

from typing import Any, Final

from apispec import APISpec
from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.reports.api_reference import api_reference
from app.web.access import KEY_HEADER, public
from app.web.pages import render

VERSION: Final = "1.0.0"
bp = Blueprint("api_description", __name__, url_prefix="/api")

_ABOUT: Final = (
    "Everything that the pages do, for programs. Send an API key of the organization in the header "
    f"`{KEY_HEADER}`. Money is a decimal string with a currency code, times are RFC 3339 in UTC, "
    "ids are opaque. Errors are problem documents (RFC 9457). A POST with an `Idempotency-Key` is "
    "done once, however often it is sent within 24 hours."
)


def options() -> dict[str, Any]:
    """Return what the description says beside its calls."""
    return {
        "title": "Tieout",
        "version": VERSION,
        "openapi_version": "3.1.0",
        "info": {"description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"ApiKey": []}],
    }


def finish(spec: APISpec) -> None:
    """Name how callers say who they are."""
    scheme = {"type": "apiKey", "in": "header", "name": KEY_HEADER}
    spec.components.security_scheme("ApiKey", scheme)


@bp.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    return jsonify(current_app.extensions["api_description"].to_dict())


@bp.get("/docs")
@public
def docs() -> ResponseReturnValue:
    document = current_app.extensions["api_description"].to_dict()
    return render("api/docs.html", reference=api_reference(document))
