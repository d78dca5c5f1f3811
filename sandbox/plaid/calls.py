"""How every call is taken: credentials, fields, faults, errors and the answer's last touches."""

from __future__ import annotations

import functools
import json
import secrets
import time
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, request

from sandbox import faults, items
from sandbox.faults import Fault
from sandbox.plaid.errors import ERRORS, EVERY_CALL, PlaidRefusal, error_body
from sandbox.plaid.fields import PlaidBody, checked
from sandbox.world import World, current_world

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from sandbox.faults import ActiveFault
    from sandbox.items import Item

BANK_CALLS: Final = frozenset(
    {"/accounts/get", "/accounts/balance/get", "/transactions/sync", "/transactions/refresh"}
)
"""The calls that fail while the bank does not let us in."""
MINUTE_SECONDS: Final = 60.0
LIMITS: Final = {
    "/transactions/sync": (50, 1_000, "TRANSACTIONS_SYNC_LIMIT"),
    "/transactions/refresh": (2, 100, "TRANSACTIONS_REFRESH_LIMIT"),
    "/accounts/get": (100, 5_000, "ACCOUNTS_LIMIT"),
    "/accounts/balance/get": (5, 1_200, "ACCOUNTS_BALANCE_GET_LIMIT"),
    "/item/get": (40, 5_000, "ITEM_GET_LIMIT"),
    "/item/remove": (30, 2_000, "RATE_LIMIT"),
    "/institutions/get_by_id": (400, 400, "INSTITUTIONS_GET_BY_ID_LIMIT"),
}
"""By call: how often a minute for one item, how often for one client, and the error's code."""
HTML_ERROR: Final = "<html><head><title>500</title></head><body><h1>Server Error</h1></body></html>"

plaid = Blueprint("plaid", __name__)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the door: its checked body, and the faults that concern it."""

    world: World
    path: str
    body: dict[str, Any]
    faults: dict[str, ActiveFault]

    def item(self, db: sqlite3.Connection) -> Item:
        """Return the item of the body's access token.

        Raises:
            PlaidRefusal: There is none, it is gone, or its bank does not let us in.
        """
        item = items.with_access_token(db, self.body["access_token"])
        if item is None:
            raise PlaidRefusal("INVALID_ACCESS_TOKEN")
        if item.is_removed:
            raise PlaidRefusal("ITEM_NOT_FOUND")
        if item.error_code and self.path in BANK_CALLS:
            raise PlaidRefusal(item.error_code, reason=item.error_reason)
        return item


class Limiter:
    """Counts calls in the last minute, when the fault menu asks for it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._times: dict[tuple[str, str], deque[float]] = {}

    def count(self, path: str, item_id: str) -> None:
        """Raise PlaidRefusal when the item or the client has called this too often."""
        if path not in LIMITS:
            return
        per_item, per_client, code = LIMITS[path]
        now = time.monotonic()
        with self._lock:
            for key, limit in (((path, item_id), per_item), ((path, ""), per_client)):
                times = self._times.setdefault(key, deque())
                while times and times[0] < now - MINUTE_SECONDS:
                    times.popleft()
                if len(times) >= limit:
                    raise PlaidRefusal(code)
                times.append(now)


_limiter = Limiter()


def endpoint(
    path: str, schema: type[PlaidBody]
) -> Callable[[Callable[[Call], dict[str, Any] | str]], Callable[[], Response]]:
    """Serve a function as one of Plaid's calls.

    It gets the checked call and returns the body as a dictionary, or as JSON text without the
    closing brace where the speed of a page counts.
    """

    def decorate(function: Callable[[Call], dict[str, Any] | str]) -> Callable[[], Response]:
        checker = schema()

        @plaid.post(path, endpoint=path.replace("/", "_"))
        @functools.wraps(function)
        def view() -> Response:
            return _answer(path, checker, function)

        return view

    return decorate


