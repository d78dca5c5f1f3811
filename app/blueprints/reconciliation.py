"""Cash Management → Bank Reconciliation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from app.kernel.errors import Conflict, Invalid, Refusal
from app.kernel.money import parse_amount
from app.models import JobStatus
from app.reconciliation import certification, decisions, opening, review
from app.reconciliation.adjustments import Adjustment
from app.reports import bank_exceptions, reconciliations, workspace
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.web.access import current_actor, needs
from app.web.forms import Form, load_form
from app.web.pages import UNPROCESSABLE, go, render, say, wants_fragment

bp = Blueprint("reconciliation", __name__, url_prefix="/reconciliations")

_TEMPLATE = "reconciliation/workspace.html"
_VIEW_NAMES = ("q", "sort_bank", "sort_gl", "after_bank", "after_gl", "line")


class OpeningForm(Form):
    ledger_bank_account_id = fields.Str(required=True)
    ending_date = fields.Date(required=True, error_messages={"invalid": "Give the date."})
    ending_balance = fields.Str(
        required=True, validate=validate.Length(1, error="Give the balance on the statement.")
    )
    opening_balance = fields.Str(load_default="")


class MatchForm(Form):
    bank = fields.List(fields.Str())
    gl = fields.List(fields.Str())
    candidate = fields.Str(load_default="")
    line = fields.Str(load_default="")
    contra_account_id = fields.Str(load_default="")
    memo = fields.Str(load_default="", validate=validate.Length(max=500))


@bp.get("/")
@needs(Permission.VIEW)
def index() -> ResponseReturnValue:
    return render("reconciliation/index.html", accounts=reconciliations.accounts())


@bp.get("/accounts/<account_id>")
@needs(Permission.VIEW)
def history(account_id: str) -> ResponseReturnValue:
    return render(
        "reconciliation/history.html",
        account=reconciliations.opening_form(account_id),
        rows=reconciliations.history(account_id),
    )


@bp.get("/accounts/<account_id>/new")
@needs(Permission.RECONCILE)
def new(account_id: str) -> ResponseReturnValue:
    form = reconciliations.opening_form(account_id)
    values = {"ending_date": form.suggested_ending_date or "", "ending_balance": ""}
    return render("reconciliation/new.html", form=form, values=values, errors={})


@bp.post("/")
@needs(Permission.RECONCILE)
def open_() -> ResponseReturnValue:
    account_id = request.form.get("ledger_bank_account_id", "")
    form = reconciliations.opening_form(account_id)
    try:
        values = load_form(OpeningForm())
        typed = values["opening_balance"]
        command = opening.OpenReconciliation(
            ledger_bank_account_id=account_id,
            ending_date=values["ending_date"],
            ending_balance_minor=_amount("ending_balance", values["ending_balance"], form.currency),
            opening_balance_minor=_amount("opening_balance", typed, form.currency)
            if typed
            else None,
        )
        reconciliation_id = opening.open_reconciliation(current_actor(), command)
    except Invalid as refusal:
        return render(
            "reconciliation/new.html",
            status=UNPROCESSABLE,
            form=form,
            values=request.form,
            errors=refusal.fields or {"": [refusal.detail]},
        )
    return go(url_for(".unmatched", reconciliation_id=reconciliation_id))


@bp.get("/<reconciliation_id>")
@needs(Permission.VIEW)
def unmatched(reconciliation_id: str) -> ResponseReturnValue:
    return _unmatched(reconciliation_id, _view(request.args))


@bp.get("/<reconciliation_id>/matched")
@needs(Permission.VIEW)
def matched(reconciliation_id: str) -> ResponseReturnValue:
    return _matched(reconciliation_id, request.args.get("q", ""), request.args.get("after", ""))


@bp.get("/<reconciliation_id>/progress")
@needs(Permission.VIEW)
def progress(reconciliation_id: str) -> ResponseReturnValue:
    head = workspace.header(reconciliation_id)
    if not wants_fragment():
        return go(url_for(".unmatched", reconciliation_id=reconciliation_id))
    response = render(_TEMPLATE, "progress", head=head, tab="unmatched")
    if head.run is None or head.run.status not in (JobStatus.QUEUED, JobStatus.RUNNING):
        response.headers["HX-Trigger"] = "lines-changed"
    return response


@bp.post("/<reconciliation_id>/match")
@needs(Permission.RECONCILE)
def run_matching(reconciliation_id: str) -> ResponseReturnValue:
    opening.request_matching(current_actor(), reconciliation_id)
    return _after(reconciliation_id, "Matching runs again; you can go on working.")


@bp.post("/<reconciliation_id>/matches")
@needs(Permission.RECONCILE)
def match_by_hand(reconciliation_id: str) -> ResponseReturnValue:
    values = load_form(MatchForm(), lists=("bank", "gl"))
    by_candidate = bool(values["candidate"])
    command = decisions.MatchByHand(
        reconciliation_id=reconciliation_id,
        bank_transaction_ids=(values["line"],) if by_candidate else tuple(values["bank"]),
        gl_entry_ids=(values["candidate"],) if by_candidate else tuple(values["gl"]),
        adjustment=_adjustment(values),
    )
    try:
        match_id = decisions.match_by_hand(current_actor(), command)
    except Refusal as refusal:
        return _held_back(reconciliation_id, refusal)
    return _after(reconciliation_id, "Matched.", undo_url=url_for(".unmatch", match_id=match_id))


@bp.post("/matches/<match_id>/approve")
@needs(Permission.RECONCILE)
def approve(match_id: str) -> ResponseReturnValue:
    adjustment = _adjustment(load_form(MatchForm()))
    decide = partial(decisions.approve, adjustment=adjustment)
    return _decided(match_id, decide, "Approved.", undo=".unmatch")


@bp.post("/matches/<match_id>/reject")
@needs(Permission.RECONCILE)
def reject(match_id: str) -> ResponseReturnValue:
    return _decided(match_id, decisions.reject, "Rejected.", undo=".take_back")


@bp.post("/matches/<match_id>/unmatch")
@needs(Permission.RECONCILE)
def unmatch(match_id: str) -> ResponseReturnValue:
    return _decided(match_id, decisions.unmatch, "Unmatched.", undo=".take_back")


@bp.post("/matches/<match_id>/take-back")
@needs(Permission.RECONCILE)
def take_back(match_id: str) -> ResponseReturnValue:
    return _decided(match_id, decisions.take_back, "Taken back.")


@bp.post("/matches/<match_id>/keep")
@needs(Permission.RECONCILE)
def keep(match_id: str) -> ResponseReturnValue:
    decide = partial(review.keep, seen=request.form.get("seen", ""))
    return _decided(match_id, decide, "Kept as the bank says it now.", undo=".take_back_keeping")


@bp.post("/matches/<match_id>/keep/take-back")
@needs(Permission.RECONCILE)
def take_back_keeping(match_id: str) -> ResponseReturnValue:
    return _decided(match_id, review.take_back_keeping, "It waits for you again.")


@bp.get("/<reconciliation_id>/statement")
@needs(Permission.RECONCILE)
def statement(reconciliation_id: str) -> ResponseReturnValue:
    head = workspace.header(reconciliation_id)
    return render("reconciliation/statement.html", head=head, errors={}, value=None)


@bp.post("/<reconciliation_id>/statement")
@needs(Permission.RECONCILE)
def change_statement(reconciliation_id: str) -> ResponseReturnValue:
    head = workspace.header(reconciliation_id)
    typed = request.form.get("ending_balance", "")
    try:
        minor = _amount("ending_balance", typed, head.currency)
        opening.change_statement(current_actor(), reconciliation_id, ending_balance_minor=minor)
    except Invalid as refusal:
        return render(
            "reconciliation/statement.html",
            status=UNPROCESSABLE,
            head=head,
            errors=refusal.fields,
            value=typed,
        )
    return go(
        url_for(".unmatched", reconciliation_id=reconciliation_id), "Ending balance corrected."
    )


@bp.get("/<reconciliation_id>/certify")
@needs(Permission.CERTIFY)
def certify(reconciliation_id: str) -> ResponseReturnValue:
    return certify_page(reconciliation_id)


def certify_page(reconciliation_id: str, refusal: Invalid | None = None) -> Response:
    """Show what is signed, with the form of whoever's turn it is."""
    return render(
        "reconciliation/certify.html",
        status=refusal.status if refusal else 200,
        errors=(refusal.fields or {"": [refusal.detail]}) if refusal else {},
        reason=request.form.get("reason", ""),
        exceptions_count=bank_exceptions.waiting_count_beside(reconciliation_id),
        head=workspace.header(reconciliation_id),
        report=reconciliations.report(reconciliation_id),
        second_review=certification.second_review_wanted(),
    )


