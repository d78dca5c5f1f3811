"""One handler for every refusal and every error, as a page or as a notice for htmx."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, Response, g
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from app.kernel.errors import NotFound, Refusal
from app.web.pages import render, say, wants_fragment

_log = structlog.get_logger(__name__)

_SENTENCES = {
    HTTPStatus.NOT_FOUND: NotFound().detail,
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that kind of request.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "The file is larger than the 20 MB that Tieout takes; nothing was stored. "
        "Export a shorter period and upload it in parts."
    ),
}


def _answer(status: int, title: str, detail: str) -> Response:
    """Render a refusal; htmx gets its sentence alone and shows it, the page keeps its place."""
    response = render(
        "errors/refusal.html",
        "refusal",
        status=status,
        title=title,
        detail=detail,
        request_id=g.get("request_id", ""),
    )
    if wants_fragment():
        response.headers["HX-Reswap"] = "none"
        say(response, detail, tone="bad")
    return response


def _refused(refusal: Refusal) -> Response:
    return _answer(refusal.status, refusal.title, refusal.detail)


def _csrf_failed(_error: CSRFError) -> Response:
    return _answer(
        HTTPStatus.BAD_REQUEST,
        "The page is out of date",
        "This form was made for another sign-in. Nothing was changed; reload the page and try "
        "again.",
    )


def _too_often(_error: RateLimitExceeded) -> Response:
    return _answer(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many attempts",
        "There were too many attempts from this address. Wait a minute and try again.",
    )


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    detail = _SENTENCES.get(status, error.description or status.description)
    return _answer(status, status.phrase.capitalize(), detail)


def _database_busy(error: OperationalError) -> Response:
    _log.error("database_unavailable", error=type(error).__name__, exc_info=error)
    g.crashed = True  # the frame of a page reads who is signed in, and would fail as well
    return _answer(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The database is busy",
        "The database did not answer in time, perhaps because a large file is being written. "
        "Nothing of this step was saved; try again in a minute.",
    )


def _crashed(error: Exception) -> Response:
    _log.error("request_failed", error=type(error).__name__, exc_info=error)
    g.crashed = True
    return render(
        "errors/unexpected.html",
        "refusal",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        request_id=g.get("request_id", ""),
    )


def install_refusals(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(CSRFError, _csrf_failed)
    app.register_error_handler(RateLimitExceeded, _too_often)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_busy)
    app.register_error_handler(Exception, _crashed)
