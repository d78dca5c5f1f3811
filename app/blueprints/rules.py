"""Settings → Matching rules: an ordered list, a form, and a test before saving."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from app.kernel.errors import Invalid
from app.kernel.limits import RULE_DAYS_APART_MAX, RULE_TEST_LINES_MAX
from app.reconciliation import rule_book
from app.reconciliation.rule_book import Step
from app.reconciliation.rule_trial import try_rule
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs, reason_against
from app.web.pages import UNPROCESSABLE, go, render, say, wants_fragment
from app.web.rule_forms import (
    DIRECTION_WORDS,
    TEST_WORDS,
    condition_words,
    form_values,
    sent_rule,
)

bp = Blueprint("rules", __name__, url_prefix="/rules")

_NEW_RULE: Final = {"bank_description_test": "contains"}


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    return _list()


@bp.get("/new")
@needs(Permission.SETTINGS)
def new() -> ResponseReturnValue:
    return _form(_NEW_RULE)


@bp.post("/")
@needs(Permission.SETTINGS)
def create() -> ResponseReturnValue:
    try:
        name, conditions = sent_rule()
        rule_book.create_rule(current_actor(), name, conditions)
    except Invalid as refusal:
        return _form(request.form, refusal=refusal)
    return go(url_for("rules.index"), f"“{name}” is now the last rule of the list.")


@bp.get("/<rule_id>")
@needs(Permission.SETTINGS)
def edit(rule_id: str) -> ResponseReturnValue:
    rule = rule_book.listed_rule(rule_id)
    return _form(form_values(rule.name, rule.conditions), rule_id=rule_id)


@bp.post("/<rule_id>")
@needs(Permission.SETTINGS)
def change(rule_id: str) -> ResponseReturnValue:
    rule_book.listed_rule(rule_id)
    try:
        name, conditions = sent_rule()
        rule_book.change_rule(current_actor(), rule_id, name=name, conditions=conditions)
    except Invalid as refusal:
        return _form(request.form, rule_id=rule_id, refusal=refusal)
    return go(url_for("rules.index"), f"“{name}” was saved; matches that it made stay.")


@bp.post("/test")
@needs(Permission.SETTINGS)
def test() -> ResponseReturnValue:
    """Say what the rule as typed would do now; reads only."""
    rule_id = request.form.get("rule_id") or None
    try:
        _, conditions = sent_rule()
        trial = try_rule(conditions, rule_id)
    except Invalid as refusal:
        return _form(request.form, rule_id=rule_id, refusal=refusal)
    return _form(request.form, rule_id=rule_id, trial=trial)


@bp.post("/<rule_id>/switch")
@needs(Permission.SETTINGS)
def switch(rule_id: str) -> ResponseReturnValue:
    enabled = request.form.get("enabled") == "1"
    rule_book.switch_rule(current_actor(), rule_id, enabled=enabled)
    return _changed(f"The rule is switched {'on' if enabled else 'off'}.")


@bp.post("/<rule_id>/move")
@needs(Permission.SETTINGS)
def move(rule_id: str) -> ResponseReturnValue:
    step = Step.UP if request.form.get("step") == Step.UP else Step.DOWN
    place = rule_book.move_rule(current_actor(), rule_id, step)
    return _changed(f"The rule is number {place} now.")


@bp.post("/<rule_id>/delete")
@needs(Permission.SETTINGS)
def delete(rule_id: str) -> ResponseReturnValue:
    rule_book.delete_rule(current_actor(), rule_id)
    undo_url = url_for("rules.restore", rule_id=rule_id)
    return go(url_for("rules.index"), "The rule was deleted.", undo_url=undo_url)


@bp.post("/<rule_id>/restore")
@needs(Permission.SETTINGS)
def restore(rule_id: str) -> ResponseReturnValue:
    rule_book.restore_rule(current_actor(), rule_id)
    return go(url_for("rules.index"), "The rule is back where it was.")


def _changed(message: str) -> ResponseReturnValue:
    """Answer htmx with the list as it is now, so that the pressed button keeps its focus."""
    if wants_fragment():
        return say(_list(), message)
    return go(url_for("rules.index"), message)


def _list() -> Response:
    labels = {choice.gl_account_id: choice.label for choice in rule_book.account_choices()}
    rules = rule_book.listed_rules()
    return render(
        "rules/index.html",
        "listing",
        rules=rules,
        words={rule.id: condition_words(rule.conditions, labels) for rule in rules},
        uses=rule_book.rule_uses(),
        reason=reason_against(Permission.SETTINGS),
    )


def _form(
    form: Any,
    *,
    rule_id: str | None = None,
    refusal: Invalid | None = None,
    trial: object = None,
) -> ResponseReturnValue:
    errors = {} if refusal is None else refusal.fields or {"": [refusal.detail]}
    accounts = rule_book.account_choices()
    return render(
        "rules/form.html",
        "form",
        status=UNPROCESSABLE if errors else 200,
        form=form,
        rule_id=rule_id,
        errors=errors,
        trial=trial,
        tests=TEST_WORDS,
        directions=DIRECTION_WORDS,
        accounts=[(choice.gl_account_id, choice.label) for choice in accounts],
        currencies=[(code, code) for code in sorted({each.currency for each in accounts})],
        days_max=RULE_DAYS_APART_MAX,
        lines_max=RULE_TEST_LINES_MAX,
    )
