"""/api/ledger/v1: the chart, ledger bank accounts, and the general ledger's entries."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from app.blueprints.api.base import (
    NDJSON,
    ApiBlueprint,
    Body,
    Instant,
    Paging,
    Query,
    Takes,
    as_page,
    ndjson,
    page_of,
    wants_ndjson,
    wrapped,
)
from app.kernel import limits
from app.ledger import accounts, entry_upsert, imports
from app.ledger.entry_upsert import Outcome
from app.models import GlAccountType
from app.reports import feeds
from app.reports.feeds import Asked
from app.tenancy.permissions import Permission
from app.web.access import current_actor

bp = ApiBlueprint("ledger_api", "/api/ledger/v1", "The general ledger.")

_TEXT = validate.Length(max=limits.CELL_CHARACTERS_MAX)


class GlAccountSchema(Schema):
    id = fields.Str(required=True)
    number = fields.Str(required=True)
    name = fields.Str(required=True)
    type = fields.Str(required=True)
    currency = fields.Str(required=True)


class BankAccountSchema(Schema):
    id = fields.Str(required=True)
    name = fields.Str(required=True)
    gl_account_id = fields.Str(required=True)
    currency = fields.Str(required=True)


class EntrySchema(Schema):
    id = fields.Str(required=True)
    external_id = fields.Str(required=True)
    account_id = fields.Str(required=True)
    date = fields.Date(required=True)
    amount = fields.Str(required=True)
    currency = fields.Str(required=True)
    description = fields.Str(required=True)
    counterparty = fields.Str(required=True)
    reference = fields.Str(required=True)
    updated_at = fields.AwareDateTime(required=True)


class GlAccountBody(Body):
    number = fields.Str(required=True)
    name = fields.Str(required=True)
    type = fields.Enum(GlAccountType, by_value=fields.Str, required=True)
    currency = fields.Str(required=True)


class BankAccountBody(Body):
    name = fields.Str(required=True)
    gl_account_id = fields.Str(required=True)


class EntryBody(Body):
    external_id = fields.Str(required=True)
    account_number = fields.Str(required=True)
    date = fields.Str(required=True, metadata={"format": "date"})
    amount = fields.Str(
        required=True, metadata={"description": "Decimal; debits, and so money in, positive."}
    )
    currency = fields.Str(required=True)
    description = fields.Str(required=True, validate=_TEXT)
    counterparty = fields.Str(load_default="", validate=_TEXT)
    reference = fields.Str(load_default="", validate=_TEXT)
    journal = fields.Str(load_default="")


_ENTRY = EntryBody()
_REQUIRED = {name for name, one in _ENTRY.fields.items() if one.required}
_OPTIONAL = {name: "" for name in _ENTRY.fields if name not in _REQUIRED}


class EntryList(fields.List[Any]):
    """Takes well-formed entries at a tenth of the price of looking for what is wrong with them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and all(map(_is_well_formed, value)):
            return [{**_OPTIONAL, **entry} for entry in value]
        return super()._deserialize(value, *args, **kwargs)


def _is_well_formed(entry: object) -> bool:
    """Tell whether the schema would find nothing to say."""
    return (
        isinstance(entry, dict)
        and entry.keys() >= _REQUIRED
        and entry.keys() <= _ENTRY.fields.keys()
        and all(isinstance(v, str) and len(v) <= limits.CELL_CHARACTERS_MAX for v in entry.values())
    )


class EntriesBody(Body):
    entries = EntryList(
        fields.Nested(EntryBody),
        required=True,
        validate=validate.Length(1, limits.API_ENTRIES_MAX),
    )


class UpsertQuery(Query):
    atomic = fields.Bool(
        load_default=True,
        metadata={"description": "All or nothing; otherwise bad rows are left out."},
    )


class RowOutcomeSchema(Schema):
    external_id = fields.Str(required=True)
    outcome = fields.Enum(Outcome, by_value=fields.Str, required=True)
    id = fields.Str(required=True, allow_none=True)
    message = fields.Str(required=True)


class UpsertedSchema(Schema):
    created = fields.Int(required=True)
    updated = fields.Int(required=True)
    unchanged = fields.Int(required=True)
    errors = fields.Int(required=True)
    results = fields.List(fields.Nested(RowOutcomeSchema), required=True)


class EntriesQuery(Paging):
    account_id = fields.Str(load_default="")
    date_from = fields.Date(load_default=None)
    date_to = fields.Date(load_default=None)
    updated_since = Instant(load_default=None)


