"""The first page after sign-in: every bank account, and what needs somebody today."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.kernel.clock import utc_now
from app.reports.overview import overview
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.pages import render

bp = Blueprint("home", __name__)


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    return render("home/index.html", overview=overview(current_actor(), utc_now()))
