"""Cash management → Exceptions: what the bank changed after a month was certified."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.kernel.errors import Conflict, Invalid
from app.reconciliation import bank_exceptions
from app.reconciliation.bank_exceptions import Settle
from app.reports import bank_exceptions as reports
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import go, render, say, wants_fragment

bp = Blueprint("exceptions", __name__, url_prefix="/exceptions")

_TEMPLATE = "exceptions/index.html"
_PLACE = ("statement", "after")


class SettleForm(Form):
    decision = fields.Str(
        required=True,
        validate=validate.OneOf(("acknowledge", "carry")),
        error_messages={"required": "Choose what becomes of the change."},
    )
    note = fields.Str(load_default="")
    seen = fields.Str(load_default="")


@bp.get("/")
@needs(Permission.VIEW)
def waiting() -> ResponseReturnValue:
    return _page("waiting", request.args)


@bp.get("/settled")
@needs(Permission.VIEW)
def settled() -> ResponseReturnValue:
    return _page("settled", request.args)


@bp.post("/<change_id>/settle")
@needs(Permission.RECONCILE)
def settle(change_id: str) -> ResponseReturnValue:
    try:
        values = load_form(SettleForm())
        command = Settle(change_id, values["note"], values["seen"])
        if values["decision"] == "carry":
            bank_exceptions.carry(current_actor(), command)
            text = "Carried: the difference is a bank transaction of the open period."
        else:
            bank_exceptions.acknowledge(current_actor(), command)
            text = "Acknowledged: the certified statement stands."
    except Invalid as refusal:
        return _page("waiting", _sent_place(), refusal=refusal, change_id=change_id)
    except Conflict as refusal:
        return _held_back("waiting", refusal)
    return _after("waiting", text, undo_url=url_for(".take_back", change_id=change_id))


@bp.post("/<change_id>/take-back")
@needs(Permission.RECONCILE)
def take_back(change_id: str) -> ResponseReturnValue:
    try:
        bank_exceptions.take_back(current_actor(), change_id)
    except Conflict as refusal:
        return _held_back("settled", refusal)
    return _after("settled", "It waits to be settled again.")


def _after(tab: str, text: str, undo_url: str | None = None) -> ResponseReturnValue:
    """Show the same place again after a write; a toast's Undo stands elsewhere and only tells."""
    if _asks_for_list():
        return say(_page(tab, _sent_place()), text, undo_url=undo_url)
    if wants_fragment():
        return say(Response(status=204), text, undo_url=undo_url, event="exceptions-changed")
    place: dict[str, Any] = _sent_place()
    return go(url_for(f".{tab}", **place), text, undo_url=undo_url)


def _held_back(tab: str, refusal: Conflict) -> ResponseReturnValue:
    """Show how things stand now, with the sentence that says why nothing was changed."""
    if not _asks_for_list():
        raise refusal
    response = _page(tab, _sent_place(), status=refusal.status)
    return say(response, refusal.detail, tone="bad")


def _asks_for_list() -> bool:
    return wants_fragment() and request.headers.get("HX-Target") == "exceptions"


def _sent_place() -> dict[str, str]:
    """Return where the person was when the form was sent: every form carries its place."""
    return {
        name: value for name, value in parse_qsl(request.form.get("view", "")) if name in _PLACE
    }


def _page(
    tab: str,
    source: Any,
    *,
    refusal: Invalid | None = None,
    change_id: str = "",
    status: int = 200,
) -> Response:
    place: dict[str, Any] = {name: source[name] for name in _PLACE if source.get(name)}
    statement_id = place.get("statement", "")
    read = reports.waiting if tab == "waiting" else reports.settled
    page = read(statement_id, place.get("after", ""))
    next_url = (
        url_for(f".{tab}", **place | {"after": page.next_cursor}) if page.next_cursor else None
    )
    return render(
        _TEMPLATE,
        "list",
        status=refusal.status if refusal else status,
        tab=tab,
        page=page,
        statement=reports.changes_of_statement(statement_id) if statement_id else None,
        statement_id=statement_id,
        waiting_count=reports.waiting_count(statement_id),
        all_waiting_count=reports.waiting_count(),
        first_url=url_for(f".{tab}", statement=statement_id or None) if "after" in place else None,
        next_url=next_url,
        view_query=urlencode(place),
        refused_id=change_id,
        errors=(refusal.fields or {"": [refusal.detail]}) if refusal else {},
        typed_note=request.form.get("note", ""),
        oob=wants_fragment(),
    )
