"""The REST API: the same services as the pages, for programs that send a key."""

from __future__ import annotations

from flask import Flask

from app.blueprints.api import connections, description, ledger, reconciliation, rules
from app.blueprints.api.base import TieoutApi
from app.extensions import csrf

_AREAS = (connections, ledger, reconciliation, rules)


def register_api(app: Flask) -> None:
    """Mount every area, and the description that is made of their schemas."""
    api = TieoutApi(app, spec_kwargs=description.options())
    for module in _AREAS:
        api.register_blueprint(module.bp)
        csrf.exempt(module.bp)
    app.register_blueprint(description.bp)
    description.finish(api.spec)
    app.extensions["api_description"] = api.spec
