"""Every route of the application, walked: who may, who may not, and what an answer carries."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.kernel.ids import new_id
from app.tenancy.permissions import Permission
from app.web.access import PUBLIC
from tests.books import everything, nothing_changes, set_up_books
from tests.conftest import sign_in
from tests.html import checked
from tests.web_support import csrf_checked, token_of

SAFE = {"GET", "HEAD", "OPTIONS"}


def required_by(app: Flask, endpoint: str) -> object:
    """Return the permission that a route declares; None for one that declares nothing."""
    if endpoint == "static":
        return PUBLIC
    if endpoint.startswith("rq_dashboard."):
        return Permission.OPERATIONS
    return getattr(app.view_functions[endpoint], "required_permission", None)


def routes(app: Flask, *, public: bool = False) -> list[Rule]:
    """Return the routes for people; those for programs are walked in tests/api."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if (required_by(app, rule.endpoint) == PUBLIC) is public
        and (public or not rule.rule.startswith("/api/"))
    ]


def address(app: Flask, rule: Rule) -> str:
    """Return an address of the route, with ids that nothing has."""
    values = {
        name: 0 if type(converter).__name__ == "IntegerConverter" else new_id()
        for name, converter in rule._converters.items()
    }
    adapter = app.url_map.bind("localhost")
    return adapter.build(rule.endpoint, values | (rule.defaults or {}), method=method_of(rule))


def method_of(rule: Rule) -> str:
    return next(iter(sorted(rule.methods - {"HEAD", "OPTIONS"})))


def methods(rule: Rule) -> list[str]:
    return sorted(rule.methods - {"OPTIONS"})


def test_every_route_declares_a_permission(app):
    undeclared = [r.rule for r in app.url_map.iter_rules() if required_by(app, r.endpoint) is None]
    assert undeclared == []


def test_a_route_that_declares_nothing_is_refused_to_everybody(app, cast, monkeypatch):
    client = sign_in(app, cast.alice)
    monkeypatch.delattr(app.view_functions["rules.index"], "required_permission")
    assert client.get("/rules/").status_code == 500


def test_only_these_routes_are_public(app):
    assert {rule.endpoint for rule in routes(app, public=True)} == {
        "static",
        "auth.sign_in",
        "auth.sign_in_now",
        "auth.sign_out",
        "auth.code",
        "auth.code_now",
        "ops.healthz",
        "ops.readyz",
        "ops.metrics",
        "connections.flow_ended",
        "webhooks.take",
        "api_description.openapi",
        "api_description.docs",
    }


def test_without_signing_in_every_other_route_leads_to_the_sign_in_page(app, cast):
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    with nothing_changes():
        for rule in routes(app):
            for method in methods(rule):
                answer = client.open(address(app, rule), method=method)
                where = (answer.status_code, answer.headers.get("Location", ""))
                assert where[0] == 302, (rule.rule, method)
                assert where[1].startswith("/sign-in"), (rule.rule, method)


@pytest.mark.parametrize("who", ["viv", "bob", "carol", "alice"])
def test_whoever_lacks_a_routes_permission_is_refused_and_told_whom_to_ask(app, cast, who):
    actor = getattr(cast, who)
    client = sign_in(app, actor)
    held = actor.permissions | ({Permission.OPERATIONS} if who == "alice" else set())
    refused = [rule for rule in routes(app) if required_by(app, rule.endpoint) not in held]
    with nothing_changes():
        for rule in refused:
            for method in methods(rule):
                answer = client.open(address(app, rule), method=method)
                assert answer.status_code == 403, (rule.rule, method)
                if method != "HEAD":
                    assert "This needs the permission" in answer.text, rule.rule
    assert bool(refused) is (who != "alice")


def test_no_route_that_writes_takes_a_request_without_a_token_of_this_session(app, cast):
    client, other = sign_in(app, cast.alice), sign_in(app, cast.carol)
    with csrf_checked(app):
        foreign = token_of(other)
        with nothing_changes():
            for rule in routes(app) + routes(app, public=True):
                if rule.endpoint.startswith("rq_dashboard.") or rule.endpoint == "webhooks.take":
                    continue  # held to our own origin, and to a signature, instead
                for method in set(methods(rule)) - SAFE:
                    for data in ({}, {"csrf_token": foreign}):
                        answer = client.open(address(app, rule), method=method, data=data)
                        assert answer.status_code == 400, (rule.rule, method)
        assert client.get("/account").status_code == 200


def test_reading_any_page_leaves_the_database_as_it_was(app, cast):
    books = set_up_books(cast.carol)
    books.bank(-100)
    books.gl(-100)
    books.open(-100)
    client = sign_in(app, cast.alice)
    before = everything()
    for rule in routes(app) + routes(app, public=True):
        if "GET" in rule.methods and not rule.arguments:
            for headers in ({}, {"HX-Request": "true"}):
                answer = client.get(address(app, rule), headers=headers)
                assert answer.status_code in {200, 302}, rule.rule
            assert everything() == before, rule.rule


def test_every_page_that_needs_no_id_is_sound(app, cast):
    set_up_books(cast.carol)
    client = sign_in(app, cast.alice)
    for rule in routes(app):
        if "GET" in rule.methods and not rule.arguments and "rq_dashboard" not in rule.endpoint:
            answer = client.get(address(app, rule))
            if answer.mimetype == "text/html" and answer.status_code == 200:
                checked(answer.text)


def test_an_id_that_nothing_has_is_not_found_on_every_route(app, cast):
    client = sign_in(app, cast.alice)
    for rule in routes(app):
        if rule.arguments and "rq_dashboard" not in rule.endpoint:
            for method in methods(rule):
                answer = client.open(address(app, rule), method=method, follow_redirects=True)
                assert answer.status_code in {404, 422}, (rule.rule, method, answer.status_code)


def test_every_answer_carries_the_security_headers(app, cast):
    client = sign_in(app, cast.alice)
    answers = [
        client.open(address(app, rule), method=method)
        for rule in routes(app) + routes(app, public=True)
        for method in methods(rule)
        if rule.endpoint != "auth.sign_out"
    ]
    answers += [client.get("/nowhere"), client.put("/rules/"), client.get("/static/nowhere.css")]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        on_dashboard = answer.request.path.startswith("/ops/rq")
        assert ("unsafe-inline" in policy) is on_dashboard, answer.request.path
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert len(answer.headers["X-Request-Id"]) == 32
        if answer.mimetype == "text/html" and not on_dashboard:
            assert answer.headers["Cache-Control"] == "no-store"
            assert "HX-Request" in answer.headers["Vary"]
