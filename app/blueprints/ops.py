"""For the operator: is it up, is it ready, what do the queues do."""

from __future__ import annotations

from typing import Final

import rq_dashboard
from flask import Blueprint, Flask, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from rq.serializers import JSONSerializer
from rq_dashboard.web import config as dashboard_config

from app.extensions import csrf
from app.reports import health
from app.web.access import public

bp = Blueprint("ops", __name__)

DASHBOARD_PATH: Final = "/ops/rq"


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


def register_dashboard(app: Flask) -> None:
    """Mount the RQ dashboard; `app.web.access` holds it to the operations permission.

    Its POSTs carry no token of ours, so they are held to our own origin instead, and the
    one address that changes state on GET is closed.
    """
    app.config.from_object(rq_dashboard.default_settings)
    app.config["RQ_DASHBOARD_REDIS_URL"] = (app.extensions["settings"].redis_url,)
    app.redis_conn = app.extensions["redis"]  # type: ignore[attr-defined]
    dashboard_config.serializer = JSONSerializer
    dashboard = rq_dashboard.blueprint
    csrf.exempt(dashboard)
    app.register_blueprint(dashboard, url_prefix=DASHBOARD_PATH)

    @app.before_request
    def _hold_dashboard_to_own_origin() -> None:
        if not (request.endpoint or "").startswith("rq_dashboard."):
            return
        if request.method == "GET" and request.path.startswith(f"{DASHBOARD_PATH}/requeue/"):
            abort(405)
        own_origin = request.host_url.rstrip("/")
        if request.method == "POST" and request.headers.get("Origin") != own_origin:
            abort(403)
