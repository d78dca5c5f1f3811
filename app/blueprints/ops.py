"""For the operator: is it up, is it ready, what do the queues do."""

from __future__ import annotations

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.reports import health
from app.web.access import public

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
    return health.metrics(), 200, {"Content-Type": health.METRICS_CONTENT_TYPE}
