"""The sandbox as a WSGI application: `gunicorn "sandbox.wsgi:create_app()"`, in one process."""

from __future__ import annotations

from flask import Flask, Response, jsonify
from werkzeug.exceptions import NotFound

from sandbox import hosted, mx, simplefin
from sandbox.clockwork import Clockwork
from sandbox.control import api as control_api
from sandbox.control import pages as control_pages
from sandbox.mx import announcements as mx_announcements
from sandbox.mx import calls as mx_calls
from sandbox.mx import helpers as mx_helpers  # noqa: F401  calls
from sandbox.mx import jobs, pages  # noqa: F401  calls
from sandbox.mx.statuses import STATUSES
from sandbox.plaid import (  # noqa: F401  calls
    WIRE,
    announcements,
    calls,
    errors,
    helpers,
    institutions,
    items,
    link,
    transactions,
)
from sandbox.settings import Settings
from sandbox.simplefin import calls as simplefin_calls
from sandbox.simplefin import pages as simplefin_pages  # noqa: F401  pages
from sandbox.store import Store
from sandbox.world import World


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application, its background running until `stop` is called.

    The background must run in one process alone, since it sends the webhooks.
    """
    settings = settings or Settings.from_environment()
    store = Store(settings.folder / "sandbox.sqlite3")
    world = World(
        settings,
        store,
        announcers={
            WIRE: announcements.announce,
            mx.WIRE: mx_announcements.announce,
            simplefin.WIRE: simplefin.announce,
        },
        states={
            WIRE: errors.LASTING,
            mx.WIRE: frozenset(STATUSES),
            simplefin.WIRE: simplefin.STATES,
        },
        ticks=(jobs.settle_due,),
    )
    app = Flask(__name__)
    app.extensions["world"] = world
    app.extensions["clockwork"] = clockwork = Clockwork(world)
    app.register_blueprint(calls.plaid)
    app.register_blueprint(hosted.pages)
    app.register_blueprint(mx_calls.mx)
    app.register_blueprint(simplefin_calls.simplefin)
    app.register_blueprint(control_api.api)
    app.register_blueprint(control_pages.pages)
    app.register_error_handler(NotFound, _not_found)
    clockwork.start()
    return app


def stop(app: Flask) -> None:
    """End the background and close the memory."""
    app.extensions["clockwork"].stop()
    app.extensions["world"].store.close()


def _not_found(_error: NotFound) -> tuple[Response, int]:
    return jsonify(errors.error_body("NOT_FOUND")), 404
