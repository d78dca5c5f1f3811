"""Where aggregators report to: no session, no cookie, no page; the signature says who it is.

Answers are read by machines only: 204 when the message was taken, else `application/problem+json`.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from app.connections.webhooks import receive
from app.extensions import csrf, limiter
from app.kernel import limits
from app.kernel.errors import Refusal
from app.web.access import public
from app.web.problems import problem

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")
csrf.exempt(bp)


@bp.post("/<aggregator>")
@public
@limiter.limit(limits.WEBHOOKS_PER_MINUTE)
def take(aggregator: str) -> ResponseReturnValue:
    # One byte more than is allowed, so that a longer message shows itself and is not read on.
    body = request.stream.read(limits.WEBHOOK_BYTES_MAX + 1)
    receive(aggregator, {name.lower(): value for name, value in request.headers}, body)
    return "", HTTPStatus.NO_CONTENT


@bp.errorhandler(Refusal)
def _refused(refusal: Refusal) -> Response:
    return problem(refusal.status, refusal.title, refusal.detail, refusal.code)


@bp.errorhandler(HTTPException)
def _not_taken(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    return problem(status.value, status.phrase, "The message was not taken.", status.name.lower())
