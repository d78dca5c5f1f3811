"""The control API: JSON in, JSON out; README.md lists its calls."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, request
from marshmallow import Schema, ValidationError, fields

from sandbox.control import commands, reports
from sandbox.control.commands import CommandRefused, FaultOrder
from sandbox.faults import EVERYWHERE
from sandbox.world import current_world

BAD_REQUEST = 400

api = Blueprint("control_api", __name__, url_prefix="/control")


class FaultForm(Schema):
    name = fields.String(required=True)
    value = fields.String(load_default="")
    times = fields.Integer(strict=True, allow_none=True, load_default=None)
    path = fields.String(load_default="")


class AdvanceForm(Schema):
    days = fields.Integer(required=True, strict=True)


class StageForm(Schema):
    stage = fields.String(required=True)


class ActionForm(Schema):
    value = fields.String(load_default="")


class TokenForm(Schema):
    token = fields.String(required=True)


@api.errorhandler(CommandRefused)
def _refused(refused: CommandRefused) -> tuple[dict[str, str], int]:
    return {"error": str(refused)}, BAD_REQUEST


@api.errorhandler(ValidationError)
def _invalid(error: ValidationError) -> tuple[dict[str, Any], int]:
    return {"error": "The body is not valid.", "fields": error.messages}, BAD_REQUEST


@api.get("/menu")
def menu() -> dict[str, Any]:
    return reports.menu()


@api.get("/items")
def list_items() -> dict[str, Any]:
    return {"items": [asdict(item) for item in reports.all_items(current_world())]}


@api.get("/items/<name>")
def get_item(name: str) -> dict[str, Any]:
    return reports.item_report(current_world(), name).body()


@api.get("/items/<name>/transactions")
def get_truth(name: str) -> dict[str, Any]:
    return commands.truth(current_world(), name)


@api.post("/faults", defaults={"name": EVERYWHERE})
@api.post("/items/<name>/faults")
def set_fault(name: str) -> dict[str, Any]:
    commands.set_fault(current_world(), name, FaultOrder(**FaultForm().load(_body())))
    return {}


@api.delete("/faults", defaults={"name": EVERYWHERE, "fault": None})
@api.delete("/faults/<fault>", defaults={"name": EVERYWHERE})
@api.delete("/items/<name>/faults", defaults={"fault": None})
@api.delete("/items/<name>/faults/<fault>")
def clear_faults(name: str, fault: str | None) -> dict[str, Any]:
    commands.clear_faults(current_world(), name, fault)
    return {}


@api.post("/items/<name>/advance")
def advance(name: str) -> dict[str, Any]:
    commands.advance(current_world(), name, AdvanceForm().load(_body())["days"])
    return {}


@api.post("/items/<name>/stage")
def set_stage(name: str) -> dict[str, Any]:
    commands.set_stage(current_world(), name, StageForm().load(_body())["stage"])
    return {}


@api.post("/items/<name>/actions/<action>")
def act(name: str, action: str) -> dict[str, Any]:
    commands.act(current_world(), name, action, ActionForm().load(_body())["value"])
    return {}


@api.post("/expire")
def expire() -> dict[str, Any]:
    commands.expire(current_world(), TokenForm().load(_body())["token"])
    return {}


@api.get("/webhooks")
def list_webhooks() -> dict[str, Any]:
    return {"webhooks": [asdict(sent) for sent in reports.all_webhooks(current_world())]}


@api.post("/webhooks/<int:delivery_id>/send-again")
def send_again(delivery_id: int) -> dict[str, Any]:
    commands.send_again(current_world(), delivery_id)
    return {}


@api.post("/keys/rotate")
def rotate_key() -> dict[str, Any]:
    return {"key_id": commands.rotate_key(current_world())}


@api.post("/reset")
def reset() -> dict[str, Any]:
    commands.reset(current_world())
    return {}


def _body() -> dict[str, Any]:
    """Return the body, which may be left out.

    JSON alone is taken: another site's page cannot send it to this one.
    """
    body = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise CommandRefused("The body must be a JSON object.")
    return body
