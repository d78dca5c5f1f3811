from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.errors import Invalid
from app.kernel.limits import RULE_DAYS_APART_MAX, RULE_TEXT_CHARACTERS_MAX
from app.reconciliation.conditions import Conditions, Direction, TextTest

texts = st.text(max_size=RULE_TEXT_CHARACTERS_MAX)


@given(
    st.builds(
        Conditions,
        bank_description_test=st.just(TextTest.CONTAINS),
        bank_description=texts.filter(str.strip),
        bank_reference_contains=texts,
        amount_from_minor=st.integers(0, 10),
        amount_to_minor=st.none() | st.integers(10, 10**15 - 1),
        amount_currency=st.just("JPY"),
        direction=st.none() | st.sampled_from(Direction),
        gl_account_id=texts,
        days_apart_max=st.none() | st.integers(0, RULE_DAYS_APART_MAX),
    )
)
def test_what_is_stored_reads_back_as_it_was(conditions):
    assert Conditions.from_json(conditions.to_json()) == conditions


def test_only_what_asks_something_is_stored():
    assert Conditions(gl_reference_contains="JE").to_json() == {"gl_reference_contains": "JE"}


@pytest.mark.parametrize(
    ("stored", "field"),
    [
        ({}, "bank_description"),
        ({"direction": "in", "days_apart_max": 3, "gl_account_id": "1010"}, "bank_description"),
        ({"bank_description": "x"}, "bank_description_test"),
        ({"bank_description_test": "contains", "bank_description": "  "}, "bank_description"),
        ({"bank_description_test": "like", "bank_description": "x"}, "bank_description_test"),
        ({"bank_description_test": "expression", "bank_description": "("}, "bank_description"),
        ({"gl_reference_contains": "x" * (RULE_TEXT_CHARACTERS_MAX + 1)}, "gl_reference_contains"),
        ({"gl_reference_contains": 7}, "gl_reference_contains"),
        ({"gl_reference_contains": "x", "direction": "up"}, "direction"),
        ({"gl_reference_contains": "x", "days_apart_max": -1}, "days_apart_max"),
        ({"gl_reference_contains": "x", "days_apart_max": 367}, "days_apart_max"),
        ({"gl_reference_contains": "x", "days_apart_max": True}, "days_apart_max"),
        ({"gl_reference_contains": "x", "days_apart_max": 1.5}, "days_apart_max"),
        ({"amount_from_minor": 5}, "amount_currency"),
        ({"gl_reference_contains": "x", "amount_currency": "USD"}, "amount_currency"),
        ({"amount_from_minor": 5, "amount_currency": "DOLLAR"}, "amount_currency"),
        (
            {"amount_from_minor": 5, "amount_to_minor": 4, "amount_currency": "USD"},
            "amount_to_minor",
        ),
        ({"amount_from_minor": -5, "amount_currency": "USD"}, "amount_from_minor"),
    ],
)
def test_each_contradiction_is_named_at_its_field(stored, field):
    with pytest.raises(Invalid) as refused:
        Conditions.from_json(stored)
    assert list(refused.value.fields) == [field]


def test_a_condition_that_nobody_knows_is_refused():
    with pytest.raises(Invalid, match="phase_of_the_moon"):
        Conditions.from_json({"phase_of_the_moon": "full"})


def test_the_limits_themselves_are_taken():
    Conditions(gl_reference_contains="x" * RULE_TEXT_CHARACTERS_MAX)
    Conditions(gl_reference_contains="x", days_apart_max=RULE_DAYS_APART_MAX)


def test_a_slow_expression_is_refused_at_its_field_before_it_is_saved():
    conditions = Conditions(TextTest.EXPRESSION, "(a|aa)+$")
    with pytest.raises(Invalid, match="very long") as refused:
        conditions.require_fast_expression()
    assert list(refused.value.fields) == ["bank_description"]
    Conditions(TextTest.EXPRESSION, "PAYROLL.*20[0-9]{2}").require_fast_expression()
    Conditions(TextTest.CONTAINS, "(a|aa)+$").require_fast_expression()
