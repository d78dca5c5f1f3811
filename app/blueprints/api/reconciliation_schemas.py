"""What is sent and answered about reconciliations, matches and Bank Match AI."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from app.blueprints.api.base import Body, Paging
from app.kernel import limits
from app.models import MatchState

_IDS: Final = validate.Length(max=limits.MATCH_ITEMS_MAX)


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


class PeriodSchema(Schema):
    reconciliation_id = fields.Str(required=True)
    account_name = fields.Str(required=True)
    ending_date = fields.Date(required=True)
    is_open = fields.Bool(required=True)
    model_version = fields.Str(required=True)
    bank_count = fields.Int(required=True)
    by_rule_count = fields.Int(required=True)
    by_ai_count = fields.Int(required=True)
    approved_count = fields.Int(required=True)
    decided_count = fields.Int(required=True)
    undone_count = fields.Int(required=True)
    automatic_count = fields.Int(required=True)
    auto_match_rate = fields.Float(required=True, allow_none=True)
    acceptance_rate = fields.Float(required=True, allow_none=True)
    override_rate = fields.Float(required=True, allow_none=True)


class BandSchema(Schema):
    score_from = fields.Int(required=True)
    score_to = fields.Int(required=True)
    judged_count = fields.Int(required=True)
    right_count = fields.Int(required=True)
    mean_score = fields.Float(required=True)
    right_rate = fields.Float(required=True)


class PerformanceSchema(Schema):
    periods = fields.List(fields.Nested(PeriodSchema), required=True)
    bands = fields.List(fields.Nested(BandSchema), required=True)
    judged_automatic_count = fields.Int(required=True)
    right_automatic_count = fields.Int(required=True)
    precision = fields.Float(required=True, allow_none=True)
    precision_at_least = fields.Float(required=True, allow_none=True)
    model_version = fields.Str(required=True)
