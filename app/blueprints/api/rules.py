"""/api/reconciliation/v1/rules: the matching rules, in the order that counts."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from app.blueprints.api.base import (
    ApiBlueprint,
    Body,
    Link,
    Takes,
    require_match,
    with_etag,
    wrapped,
)
from app.blueprints.api.reconciliation import PREFIX
from app.kernel import limits
from app.kernel.errors import Invalid
from app.kernel.money import parse_amount
from app.reconciliation import rule_book, rule_trial
from app.reconciliation.conditions import Conditions, Direction, TextTest
from app.reports import reconciliation_feeds as read
from app.tenancy.permissions import Permission
from app.web.access import current_actor

bp = ApiBlueprint("rules_api", PREFIX, "Matching rules.")

_AMOUNTS = {"amount_from": "amount_from_minor", "amount_to": "amount_to_minor"}
_TEXT = validate.Length(max=limits.RULE_TEXT_CHARACTERS_MAX)


class ConditionsSchema(Body):
    bank_description_test = fields.Enum(TextTest, by_value=fields.Str)
    bank_description = fields.Str(validate=_TEXT)
    bank_reference_contains = fields.Str(validate=_TEXT)
    amount_from = fields.Str(metadata={"description": "Decimal, without its sign."})
    amount_to = fields.Str(metadata={"description": "Decimal, without its sign."})
    amount_currency = fields.Str()
    direction = fields.Enum(Direction, by_value=fields.Str)
    gl_account_id = fields.Str()
    gl_counterparty_contains = fields.Str(validate=_TEXT)
    gl_description_contains = fields.Str(validate=_TEXT)
    gl_reference_contains = fields.Str(validate=_TEXT)
    days_apart_max = fields.Int(validate=validate.Range(0, limits.RULE_DAYS_APART_MAX))


class RuleBody(Body):
    name = fields.Str(required=True, validate=validate.Length(1, limits.RULE_TEXT_CHARACTERS_MAX))
    enabled = fields.Bool(load_default=True)
    conditions = fields.Nested(ConditionsSchema, required=True)


class RuleSchema(Schema):
    id = fields.Str(required=True)
    name = fields.Str(required=True)
    enabled = fields.Bool(required=True)
    position = fields.Int(required=True)
    conditions = fields.Nested(ConditionsSchema, required=True)


class TestBody(Body):
    conditions = fields.Nested(ConditionsSchema, required=True)


class TrialSchema(Schema):
    bank_lines_count = fields.Int(required=True)
    matched_count = fields.Int(required=True)
    ambiguous_count = fields.Int(required=True)
    is_limited = fields.Bool(required=True)
    too_slow = fields.Bool(required=True)


_EXAMPLE = {
    "name": "Payroll",
    "conditions": {"bank_description_test": "contains", "bank_description": "PAYROLL"},
}
_RULES = wrapped("Rules", data=fields.List(fields.Nested(RuleSchema), required=True))


@bp.call("GET", "/rules/", needs_permission=Permission.VIEW, gives=_RULES)
def list_rules() -> dict[str, Any]:
    """List all matching rules in the order that counts."""
    return {"data": read.rules()}


@bp.call(
    "POST",
    "/rules/",
    needs_permission=Permission.SETTINGS,
    takes=Takes(RuleBody, example=_EXAMPLE),
    gives=RuleSchema,
    status=201,
    refuses=(404, 409),
    leads_to=tuple(
        Link(name, "rule_id", "/id") for name in ("get_rule", "put_rule", "delete_rule")
    ),
)
def create_rule(body: dict[str, Any]) -> read.RuleRow:
    """Add a rule at the end of the list."""
    conditions = _conditions(body["conditions"])
    rule_id = rule_book.create_rule(current_actor(), body["name"], conditions)
    if not body["enabled"]:
        rule_book.switch_rule(current_actor(), rule_id, enabled=False)
    return read.rule(rule_id)


@bp.call("GET", "/rules/<rule_id>/", needs_permission=Permission.VIEW, gives=RuleSchema)
def get_rule(rule_id: str) -> Response:
    """Read one rule."""
    return with_etag(RuleSchema(), read.rule(rule_id))


@bp.call(
    "PUT",
    "/rules/<rule_id>/",
    needs_permission=Permission.SETTINGS,
    takes=Takes(RuleBody, example=_EXAMPLE),
    gives=RuleSchema,
    refuses=(409, 412),
)
def put_rule(body: dict[str, Any], rule_id: str) -> Response:
    """Change a rule; matches that it made stay."""
    before = read.rule(rule_id)
    require_match(RuleSchema(), before)
    conditions = _conditions(body["conditions"])
    rule_book.change_rule(current_actor(), rule_id, name=body["name"], conditions=conditions)
    if body["enabled"] != before.enabled:
        rule_book.switch_rule(current_actor(), rule_id, enabled=body["enabled"])
    return with_etag(RuleSchema(), read.rule(rule_id))


@bp.call(
    "DELETE",
    "/rules/<rule_id>/",
    needs_permission=Permission.SETTINGS,
    gives=RuleSchema,
    refuses=(409, 412),
)
def delete_rule(rule_id: str) -> read.RuleRow:
    """Take a rule out of the list; matches that it made stay."""
    before = read.rule(rule_id)
    require_match(RuleSchema(), before)
    rule_book.delete_rule(current_actor(), rule_id)
    return before


@bp.call(
    "POST",
    "/rules/test/",
    needs_permission=Permission.SETTINGS,
    takes=Takes(TestBody, example={"conditions": _EXAMPLE["conditions"]}),
    gives=TrialSchema,
    refuses=(404, 409),
)
def test_rule(body: dict[str, Any]) -> rule_trial.Trial:
    """Say what a rule would match among the open lines; changes nothing."""
    conditions = _conditions(body["conditions"])
    conditions.require_fast_expression()
    return rule_trial.try_rule(conditions)


def _conditions(sent: dict[str, Any]) -> Conditions:
    """Return the conditions as they are kept.

    Raises:
        Invalid: With the messages by the names that were sent.
    """
    stored = dict(sent)
    currency = stored.get("amount_currency", "")
    for name, kept in _AMOUNTS.items():
        if name not in stored:
            continue
        try:
            stored[kept] = abs(parse_amount(stored.pop(name), currency))
        except Invalid as refusal:
            raise _named(refusal, {name: [refusal.detail]}) from refusal
    try:
        return Conditions.from_json(stored)
    except Invalid as refusal:
        back = {kept: name for name, kept in _AMOUNTS.items()}
        fields_by_name = {back.get(name, name): said for name, said in refusal.fields.items()}
        raise _named(refusal, fields_by_name) from refusal


def _named(refusal: Invalid, by_name: dict[str, list[str]]) -> Invalid:
    return Invalid(refusal.detail, {f"conditions.{name}": said for name, said in by_name.items()})
