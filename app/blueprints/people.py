"""Company → People: who belongs to the organization, and what they may do."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.kernel.errors import Conflict, Invalid
from app.models import Role
from app.people import members, second_factor
from app.tenancy.permissions import ROLE_WORDS, Permission
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render

bp = Blueprint("people", __name__, url_prefix="/people")


class RoleForm(Form):
    role = fields.Enum(Role, by_value=True, required=True)
    bank_connections = fields.Bool(load_default=False)


class RuleForm(Form):
    required = fields.Bool(load_default=False)


class PersonForm(RoleForm):
    email = fields.Str(required=True, validate=validate.Length(1, 320, error="Enter an address."))
    name = fields.Str(required=True, validate=validate.Length(1, 200, error="Enter a name."))
    password = fields.Str(required=True)


@bp.get("/")
@needs(Permission.PEOPLE)
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/")
@needs(Permission.PEOPLE)
def add() -> ResponseReturnValue:
    try:
        values = load_form(PersonForm(), verbatim=("password",))
        members.add_member(current_actor(), **values)
    except Invalid as refusal:
        return _page(UNPROCESSABLE, refusal.fields or {"": [refusal.detail]})
    except Conflict as refusal:
        return _page(refusal.status, {"email": [refusal.detail]})
    return go(url_for("people.index"), f"{values['name']} was added.")


@bp.post("/<membership_id>")
@needs(Permission.PEOPLE)
def change(membership_id: str) -> ResponseReturnValue:
    person = members.member(membership_id)
    members.change_member(current_actor(), membership_id, **load_form(RoleForm()))
    return go(url_for("people.index"), f"{person.name} was saved.")


@bp.get("/<membership_id>/remove")
@needs(Permission.PEOPLE)
def confirm_removal(membership_id: str) -> ResponseReturnValue:
    return render("people/remove.html", person=members.member(membership_id))


@bp.post("/<membership_id>/remove")
@needs(Permission.PEOPLE)
def remove(membership_id: str) -> ResponseReturnValue:
    person = members.member(membership_id)
    members.remove_member(current_actor(), membership_id)
    return go(url_for("people.index"), f"{person.name} was removed.")


@bp.get("/<membership_id>/second-factor")
@needs(Permission.PEOPLE)
def confirm_second_factor_removal(membership_id: str) -> ResponseReturnValue:
    return render("people/remove_second_factor.html", person=members.member(membership_id))


@bp.post("/<membership_id>/second-factor")
@needs(Permission.PEOPLE)
def remove_second_factor(membership_id: str) -> ResponseReturnValue:
    person = members.member(membership_id)
    second_factor.remove_of_member(current_actor(), membership_id)
    return go(
        url_for("people.index"),
        f"{person.name} signs in with the password and can set up a new one.",
    )


@bp.post("/second-factor-rule")
@needs(Permission.PEOPLE)
def change_second_factor_rule() -> ResponseReturnValue:
    required = load_form(RuleForm())["required"]
    second_factor.require_of_everybody(current_actor(), required=required)
    return go(url_for("people.index"), "Saved; it counts from everybody's next click.")


def _page(status: int = 200, errors: dict[str, list[str]] | None = None) -> ResponseReturnValue:
    return render(
        "people/index.html",
        status=status,
        people=members.members(),
        second_factors=second_factor.holders(),
        is_second_factor_required=second_factor.is_required(current_actor().organization_id),
        roles=list(ROLE_WORDS.items()),
        form=request.form,
        errors=errors or {},
    )
