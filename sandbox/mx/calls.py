"""How every call is taken: key, version, faults, refusals, pages of lists."""

from __future__ import annotations

import functools
import json
import math
import time
from base64 import b64encode
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, request

from sandbox import faults
from sandbox.faults import EVERYWHERE, Fault
from sandbox.mx import jobs, members, users
from sandbox.mx.errors import MxRefusal
from sandbox.world import World, current_world

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from sandbox.faults import ActiveFault
    from sandbox.mx.members import Member
    from sandbox.mx.users import User

MEDIA_TYPE: Final = "application/vnd.mx.api.v1+json"
PAGING: Final = ("page", "records_per_page")
PAGE_ROWS_DEFAULT: Final = 25
PAGE_ROWS_MIN: Final = 10
PAGE_ROWS_MAX: Final = 1_000
RETRY_AFTER_SECONDS: Final = 2
HTML_ERROR: Final = "<html><body><h1>502 Bad Gateway</h1></body></html>"
NOT_FOUND: Final = MxRefusal(404, "There is no such object.")

mx = Blueprint("mx", __name__, url_prefix="/mx", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the door, with the faults that concern it."""

    world: World
    faults: dict[str, ActiveFault]

    def use_up(self, name: Fault) -> ActiveFault | None:
        """Let a fault happen once, if it is set."""
        fault = self.faults.get(name)
        if fault is not None and fault.times_left is not None:
            with self.world.store.writing() as db:
                faults.use_up(db, fault)
        return fault

    def user(self, db: sqlite3.Connection, guid: str) -> User:
        """Return the user.

        Raises:
            MxRefusal: There is none.
        """
        user = users.find(db, guid)
        if user is None:
            raise NOT_FOUND
        return user

    def member(self, db: sqlite3.Connection, user_guid: str, guid: str) -> Member:
        """Return the member as it is now, its job ended if its time has come.

        Raises:
            MxRefusal: The user has none of this id.
        """
        member = members.find(db, guid)
        if member is None or member.is_deleted or member.user_guid != user_guid:
            raise NOT_FOUND
        return jobs.settle(self.world, db, member)

    def body(self, name: str, known: Sequence[str]) -> dict[str, Any]:
        """Return the object under a name of the JSON body.

        Raises:
            MxRefusal: There is none, it is empty, or it has a field that MX does not know.
        """
        given = request.get_json(silent=True)
        wanted = given.get(name) if isinstance(given, dict) else None
        if not isinstance(wanted, dict) or not wanted:
            raise MxRefusal(400, f"{name} is missing or empty.")
        unknown = sorted(wanted.keys() - set(known))
        if unknown:
            raise MxRefusal(400, f"{name} has no field {unknown[0]}.")
        return wanted


def endpoint(
    method: str, path: str, *, status: int = 200, query: tuple[str, ...] = ()
) -> Callable[[Callable[..., dict[str, Any] | None]], Callable[..., Response]]:
    """Serve a function as one of MX's calls; it gets the call and the parts of the path.

    A call that says more in its query than MX knows is refused, which MX itself would not do.
    """

    def decorate(function: Callable[..., dict[str, Any] | None]) -> Callable[..., Response]:
        @mx.route(path, methods=[method], endpoint=function.__qualname__)
        @functools.wraps(function)
        def view(**parts: str) -> Response:
            return _answer(function, parts, status, query)

        return view

    return decorate


def page(call: Call, name: str, found: Sequence[Any]) -> dict[str, Any]:
    """Return the page of a list that the query asks for."""
    rows = PAGE_ROWS_DEFAULT
    asked = request.args.get("records_per_page", rows, type=int)
    if PAGE_ROWS_MIN <= asked <= PAGE_ROWS_MAX:
        rows = asked
    if Fault.SMALL_PAGES in call.faults:
        rows = int(call.faults[Fault.SMALL_PAGES].value)
    number = max(1, request.args.get("page", 1, type=int))
    pages_count = max(1, math.ceil(len(found) / rows))
    if Fault.ENDLESS_PAGES in call.faults:
        pages_count = number + 1
    return {
        name: list(found[(number - 1) * rows : number * rows]),
        "pagination": {
            "current_page": number,
            "per_page": rows,
            "total_entries": len(found),
            "total_pages": pages_count,
        },
    }


def _answer(
    function: Callable[..., dict[str, Any] | None],
    parts: dict[str, str],
    status: int,
    query: tuple[str, ...],
) -> Response:
    world = current_world()
    call = Call(world, {})
    try:
        _check_key(world)
        _check_version()
        _check_query(query)
        call = Call(world, _concerning(world, parts))
        spoiled = _spoiled_before(call)
        if spoiled is not None:
            return spoiled
        content = function(call, **parts)
    except MxRefusal as refusal:
        return _response(refusal.body(), refusal.status)
    response = _response(content, status)
    if call.use_up(Fault.TRUNCATED_JSON):
        text = response.get_data()
        response.set_data(text[: len(text) // 2])
    return response


def _check_key(world: World) -> None:
    settings = world.settings
    expected = b64encode(f"{settings.mx_client_id}:{settings.mx_api_key}".encode())
    given = request.headers.get("Authorization", "").removeprefix("Basic ").encode()
    if not settings.mx_api_key or not compare_digest(given, expected):
        raise MxRefusal(401, "The client id or the API key is not right.")


def _check_version() -> None:
    if request.method != "DELETE" and MEDIA_TYPE not in request.headers.get("Accept", ""):
        raise MxRefusal(406, f"Ask for {MEDIA_TYPE}.")


def _check_query(known: tuple[str, ...]) -> None:
    unknown = sorted(set(request.args) - set(known))
    if unknown:
        raise MxRefusal(400, f"There is no query parameter {unknown[0]} here.")


def _concerning(world: World, parts: dict[str, str]) -> dict[str, ActiveFault]:
    """Return the faults of the call's member, or those set for everything."""
    with world.store.reading() as db:
        member = members.find(db, parts.get("member_guid", ""))
        found = faults.active(db, member.guid if member else EVERYWHERE)
    last = request.path.rsplit("/", 1)[-1]
    return {name: fault for name, fault in found.items() if fault.path in {"", last}}


def _spoiled_before(call: Call) -> Response | None:
    """Let go wrong what does so before the call has any effect."""
    slow = call.use_up(Fault.SLOW)
    if slow:
        time.sleep(float(slow.value))
    if call.use_up(Fault.TOO_MANY_REQUESTS):
        response = _response(MxRefusal(429, "Too many requests.").body(), 429)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    if call.use_up(Fault.HTML_ERROR):
        return Response(HTML_ERROR, 502, content_type="text/html")
    return None


def _response(content: dict[str, Any] | None, status: int) -> Response:
    if content is None:
        return Response(status=204)
    return Response(json.dumps(content), status, content_type=MEDIA_TYPE)
