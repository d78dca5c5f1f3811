from __future__ import annotations

from dataclasses import replace

import pytest

from app.models import MatchState
from app.reconciliation import decisions, rule_book
from app.reconciliation.conditions import Conditions, Direction, TextTest
from app.reconciliation.rule_book import RuleUse
from app.web.rule_forms import condition_words, form_values
from tests.books import everything, matches, nothing_changes, run_waiting_jobs, set_up_books
from tests.conftest import sign_in
from tests.html import checked
from tests.web_support import words

HTMX = {"HX-Request": "true"}
FORM = {
    "name": "Payroll",
    "bank_description_test": "contains",
    "bank_description": "payroll",
    "amount_from": "1,000.00",
    "amount_to": "2000",
    "amount_currency": "USD",
    "direction": "out",
    "gl_counterparty_contains": "Gusto",
    "days_apart_max": "3",
}
CONDITIONS = Conditions(
    bank_description_test=TextTest.CONTAINS,
    bank_description="payroll",
    amount_from_minor=100_000,
    amount_to_minor=200_000,
    amount_currency="USD",
    direction=Direction.OUT,
    gl_counterparty_contains="Gusto",
    days_apart_max=3,
)


@pytest.fixture
def client(app, cast):
    return sign_in(app, cast.carol)


@pytest.fixture
def books(cast):
    return set_up_books(cast.carol)


def names():
    return [rule.name for rule in rule_book.listed_rules()]


def values_of(page):
    """Return what the form on a page would send."""
    sent = {}
    for node in checked(page.text).iter():
        if node.tag == "input" and node.get("name") and node.get("type") != "hidden":
            sent[node.get("name")] = node.get("value") or ""
        if node.tag == "select":
            chosen = [o for o in node.iter("option") if o.get("selected") is not None]
            sent[node.get("name")] = (chosen or list(node.iter("option")))[0].get("value")
    return sent


def test_without_rules_the_page_says_what_a_rule_is_and_how_to_begin(client):
    read = words(client.get("/rules/").text)
    assert "No rules yet" in read
    assert "where a rule leaves a choice it matches nothing" in read


def test_a_rule_is_saved_and_reads_back_in_words_and_in_the_form(client, books):
    answer = client.post("/rules/", data=FORM)
    assert (answer.status_code, answer.location) == (303, "/rules/")
    (rule,) = rule_book.listed_rules()
    assert (rule.name, rule.conditions, rule.enabled) == ("Payroll", CONDITIONS, True)
    read = words(client.get("/rules/").text)
    for phrase in (
        "bank description contains “payroll”",
        "entry’s counterparty contains “Gusto”",
        "amount is from 1,000.00 USD to 2,000.00 USD",
        "money out",
        "at most 3 days apart",
    ):
        assert phrase in read
    sent = values_of(client.get(f"/rules/{rule.id}"))
    with nothing_changes():
        assert client.post(f"/rules/{rule.id}", data=sent).status_code == 303


def test_a_rule_can_be_narrowed_to_an_account(client, books):
    data = FORM | {"gl_account_id": books.cash_id}
    assert client.post("/rules/", data=data).status_code == 303
    assert "on Operating (GL 1010)" in words(client.get("/rules/").text)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"bank_description": ""}, "Enter the text to look for"),
        ({"bank_description_test": ""}, "Choose how the description is compared."),
        ({"bank_description_test": "like"}, "Choose one of: contains, equals, expression."),
        ({"direction": "sideways"}, "Choose one of: in, out."),
        ({"amount_from": "ten"}, "“ten” is not an amount"),
        ({"amount_from": "10.005"}, "decimals"),
        ({"amount_to": "1"}, "The largest amount is below the smallest."),
        ({"amount_currency": ""}, "An amount and its currency are given together."),
        ({"amount_currency": "DOLLAR"}, "not a currency code"),
        ({"days_apart_max": "3.5"}, "Enter a whole number."),
        ({"days_apart_max": "-1"}, "whole number from 0 to 366"),
        ({"bank_description_test": "expression", "bank_description": "("}, "missing )"),
        (
            {"bank_description_test": "expression", "bank_description": "(a|aa)+$"},
            "can take very long",
        ),
    ],
)
@pytest.mark.parametrize("path", ["/rules/", "/rules/test"])
def test_a_bad_rule_comes_back_as_typed_with_the_reason(client, books, path, data, sentence):
    with nothing_changes():
        answer = client.post(path, data=FORM | data)
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert values_of(answer)["gl_counterparty_contains"] == "Gusto"


