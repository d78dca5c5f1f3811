from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connections.bank_facts import (
    TITLE_CHARACTERS_MAX,
    BankFacts,
    booked_minor,
    change_in_words,
    fingerprint,
    from_json,
    same_on_statement,
    title_of,
    to_json,
)

RENT = BankFacts(date(2026, 10, 3), -120_000, "RENT OCTOBER", reference="R-10")
FACTS = st.builds(
    BankFacts,
    posted_date=st.dates(),
    amount_minor=st.integers(-(10**15), 10**15),
    description=st.text(max_size=80),
    counterparty=st.text(max_size=20),
    reference=st.text(max_size=20),
    value_date=st.none() | st.dates(),
    pending=st.booleans(),
)


@given(stated=st.none() | FACTS)
def test_facts_survive_being_kept_as_json(stated):
    assert from_json(to_json(stated)) == stated


@given(one=st.none() | FACTS, other=st.none() | FACTS)
def test_a_change_is_told_exactly_where_a_statement_would_differ(one, other):
    assert bool(change_in_words(one, other, "USD")) is not same_on_statement(one, other)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount_minor": -119_000}, "amount −1,200.00 → −1,190.00"),
        ({"posted_date": date(2026, 11, 1)}, "date 3 October 2026 → 1 November 2026"),
        ({"description": "RENT"}, "description now “RENT”"),
        ({"reference": ""}, "reference now empty"),
        ({"pending": True}, "pending again"),
        (
            {"amount_minor": -1, "reference": "R-11"},
            "amount −1,200.00 → −0.01, reference now “R-11”",
        ),
    ],
)
def test_the_sentence_says_what_changed_and_of_what(changed, words):
    said = change_in_words(RENT, replace(RENT, **changed), "USD")
    assert said == f"The bank changed “RENT OCTOBER” of 3 October 2026: {words}."


def test_the_sentence_says_what_is_gone_and_what_is_back():
    assert change_in_words(RENT, None, "USD") == (
        "The bank removed “RENT OCTOBER” of 3 October 2026, −1,200.00."
    )
    assert change_in_words(None, RENT, "JPY") == (
        "The bank has “RENT OCTOBER” of 3 October 2026 again, −120,000."
    )


def test_what_providers_add_by_themselves_is_no_change():
    guessed = replace(RENT, counterparty="Harbor Estates", value_date=date(2026, 10, 2))
    assert same_on_statement(RENT, guessed)
    assert change_in_words(RENT, guessed, "USD") == ""


def test_only_what_is_booked_counts_in_a_balance():
    assert booked_minor(RENT) == -120_000
    assert booked_minor(replace(RENT, pending=True)) == 0
    assert booked_minor(None) == 0


def test_a_long_description_is_quoted_up_to_its_limit():
    assert title_of(replace(RENT, description="x" * TITLE_CHARACTERS_MAX)).count("x") == 60
    assert "x…”" in title_of(replace(RENT, description="x" * (TITLE_CHARACTERS_MAX + 1)))
    assert title_of(replace(RENT, description="")) == "“a transaction” of 3 October 2026"


def test_a_fingerprint_names_one_change():
    before, after = to_json(RENT), to_json(replace(RENT, amount_minor=1))
    assert fingerprint(before, after) == fingerprint(dict(reversed(before.items())), after)
    assert (
        len({fingerprint(before, after), fingerprint(after, before), fingerprint(before, {})}) == 3
    )