class LedgerFile(Schema):
    file = fields.Raw(
        required=True,
        error_messages={"required": "Send the ledger's CSV file."},
        metadata={"type": "string", "format": "binary"},
    )


class ImportedSchema(Schema):
    id = fields.Str(required=True, attribute="import_id")
    rows = fields.Int(required=True, attribute="rows_count")
    created = fields.Int(required=True, attribute="created_count")
    updated = fields.Int(required=True, attribute="updated_count")
    unchanged = fields.Int(required=True, attribute="unchanged_count")


_ENTRY_EXAMPLE = {
    "external_id": "JE-1042-1",
    "account_number": "1000",
    "date": "2026-10-31",
    "amount": "-1250.00",
    "currency": "USD",
    "description": "Rent, November",
    "counterparty": "Harbor Properties",
}


@bp.call(
    "GET",
    "/accounts/",
    needs_permission=Permission.VIEW,
    query=Paging,
    gives=page_of(GlAccountSchema),
)
def list_accounts(query: dict[str, Any]) -> Any:
    """List the chart of accounts by number."""
    return as_page(feeds.chart(Asked(**query)))


@bp.call(
    "POST",
    "/accounts/",
    needs_permission=Permission.LEDGER,
    takes=Takes(
        GlAccountBody,
        example={"number": "1000", "name": "Cash", "type": "asset", "currency": "USD"},
    ),
    gives=GlAccountSchema,
    status=201,
)
def create_account(body: dict[str, Any]) -> feeds.ChartAccount:
    """Add an account to the chart."""
    return feeds.chart_account(accounts.create_gl_account(current_actor(), **body))


@bp.call(
    "GET",
    "/bank-accounts/",
    needs_permission=Permission.VIEW,
    query=Paging,
    gives=page_of(BankAccountSchema),
)
def list_bank_accounts(query: dict[str, Any]) -> Any:
    """List the ledger bank accounts by name."""
    return as_page(feeds.bank_accounts(Asked(**query)))


@bp.call(
    "POST",
    "/bank-accounts/",
    needs_permission=Permission.LEDGER,
    takes=Takes(BankAccountBody, example={"name": "Operating", "gl_account_id": "0190…"}),
    gives=BankAccountSchema,
    status=201,
)
def create_bank_account(body: dict[str, Any]) -> feeds.BankAccount:
    """Declare that a GL account stands for a bank account."""
    return feeds.bank_account(accounts.create_ledger_bank_account(current_actor(), **body))


@bp.call(
    "GET",
    "/entries/",
    needs_permission=Permission.VIEW,
    query=EntriesQuery,
    gives=page_of(EntrySchema),
    also_gives=((200, None, NDJSON),),
)
def list_entries(query: dict[str, Any]) -> Any:
    """List GL entries by date; with `updated_since` what changed, by its last change."""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    wanted = feeds.EntriesAsked(**query)
    if wants_ndjson():
        return ndjson(EntrySchema(), feeds.all_entries(wanted))
    return as_page(feeds.entries(wanted, Asked(limit, cursor)))


@bp.call(
    "POST",
    "/entries/",
    needs_permission=Permission.LEDGER,
    query=UpsertQuery,
    takes=Takes(EntriesBody, example={"entries": [_ENTRY_EXAMPLE]}),
    gives=UpsertedSchema,
    refuses=(409,),
)
def upsert(query: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Create, change or leave alone entries by `external_id`, up to 5,000 in one call."""
    results = entry_upsert.upsert_entries(current_actor(), body["entries"], atomic=query["atomic"])
    counts = dict.fromkeys(Outcome, 0)
    for result in results:
        counts[result.outcome] += 1
    return {
        "created": counts[Outcome.CREATED],
        "updated": counts[Outcome.UPDATED],
        "unchanged": counts[Outcome.UNCHANGED],
        "errors": counts[Outcome.ERROR],
        "results": results,
    }


@bp.call(
    "POST",
    "/imports/",
    needs_permission=Permission.LEDGER,
    takes=Takes(Body, files=LedgerFile),
    gives=wrapped("LedgerImportAnswer", **{"import": ImportedSchema}),
    status=201,
    refuses=(409,),
)
def import_file(files: dict[str, Any], _body: dict[str, Any]) -> dict[str, Any]:
    """Import a ledger's CSV file, whole or not at all; the same columns as `/entries/`."""
    file = files["file"]
    outcome = imports.import_ledger_now(current_actor(), file.filename or "ledger.csv", file.read())
    return {"import": outcome}