def _answer(
    path: str, checker: PlaidBody, function: Callable[[Call], dict[str, Any] | str]
) -> Response:
    world = current_world()
    wrong: dict[str, ActiveFault] = {}
    try:
        body = _json_body()
        _check_credentials(world, body)
        values = checked(checker, body)
        wrong = _concerning(world, path, values)
        content = _spoiled_before(world, wrong, path, values) or function(
            Call(world, path, values, wrong)
        )
        status = 200
    except PlaidRefusal as refusal:
        content = error_body(refusal.code, refusal.message, reason=refusal.reason)
        status = refusal.status
    if isinstance(content, Response):
        return content
    return _spoiled_after(world, wrong, _response(content, status))


def _json_body() -> dict[str, Any]:
    if not request.is_json:
        raise PlaidRefusal("INVALID_HEADERS")
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise PlaidRefusal("INVALID_BODY")
    return body


def _check_credentials(world: World, body: dict[str, Any]) -> None:
    client_id = body.get("client_id") or request.headers.get("PLAID-CLIENT-ID")
    secret = body.get("secret") or request.headers.get("PLAID-SECRET")
    missing = [name for name, value in (("client_id", client_id), ("secret", secret)) if not value]
    if missing:
        sentence = "the following required fields are missing: "
        raise PlaidRefusal("MISSING_FIELDS", sentence + ", ".join(missing))
    expected = (world.settings.client_id, world.settings.secret)
    given = (str(client_id), str(secret))
    if not all(
        secrets.compare_digest(a.encode(), b.encode()) for a, b in zip(given, expected, strict=True)
    ):
        raise PlaidRefusal("INVALID_API_KEYS")


def _concerning(world: World, path: str, values: dict[str, Any]) -> dict[str, ActiveFault]:
    """Return the faults that are set for this call's item, or for all, and not for other calls."""
    with world.store.reading() as db:
        item = items.with_access_token(db, values.get("access_token", ""))
        found = faults.active(db, item.item_id if item else faults.EVERYWHERE)
    return {name: fault for name, fault in found.items() if fault.path in {"", path}}


def _spoiled_before(
    world: World, wrong: dict[str, ActiveFault], path: str, values: dict[str, Any]
) -> Response | None:
    """Let go wrong what does so before the call has any effect."""
    if Fault.SLOW in wrong:
        _use_up(world, wrong[Fault.SLOW])
        time.sleep(float(wrong[Fault.SLOW].value))
    if Fault.RATE_LIMITS in wrong:
        _limiter.count(path, values.get("access_token", ""))
    if Fault.TOO_MANY_REQUESTS in wrong:
        _use_up(world, wrong[Fault.TOO_MANY_REQUESTS])
        raise PlaidRefusal(LIMITS[path][2] if path in LIMITS else "RATE_LIMIT")
    if Fault.HTML_ERROR in wrong:
        _use_up(world, wrong[Fault.HTML_ERROR])
        return Response(HTML_ERROR, 500, content_type="text/html")
    for name, fault in wrong.items():
        if name in ERRORS and (fault.path or name in EVERY_CALL or path in BANK_CALLS):
            _use_up(world, fault)
            raise PlaidRefusal(name)
    return None


def _spoiled_after(world: World, wrong: dict[str, ActiveFault], response: Response) -> Response:
    """Let go wrong what does so on the way back, when the call has had its effect."""
    if Fault.TRUNCATED_JSON in wrong:
        _use_up(world, wrong[Fault.TRUNCATED_JSON])
        content = response.get_data()
        response.set_data(content[: len(content) // 2])
    return response


def _use_up(world: World, fault: ActiveFault) -> None:
    if fault.times_left is not None:
        with world.store.writing() as db:
            faults.use_up(db, fault)


def _response(content: dict[str, Any] | str, status: int) -> Response:
    request_id = secrets.token_hex(8)
    if isinstance(content, str):
        text = f'{content},"request_id":"{request_id}"}}'
    else:
        text = json.dumps({**content, "request_id": request_id})
    return Response(text, status, content_type="application/json")
