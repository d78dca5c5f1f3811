"""The RQ dashboard, mounted for operators and made to fit.

It is written for an application of its own: it opens connections by address, reads jobs
with pickle, leaves signing in to others, and takes any POST.  Here it gets our connection
and our serializer; `app.web.access` holds it to the operations permission, and its POSTs,
which carry no token of ours, are held to our own origin.
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final

import rq_dashboard
from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue
from redis import Redis
from rq import Worker, requeue_job
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_dashboard import web as dashboard

from app.extensions import csrf
from app.kernel.errors import NotFound

DASHBOARD_PATH: Final = "/ops/rq"
_SHOWN_AS: Final = "Tieout"


def mount_job_dashboard(app: Flask) -> None:
    _read_jobs_as_json()
    app.config["RQ_DASHBOARD_REDIS_URL"] = (_SHOWN_AS,)  # it prints this: never the address
    app.redis_conn = app.extensions["redis"]  # type: ignore[attr-defined]
    csrf.exempt(rq_dashboard.blueprint)
    app.register_blueprint(rq_dashboard.blueprint, url_prefix=DASHBOARD_PATH)
    app.before_request(_hold_to_own_origin)
    app.register_error_handler(NoSuchJobError, _job_is_gone)


def _read_jobs_as_json() -> None:
    """Replace what the dashboard reads with; repeating it is harmless."""
    dashboard.config.serializer = JSONSerializer
    dashboard.Job = SimpleNamespace(fetch=partial(Job.fetch, serializer=JSONSerializer))
    dashboard.Worker = SimpleNamespace(all=partial(Worker.all, serializer=JSONSerializer))
    dashboard.requeue_job = partial(requeue_job, serializer=JSONSerializer)
    dashboard.from_url = _own_connection


def _own_connection(_url: str, **_options: object) -> tuple[None, Redis]:
    return None, current_app.extensions["redis"]


def _hold_to_own_origin() -> None:
    if not (request.endpoint or "").startswith("rq_dashboard."):
        return
    is_post = request.method == "POST"
    if request.endpoint == "rq_dashboard.requeue_all" and not is_post:
        abort(HTTPStatus.METHOD_NOT_ALLOWED)  # it would requeue on GET
    if is_post and request.headers.get("Origin") != request.host_url.rstrip("/"):
        abort(HTTPStatus.FORBIDDEN)


def _job_is_gone(_error: NoSuchJobError) -> ResponseReturnValue:
    refusal = NotFound("There is no such job in the queue any more.")
    return current_app.handle_user_exception(refusal)