def test_a_rule_needs_a_name_to_be_saved(client):
    with nothing_changes():
        answer = client.post("/rules/", data=FORM | {"name": " "})
    assert answer.status_code == 422
    assert "Give the rule a name" in words(answer.text)


def test_a_rule_without_any_telling_condition_is_refused(client):
    answer = client.post("/rules/", data={"name": "All", "direction": "out"})
    assert answer.status_code == 422
    assert "at least one condition on a text or an amount" in words(answer.text)


def test_an_account_of_another_organization_is_not_found(app, client, cast):
    foreign = "0" * 32
    assert client.post("/rules/", data=FORM | {"gl_account_id": foreign}).status_code == 404
    assert names() == []


def test_the_list_is_moved_by_buttons_and_each_says_what_it_did(client, books):
    for name in ("One", "Two", "Three"):
        client.post("/rules/", data=FORM | {"name": name})
    three = rule_book.listed_rules()[2].id
    assert client.post(f"/rules/{three}/move", data={"step": "up"}).location == "/rules/"
    assert names() == ["One", "Three", "Two"]
    fragment = client.post(f"/rules/{three}/move", data={"step": "up"}, headers=HTMX)
    assert fragment.status_code == 200
    assert "<html" not in fragment.text
    assert "number 1 now" in fragment.headers["HX-Trigger"]
    assert names() == ["Three", "One", "Two"]
    client.post(f"/rules/{three}/move", data={"step": "up"})
    client.post(f"/rules/{three}/move", data={"step": "down"})
    assert names() == ["One", "Three", "Two"]


def test_a_rule_is_switched_off_and_on(client, books):
    client.post("/rules/", data=FORM)
    (rule,) = rule_book.listed_rules()
    answer = client.post(f"/rules/{rule.id}/switch", data={"enabled": "0"}, headers=HTMX)
    assert "Switch on" in answer.text
    assert rule_book.enabled_rules() == ()
    client.post(f"/rules/{rule.id}/switch", data={"enabled": "1"})
    assert [r.id for r in rule_book.enabled_rules()] == [rule.id]


def test_deleting_offers_the_way_back(client, books):
    client.post("/rules/", data=FORM)
    (rule,) = rule_book.listed_rules()
    client.post(f"/rules/{rule.id}/delete")
    assert names() == []
    page = client.get("/rules/").text
    assert f'action="/rules/{rule.id}/restore"' in page
    assert client.get(f"/rules/{rule.id}").status_code == 404
    undone = client.post(f"/rules/{rule.id}/restore", headers=HTMX)
    assert (undone.status_code, undone.headers["HX-Redirect"]) == (204, "/rules/")
    assert names() == ["Payroll"]


def test_a_test_says_what_the_rule_would_do_and_changes_nothing(client, books):
    books.bank(-150_000, "GUSTO PAYROLL")
    books.gl(-150_000, "Payroll", counterparty="Gusto, Inc.")
    for day in (12, 13):
        books.bank(-180_000, "PAYROLL", day=day)
    books.gl(-180_000, "Payroll", day=12, counterparty="Gusto, Inc.")
    books.bank(-1, "OTHER")
    with nothing_changes():
        for headers in ({}, HTMX):
            answer = client.post("/rules/test", data=FORM | {"name": ""}, headers=headers)
            assert answer.status_code == 200
            text = " ".join(answer.text.split())
            assert "Of 4 open bank transactions" in text
            assert "would match 1" in text
            assert "would be ambiguous on 2" in text
            assert "−1,500.00" in text
        assert "<html" not in answer.text


