"""The first page after sign-in."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from app.tenancy.permissions import Permission
from app.web.access import needs

bp = Blueprint("home", __name__)


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    return redirect(url_for("reconciliation.index"))
