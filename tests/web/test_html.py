"""Every page and every fragment of the application, by who may do everything and by who only reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.conftest import sign_in
from tests.html import checked, checked_fragment, ids_of, words
from tests.page_world import page_world

FRAGMENT = {"HX-Request": "true"}
NOT_FOR_PEOPLE = {"static", "ops.healthz", "ops.readyz", "ops.metrics", "webhooks.take"}


@pytest.fixture
def world(app, cast, bank):
    return page_world(cast.alice)


def rules(app: Flask, method: str) -> Iterator[Rule]:
    """Yield our own addresses that take the method; the job dashboard's pages are not ours."""
    for rule in app.url_map.iter_rules():
        ours = not rule.endpoint.startswith("rq_dashboard.") and rule.endpoint not in NOT_FOR_PEOPLE
        ours &= not rule.rule.startswith("/api/")  # which answers programs
        if ours and method in (rule.methods or ()):
            yield rule


def addresses(app: Flask, world, method: str = "GET") -> list[str]:
    with app.test_request_context():
        return [path for rule in rules(app, method) for path in world.paths(rule)]


def is_page(answer) -> bool:
    return answer.mimetype == "text/html" and answer.status_code not in {204, 302, 303}


def is_whole(answer) -> bool:
    return answer.text.lstrip().startswith("<!DOCTYPE html>")


def is_for_writing(form) -> bool:
    return form.get("method") == "post"


@pytest.mark.parametrize("name", ["alice", "viv"])
def test_every_page_is_well_formed_labelled_and_protected(app, cast, world, name):
    client = sign_in(app, getattr(cast, name))
    statuses = {}
    for path in addresses(app, world):
        answer = client.get(path)
        statuses[path] = answer.status_code
        if is_page(answer):
            checked(answer.text)
    refused = {path for path, status in statuses.items() if status not in {200, 302, 303}}
    if name == "alice":
        assert refused == set()
    else:
        assert {statuses[path] for path in refused} == {403}
    assert len(statuses) > 45


@pytest.mark.parametrize("name", ["alice", "viv"])
def test_every_fragment_is_well_formed_labelled_and_protected(app, cast, world, name):
    client = sign_in(app, getattr(cast, name))
    fragments = 0
    for path in addresses(app, world):
        answer = client.get(path, headers=FRAGMENT)
        if not is_page(answer):
            continue
        if is_whole(answer):
            checked(answer.text)
            continue
        fragments += 1
        checked_fragment(answer.text, ids_of(checked(client.get(path, follow_redirects=True).text)))
    assert fragments > 10


@pytest.mark.parametrize("headers", [{}, FRAGMENT], ids=["plain", "htmx"])
def test_every_answer_to_an_empty_form_is_well_formed(app, cast, world, headers):
    client = sign_in(app, cast.alice)
    paths = [path for path in addresses(app, world, "POST") if path != "/sign-out"]
    for path in paths:
        answer = client.post(path, headers=headers)
        assert answer.status_code < 500, path
        if is_page(answer):
            check = checked if is_whole(answer) else checked_fragment
            check(answer.text)
    assert len(paths) > 50


def test_what_is_empty_says_what_to_do_next_and_holds_the_button(app, cast):
    client = sign_in(app, cast.alice)
    with_button = {}
    for path in (rule.rule for rule in rules(app, "GET") if not rule.arguments):
        answer = client.get(path)
        if not is_page(answer):
            continue
        main = checked(answer.text).find(".//main")
        for one in main.iter("div"):
            if one.get("class") == "empty":
                # On the pages that add something the form itself stands beside.
                links = [
                    *one.iter("a"),
                    *(form for form in main.iter("form") if is_for_writing(form)),
                ]
                with_button[path] = bool(links)
    assert [path for path, has_button in with_button.items() if not has_button] == []
    assert {"/reconciliations/", "/transactions/", "/ledger/", "/connections/"} <= set(with_button)


def test_a_stranger_sees_a_sign_in_page_and_a_wrong_address_a_way_on(app, cast):
    stranger = app.test_client()
    checked(stranger.get("/sign-in").text)
    checked(stranger.get("/nowhere").text)
    assert "Sign in" in words(checked(stranger.get("/", follow_redirects=True).text))
    root = checked(sign_in(app, cast.viv).get("/nowhere").text)
    assert "There is nothing here under this address." in words(root)
