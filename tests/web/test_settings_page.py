from __future__ import annotations

import pytest

from app.models import Reconciliation, db
from app.reconciliation.settings import Thresholds, thresholds
from app.tenancy.scope import owned
from tests.books import everything, set_up_books
from tests.conftest import sign_in
from tests.html import checked
from tests.web_support import words

PATH = "/settings/bank-match-ai"


@pytest.fixture
def client(app, cast):
    return sign_in(app, cast.carol)


def test_who_may_view_sees_the_thresholds_and_reads_why_they_cannot_change_them(app, cast):
    page = sign_in(app, cast.bob).get(PATH)
    fields = {n.get("name"): n for n in checked(page.text).iter("input")}
    assert (fields["auto_match"].get("value"), fields["review"].get("value")) == ("85", "50")
    assert fields["auto_match"].get("readonly") is not None
    assert "This needs the permission “settings”" in words(page.text)
    assert (
        sign_in(app, cast.bob).post(PATH, data={"auto_match": 90, "review": 50}).status_code == 403
    )
    assert thresholds(cast.acme_id) == Thresholds(85, 50)


def test_new_thresholds_are_saved_and_the_page_says_for_what_they_count(client, cast):
    answer = client.post(PATH, data={"auto_match": " 92 ", "review": "60"})
    assert (answer.status_code, answer.location) == (303, PATH)
    assert thresholds(cast.acme_id) == Thresholds(92, 60)
    read = words(client.get(PATH).text)
    assert "they count for reconciliations opened from now on" in read


@pytest.mark.parametrize(
    ("auto_match", "review", "sentence"),
    [
        ("-1", "50", "A threshold is a whole number from 1 to 100."),
        ("85", "-50", "A threshold is a whole number from 1 to 100."),
        ("85", "0", "A threshold is a whole number from 1 to 100."),
        ("101", "50", "A threshold is a whole number from 1 to 100."),
        ("50", "51", "The review threshold is at most the auto-match threshold."),
        ("eighty", "50", "Enter a whole number."),
        ("85.5", "50", "Enter a whole number."),
        ("85", "", "Enter a whole number."),
        ("8_5", "50", "Enter a whole number."),
        ("٨٥", "50", "Enter a whole number."),
        ("9" * 5_000, "50", "Enter a whole number."),
        (None, "50", "Enter a whole number."),
    ],
)
def test_a_bad_threshold_is_refused_with_a_sentence(client, cast, auto_match, review, sentence):
    before = everything()
    data = {"auto_match": auto_match, "review": review}
    answer = client.post(PATH, data={k: v for k, v in data.items() if v is not None})
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert everything() == before


def test_an_open_reconciliation_keeps_the_thresholds_that_it_started_with(client, cast):
    set_up_books(cast.carol).open(0)
    client.post(PATH, data={"auto_match": "95", "review": "70"})
    (reconciliation,) = db.session.scalars(owned(Reconciliation))
    assert (reconciliation.auto_match_threshold, reconciliation.review_threshold) == (85, 50)
