"""The widget's URLs: every step is a page of its own and a plain form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import abort, redirect, request, url_for

from sandbox import banks, links
from sandbox.hosted.views import GONE, SEE_OTHER, UNPROCESSABLE, page
from sandbox.links import Step
from sandbox.mx import widget
from sandbox.mx.calls import mx
from sandbox.mx.objects import COUNTRIES
from sandbox.mx.widget import Refused, Visit
from sandbox.world import current_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from flask.typing import ResponseReturnValue

    from sandbox.links import Link, Session


@mx.get("/connect/<hosted_id>")
def open_widget(hosted_id: str) -> ResponseReturnValue:
    """Start the session; an address that was opened, or waited too long, is of no more use."""
    world = current_world()
    with world.store.writing() as db:
        link = links.find_hosted(db, hosted_id)
        if link is None:
            abort(404)
        if link.expires_at < world.now() or links.sessions_of(db, link):
            return page(link, "hosted/expired.html", GONE)
        session = widget.begin(world, db, link)
    return redirect(_address(link, session), SEE_OTHER)


@mx.get("/connect/<hosted_id>/<session_id>")
def step(hosted_id: str, session_id: str) -> ResponseReturnValue:
    return _visited(hosted_id, session_id, _show)


@mx.post("/connect/<hosted_id>/<session_id>/bank")
def choose_bank(hosted_id: str, session_id: str) -> ResponseReturnValue:
    wanted = request.form.get("institution_id", "")
    return _changed(
        hosted_id, session_id, Step.BANK, lambda visit: widget.choose_bank(visit, wanted)
    )


@mx.post("/connect/<hosted_id>/<session_id>/consent")
def give_consent(hosted_id: str, session_id: str) -> ResponseReturnValue:
    return _changed(hosted_id, session_id, Step.CONSENT, widget.give_consent)


@mx.post("/connect/<hosted_id>/<session_id>/sign-in")
def sign_in(hosted_id: str, session_id: str) -> ResponseReturnValue:
    name, password = request.form.get("username", ""), request.form.get("password", "")
    return _changed(
        hosted_id,
        session_id,
        Step.SIGN_IN,
        lambda visit: widget.sign_in(visit, name.strip(), password),
    )


@mx.post("/connect/<hosted_id>/<session_id>/code")
def answer_code(hosted_id: str, session_id: str) -> ResponseReturnValue:
    code = request.form.get("code", "")
    return _changed(hosted_id, session_id, Step.CODE, lambda visit: widget.answer_code(visit, code))


@mx.post("/connect/<hosted_id>/<session_id>/leave")
def leave(hosted_id: str, session_id: str) -> ResponseReturnValue:
    return _changed(hosted_id, session_id, None, widget.leave)


def _changed(
    hosted_id: str, session_id: str, expected: Step | None, change: Callable[[Visit], Session]
) -> ResponseReturnValue:
    """Take a form of the step where the session is; a form of another step only shows the page."""

    def take(visit: Visit) -> ResponseReturnValue:
        if visit.session.is_over or expected not in {None, visit.session.step}:
            return redirect(_address(visit.link, visit.session), SEE_OTHER)
        try:
            session = change(visit)
        except Refused as refused:
            return _show(visit, refusal=str(refused))
        return redirect(_address(visit.link, session), SEE_OTHER)

    return _visited(hosted_id, session_id, take)


def _visited(
    hosted_id: str, session_id: str, act: Callable[[Visit], ResponseReturnValue]
) -> ResponseReturnValue:
    world = current_world()
    with world.store.writing() as db:
        link = links.find_hosted(db, hosted_id)
        session = links.find_session(db, link, session_id) if link else None
        if link is None or session is None:
            abort(404)
        return act(Visit(world, db, link, session))


def _show(visit: Visit, *, refusal: str = "") -> Response:
    query = request.args.get("q", "")
    folder = "mx" if visit.session.step is Step.EXITED else "hosted"
    return page(
        visit.link,
        f"{folder}/{visit.session.step}.html",
        UNPROCESSABLE if refusal else 200,
        visit=visit,
        session=visit.session,
        action=_address(visit.link, visit.session),
        refusal=refusal,
        query=query,
        found=banks.search(query, COUNTRIES) if visit.session.step is Step.BANK else [],
        hints=banks,
    )


def _address(link: Link, session: Session) -> str:
    return url_for("mx.step", hosted_id=link.hosted_id, session_id=session.session_id)
