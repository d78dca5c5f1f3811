"""What people see: they choose banks, get a token to copy, and can take it back."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import abort, make_response, redirect, render_template, request, url_for

from sandbox import banks
from sandbox.simplefin import grants
from sandbox.simplefin.calls import base_url, simplefin
from sandbox.world import current_world

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from sandbox.simplefin.grants import Grant

SEE_OTHER: Final = 303
UNPROCESSABLE: Final = 422
POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
CHANGES: Final = {
    "disable": {"is_disabled": 1},
    "bill": {"is_unpaid": 1},
    "pay": {"is_unpaid": 0},
}
"""What a person, or the server's cashier, does with a token."""


@simplefin.before_request
def refuse_other_sites() -> None:
    """Let no other site's page press our buttons."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin and urlsplit(origin).netloc != request.host:
        abort(403)


@simplefin.get("/create")
def choose() -> Response:
    return _page("create", shareable=grants.shareable(), hints=banks)


@simplefin.post("/create")
def create() -> ResponseReturnValue:
    wanted = request.form.getlist("bank")
    chosen = [bank for bank in grants.shareable() if bank.institution_id in wanted]
    if not chosen:
        return _page(
            "create",
            UNPROCESSABLE,
            shareable=grants.shareable(),
            hints=banks,
            refusal="Choose at least one bank.",
        )
    world = current_world()
    with world.store.writing() as db:
        grant = grants.make(world, db, chosen)
    return redirect(url_for(".show", grant_id=grant.grant_id), SEE_OTHER)


@simplefin.get("/tokens/<grant_id>")
def show(grant_id: str) -> Response:
    with current_world().store.reading() as db:
        grant = grants.find(db, "grant_id", grant_id)
        if grant is None:
            abort(404)
        shared = grants.items_of(db, grant)
    return _page("token", grant=grant, shared=shared, token=setup_token(grant))


@simplefin.post("/tokens/<grant_id>/<action>")
def change(grant_id: str, action: str) -> ResponseReturnValue:
    with current_world().store.writing() as db:
        grant = grants.find(db, "grant_id", grant_id)
        if grant is None or action not in CHANGES:
            abort(404)
        grants.change(db, grant, **CHANGES[action])
    return redirect(url_for(".show", grant_id=grant_id), SEE_OTHER)


@simplefin.post("/tokens/<grant_id>/again")
def again(grant_id: str) -> ResponseReturnValue:
    """Make another token for the same banks."""
    with current_world().store.writing() as db:
        grant = grants.find(db, "grant_id", grant_id)
        if grant is None:
            abort(404)
        grant = grants.share(db, grants.items_of(db, grant))
    return redirect(url_for(".show", grant_id=grant.grant_id), SEE_OTHER)


def setup_token(grant: Grant) -> str:
    return base64.b64encode(f"{base_url()}/claim/{grant.claim_code}".encode()).decode()


def _page(name: str, status: int = 200, **context: object) -> Response:
    response = make_response(render_template(f"simplefin/{name}.html", **context), status)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
