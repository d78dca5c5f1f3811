"""What every request and answer carries: an id, a log line, security headers."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import Final

import structlog
from flask import Flask, Response, abort, g, request

from app.config import Settings
from app.kernel.ids import new_id
from app.web.metrics import count_request
from app.web.problems import is_for_program

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}", re.ASCII)
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
# The RQ dashboard has inline scripts, and templates that it compiles in the browser.
_DASHBOARD_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
_NUL: Final = "\0"
_HSTS: Final = "max-age=31536000; includeSubDomains"

_log = structlog.get_logger("tieout.request")


def _begin() -> None:
    sent = request.headers.get("X-Request-Id", "")
    g.request_id = sent if _REQUEST_ID.fullmatch(sent) else new_id()
    g.began = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    asked = () if is_for_program() else request.args.values()  # a program is told which it was
    if _NUL in request.path or any(_NUL in value for value in asked):
        abort(HTTPStatus.NOT_FOUND)  # no id and no text holds it, and PostgreSQL refuses it


def _note_answer(response: Response) -> None:
    seconds = time.perf_counter() - g.began
    count_request(request.method, request.endpoint, response.status_code, seconds)
    if request.endpoint in {"static", "ops.healthz"}:
        return
    _log.info(
        "request",
        method=request.method,
        route=str(request.url_rule) if request.url_rule else None,  # never the path: it has ids
        status=response.status_code,
        milliseconds=round(seconds * 1000, 1),
    )


def _tidy_limits(response: Response) -> None:
    """Say seconds, as the draft standard does, and when to come again only to who must wait."""
    reset_at = response.headers.get("RateLimit-Reset", type=float)
    if reset_at is None:
        return
    response.headers["RateLimit-Reset"] = str(max(0, int(reset_at - time.time())))
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        response.headers.pop("Retry-After", None)


def install_requests(app: Flask, settings: Settings) -> None:
    app.before_request(_begin)

    @app.after_request
    def _finish(response: Response) -> Response:
        on_dashboard = (request.endpoint or "").startswith("rq_dashboard.")
        response.headers["Content-Security-Policy"] = _DASHBOARD_POLICY if on_dashboard else _POLICY
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.is_production:
            response.headers["Strict-Transport-Security"] = _HSTS
        response.headers["X-Request-Id"] = g.get("request_id", "")
        if response.mimetype == "text/html":
            response.vary.add("HX-Request")
            response.headers.setdefault("Cache-Control", "no-store")
        _tidy_limits(response)
        if "request_id" in g:
            _note_answer(response)
        return response
