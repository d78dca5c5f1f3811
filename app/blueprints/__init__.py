"""Parse, call one service, render."""

from __future__ import annotations

from typing import Any

from flask import Flask, url_for

from app.blueprints import auth, home, ops, reconciliation
from app.people.sign_in import organizations_of
from app.web.access import visitor_actor
from app.web.navigation import menu


def register_blueprints(app: Flask) -> None:
    for module in (auth, home, ops, reconciliation):
        app.register_blueprint(module.bp)
    ops.register_dashboard(app)

    @app.context_processor
    def _page_frame() -> dict[str, Any]:
        """Give every page its menu and the person's organizations."""
        actor = visitor_actor()
        if actor is None:
            return {"actor": None}
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
            "sign_out_url": url_for("auth.sign_out"),
        }
