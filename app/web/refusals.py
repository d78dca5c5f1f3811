"""One handler for every refusal and every error: a page, a notice for htmx, a problem document."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import cast

import structlog
from flask import Flask, Response, g
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from app.kernel.errors import Invalid, NotFound, Refusal
from app.web.pages import render, say, wants_fragment
from app.web.problems import flat_messages, is_for_program, problem

_log = structlog.get_logger(__name__)

_SENTENCES = {
    HTTPStatus.NOT_FOUND: NotFound().detail,
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that kind of request.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "The file is larger than the 20 MB that Tieout takes; nothing was stored. "
        "Export a shorter period and upload it in parts."
    ),
}

_SENTENCES_TO_PROGRAMS = {
    HTTPStatus.NOT_FOUND: NotFound().detail,
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that method; see Allow.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "The body is too large; nothing was done. Send it in parts."
    ),
}


def _answer(
    status: int,
    title: str,
    detail: str,
    code: str = "",
    extra: Mapping[str, object] | None = None,
) -> Response:
    """Render a refusal; htmx gets its sentence alone and shows it, the page keeps its place."""
    if is_for_program():
        return problem(status, title, detail, code or HTTPStatus(status).name.lower(), extra)
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
    response = _answer(refusal.status, refusal.title, refusal.detail, refusal.code, refusal.extra)
    seconds = getattr(refusal, "retry_after_seconds", None)
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response


def _csrf_failed(_error: CSRFError) -> Response:
    return _answer(
        HTTPStatus.BAD_REQUEST,
        "The page is out of date",
        "This form was made for another sign-in. Nothing was changed; reload the page and try "
        "again.",
    )


def _too_often(_error: RateLimitExceeded) -> Response:
    if is_for_program():
        return _answer(
            HTTPStatus.TOO_MANY_REQUESTS,
            "Too many calls",
            "This key has made too many calls; nothing was done. Wait as Retry-After says.",
            "rate_limited",
        )
    return _answer(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many attempts",
        "There were too many attempts from this address. Wait a minute and try again.",
    )


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or (error.code or 0) < HTTPStatus.BAD_REQUEST:
        return cast("Response", error.get_response())  # a redirect is no error
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    if is_for_program():
        return _told_to_program(status, error)
    detail = _SENTENCES.get(status, error.description or status.description)
    return _answer(status, status.phrase.capitalize(), detail)


def _told_to_program(status: HTTPStatus, error: HTTPException) -> Response:
    """Render what the framework refuses: a schema's messages, a method, a media type."""
    data = getattr(error, "data", None)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and isinstance(data, dict):
        by_place = data.get("messages", {})
        errors: dict[str, list[str]] = {}
        for messages in by_place.values():
            errors |= flat_messages(messages)
        detail = "The call cannot be taken as it is; nothing was changed. See errors."
        return _answer(status, Invalid.title, detail, Invalid.code, {"errors": errors})
    detail = _SENTENCES_TO_PROGRAMS.get(status, error.description or status.description)
    response = _answer(status, status.phrase.capitalize(), detail)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


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
    if is_for_program():
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "Something went wrong on our side",
            "Nothing of this step was saved; try again, and if it fails again tell your operator "
            "the request id.",
            "internal_error",
        )
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
