"""Your account → Second factor: set it up, switch it off, take new recovery codes."""

from __future__ import annotations

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user
from marshmallow import fields

from app.extensions import limiter
from app.kernel.errors import Conflict, Invalid
from app.kernel.limits import SIGN_IN_PER_MINUTE
from app.people import second_factor
from app.tenancy.permissions import Permission
from app.web.access import current_actor, load_visitor, needs, open_without_second_factor
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render
from app.web.qr import qr_code

bp = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")


class CodeForm(Form):
    code = fields.Str(required=True)


class ProofForm(CodeForm):
    current_password = fields.Str(required=True)


@bp.get("/")
@needs(Permission.VIEW)
@open_without_second_factor
def page() -> ResponseReturnValue:
    return _page()


@bp.post("/")
@needs(Permission.VIEW)
@open_without_second_factor
def begin() -> ResponseReturnValue:
    second_factor.begin(current_actor())
    return go(url_for(".page"))


@bp.post("/confirm")
@needs(Permission.VIEW)
@open_without_second_factor
@limiter.limit(SIGN_IN_PER_MINUTE)
def confirm() -> ResponseReturnValue:
    try:
        switched_on = second_factor.confirm(current_actor(), load_form(CodeForm())["code"])
    except Invalid as refusal:
        return _page(refusal)
    _go_on_as_before(switched_on.session_epoch)
    return _codes(switched_on.recovery_codes)


@bp.post("/recovery-codes")
@needs(Permission.VIEW)
@limiter.limit(SIGN_IN_PER_MINUTE)
def renew() -> ResponseReturnValue:
    _refuse_while_off()
    try:
        proof = load_form(ProofForm(), verbatim=("current_password",))
        codes = second_factor.renew_recovery_codes(
            current_actor(), proof["current_password"], proof["code"]
        )
    except Invalid as refusal:
        return _page(refusal)
    return _codes(codes)


@bp.post("/off")
@needs(Permission.VIEW)
@limiter.limit(SIGN_IN_PER_MINUTE)
def switch_off() -> ResponseReturnValue:
    _refuse_while_off()
    try:
        proof = load_form(ProofForm(), verbatim=("current_password",))
        epoch = second_factor.switch_off(current_actor(), proof["current_password"], proof["code"])
    except Invalid as refusal:
        return _page(refusal)
    _go_on_as_before(epoch)
    return go(url_for(".page"), "Switched off; signing in asks for the password alone.")


def _refuse_while_off() -> None:
    """Answer a form that another page left behind: the fields it speaks of are not shown now."""
    if second_factor.standing(current_actor()).on_since is None:
        raise Conflict("Your second factor is switched off already; nothing was changed.")


def _go_on_as_before(epoch: int) -> None:
    """Keep this session, which has just shown who it is, while all others end."""
    login_user(load_visitor(f"{current_actor().user_id}.{epoch}"))


def _codes(codes: list[str]) -> ResponseReturnValue:
    return render("auth/recovery_codes.html", codes=codes)


def _page(refusal: Invalid | None = None) -> ResponseReturnValue:
    standing = second_factor.standing(current_actor())
    errors = (refusal.fields or {"": [refusal.detail]}) if refusal else {}
    return render(
        "auth/second_factor.html",
        status=UNPROCESSABLE if refusal else 200,
        standing=standing,
        qr=qr_code(standing.uri) if standing.uri else "",
        is_owed=current_actor().owes_second_factor,
        errors=errors,
    )
