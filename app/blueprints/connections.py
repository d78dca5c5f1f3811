"""Company → Bank Connections: one page for every connection, and what can be done with each."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields

from app.blueprints import bank_files, connection_adding
from app.connections import accounts, completion, deletion, hosted_flows, refresh
from app.connections.completion import AlreadyConnected, NotFinished
from app.connections.continuation import continue_account
from app.connections.hosted_flows import ProviderRefused
from app.kernel.clock import utc_now
from app.reports import connections as report
from app.reports.connection_cards import connection_card
from app.reports.connection_history import connection_history
from app.reports.financial_accounts import account_page
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs, public
from app.web.addresses import outside_url
from app.web.forms import Form, load_form
from app.web.navigation import stopped_words
from app.web.pages import go, render, say, wants_fragment

bp = Blueprint("connections", __name__, url_prefix="/connections")
bp.register_blueprint(bank_files.bp)
bp.register_blueprint(connection_adding.bp)

FROM_FILES: Final = "from-"
"""Before the id of an account kept by file, among the choices of the mapping."""

ID_CHARACTERS: Final = 32
SHOWN_MAX: Final = 60
"""Connections whose order is kept while the page looks again; their ids stand in its address."""


class MappingForm(Form):
    ledger_bank_account_id = fields.Str(load_default="")


class RepairForm(Form):
    add_accounts = fields.Bool(load_default=False)


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    return _page(request.args.get("visit"))


@bp.get("/<connection_id>")
@needs(Permission.VIEW)
def history(connection_id: str) -> ResponseReturnValue:
    before = request.args.get("before", "")[:ID_CHARACTERS]
    found = connection_history(current_actor(), connection_id, utc_now(), before or None)
    return render("connections/history.html", "live", history=found, before=before)


@bp.post("/<connection_id>/refresh")
@needs(Permission.BANK_CONNECTIONS)
def refresh_now(connection_id: str) -> ResponseReturnValue:
    refresh.refresh(current_actor(), connection_id)
    return _stay(connection_id, "The bank is asked for fresh data.")


@bp.post("/<connection_id>/sync")
@needs(Permission.BANK_CONNECTIONS)
def sync_now(connection_id: str) -> ResponseReturnValue:
    refresh.sync(current_actor(), connection_id)
    return _stay(connection_id, "What there is already is fetched.")


@bp.post("/<connection_id>/repair")
@needs(Permission.BANK_CONNECTIONS)
def repair(connection_id: str) -> ResponseReturnValue:
    add_accounts = load_form(RepairForm())["add_accounts"]
    flow = hosted_flows.repair(
        current_actor(),
        connection_id,
        outside_url("connections.flow_ended"),
        add_accounts=add_accounts,
    )
    return _stay(connection_id, visit=flow.flow_id)


@bp.post("/<connection_id>/complete")
@needs(Permission.BANK_CONNECTIONS)
def complete(connection_id: str) -> ResponseReturnValue:
    try:
        completion.complete(current_actor(), connection_id)
    except (NotFinished, AlreadyConnected, ProviderRefused) as refusal:
        return _stay(connection_id, refusal.detail, tone="info")
    return _stay(connection_id, "Signing in at the bank is finished; its data is being read.")


@bp.get("/flows/<flow_id>/open")
@needs(Permission.BANK_CONNECTIONS)
def open_flow(flow_id: str) -> ResponseReturnValue:
    """Lead to the bank's sign-in; its address lets in whoever has it, so no page shows it."""
    return redirect(hosted_flows.address_of(current_actor(), flow_id))


@bp.get("/flows/ended")
@public
def flow_ended() -> ResponseReturnValue:
    """Receive the browser that comes back from the bank; that alone says nothing of success."""
    return render("connections/flow_ended.html")


@bp.get("/<connection_id>/delete")
@needs(Permission.BANK_CONNECTIONS)
def ask_delete(connection_id: str) -> ResponseReturnValue:
    card = connection_card(current_actor(), connection_id, utc_now())
    return render("connections/delete.html", connection=card)


@bp.post("/<connection_id>/delete")
@needs(Permission.BANK_CONNECTIONS)
def delete(connection_id: str) -> ResponseReturnValue:
    card = connection_card(current_actor(), connection_id, utc_now())
    deleted = deletion.delete_connection(current_actor(), connection_id)
    said = f"The connection to {card.institution_name} was deleted; what it imported stays."
    if deleted.access_removed:
        return go(url_for(".index"), said)
    return go(
        url_for(".index"),
        f"{said} {card.provider_title} did not confirm that its access has ended: end it at the "
        "bank.",
        tone="warn",
    )


@bp.post("/accounts/<account_id>/ledger-bank-account")
@needs(Permission.BANK_CONNECTIONS)
def map_(account_id: str) -> ResponseReturnValue:
    chosen = load_form(MappingForm())["ledger_bank_account_id"] or None
    if chosen and chosen.startswith(FROM_FILES):
        old_account_id = chosen.removeprefix(FROM_FILES)
        return go(url_for(".ask_continue", account_id=account_id, old_account_id=old_account_id))
    accounts.map_account(current_actor(), account_id, chosen)
    said = "The account is mapped to the books." if chosen else "The account is no longer mapped."
    return go(url_for(".index"), said)


@bp.get("/accounts/<account_id>/continues/<old_account_id>")
@needs(Permission.BANK_CONNECTIONS)
def ask_continue(account_id: str, old_account_id: str) -> ResponseReturnValue:
    actor, now = current_actor(), utc_now()
    return render(
        "connections/continue.html",
        new=account_page(actor, account_id, now).account,
        old=account_page(actor, old_account_id, now).account,
    )


@bp.post("/accounts/<account_id>/continues/<old_account_id>")
@needs(Permission.BANK_CONNECTIONS)
def continue_(account_id: str, old_account_id: str) -> ResponseReturnValue:
    continue_account(current_actor(), account_id, old_account_id)
    return go(url_for(".index"), "The account goes on with all that its files had brought.")


def _stay(
    connection_id: str, said: str = "", *, tone: str = "ok", visit: str | None = None
) -> ResponseReturnValue:
    """After a write: show the connections as they are now.

    Args:
        connection_id: The card that the person goes on with.
        said: What was done; left out where the card says it all.
        tone: Of what is said.
        visit: The flow whose link the person needs next.
    """
    if wants_fragment():
        page = _page(visit)
        return say(page, said, tone=tone) if said else page
    anchor = None if visit else f"connection-{connection_id}"  # with one nothing is focused
    return go(url_for(".index", visit=visit, _anchor=anchor), said, tone=tone)


def _page(visit: str | None) -> Response:
    shown = request.args.get("shown", "").split(".")[:SHOWN_MAX]
    page = report.connections_page(current_actor(), utc_now(), shown)
    ids = [card.connection_id for card in page.connections]
    return render(
        "connections/index.html",
        "summary",
        "cards",
        page=page,
        shown=".".join(ids) if len(ids) <= SHOWN_MAX else "",
        focused_flow_id=visit,
        stopped_words=stopped_words(page.stopped_count),
        oob=wants_fragment(),
    )