def test_an_edited_rule_is_tested_in_its_own_place(client, books):
    books.bank(-150_000, "PAYROLL")
    books.gl(-150_000, "x", counterparty="Gusto")
    client.post("/rules/", data=FORM)
    (rule,) = rule_book.listed_rules()
    assert "would match 0" in client.post("/rules/test", data=FORM).text
    assert "would match 1" in client.post("/rules/test", data=FORM | {"rule_id": rule.id}).text


def test_who_may_only_view_reads_the_rules_and_why_they_cannot_change_them(
    app, cast, client, books
):
    client.post("/rules/", data=FORM)
    (rule,) = rule_book.listed_rules()
    viewer = sign_in(app, cast.viv)
    read = words(viewer.get("/rules/").text)
    assert "bank description contains “payroll”" in read
    assert "This needs the permission “settings”" in read
    assert "Switch off" not in read
    with nothing_changes():
        for path in ("/rules/", "/rules/test", *(f"/rules/{rule.id}{end}" for end in ENDS)):
            assert viewer.post(path, data=FORM).status_code == 403
        assert viewer.get("/rules/new").status_code == 403


ENDS = ("", "/switch", "/move", "/delete", "/restore")


def test_a_rule_of_another_organization_is_not_found(app, cast, client, books):
    client.post("/rules/", data=FORM)
    (rule,) = rule_book.listed_rules()
    charlie = sign_in(app, cast.charlie)
    before = everything()
    for end in ENDS:
        assert charlie.post(f"/rules/{rule.id}{end}", data=FORM).status_code == 404
    assert charlie.get(f"/rules/{rule.id}").status_code == 404
    assert "Payroll" not in charlie.get("/rules/").text
    assert everything() == before


def test_a_matching_run_goes_by_the_rules_and_the_list_counts_what_became_of_them(
    app, cast, client, books
):
    client.post("/rules/", data=FORM)
    pairs = [(books.bank(-m, "PAYROLL"), books.gl(-m, "x", counterparty="Gusto")) for m in AMOUNTS]
    books.open(0)
    run_waiting_jobs()
    (rule,) = rule_book.listed_rules()
    assert rule_book.rule_uses() == {rule.id: RuleUse(len(pairs), 0)}
    for match in matches()[:3]:
        decisions.unmatch(cast.carol, match.id)
    assert rule_book.rule_uses() == {rule.id: RuleUse(1, 3)}
    assert "People undid 3 of its 4 matches" in words(client.get("/rules/").text)
    assert len(matches(MatchState.UNMATCHED)) == 3


AMOUNTS = (110_000, 120_000, 130_000, 140_000)


@pytest.mark.parametrize(
    ("use", "often"),
    [
        (RuleUse(0, 0), False),
        (RuleUse(0, 2), False),
        (RuleUse(0, 3), True),
        (RuleUse(12, 3), True),
        (RuleUse(13, 3), False),
    ],
)
def test_a_rule_is_often_undone_from_three_and_a_fifth_on(use, often):
    assert use.is_often_undone is often


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"amount_to_minor": 100_000}, "amount is 1,000.00 USD"),
        ({"amount_to_minor": None}, "amount is at least 1,000.00 USD"),
        ({"amount_from_minor": None}, "amount is at most 2,000.00 USD"),
        ({"days_apart_max": 0}, "on the same day"),
        ({"days_apart_max": 1}, "at most 1 day apart"),
        ({"gl_account_id": "gone"}, "on an account that is gone"),
    ],
)
def test_conditions_are_said_the_way_people_say_them(change, phrase):
    assert phrase in condition_words(replace(CONDITIONS, **change), {})


def test_the_form_shows_every_condition_of_a_saved_rule():
    shown = form_values("Payroll", CONDITIONS)
    assert shown["amount_from"] == "1000.00"
    assert shown["days_apart_max"] == "3"
    assert shown["gl_reference_contains"] == ""
