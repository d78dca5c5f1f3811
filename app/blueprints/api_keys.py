"""Company → API keys: made, shown once, revoked."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields

from app.kernel.errors import Conflict, Invalid
from app.people import api_keys
from app.tenancy.permissions import KEY_PERMISSIONS, Permission
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import go, render

bp = Blueprint("api_keys", __name__, url_prefix="/api-keys")


class KeyForm(Form):
    name = fields.Str(load_default="")
    permissions = fields.List(fields.Str())


@bp.get("/")
@needs(Permission.PEOPLE)
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/")
@needs(Permission.PEOPLE)
def create() -> ResponseReturnValue:
    """Make a key; the answer is the only place that ever shows it, so nothing is redirected."""
    try:
        values = load_form(KeyForm(), lists=("permissions",))
        created = api_keys.create_api_key(current_actor(), **values)
    except (Invalid, Conflict) as refusal:
        errors = getattr(refusal, "fields", {}) or {"": [refusal.detail]}
        return _page(refusal.status, errors)
    return render(
        "keys/created.html", key=created.key, listed=api_keys.listed_key(created.id), status=201
    )


@bp.get("/<key_id>/revoke")
@needs(Permission.PEOPLE)
def confirm_revocation(key_id: str) -> ResponseReturnValue:
    return render("keys/revoke.html", key=api_keys.listed_key(key_id))


@bp.post("/<key_id>/revoke")
@needs(Permission.PEOPLE)
def revoke(key_id: str) -> ResponseReturnValue:
    key = api_keys.listed_key(key_id)
    api_keys.revoke_api_key(current_actor(), key_id)
    return go(url_for(".index"), f"The key “{key.name}” was revoked.")


def _page(status: int = 200, errors: dict[str, list[str]] | None = None) -> ResponseReturnValue:
    return render(
        "keys/index.html",
        status=status,
        keys=api_keys.listed_keys(),
        choices=KEY_PERMISSIONS,
        form=request.form,
        chosen=request.form.getlist("permissions"),
        errors=errors or {},
    )