@bp.post("/<reconciliation_id>/certify")
@needs(Permission.CERTIFY)
def certify_now(reconciliation_id: str) -> ResponseReturnValue:
    certification.certify(
        current_actor(), reconciliation_id, request.form.get("remarks", "")[:2000]
    )
    return go(
        url_for(".report", reconciliation_id=reconciliation_id),
        "Certified. Its matches are locked.",
    )


@bp.get("/<reconciliation_id>/report")
@needs(Permission.VIEW)
def report(reconciliation_id: str) -> ResponseReturnValue:
    return render(
        "reconciliation/report.html",
        report=reconciliations.report(reconciliation_id),
        changes=bank_exceptions.changes_of_statement(reconciliation_id),
        reopen_refusal=reconciliations.reopen_refusal(reconciliation_id),
    )


def _decided(
    match_id: str, decide: Callable[[Actor, str], str], text: str, undo: str | None = None
) -> ResponseReturnValue:
    """Decide on one suggestion or match; `undo` is the endpoint that takes it back."""
    reconciliation_id = workspace.reconciliation_of_match(match_id)
    try:
        decide(current_actor(), match_id)
    except Refusal as refusal:
        return _held_back(reconciliation_id, refusal)
    return _after(
        reconciliation_id, text, undo_url=url_for(undo, match_id=match_id) if undo else None
    )


