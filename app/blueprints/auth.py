"""Sign in, sign out, switch between organizations, change the own password."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Final

from flask import Blueprint, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user
from marshmallow import ValidationError, fields, validates_schema

from app.extensions import limiter
from app.kernel.clock import utc_now
from app.kernel.errors import Invalid, NotFound
from app.kernel.limits import SECOND_FACTOR_SIGN_IN_SECONDS, SIGN_IN_PER_MINUTE
from app.people import members, second_factor
from app.people import sign_in as people
from app.tenancy.permissions import Permission
from app.web.access import (
    current_actor,
    load_visitor,
    needs,
    open_without_second_factor,
    public,
    visitor_actor,
)
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("auth", __name__)

# Where the session keeps who still owes the code; what it holds is signed and no secret.
_HALF: Final = "half_signed_in"
# Browsers take “//” and “/\” for another host, also with a tab or a line end between.
_OWN_PATH: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*", re.ASCII)


class SignInForm(Form):
    """Whatever was typed is compared; every refusal reads the same."""

    email = fields.Str(load_default="")
    password = fields.Str(load_default="")


class CodeForm(Form):
    code = fields.Str(load_default="")


class PasswordForm(Form):
    current_password = fields.Str(required=True)
    password = fields.Str(required=True)
    password_again = fields.Str(required=True)

    @validates_schema
    def _typed_the_same_twice(self, data: dict[str, str], **_others: object) -> None:
        if data.get("password") != data.get("password_again"):
            raise ValidationError("This is not the same as above.", "password_again")


@bp.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    if visitor_actor() is not None:
        return redirect(url_for("home.index"))
    return render("auth/sign_in.html", email="", message="", next=request.args.get("next", ""))


@bp.post("/sign-in")
@public
@limiter.limit(SIGN_IN_PER_MINUTE)
def sign_in_now() -> ResponseReturnValue:
    try:
        values = load_form(SignInForm(), verbatim=("password",))
        who = people.sign_in(values["email"], values["password"])
    except Invalid as refusal:
        return render(
            "auth/sign_in.html",
            status=UNPROCESSABLE,
            email=request.form.get("email", ""),
            message=refusal.detail,
            next=request.form.get("next", ""),
        )
    if who.needs_code:
        _remember(who, request.form.get("next", ""))
        return redirect(url_for("auth.code"), code=303)
    return _let_in(who, request.form.get("next", ""))


@bp.get("/sign-in/code")
@public
def code() -> ResponseReturnValue:
    if _half_signed_in() is None:
        return redirect(url_for("auth.sign_in"))
    return render("auth/code.html", message="")


@bp.post("/sign-in/code")
@public
@limiter.limit(SIGN_IN_PER_MINUTE)
def code_now() -> ResponseReturnValue:
    who = _half_signed_in()
    if who is None:
        return redirect(url_for("auth.sign_in"), code=303)
    try:
        second_factor.pass_at_sign_in(who, load_form(CodeForm())["code"])
    except Invalid as refusal:
        return render("auth/code.html", status=UNPROCESSABLE, message=refusal.detail)
    return _let_in(who, session[_HALF]["next"])


def _remember(who: people.SignedIn, target: str) -> None:
    """Keep who has given the right password; that signs nobody in."""
    session.clear()
    until = utc_now().timestamp() + SECOND_FACTOR_SIGN_IN_SECONDS
    session[_HALF] = {**asdict(who), "until": until, "next": target}


def _half_signed_in() -> people.SignedIn | None:
    kept = session.get(_HALF)
    if kept is None or kept["until"] < utc_now().timestamp():
        return None
    return people.SignedIn(kept["user_id"], kept["session_epoch"])


def _let_in(who: people.SignedIn, target: str) -> ResponseReturnValue:
    session.clear()
    session.permanent = True
    visitor = load_visitor(f"{who.user_id}.{who.session_epoch}")
    if visitor is None:  # the password was changed, or the last organization left, since then
        return redirect(url_for("auth.sign_in"), code=303)
    session["organization_id"] = visitor.actor.organization_id
    login_user(visitor)
    return redirect(_own_path(target), code=303)


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    logout_user()
    session.clear()
    return redirect(url_for("auth.sign_in"), code=303)


@bp.post("/organization")
@needs(Permission.VIEW)
@open_without_second_factor
def switch_organization() -> ResponseReturnValue:
    chosen = request.form.get("organization_id", "")
    mine = {choice.organization_id for choice in people.organizations_of(current_actor().user_id)}
    if chosen not in mine:
        raise NotFound
    session["organization_id"] = chosen
    return redirect(url_for("home.index"), code=303)


@bp.get("/account")
@needs(Permission.VIEW)
def account() -> ResponseReturnValue:
    return render("auth/account.html", errors={})


@bp.post("/account/password")
@needs(Permission.VIEW)
def change_password() -> ResponseReturnValue:
    try:
        values = load_form(
            PasswordForm(), verbatim=("current_password", "password", "password_again")
        )
        epoch = members.change_own_password(
            current_actor(), values["current_password"], values["password"]
        )
    except Invalid as refusal:
        return render("auth/account.html", status=UNPROCESSABLE, errors=refusal.fields)
    visitor = load_visitor(f"{current_actor().user_id}.{epoch}")
    login_user(visitor)
    return go(url_for("auth.account"), "Password changed; other sessions were signed out.")


def _own_path(target: str) -> str:
    """Return the path to go on to, only ever one of ours."""
    return target if _OWN_PATH.fullmatch(target) else url_for("home.index")
