"""Parse, call one service, render."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, url_for

from app.blueprints import (
    api_keys,
    audit,
    auth,
    bank_data,
    certificates,
    closing,
    connections,
    exceptions,
    home,
    ledger,
    operator,
    ops,
    people,
    reconciliation,
    reports,
    rules,
    second_factor,
    settings,
    transactions,
    webhooks,
)
from app.blueprints.api import register_api
from app.people.sign_in import organizations_of
from app.web.access import visitor_actor
from app.web.job_dashboard import mount_job_dashboard
from app.web.navigation import menu

_AREAS = (
    api_keys,
    audit,
    auth,
    bank_data,
    certificates,
    closing,
    connections,
    exceptions,
    home,
    ledger,
    operator,
    ops,
    people,
    reconciliation,
    reports,
    rules,
    second_factor,
    settings,
    transactions,
    webhooks,
)


def register_blueprints(app: Flask) -> None:
    for module in _AREAS:
        app.register_blueprint(module.bp)
    register_api(app)
    mount_job_dashboard(app)

    @app.context_processor
    def _page_frame() -> dict[str, Any]:
        """Give every page its menu and the person's organizations; a fragment has neither."""
        actor = None if g.get("crashed") else visitor_actor()
        if actor is None or g.get("without_frame"):
            return {"actor": actor}
        choices = organizations_of(actor.user_id)
        return {
            "actor": actor,
            "navigation": menu(actor),
            "organization": {"name": actor.organization_name},
            "organizations": [
                {"id": choice.organization_id, "name": choice.name}
                for choice in choices
                if choice.organization_id != actor.organization_id
            ],
            "switch_organization_url": url_for("auth.switch_organization"),
            "account_url": url_for("auth.account"),
            "sign_out_url": url_for("auth.sign_out"),
        }
