from __future__ import annotations

import re

import pytest

from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from app.kernel.ids import new_id
from app.reconciliation import rule_book
from app.reconciliation.conditions import Conditions
from tests.conftest import sign_in
from tests.web_support import parse, words

HTMX = {"HX-Request": "true"}
CHANGING = re.compile(
    r"[0-9a-f]{32}|(?<=csrf-token\" content=\")[^\"]+|(?<=csrf_token\" value=\")[^\"]+"
)


@pytest.fixture
def client(app, cast):
    return sign_in(app, cast.alice)


def without_ids(text):
    return CHANGING.sub("…", text)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_strangers_id_reads_exactly_like_one_that_nothing_has(app, cast, headers):
    rule = rule_book.create_rule(cast.carol, "Payroll", Conditions(gl_reference_contains="x"))
    charlie = sign_in(app, cast.charlie)
    stranger = charlie.get(f"/rules/{rule}", headers=headers)
    nothing = charlie.get(f"/rules/{new_id()}", headers=headers)
    nowhere = charlie.get("/no/such/page", headers=headers)
    assert stranger.status_code == nothing.status_code == nowhere.status_code == 404
    assert without_ids(stranger.text) == without_ids(nothing.text)
    assert set(stranger.headers.keys()) == set(nothing.headers.keys())
    assert "Payroll" not in stranger.text


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound(), 404),
        (Forbidden("You may not; ask Alice."), 403),
        (Conflict("Bob was faster; nothing was changed."), 409),
        (Invalid("Twelve is too many; nothing was saved."), 422),
        (TooLarge("Too long; nothing was stored."), 413),
    ],
)
def test_a_refusal_is_a_sound_page_with_its_sentence_and_the_request_id(
    client, monkeypatch, refusal, status
):
    def refuse(*_anything):
        raise refusal

    monkeypatch.setattr(rule_book, "listed_rules", refuse)
    page = client.get("/rules/")
    assert page.status_code == status
    read = words(page.text)
    assert refusal.detail in read
    assert refusal.title in read
    assert page.headers["X-Request-Id"] in read
    part = client.get("/rules/", headers=HTMX)
    assert part.status_code == status
    assert "<html" not in part.text
    assert part.headers["HX-Reswap"] == "none"
    assert refusal.detail.split(";")[0] in part.headers["HX-Trigger"]


def test_a_crash_says_that_nothing_was_saved_and_gives_the_request_id_and_nothing_else(
    client, monkeypatch
):
    def crash(*_anything):
        raise RuntimeError("secret inner words")

    monkeypatch.setattr(rule_book, "listed_rules", crash)
    for headers in ({}, HTMX):
        answer = client.get("/rules/", headers=headers)
        assert answer.status_code == 500
        assert "nothing of this step was saved" in answer.text
        assert answer.headers["X-Request-Id"] in answer.text
        assert "secret inner words" not in answer.text
        assert "RuntimeError" not in answer.text
    parse(client.get("/rules/").text)


def test_a_body_over_the_limit_is_refused_with_what_to_do(app, client):
    limit = app.config["MAX_CONTENT_LENGTH"]
    answer = client.post("/rules/", data=b"x" * (limit + 1), content_type="multipart/form-data")
    assert answer.status_code == 413
    assert "nothing was stored" in answer.text


def test_a_method_that_an_address_does_not_take_is_said_so(client):
    answer = client.delete("/rules/")
    assert answer.status_code == 405
    assert "does not take that kind of request" in answer.text


def test_without_signing_in_an_unknown_address_is_a_sound_page_too(app):
    answer = app.test_client().get("/no/such/page")
    assert answer.status_code == 404
    parse(answer.text)
