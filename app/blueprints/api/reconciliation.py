"""/api/reconciliation/v1: open, match, decide, certify, report."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import Schema, fields, validate

from app.blueprints.api.base import (
    JSON,
    ApiBlueprint,
    Body,
    Link,
    Paging,
    Takes,
    as_page,
    page_of,
    require_match,
    with_etag,
)
from app.kernel import limits
from app.kernel.errors import Invalid
from app.kernel.money import parse_amount
from app.models import MatchState
from app.reconciliation import certification, decisions, opening, reopening, settings
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.settings import Thresholds
from app.reports import feeds, reconciliations
from app.reports import reconciliation_feeds as read
from app.reports.feeds import Asked
from app.reports.statement_document import statement_document
from app.tenancy.permissions import Permission
from app.web.access import current_actor
from app.web.files import csv_answer, pdf_answer

PREFIX = "/api/reconciliation/v1"
bp = ApiBlueprint("reconciliation_api", PREFIX, "Reconciliations and their matches.")

_PDF, _CSV = "application/pdf", "text/csv"
_IDS = validate.Length(max=limits.MATCH_ITEMS_MAX)


class RowSchema(Schema):
    id = fields.Str(required=True)
    ledger_bank_account_id = fields.Str(required=True)
    ending_date = fields.Date(required=True)
    currency = fields.Str(required=True)
    opening_balance = fields.Str(required=True)
    ending_balance = fields.Str(required=True)
    status = fields.Str(required=True)
    auto_match_threshold = fields.Int(required=True)
    review_threshold = fields.Int(required=True)
    model_version = fields.Str(required=True)
    created_at = fields.AwareDateTime(required=True)


class ProgressSchema(Schema):
    state = fields.Str(required=True)
    percent = fields.Int(required=True)
    text = fields.Str(required=True)
    failure = fields.Str(required=True)


class TotalsSchema(Schema):
    opening_balance = fields.Str(required=True)
    cleared_in = fields.Str(required=True)
    cleared_out = fields.Str(required=True)
    cleared_count = fields.Int(required=True)
    ending_balance = fields.Str(required=True)
    matched_bank_total = fields.Str(required=True)
    matched_gl_total = fields.Str(required=True)
    open_bank_count = fields.Int(required=True)
    open_gl_count = fields.Int(required=True)


class ReconciliationSchema(RowSchema):
    progress = fields.Nested(ProgressSchema, required=True)
    totals = fields.Nested(TotalsSchema, required=True)
    difference = fields.Str(required=True)
    matched_difference = fields.Str(required=True)


class SignalSchema(Schema):
    signal = fields.Str(required=True)
    points = fields.Float(required=True)
    words = fields.Str(required=True)


class MatchSchema(Schema):
    id = fields.Str(required=True)
    reconciliation_id = fields.Str(required=True)
    state = fields.Str(required=True)
    origin = fields.Str(required=True)
    score = fields.Float(required=True, allow_none=True)
    rivals_count = fields.Int(required=True)
    bank_transaction_ids = fields.List(fields.Str(), required=True)
    gl_entry_ids = fields.List(fields.Str(), required=True)
    bank_total = fields.Str(required=True)
    gl_total = fields.Str(required=True)
    currency = fields.Str(required=True)
    rule_id = fields.Str(required=True, allow_none=True)
    explanation = fields.List(fields.Nested(SignalSchema), required=True)
    flag = fields.Str(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)


class LineSchema(Schema):
    id = fields.Str(required=True)
    date = fields.Date(required=True)
    description = fields.Str(required=True)
    counterparty = fields.Str(required=True)
    reference = fields.Str(required=True)
    amount = fields.Str(required=True)
    age_days = fields.Int(required=True)


class ReportSchema(Schema):
    reconciliation_id = fields.Str(required=True)
    certified_at = fields.AwareDateTime(required=True, allow_none=True)
    certified_by = fields.Str(required=True, allow_none=True)
    sha256 = fields.Str(required=True)
    remarks = fields.Str(required=True)
    account_name = fields.Str(required=True)
    gl_account_number = fields.Str(required=True)
    currency = fields.Str(required=True)
    ending_date = fields.Date(required=True)
    opening_balance = fields.Str(required=True)
    cleared_in = fields.Str(required=True)
    cleared_out = fields.Str(required=True)
    balance_per_bank = fields.Str(required=True)
    deposits_in_transit = fields.List(fields.Nested(LineSchema), required=True)
    outstanding_payments = fields.List(fields.Nested(LineSchema), required=True)
    adjusted_bank_balance = fields.Str(required=True)
    balance_per_books = fields.Str(required=True)
    unrecorded_bank_items = fields.List(fields.Nested(LineSchema), required=True)
    adjusted_book_balance = fields.Str(required=True)
    adjustments = fields.List(fields.Nested(LineSchema), required=True)


class OpenBody(Body):
    ledger_bank_account_id = fields.Str(required=True)
    ending_date = fields.Date(required=True)
    ending_balance = fields.Str(required=True, metadata={"description": "Decimal."})
    opening_balance = fields.Str(
        load_default=None,
        allow_none=True,
        metadata={"description": "Asked for once, at an account's first reconciliation."},
    )


class ListQuery(Paging):
    ledger_bank_account_id = fields.Str(load_default="")


class MatchesQuery(Paging):
    state = fields.Enum(
        MatchState,
        by_value=fields.Str(validate=validate.OneOf(["suggested", "matched"])),
        load_default=MatchState.MATCHED,
    )


class MatchBody(Body):
    bank_transaction_ids = fields.List(fields.Str(), required=True, validate=_IDS)
    gl_entry_ids = fields.List(fields.Str(), required=True, validate=_IDS)


class AdjustmentBody(Body):
    bank_transaction_ids = fields.List(fields.Str(), required=True, validate=_IDS)
    gl_entry_ids = fields.List(fields.Str(), load_default=list, validate=_IDS)
    contra_account_id = fields.Str(required=True)
    memo = fields.Str(load_default="", validate=validate.Length(max=500))


class ApproveBody(Body):
    contra_account_id = fields.Str(
        load_default="",
        metadata={"description": "Where the rest goes of a suggestion whose amounts differ."},
    )
    memo = fields.Str(load_default="", validate=validate.Length(max=500))


class CertifyBody(Body):
    remarks = fields.Str(load_default="", validate=validate.Length(max=2000))


class ReopenBody(Body):
    reason = fields.Str(required=True, validate=validate.Length(max=2000))


class SettingsSchema(Body):
    auto_match_threshold = fields.Int(required=True, validate=validate.Range(1, 100))
    review_threshold = fields.Int(required=True, validate=validate.Range(1, 100))


@bp.call(
    "GET",
    "/reconciliations/",
    needs_permission=Permission.VIEW,
    query=ListQuery,
    gives=page_of(RowSchema),
)
def list_reconciliations(query: dict[str, Any]) -> Any:
    """List reconciliations, oldest first."""
    account_id = query.pop("ledger_bank_account_id")
    return as_page(read.reconciliations(Asked(**query), account_id))


@bp.call(
    "POST",
    "/reconciliations/",
    needs_permission=Permission.RECONCILE,
    takes=Takes(
        OpenBody,
        example={
            "ledger_bank_account_id": "0190…",
            "ending_date": "2026-10-31",
            "ending_balance": "54148.15",
        },
    ),
    gives=ReconciliationSchema,
    status=201,
    refuses=(404, 409),
    leads_to=tuple(
        Link(name, "reconciliation_id", "/id")
        for name in ("get_reconciliation", "run_matching", "list_matches", "certify", "report")
    ),
)
def open_reconciliation(body: dict[str, Any]) -> dict[str, Any]:
    """Open a reconciliation; matching begins by itself."""
    account = feeds.bank_account(body["ledger_bank_account_id"])
    opening_balance = body["opening_balance"]
    command = opening.OpenReconciliation(
        ledger_bank_account_id=account.id,
        ending_date=body["ending_date"],
        ending_balance_minor=_minor("ending_balance", body["ending_balance"], account.currency),
        opening_balance_minor=None
        if opening_balance is None
        else _minor("opening_balance", opening_balance, account.currency),
    )
    return _shown(opening.open_reconciliation(current_actor(), command))


@bp.call(
    "GET",
    "/reconciliations/<reconciliation_id>/",
    needs_permission=Permission.VIEW,
    gives=ReconciliationSchema,
)
def get_reconciliation(reconciliation_id: str) -> dict[str, Any]:
    """Read a reconciliation: status, progress of matching, totals, difference."""
    return _shown(reconciliation_id)


@bp.call(
    "POST",
    "/reconciliations/<reconciliation_id>/match/",
    needs_permission=Permission.RECONCILE,
    gives=ReconciliationSchema,
    status=202,
    refuses=(409,),
)
def run_matching(reconciliation_id: str) -> dict[str, Any]:
    """Run rules and Bank Match AI again."""
    opening.request_matching(current_actor(), reconciliation_id)
    return _shown(reconciliation_id)


@bp.call(
    "GET",
    "/reconciliations/<reconciliation_id>/matches/",
    needs_permission=Permission.VIEW,
    query=MatchesQuery,
    gives=page_of(MatchSchema),
)
def list_matches(query: dict[str, Any], reconciliation_id: str) -> Any:
    """List what is matched, or what is suggested and waits for a decision."""
    state = query.pop("state")
    return as_page(read.matches(reconciliation_id, state, Asked(**query)))


@bp.call(
    "POST",
    "/reconciliations/<reconciliation_id>/matches/",
    needs_permission=Permission.RECONCILE,
    takes=Takes(MatchBody, example={"bank_transaction_ids": ["01…"], "gl_entry_ids": ["01…"]}),
    gives=MatchSchema,
    status=201,
    refuses=(409,),
)
def match_by_hand(body: dict[str, Any], reconciliation_id: str) -> read.MatchRow:
    """Match lines whose amounts are equal, one or many on either side."""
    return _matched(reconciliation_id, body, None)


@bp.call(
    "POST",
    "/reconciliations/<reconciliation_id>/adjustments/",
    needs_permission=Permission.RECONCILE,
    takes=Takes(
        AdjustmentBody,
        example={
            "bank_transaction_ids": ["01…"],
            "contra_account_id": "01…",
            "memo": "Wire fee, October",
        },
    ),
    gives=MatchSchema,
    status=201,
    refuses=(409,),
)
def adjust(body: dict[str, Any], reconciliation_id: str) -> read.MatchRow:
    """Record what the books lack as a journal entry, matched at once to its bank transaction."""
    adjustment = Adjustment(body["contra_account_id"], body["memo"])
    return _matched(reconciliation_id, body, adjustment)


@bp.call(
    "POST",
    "/matches/<match_id>/approve/",
    needs_permission=Permission.RECONCILE,
    takes=Takes(ApproveBody, example={}),
    gives=MatchSchema,
    refuses=(409,),
)
def approve(body: dict[str, Any], match_id: str) -> read.MatchRow:
    """Turn a suggestion into a match."""
    contra = body["contra_account_id"]
    adjustment = Adjustment(contra, body["memo"]) if contra else None
    decisions.approve(current_actor(), match_id, adjustment)
    return read.match(match_id)


@bp.call(
    "POST",
    "/matches/<match_id>/reject/",
    needs_permission=Permission.RECONCILE,
    gives=MatchSchema,
    refuses=(409,),
)
def reject(match_id: str) -> read.MatchRow:
    """Dismiss a suggestion."""
    decisions.reject(current_actor(), match_id)
    return read.match(match_id)


@bp.call(
    "POST",
    "/matches/<match_id>/unmatch/",
    needs_permission=Permission.RECONCILE,
    gives=MatchSchema,
    refuses=(409,),
)
def unmatch(match_id: str) -> read.MatchRow:
    """Take a match apart; what it adjusted is reversed."""
    decisions.unmatch(current_actor(), match_id)
    return read.match(match_id)


@bp.call(
    "POST",
    "/reconciliations/<reconciliation_id>/complete/",
    needs_permission=Permission.CERTIFY,
    takes=Takes(CertifyBody, example={"remarks": ""}),
    gives=ReconciliationSchema,
    refuses=(409,),
)
def certify(body: dict[str, Any], reconciliation_id: str) -> dict[str, Any]:
    """Certify at difference zero; 409 says in `reasons` what still stands against it."""
    certification.certify(current_actor(), reconciliation_id, body["remarks"])
    return _shown(reconciliation_id)


@bp.call(
    "POST",
    "/reconciliations/<reconciliation_id>/reopen/",
    needs_permission=Permission.REOPEN,
    takes=Takes(ReopenBody, example={"reason": "The bank sent a corrected statement."}),
    gives=ReconciliationSchema,
    refuses=(409,),
)
def reopen(body: dict[str, Any], reconciliation_id: str) -> dict[str, Any]:
    """Open the newest certified reconciliation of an account again."""
    reopening.reopen(current_actor(), reconciliation_id, body["reason"])
    return _shown(reconciliation_id)


@bp.call(
    "GET",
    "/reconciliations/<reconciliation_id>/report/",
    needs_permission=Permission.VIEW,
    gives=ReportSchema,
    also_gives=((200, None, _PDF), (200, None, _CSV)),
)
def report(reconciliation_id: str) -> Response | dict[str, Any]:
    """Read the bank reconciliation statement: JSON, PDF or CSV, as `Accept` says."""
    wanted = request.accept_mimetypes.best_match([JSON, _PDF, _CSV])
    if wanted in {_PDF, _CSV}:
        found = reconciliations.report(reconciliation_id)
        document = statement_document(current_actor(), found)
        return pdf_answer(document) if wanted == _PDF else csv_answer(document)
    return read.statement(reconciliation_id)


@bp.call("GET", "/settings/", needs_permission=Permission.VIEW, gives=SettingsSchema)
def get_settings() -> Response:
    """Read the thresholds for reconciliations that are opened from now on."""
    return with_etag(SettingsSchema(), _thresholds())


@bp.call(
    "PUT",
    "/settings/",
    needs_permission=Permission.SETTINGS,
    takes=Takes(SettingsSchema, example={"auto_match_threshold": 85, "review_threshold": 50}),
    gives=SettingsSchema,
    refuses=(412,),
)
def put_settings(body: dict[str, Any]) -> Response:
    """Set both thresholds; open and certified reconciliations keep theirs."""
    require_match(SettingsSchema(), _thresholds())
    wanted = Thresholds(body["auto_match_threshold"], body["review_threshold"])
    settings.set_thresholds(current_actor(), wanted)
    return with_etag(SettingsSchema(), _thresholds())


def _thresholds() -> dict[str, int]:
    now = settings.thresholds(current_actor().organization_id)
    return {"auto_match_threshold": now.auto_match, "review_threshold": now.review}


def _shown(reconciliation_id: str) -> dict[str, Any]:
    found = read.reconciliation(reconciliation_id)
    row = RowSchema().dump(found.row)
    return {
        **{name: getattr(found.row, name) for name in row},
        "progress": found.progress,
        "totals": found.totals,
        "difference": found.difference,
        "matched_difference": found.matched_difference,
    }


def _matched(
    reconciliation_id: str, body: dict[str, Any], adjustment: Adjustment | None
) -> read.MatchRow:
    command = decisions.MatchByHand(
        reconciliation_id=reconciliation_id,
        bank_transaction_ids=tuple(body["bank_transaction_ids"]),
        gl_entry_ids=tuple(body["gl_entry_ids"]),
        adjustment=adjustment,
    )
    return read.match(decisions.match_by_hand(current_actor(), command))


def _minor(name: str, text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except Invalid as refusal:
        raise Invalid(refusal.detail, {name: [refusal.detail]}) from refusal
