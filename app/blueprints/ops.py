"""For the operator: is it up, is it ready, what do the queues do."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.kernel.errors import Forbidden
from app.reports import health
from app.web.access import public
from app.web.metrics import may_read, request_figures

bp = Blueprint("ops", __name__)


@bp.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    return jsonify(status="ok")


@bp.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    readiness = health.readiness(current_app.extensions["redis"])
    status = 200 if readiness.ready else 503
    return jsonify(ready=readiness.ready, checks=readiness.checks), status


@bp.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    if not may_read(current_app.extensions["settings"], request):
        raise Forbidden(
            "These figures are for the operator: send METRICS_TOKEN as a bearer token, or call "
            "from a network of METRICS_NETWORKS."
        )
    text = health.figures(current_app.extensions["redis"]) + request_figures()
    return text, 200, {"Content-Type": health.METRICS_CONTENT_TYPE}
