"""What programs call: claim a token once, then read accounts as often as they like."""

from __future__ import annotations

import json
import secrets
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from sandbox import faults
from sandbox.faults import Fault
from sandbox.simplefin import grants, render
from sandbox.simplefin.render import Question
from sandbox.world import current_world

if TYPE_CHECKING:
    import sqlite3

    from sandbox.faults import ActiveFault
    from sandbox.items import Item
    from sandbox.simplefin.grants import Grant
    from sandbox.world import World

OK: Final = 200
PAYMENT_REQUIRED: Final = 402
FORBIDDEN: Final = 403
TOO_MANY_REQUESTS: Final = 429
SERVER_ERROR: Final = 500
VERSION_BY_DEFAULT: Final = "1"

simplefin = Blueprint("simplefin", __name__, url_prefix="/simplefin", template_folder="templates")


def base_url() -> str:
    return f"{request.host_url}simplefin"


@simplefin.get("/info")
def info() -> dict[str, Any]:
    return {"versions": ["1.0", "2.0"]}


@simplefin.get("/currencies/points")
def currency() -> dict[str, Any]:
    return {"name": "Summit Reward Points", "abbr": "points"}


@simplefin.post("/claim/<code>")
def claim(code: str) -> Response:
    """Give the access URL to the first who asks; whoever comes later learns that."""
    world = current_world()
    with world.store.writing() as db:
        grant = grants.find(db, "claim_code", code)
        if grant is None or grant.is_disabled or grant.claimed_at is not None:
            return _text("Forbidden", FORBIDDEN)
        grants.change(db, grant, claimed_at=world.now())
    base = urlsplit(base_url())
    return _text(f"{base.scheme}://{grant.username}:{grant.password}@{base.netloc}{base.path}", OK)


@simplefin.get("/accounts")
def accounts() -> Response:
    world = current_world()
    with world.store.reading() as db:
        grant = _grant(db)
        if grant is None or grant.is_disabled:
            return _text("Forbidden", FORBIDDEN)
        if grant.is_unpaid:
            return _text("Payment Required", PAYMENT_REQUIRED)
        shown = [item for item in grants.items_of(db, grant) if not item.is_removed]
        wrong = _wrong(db, shown)
        content = json.dumps(render.account_set(db, shown, _question()))
    return _spoiled(world, wrong) or _answered(world, wrong, content)


def _grant(db: sqlite3.Connection) -> Grant | None:
    given = request.authorization
    if given is None or given.type != "basic":
        return None
    grant = grants.find(db, "username", given.username or "")
    if grant is None or grant.claimed_at is None:
        return None
    password = (given.password or "").encode()
    return grant if secrets.compare_digest(password, grant.password.encode()) else None


def _question() -> Question:
    asked = request.args
    return Question(
        version=1 if asked.get("version", VERSION_BY_DEFAULT) == "1" else 2,
        begin=_seconds(asked.get("start-date", "")),
        end=_seconds(asked.get("end-date", "")),
        accounts=frozenset(asked.getlist("account")),
        with_pending=asked.get("pending") == "1",
        balances_only=asked.get("balances-only") == "1",
        base_url=base_url(),
    )


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None


def _wrong(db: sqlite3.Connection, shown: list[Item]) -> dict[str, ActiveFault]:
    """Return the faults that are set for any of the items, or for all calls."""
    names = [item.item_id for item in shown] or [faults.EVERYWHERE]
    return {name: fault for item_id in names for name, fault in faults.active(db, item_id).items()}


def _spoiled(world: World, wrong: dict[str, ActiveFault]) -> Response | None:
    if Fault.SLOW in wrong:
        _use_up(world, wrong[Fault.SLOW])
        time.sleep(float(wrong[Fault.SLOW].value))
    if Fault.TOO_MANY_REQUESTS in wrong:
        _use_up(world, wrong[Fault.TOO_MANY_REQUESTS])
        return _text("Too Many Requests", TOO_MANY_REQUESTS)
    if Fault.HTML_ERROR in wrong:
        _use_up(world, wrong[Fault.HTML_ERROR])
        return Response("<h1>Server Error</h1>", SERVER_ERROR, content_type="text/html")
    return None


def _answered(world: World, wrong: dict[str, ActiveFault], content: str) -> Response:
    if Fault.TRUNCATED_JSON in wrong:
        _use_up(world, wrong[Fault.TRUNCATED_JSON])
        content = content[: len(content) // 2]
    return Response(content, OK, content_type="application/json")


def _use_up(world: World, fault: ActiveFault) -> None:
    if fault.times_left is not None:
        with world.store.writing() as db:
            faults.use_up(db, fault)


def _text(content: str, status: int) -> Response:
    return Response(content, status, content_type="text/plain")
