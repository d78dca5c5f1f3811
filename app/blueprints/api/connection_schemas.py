"""What is sent and answered about connections, accounts, files and transactions."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from app.blueprints.api.base import Body, Instant, Paging, Query
from app.connections.coverage import QUERY_CHARACTERS_MAX
from app.kernel.bank import AccountType
from app.models import ConnectionPath, TransactionStatus


class InstitutionSchema(Schema):
    id = fields.Str(required=True, allow_none=True)
    name = fields.Str(required=True)


class AccountSchema(Schema):
    id = fields.Str(required=True)
    name = fields.Str(required=True)
    mask = fields.Str(required=True)
    type = fields.Str(required=True)
    subtype = fields.Str(required=True)
    currency = fields.Str(required=True)
    current_balance = fields.Str(required=True, allow_none=True)
    available_balance = fields.Str(required=True, allow_none=True)
    status = fields.Str(required=True)
    ledger_bank_account_id = fields.Str(required=True, allow_none=True)


class ConnectionSchema(Schema):
    id = fields.Str(required=True)
    path = fields.Str(required=True, validate=validate.OneOf(list(ConnectionPath)))
    aggregator = fields.Str(required=True, allow_none=True)
    connector = fields.Str(required=True, allow_none=True)
    institution = fields.Nested(InstitutionSchema, required=True)
    status = fields.Str(required=True)
    status_reason = fields.Str(required=True)
    created_at = fields.AwareDateTime(required=True)
    last_sync_at = fields.AwareDateTime(required=True, allow_none=True)
    successfully_aggregated_at = fields.AwareDateTime(required=True, allow_none=True)
    refresh_available_at = fields.AwareDateTime(required=True, allow_none=True)
    accounts = fields.List(fields.Nested(AccountSchema), required=True)


class HostedFlowSchema(Schema):
    url = fields.Str(required=True)
    expires_at = fields.AwareDateTime(required=True)
    mode = fields.Str(required=True)


class SyncSchema(Schema):
    id = fields.Str(required=True)
    connection_id = fields.Str(required=True)
    state = fields.Str(required=True)
    progress = fields.Int(required=True)
    counts = fields.Dict(keys=fields.Str(), values=fields.Int(), required=True)
    errors = fields.List(fields.Str(), required=True)
    requested_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    finished_at = fields.AwareDateTime(required=True, allow_none=True)


class UploadSchema(Schema):
    id = fields.Str(required=True, allow_none=True)
    account_id = fields.Str(required=True)
    filename = fields.Str(required=True)
    format = fields.Str(required=True)
    state = fields.Str(required=True)
    progress = fields.Int(required=True)
    counts = fields.Dict(keys=fields.Str(), values=fields.Int(), required=True)
    first_date = fields.Date(required=True, allow_none=True)
    last_date = fields.Date(required=True, allow_none=True)
    errors = fields.List(fields.Str(), required=True)
    created_at = fields.AwareDateTime(required=True, allow_none=True)
    imported_at = fields.AwareDateTime(required=True, allow_none=True)


class TransactionSchema(Schema):
    id = fields.Str(required=True)
    account_id = fields.Str(required=True)
    posted_date = fields.Date(required=True)
    value_date = fields.Date(required=True, allow_none=True)
    amount = fields.Str(required=True)
    currency = fields.Str(required=True)
    description = fields.Str(required=True)
    counterparty = fields.Str(required=True)
    reference = fields.Str(required=True)
    status = fields.Str(required=True)
    updated_at = fields.AwareDateTime(required=True)


class AccountStatusSchema(Schema):
    id = fields.Str(required=True)
    status = fields.Str(required=True)


class StatusSchema(Schema):
    status = fields.Str(required=True)
    status_reason = fields.Str(required=True)
    last_sync_at = fields.AwareDateTime(required=True, allow_none=True)
    successfully_aggregated_at = fields.AwareDateTime(required=True, allow_none=True)
    refresh_available_at = fields.AwareDateTime(required=True, allow_none=True)
    accounts = fields.List(fields.Nested(AccountStatusSchema), required=True)


class NewAccountBody(Body):
    name = fields.Str(required=True)
    type = fields.Enum(AccountType, by_value=fields.Str, required=True)
    currency = fields.Str(required=True)
    mask = fields.Str(load_default="")


class ConnectBody(Body):
    path = fields.Enum(ConnectionPath, by_value=fields.Str, required=True)
    aggregator = fields.Str(load_default="", metadata={"description": "For `standard`."})
    institution_hint = fields.Str(
        load_default="",
        validate=validate.Length(max=QUERY_CHARACTERS_MAX),
        metadata={"description": "A bank's name to begin with, for `standard`."},
    )
    institution_name = fields.Str(load_default="", validate=validate.Length(max=120))
    connector = fields.Str(metadata={"description": "Required for `non_standard`."})
    settings = fields.Dict(keys=fields.Str(), values=fields.Str(), load_default=dict)
    account = fields.Nested(
        NewAccountBody,
        metadata={"description": "For `manual_upload`, and for connectors that bring files."},
    )

    @validates_schema
    def _what_the_path_needs(self, values: dict[str, Any], **_others: Any) -> None:
        path = values.get("path")
        needed = {ConnectionPath.MANUAL_UPLOAD: "account", ConnectionPath.NON_STANDARD: "connector"}
        name = needed.get(path) if path else None
        if name and name not in values:
            raise ValidationError("Missing data for required field.", name)


class CompleteBody(Body):
    public_token = fields.Str(load_default=None, allow_none=True, validate=validate.Length(1, 500))


class RepairBody(Body):
    add_accounts = fields.Bool(load_default=False)


class TriggerSyncBody(Body):
    refresh = fields.Bool(load_default=True)


class MappingBody(Body):
    ledger_bank_account_id = fields.Str(required=True, allow_none=True)


class UploadQuery(Query):
    preview = fields.Bool(load_default=False)


class UploadBody(Body):
    mapping = fields.Str(
        load_default="",
        validate=validate.Length(max=20_000),
        metadata={"description": "How to read a CSV file, as JSON; found or remembered else."},
    )
    import_probable = fields.Bool(load_default=False)
    covers_until = fields.Date(load_default=None)


class UploadFile(Schema):
    file = fields.Raw(
        required=True,
        error_messages={"required": "Send the bank's file."},
        metadata={"type": "string", "format": "binary"},
    )


class TransactionsQuery(Paging):
    account_id = fields.Str(load_default="")
    posted_from = fields.Date(load_default=None)
    posted_to = fields.Date(load_default=None)
    updated_since = Instant(load_default=None)
    status = fields.Enum(TransactionStatus, by_value=fields.Str, load_default=None)
