"""Calls for institutions, users, members, accounts and transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import request

from sandbox import banks, entries, items
from sandbox.faults import Fault
from sandbox.mx import jobs, members, render, users
from sandbox.mx.calls import PAGING, Call, endpoint, page
from sandbox.mx.errors import MxRefusal

if TYPE_CHECKING:
    import sqlite3

    from sandbox.entries import Entry
    from sandbox.items import Item

COUNTRIES: Final = frozenset({"US", "CA", "MX"})
USER_FIELDS: Final = ("email", "id", "is_disabled", "metadata")
MEMBER_FIELDS: Final = (
    "background_aggregation_is_disabled",
    "credentials",
    "id",
    "metadata",
    "skip_aggregation",
    "use_cases",
)
MEMBERS: Final = "/users/<user_guid>/members"
MEMBER: Final = f"{MEMBERS}/<member_guid>"


@endpoint("GET", "/institutions", query=(*PAGING, "name"))
def list_institutions(call: Call) -> dict[str, Any]:
    found = banks.search(request.args.get("name", ""), COUNTRIES)
    return page(call, "institutions", [render.institution(bank) for bank in found])


@endpoint("GET", "/users", query=(*PAGING, "id"))
def list_users(call: Call) -> dict[str, Any]:
    with call.world.store.reading() as db:
        found = users.matching(db, request.args.get("id"))
    return page(call, "users", [render.user(user) for user in found])


@endpoint("POST", "/users")
def create_user(call: Call) -> dict[str, Any]:
    asked = call.body("user", USER_FIELDS)
    own_id = asked.get("id") or ""
    with call.world.store.writing() as db:
        if own_id and users.matching(db, own_id):
            raise MxRefusal(409, "There is a user with this id.")
        user = users.insert(
            db,
            own_id=own_id,
            email=asked.get("email") or "",
            metadata=asked.get("metadata") or "",
            is_disabled=bool(asked.get("is_disabled")),
        )
    return {"user": render.user(user)}


@endpoint("GET", MEMBERS, query=PAGING)
def list_members(call: Call, user_guid: str) -> dict[str, Any]:
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        found = [jobs.settle(call.world, db, m) for m in members.of_user(db, user_guid)]
        return page(call, "members", [render.member(db, m, user) for m in found])


@endpoint("GET", MEMBER)
def read_member(call: Call, user_guid: str, member_guid: str) -> dict[str, Any]:
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        member = call.member(db, user_guid, member_guid)
        return {"member": render.member(db, member, user)}


@endpoint("PUT", MEMBER)
def update_member(call: Call, user_guid: str, member_guid: str) -> dict[str, Any]:
    asked = call.body("member", MEMBER_FIELDS)
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        member = call.member(db, user_guid, member_guid)
        member = members.change(
            db,
            member,
            own_id=asked.get("id") or member.own_id,
            metadata=asked.get("metadata") or member.metadata,
        )
        if not asked.get("skip_aggregation"):
            member = jobs.start(call.world, db, member)
        return {"member": render.member(db, member, user)}


@endpoint("DELETE", MEMBER)
def delete_member(call: Call, user_guid: str, member_guid: str) -> None:
    with call.world.store.writing() as db:
        jobs.delete(call.world, db, call.member(db, user_guid, member_guid))


@endpoint("POST", f"{MEMBER}/aggregate", status=202)
def aggregate(call: Call, user_guid: str, member_guid: str) -> dict[str, Any]:
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        member = jobs.start(call.world, db, call.member(db, user_guid, member_guid))
        return {"member": render.member(db, member, user)}


@endpoint("GET", f"{MEMBER}/accounts", query=PAGING)
def list_member_accounts(call: Call, user_guid: str, member_guid: str) -> dict[str, Any]:
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        member = call.member(db, user_guid, member_guid)
        item = items.find(db, member.guid)
        found = items.shared_accounts(db, item) if item.is_ready else []
        rows = [render.account(account, item.bank, member, user) for account in found]
    return page(call, "accounts", rows)


@endpoint("GET", f"{MEMBER}/transactions", query=(*PAGING, "from_date", "to_date"))
def list_transactions_by_member(call: Call, user_guid: str, member_guid: str) -> dict[str, Any]:
    first, last = request.args.get("from_date", ""), request.args.get("to_date", "9999-12-31")
    _move_on(call, user_guid, member_guid)
    with call.world.store.writing() as db:
        user = call.user(db, user_guid)
        member = call.member(db, user_guid, member_guid)
        item = items.find(db, member.guid)
        found = [e for e in _shown(db, item) if first <= (e.authorized_day or e.day) < last]
    found.sort(key=lambda e: (e.authorized_day or e.day, e.transaction_id), reverse=True)
    return page(call, "transactions", [render.transaction(e, member, user) for e in found])


def _shown(db: sqlite3.Connection, item: Item) -> list[Entry]:
    accounts = items.shared_accounts(db, item)
    return entries.living(db, item, [account.account_id for account in accounts])


def _move_on(call: Call, user_guid: str, member_guid: str) -> None:
    """Let a job read the bank between two pages, where the fault menu says so."""
    fault = call.faults.get(Fault.MUTATION)
    if fault is not None and request.args.get("page") == fault.value:
        call.use_up(Fault.MUTATION)
        with call.world.store.writing() as db:
            jobs.start(call.world, db, call.member(db, user_guid, member_guid))
