"""Who may open what: every route names its permission, and the request is held to it.

A route without a name is refused to everybody, so that a forgotten one shows itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import UserMixin, current_user

from app.extensions import htmx, login_manager
from app.kernel.errors import Unauthenticated
from app.people.api_keys import actor_of_key
from app.people.sign_in import actor_of
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import enter_scope, leave_scope
from app.web.problems import is_for_program

PUBLIC: Final = "public"
KEY_HEADER: Final = "X-API-KEY"

View = TypeVar("View", bound=Callable[..., Any])


class Visitor(UserMixin):  # type: ignore[misc]
    """What Flask-Login keeps: the person as actor, read afresh for each request."""

    def __init__(self, actor: Actor, session_epoch: int) -> None:
        self.actor = actor
        self.session_epoch = session_epoch

    def get_id(self) -> str:
        return f"{self.actor.user_id}.{self.session_epoch}"


def needs(permission: Permission) -> Callable[[View], View]:
    """Declare what a route needs; the service behind it checks again."""

    def declare(view: View) -> View:
        view.required_permission = permission  # type: ignore[attr-defined]
        return view

    return declare


def public(view: View) -> View:
    """Declare a route that needs no sign-in."""
    view.required_permission = PUBLIC  # type: ignore[attr-defined]
    return view


def open_without_second_factor(view: View) -> View:
    """Declare a route that stays open to who has yet to set up what the organization asks for."""
    view.is_open_without_second_factor = True  # type: ignore[attr-defined]
    return view


def current_actor() -> Actor:
    """Return who makes this request; only for routes that are not public."""
    return cast("Actor", g.key_actor if "key_actor" in g else current_user.actor)


def reason_against(permission: Permission) -> str:
    """Return why a button is disabled for who makes this request; empty when it is not."""
    actor = current_actor()
    return "" if actor.may(permission) else actor.refusal(permission)


def visitor_actor() -> Actor | None:
    """Return who makes this request, or None on a public page without sign-in."""
    return getattr(current_user, "actor", None)


def load_visitor(session_id: str) -> Visitor | None:
    """Read the person behind a session, with the permissions of this moment."""
    user_id, _, epoch = session_id.partition(".")
    if not epoch.isdigit():
        return None
    actor = actor_of(
        user_id,
        session.get("organization_id"),
        via="web",
        operator_emails=current_app.extensions["settings"].operator_emails,
        session_epoch=int(epoch),
        ip_address=request.remote_addr,
        request_id=g.request_id,
    )
    return Visitor(actor, int(epoch)) if actor else None


def _guard() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    required = _required_permission(request.endpoint)
    if required == PUBLIC:
        return None
    if is_for_program():
        _let_in_by_key(required)
        return None
    if not current_user.is_authenticated:
        return _sign_in_first()
    actor = current_actor()
    structlog.contextvars.bind_contextvars(
        organization_id=actor.organization_id, user_id=actor.user_id
    )
    enter_scope(actor.organization_id)
    if actor.owes_second_factor and not _is_open_without_second_factor(request.endpoint):
        return _go_to(url_for("second_factor.page"))
    actor.require(required)
    return None


def _let_in_by_key(required: Permission) -> None:
    """Take the API key of the request for who asks; a session's cookie counts for nothing.

    Raises:
        Unauthenticated: No key, or none that is good.
        Forbidden: The key lacks the permission.
    """
    key = request.headers.get(KEY_HEADER, "")
    actor = (
        actor_of_key(key, ip_address=request.remote_addr, request_id=g.request_id) if key else None
    )
    if actor is None:
        raise Unauthenticated(
            f"Send a valid API key in the header {KEY_HEADER}; an admin of the organization makes "
            "one under Company → API keys."
        )
    g.key_actor = actor
    structlog.contextvars.bind_contextvars(
        organization_id=actor.organization_id, user_id=actor.user_id
    )
    enter_scope(actor.organization_id)
    actor.require(required)


def _is_open_without_second_factor(endpoint: str) -> bool:
    view = current_app.view_functions[endpoint]
    return getattr(view, "is_open_without_second_factor", False)


def _go_to(url: str) -> ResponseReturnValue:
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _required_permission(endpoint: str) -> Permission:
    if endpoint.startswith("rq_dashboard."):
        return Permission.OPERATIONS
    view = current_app.view_functions[endpoint]
    required: Permission | None = getattr(view, "required_permission", None)
    assert required is not None, f"{endpoint} does not say which permission it needs"
    return required


def _sign_in_first() -> ResponseReturnValue:
    if request.headers.get("HX-Request"):  # never a sign-in form inside a table cell
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
        target = f"{page.path}?{page.query}".rstrip("?") or None
    else:
        target = request.full_path.rstrip("?") if request.method == "GET" else None
    return _go_to(url_for("auth.sign_in", next=target))


def install_access(app: Flask) -> None:
    """Hold every request of the application to its route's permission."""
    login_manager.init_app(app, add_context_processor=False)
    login_manager.user_loader(load_visitor)
    htmx.init_app(app)
    app.before_request(_guard)

    @app.teardown_request
    def _leave(_error: BaseException | None) -> None:
        leave_scope()
