"""/api/financial_connections/v2: connect banks, read their health, bring in their files."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue
from marshmallow import fields

from app.aggregators.contract import Institution
from app.blueprints.api.base import (
    NDJSON,
    ApiBlueprint,
    Link,
    Paging,
    Takes,
    as_page,
    ndjson,
    page_of,
    require_match,
    wants_ndjson,
    with_etag,
    wrapped,
)
from app.blueprints.api.connection_schemas import (
    AccountSchema,
    CompleteBody,
    ConnectBody,
    ConnectionSchema,
    HostedFlowSchema,
    MappingBody,
    RepairBody,
    StatusSchema,
    SyncSchema,
    TransactionSchema,
    TransactionsQuery,
    TriggerSyncBody,
    UploadBody,
    UploadFile,
    UploadQuery,
    UploadSchema,
)
from app.connections import (
    accounts,
    completion,
    coverage,
    deletion,
    hosted_flows,
    nonstandard,
    refresh,
    uploads,
)
from app.connections.hosted_flows import OpenedFlow
from app.connections.sources import aggregators
from app.connections.uploads import Comparison
from app.kernel.errors import Invalid
from app.models import ConnectionPath
from app.reports import feeds
from app.reports.feeds import Asked
from app.statements import CsvMapping
from app.tenancy.permissions import Permission
from app.web.access import current_actor
from app.web.addresses import outside_url

bp = ApiBlueprint(
    "financial_connections",
    "/api/financial_connections/v2",
    "Connections to banks, their accounts and transactions, and files by hand.",
)

_MAY = Permission.BANK_CONNECTIONS


_CONNECTION = wrapped("ConnectionAnswer", connection=ConnectionSchema)
_SYNC = fields.Nested(SyncSchema, required=True, allow_none=True)
_AND_SYNC = wrapped("ConnectionAndSync", connection=ConnectionSchema, sync=_SYNC)
_FLOW = fields.Nested(HostedFlowSchema)
_AND_FLOW = wrapped("ConnectionAndFlow", connection=ConnectionSchema, hosted_flow=_FLOW)
_DELETED = wrapped(
    "DeletedConnection",
    connection=ConnectionSchema,
    aggregator_access_removed=fields.Bool(required=True),
)
_UPLOAD = wrapped("UploadAnswer", upload=UploadSchema)


@bp.call(
    "POST",
    "/connections/connect/",
    needs_permission=_MAY,
    takes=Takes(ConnectBody, example={"path": "standard", "institution_hint": "Cascade"}),
    gives=_AND_FLOW,
    status=201,
    refuses=(409,),
    leads_to=(
        *[
            Link(operation, "connection_id", "/connection/id")
            for operation in ("complete", "repair", "get_connection", "get_status", "delete")
        ],
        Link("upload", "account_id", "/connection/accounts/0/id"),
        Link("map_account", "account_id", "/connection/accounts/0/id"),
    ),
)
def connect(body: dict[str, Any]) -> dict[str, Any]:
    """Create a connection; a standard one gives the hosted flow in which a person signs in."""
    path = body["path"]
    if path is ConnectionPath.STANDARD:
        return _with_flow(_connect_standard(body))
    if path is ConnectionPath.MANUAL_UPLOAD:
        added = accounts.add_manual_account(current_actor(), _new_account(body))
        return {"connection": feeds.connection(added.connection_id)}
    command = nonstandard.ConnectThrough(
        connector=body["connector"],
        institution_name=body["institution_name"] or _account_name(body) or body["connector"],
        settings=body["settings"],
        account=_new_account(body) if "account" in body else None,
    )
    return {"connection": feeds.connection(nonstandard.connect_through(current_actor(), command))}


@bp.call(
    "POST",
    "/connections/<connection_id>/complete/",
    needs_permission=_MAY,
    takes=Takes(CompleteBody, example={}),
    gives=_AND_SYNC,
    status=202,
    refuses=(409,),
)
def complete(body: dict[str, Any], connection_id: str) -> dict[str, Any]:
    """Finish a connection whose person has been at the bank; repeating it is harmless."""
    done = completion.complete(current_actor(), connection_id, body["public_token"])
    return _with_sync(connection_id, done.run_id)


@bp.call(
    "POST",
    "/connections/<connection_id>/repair/",
    needs_permission=_MAY,
    takes=Takes(RepairBody, example={"add_accounts": False}),
    gives=_AND_FLOW,
    refuses=(409,),
)
def repair(body: dict[str, Any], connection_id: str) -> dict[str, Any]:
    """Let the person sign in at the bank again on the same connection, or share more accounts."""
    flow = hosted_flows.repair(current_actor(), connection_id, _return_url(), **body)
    return _with_flow(flow)


@bp.call(
    "POST",
    "/connections/<connection_id>/refresh/",
    needs_permission=_MAY,
    gives=_AND_SYNC,
    status=202,
    refuses=(409,),
)
def refresh_connection(connection_id: str) -> dict[str, Any]:
    """Ask for fresher data from the bank, once an hour; sooner is 429 and says when."""
    return _with_sync(connection_id, refresh.refresh(current_actor(), connection_id).run_id)


@bp.call(
    "POST",
    "/connections/<connection_id>/trigger-sync/",
    needs_permission=_MAY,
    takes=Takes(TriggerSyncBody, example={"refresh": False}),
    gives=_AND_SYNC,
    status=202,
    refuses=(409,),
)
def trigger_sync(body: dict[str, Any], connection_id: str) -> dict[str, Any]:
    """Sync; with `refresh`, which shares the hour of `/refresh/`, or what is there already."""
    ask = refresh.refresh if body["refresh"] else refresh.sync
    return _with_sync(connection_id, ask(current_actor(), connection_id).run_id)


@bp.call(
    "GET",
    "/connections/",
    needs_permission=Permission.VIEW,
    query=Paging,
    gives=page_of(ConnectionSchema),
)
def list_connections(query: dict[str, Any]) -> Any:
    """List connections with their accounts, oldest first."""
    return as_page(feeds.connections(Asked(**query)))


@bp.call(
    "GET",
    "/connections/<connection_id>/",
    needs_permission=Permission.VIEW,
    gives=ConnectionSchema,
)
def get_connection(connection_id: str) -> ResponseReturnValue:
    """Read one connection with its accounts."""
    return with_etag(ConnectionSchema(), feeds.connection(connection_id))


@bp.call(
    "GET",
    "/connections/<connection_id>/status/",
    needs_permission=Permission.VIEW,
    gives=StatusSchema,
)
def get_status(connection_id: str) -> feeds.Connection:
    """Read the health of a connection."""
    return feeds.connection(connection_id)


@bp.call(
    "DELETE",
    "/connections/<connection_id>/",
    needs_permission=_MAY,
    gives=_DELETED,
    refuses=(409,),
)
def delete(connection_id: str) -> dict[str, Any]:
    """Delete a connection for good; what it imported stays. Repeating it gives the same answer."""
    deleted = deletion.delete_connection(current_actor(), connection_id)
    return {
        "connection": feeds.connection(connection_id),
        "aggregator_access_removed": deleted.access_removed,
    }


@bp.call(
    "PUT",
    "/accounts/<account_id>/ledger-bank-account/",
    needs_permission=_MAY,
    takes=Takes(MappingBody, example={"ledger_bank_account_id": None}),
    gives=wrapped("AccountAnswer", account=AccountSchema),
    refuses=(409, 412),
)
def map_account(body: dict[str, Any], account_id: str) -> dict[str, Any]:
    """Say which ledger bank account a financial account is, or none; `ETag` of its connection."""
    require_match(ConnectionSchema(), feeds.connection_of_account(account_id))
    accounts.map_account(current_actor(), account_id, body["ledger_bank_account_id"])
    return {"account": feeds.account(account_id)}


@bp.call(
    "POST",
    "/accounts/<account_id>/uploads/",
    needs_permission=_MAY,
    query=UploadQuery,
    takes=Takes(UploadBody, files=UploadFile),
    gives=_UPLOAD,
    status=202,
    refuses=(409,),
    also_gives=((200, _UPLOAD, "application/json"),),
    leads_to=(Link("get_upload", "upload_id", "/upload/id"),),
)
def upload(
    query: dict[str, Any], files: dict[str, Any], body: dict[str, Any], account_id: str
) -> ResponseReturnValue | tuple[dict[str, Any], int]:
    """Bring in a bank file, whole or not at all; with `preview` only say what it would do."""
    file = files["file"]
    mapping = CsvMapping.from_json(body["mapping"]) if body["mapping"] else None
    data, name = file.read(), file.filename or "file"
    if query["preview"]:
        looked_at = uploads.look_at_file(current_actor(), account_id, data, mapping=mapping)
        _refuse_bad(looked_at)
        return {"upload": _previewed(looked_at, account_id, name)}, 200
    stored = uploads.store_upload(current_actor(), account_id, name, data, mapping=mapping)
    _refuse_bad(stored.comparison)
    uploads.confirm_upload(
        current_actor(),
        stored.upload_id,
        import_probable=body["import_probable"],
        covers_until=body["covers_until"],
    )
    return {"upload": feeds.upload(stored.upload_id)}, 202


@bp.call("GET", "/uploads/<upload_id>/", needs_permission=Permission.VIEW, gives=UploadSchema)
def get_upload(upload_id: str) -> feeds.UploadState:
    """Read how an upload stands."""
    return feeds.upload(upload_id)


@bp.call("GET", "/syncs/<sync_id>/", needs_permission=Permission.VIEW, gives=SyncSchema)
def get_sync(sync_id: str) -> feeds.Sync:
    """Read how a sync stands."""
    return feeds.sync(sync_id)


@bp.call(
    "GET",
    "/transactions/",
    needs_permission=Permission.VIEW,
    query=TransactionsQuery,
    gives=page_of(TransactionSchema),
    also_gives=((200, None, NDJSON),),
)
def list_transactions(query: dict[str, Any]) -> Any:
    """List bank transactions by date; with `updated_since` what changed, by its last change."""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    wanted = feeds.TransactionsAsked(**query)
    if wants_ndjson():
        return ndjson(TransactionSchema(), feeds.all_transactions(wanted))
    return as_page(feeds.transactions(wanted, Asked(limit, cursor)))


def _connect_standard(body: dict[str, Any]) -> OpenedFlow:
    actor = current_actor()
    aggregator = body["aggregator"] or _preferred_aggregator()
    institution = _hinted(aggregator, body["institution_hint"])
    return hosted_flows.connect(actor, aggregator, _return_url(), institution)


def _preferred_aggregator() -> str:
    names = list(aggregators())
    if not names:
        sentence = "This installation has no aggregator; ask its operator."
        raise Invalid(sentence, {"aggregator": [sentence]})
    return names[0]


def _hinted(aggregator: str, hint: str) -> Institution | None:
    """Return the bank that the hint names best; a hint that names none is left aside."""
    if len(hint.strip()) < coverage.QUERY_CHARACTERS_MIN:
        return None
    answer = coverage.search_coverage(current_actor(), hint)
    found = [r.coverage.institution for r in answer.reached if r.aggregator == aggregator]
    return found[0] if found else None


def _new_account(body: dict[str, Any]) -> accounts.AddManualAccount:
    account = body["account"]
    return accounts.AddManualAccount(
        institution_name=body["institution_name"] or account["name"],
        account_name=account["name"],
        mask=account["mask"],
        type=account["type"],
        currency=account["currency"],
    )


def _account_name(body: dict[str, Any]) -> str:
    return str(body["account"]["name"]) if "account" in body else ""


def _return_url() -> str:
    return outside_url("connections.flow_ended")


def _with_flow(flow: OpenedFlow) -> dict[str, Any]:
    return {"connection": feeds.connection(flow.connection_id), "hosted_flow": flow}


def _with_sync(connection_id: str, run_id: str | None) -> dict[str, Any]:
    sync = feeds.sync(run_id) if run_id else feeds.newest_sync(connection_id)
    return {"connection": feeds.connection(connection_id), "sync": sync}


def _refuse_bad(looked_at: Comparison) -> None:
    """Raise with what is wrong with the file, by line."""
    reading = looked_at.reading
    if reading.accepted:
        return
    errors: dict[str, list[str]] = {}
    for finding in reading.findings:
        if finding.level == "error":
            errors.setdefault(str(finding.line or "file"), []).append(finding.message)
    first = next(iter(errors.values()))[0]
    raise Invalid(f"{first} Nothing was imported.", errors)


def _previewed(looked_at: Comparison, account_id: str, filename: str) -> dict[str, Any]:
    reading, plan = looked_at.reading, looked_at.plan
    dates = [row.posted_date for row in reading.rows]
    return {
        "id": None,
        "account_id": account_id,
        "filename": filename,
        "format": reading.format,
        "state": "previewed",
        "progress": 0,
        "counts": {
            "rows": reading.rows_read,
            "new": len(plan.new),
            "duplicates": len(plan.present),
            "left_out": len(plan.probable),
            "rejected": reading.rows_rejected,
        },
        "first_date": min(dates, default=None),
        "last_date": max(dates, default=None),
        "errors": [],
        "created_at": None,
        "imported_at": None,
    }
