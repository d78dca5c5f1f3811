"""The control page: the same commands for a person, as plain forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from sandbox import faults
from sandbox.control import commands, reports
from sandbox.control.commands import ACTION_TEXTS, CommandRefused, FaultOrder
from sandbox.faults import EVERYWHERE
from sandbox.items import Stage
from sandbox.plaid.errors import ERRORS
from sandbox.world import current_world

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

SEE_OTHER: Final = 303
UNPROCESSABLE: Final = 422
POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)

pages = Blueprint("control", __name__, url_prefix="/control", template_folder="templates")


@pages.before_request
def refuse_other_sites() -> None:
    """Let no other site's page press our buttons."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


@pages.get("/")
def index() -> ResponseReturnValue:
    world = current_world()
    return _page(
        "control/index.html",
        items=reports.all_items(world),
        active=reports.faults_everywhere(world),
        name=EVERYWHERE,
    )


@pages.get("/page/<name>")
def item(name: str) -> ResponseReturnValue:
    return _item_page(name)


def _item_page(name: str, *, refusal: str = "") -> Response:
    world = current_world()
    report = reports.item_report(world, name)
    return _page(
        "control/item.html",
        UNPROCESSABLE if refusal else 200,
        report=report,
        name=name,
        refusal=refusal,
        error_codes=reports.codes_for(world, report.item),
    )


@pages.post("/page/<name>/<command>")
def command(name: str, command: str) -> ResponseReturnValue:
    """Do what a form asks for, and show the page again."""
    try:
        _do(name, command)
    except CommandRefused as refused:
        if name == EVERYWHERE:
            return _page("control/refused.html", UNPROCESSABLE, refusal=str(refused))
        return _item_page(name, refusal=str(refused))
    target = url_for(".index") if name == EVERYWHERE else url_for(".item", name=name)
    return redirect(target, SEE_OTHER)


def _do(name: str, command: str) -> None:
    world, form = current_world(), request.form
    match command:
        case "fault":
            times = form.get("times", "")
            order = FaultOrder(
                form.get("name", ""),
                form.get("value", ""),
                int(times) if times.isdecimal() else None,
            )
            commands.set_fault(world, name, order)
        case "clear":
            commands.clear_faults(world, name, form.get("name"))
        case "advance":
            days = form.get("days", "")
            commands.advance(world, name, int(days) if days.isdecimal() else 0)
        case "stage":
            commands.set_stage(world, name, form.get("stage", ""))
        case "act":
            commands.act(world, name, form.get("action", ""), form.get("value", ""))
        case _:
            abort(404)


@pages.errorhandler(CommandRefused)
def _unknown(refused: CommandRefused) -> Response:
    return _page("control/refused.html", 404, refusal=str(refused))


def _page(template: str, status: int = 200, **context: object) -> Response:
    shown = {
        "menu": faults.MENU,
        "groups": list(faults.Group),
        "error_codes": sorted(ERRORS),
        "action_texts": ACTION_TEXTS,
        "stages": list(Stage),
    }
    text = render_template(template, **{**shown, **context})
    response = make_response(text, status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
