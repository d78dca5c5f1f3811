"""The hosted page's URLs: every step is a page of its own and a plain form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from sandbox import banks, links
from sandbox.hosted import flow
from sandbox.hosted.flow import Refused, Visit
from sandbox.links import Step
from sandbox.world import current_world

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

    from sandbox.links import Link, Session

SEE_OTHER: Final = 303
GONE: Final = 410
UNPROCESSABLE: Final = 422

pages = Blueprint(
    "hosted",
    __name__,
    url_prefix="/hosted",
    template_folder="templates",
    static_folder="static",
)


@pages.get("/<hosted_id>")
def open_link(hosted_id: str) -> ResponseReturnValue:
    """Start a session of this link; each opening is one."""
    world = current_world()
    with world.store.writing() as db:
        link = links.find_hosted(db, hosted_id)
        if link is None:
            abort(404)
        if link.expires_at < world.now():
            return page(link, "hosted/expired.html", GONE)
        session = flow.begin(world, db, link)
    return _to_step(link, session)


@pages.get("/<hosted_id>/<session_id>")
def step(hosted_id: str, session_id: str) -> ResponseReturnValue:
    return _visited(hosted_id, session_id, _show)


@pages.post("/<hosted_id>/<session_id>/bank")
def choose_bank(hosted_id: str, session_id: str) -> ResponseReturnValue:
    institution_id = request.form.get("institution_id", "")
    return _changed(
        hosted_id, session_id, Step.BANK, lambda visit: flow.choose_bank(visit, institution_id)
    )


@pages.post("/<hosted_id>/<session_id>/consent")
def give_consent(hosted_id: str, session_id: str) -> ResponseReturnValue:
    return _changed(hosted_id, session_id, Step.CONSENT, flow.give_consent)


@pages.post("/<hosted_id>/<session_id>/sign-in")
def sign_in(hosted_id: str, session_id: str) -> ResponseReturnValue:
    username, password = request.form.get("username", ""), request.form.get("password", "")
    return _changed(
        hosted_id,
        session_id,
        Step.SIGN_IN,
        lambda visit: flow.sign_in(visit, username.strip(), password),
    )


@pages.post("/<hosted_id>/<session_id>/code")
def answer_code(hosted_id: str, session_id: str) -> ResponseReturnValue:
    code = request.form.get("code", "")
    return _changed(hosted_id, session_id, Step.CODE, lambda visit: flow.answer_code(visit, code))


@pages.post("/<hosted_id>/<session_id>/accounts")
def finish(hosted_id: str, session_id: str) -> ResponseReturnValue:
    keys = request.form.getlist("account")
    return _changed(hosted_id, session_id, Step.ACCOUNTS, lambda visit: flow.finish(visit, keys))


@pages.post("/<hosted_id>/<session_id>/leave")
def leave(hosted_id: str, session_id: str) -> ResponseReturnValue:
    return _changed(hosted_id, session_id, None, flow.leave)


def _changed(
    hosted_id: str, session_id: str, expected: Step | None, change: Callable[[Visit], Session]
) -> ResponseReturnValue:
    """Take a form of the step where the session is; a form of another step only shows the page."""

    def take(visit: Visit) -> ResponseReturnValue:
        if visit.session.is_over or expected not in {None, visit.session.step}:
            return _to_step(visit.link, visit.session)
        try:
            session = change(visit)
        except Refused as refused:
            return _show(visit, refusal=str(refused))
        if session.is_over and visit.link.completion_url:
            return redirect(visit.link.completion_url, SEE_OTHER)
        return _to_step(visit.link, session)

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
        if link.expires_at < world.now() and not session.is_over:
            return page(link, "hosted/expired.html", GONE)
        return act(Visit(world, db, link, session))


def _show(visit: Visit, *, refusal: str = "") -> Response:
    """Return the page of the step where the session is."""
    session = visit.session
    query = request.args.get("q", "")
    countries = frozenset(visit.link.asked["country_codes"])
    return page(
        visit.link,
        f"hosted/{session.step}.html",
        UNPROCESSABLE if refusal else 200,
        visit=visit,
        session=session,
        refusal=refusal,
        query=query,
        found=banks.search(query, countries) if session.step is Step.BANK else [],
        hints=banks,
    )


def _to_step(link: Link, session: Session) -> ResponseReturnValue:
    url = url_for(".step", hosted_id=link.hosted_id, session_id=session.session_id)
    return redirect(url, SEE_OTHER)


def page(link: Link, template: str, status: int, **context: object) -> Response:
    """Return a page that only its own style may come with.

    Browsers hold the redirect after a form to `form-action` as well, so the place where the person
    goes back to is allowed.
    """
    back = urlsplit(link.completion_url)
    targets = f"'self' {back.scheme}://{back.netloc}" if back.netloc else "'self'"
    response = make_response(render_template(template, link=link, **context), status)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