def _amount(field: str, text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except Invalid as refusal:
        raise Invalid(refusal.detail, {field: [refusal.detail]}) from refusal


def _adjustment(values: dict[str, Any]) -> Adjustment | None:
    if not values["contra_account_id"]:
        return None
    return Adjustment(values["contra_account_id"], values["memo"])


def _view(source: Any) -> workspace.View:
    return workspace.View(**{name: source[name] for name in _VIEW_NAMES if source.get(name)})


def _sent_view() -> dict[str, str]:
    """Return where the person was when the form was sent: every form carries its address."""
    return dict(parse_qsl(request.form.get("view", "")))


def _after(reconciliation_id: str, text: str, undo_url: str | None = None) -> ResponseReturnValue:
    """Show the same place again after a write, with what was done and the way back."""
    sent = _sent_view()
    if wants_fragment() and not _asks_for_lines():
        return say(Response(status=204), text, undo_url=undo_url, event="lines-changed")
    if wants_fragment():
        return say(_same_place(reconciliation_id, sent), text, undo_url=undo_url)
    endpoint = ".matched" if sent.pop("tab", "") == "matched" else ".unmatched"
    parts: dict[str, Any] = {**sent, "reconciliation_id": reconciliation_id}
    return go(url_for(endpoint, **parts), text, undo_url=undo_url)


def _held_back(reconciliation_id: str, refusal: Refusal) -> ResponseReturnValue:
    """Show the state as it is now, with the sentence that says why nothing was changed."""
    if not isinstance(refusal, Conflict | Invalid) or not _asks_for_lines():
        raise refusal
    response = _same_place(reconciliation_id, _sent_view(), status=refusal.status)
    return say(response, refusal.detail, tone="bad")


def _asks_for_lines() -> bool:
    """Tell whether the answer takes the place of the lines; a toast's Undo stands elsewhere."""
    return wants_fragment() and request.headers.get("HX-Target") == "workspace"


def _same_place(reconciliation_id: str, sent: dict[str, str], status: int = 200) -> Response:
    if sent.get("tab") == "matched":
        return _matched(reconciliation_id, sent.get("q", ""), sent.get("after", ""), status)
    return _unmatched(reconciliation_id, _view(sent), status)


def _unmatched(reconciliation_id: str, view: workspace.View, status: int = 200) -> Response:
    head = workspace.header(reconciliation_id)
    address = {name: value for name in _VIEW_NAMES if (value := getattr(view, name))}

    def url(**changes: str | None) -> str:
        """Return this page's address with some of its parts changed."""
        parts: dict[str, Any] = {**address, **changes}
        return url_for(".unmatched", reconciliation_id=reconciliation_id, **parts)

    def bank_sort_url(order: str) -> str:
        return url(sort_bank=order, after_bank=None)

    def gl_sort_url(order: str) -> str:
        return url(sort_gl=order, after_gl=None)

    return render(
        _TEMPLATE,
        "workspace",
        "bar",
        "actions",
        status=status,
        head=head,
        tab="unmatched",
        view=view,
        view_query=urlencode(address),
        url=url,
        bank_sort_url=bank_sort_url,
        gl_sort_url=gl_sort_url,
        oob=wants_fragment(),
        lines=workspace.unmatched(reconciliation_id, view),
    )


def _matched(reconciliation_id: str, q: str, after: str, status: int = 200) -> Response:
    head = workspace.header(reconciliation_id)
    address = {"tab": "matched", "q": q, "after": after}
    return render(
        _TEMPLATE,
        "workspace",
        "bar",
        "actions",
        status=status,
        head=head,
        tab="matched",
        view=workspace.View(q=q),
        view_query=urlencode({name: value for name, value in address.items() if value}),
        oob=wants_fragment(),
        matches=workspace.matched(reconciliation_id, q, after),
    )
