from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.matching.records import Item
from app.reconciliation.conditions import Conditions, Direction, TextTest
from app.reconciliation.rules import Rule, RulePair, apply_rules, pairs_by_rules

MONDAY = date(2026, 9, 7)


def line(item_id: str, amount_minor: int = -125000, *, days: int = 0, **texts: str) -> Item:
    texts.setdefault("description", "GUSTO PAYROLL 0907")
    currency = texts.pop("currency", "USD")
    return Item(item_id, MONDAY + timedelta(days=days), amount_minor, currency, **texts)


def contains(text: str, **others: object) -> Conditions:
    return Conditions(bank_description_test=TextTest.CONTAINS, bank_description=text, **others)


PAYROLL = Rule("r1", contains("payroll"))


def test_a_rule_matches_the_only_pair_that_it_yields():
    pairs = pairs_by_rules(
        [PAYROLL], [line("b1"), line("b2", -5)], [line("g1"), line("g2", 125000)]
    )
    assert pairs == (RulePair("r1", "b1", "g1"),)


@pytest.mark.parametrize("other", [{"amount_minor": -125001}, {"currency": "EUR"}])
def test_amount_and_currency_must_be_equal(other):
    assert pairs_by_rules([PAYROLL], [line("b1")], [line("g1", **other)]) == ()


def test_two_gl_entries_for_one_bank_line_are_ambiguous_and_nothing_is_matched():
    (outcome,) = apply_rules([PAYROLL], [line("b1")], [line("g1"), line("g2", days=3)])
    assert outcome.pairs == ()
    assert outcome.ambiguous_bank_ids == ("b1",)


def test_two_bank_lines_for_one_gl_entry_are_ambiguous_and_nothing_is_matched():
    (outcome,) = apply_rules([PAYROLL], [line("b1"), line("b2")], [line("g1")])
    assert outcome.pairs == ()
    assert outcome.ambiguous_bank_ids == ("b1", "b2")


def test_days_apart_can_resolve_what_would_be_ambiguous():
    rule = Rule("r1", contains("payroll", days_apart_max=2))
    bank = [line("b1"), line("b2", days=14)]
    gl = [line("g1", days=1), line("g2", days=12)]
    assert {(p.bank_id, p.gl_id) for p in pairs_by_rules([rule], bank, gl)} == {
        ("b1", "g1"),
        ("b2", "g2"),
    }


def test_the_days_apart_limit_is_inclusive():
    rule = Rule("r1", contains("payroll", days_apart_max=2))
    assert pairs_by_rules([rule], [line("b1")], [line("g1", days=-2)])
    assert not pairs_by_rules([rule], [line("b1")], [line("g1", days=-3)])


def test_an_earlier_rule_takes_its_pair_and_a_later_one_sees_the_rest():
    bank = [line("b1"), line("b2", days=30, description="PAYROLL CHEQUE")]
    gl = [line("g1", counterparty="Gusto, Inc."), line("g2", counterparty="Ms Doe")]
    certain = Rule("certain", contains("cheque", gl_counterparty_contains="doe"))
    assert pairs_by_rules([certain, PAYROLL], bank, gl) == (
        RulePair("certain", "b2", "g2"),
        RulePair("r1", "b1", "g1"),
    )
    assert pairs_by_rules([PAYROLL, certain], bank, gl) == (RulePair("certain", "b2", "g2"),)


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        (contains("  Gusto   payroll "), True),
        (contains("rent"), False),
        (Conditions(TextTest.EQUALS, "gusto payroll 0907"), True),
        (Conditions(TextTest.EQUALS, "gusto payroll"), False),
        (Conditions(TextTest.EXPRESSION, r"payroll\s+\d{4}$"), True),
        (Conditions(TextTest.EXPRESSION, r"^payroll"), False),
        (Conditions(bank_reference_contains="0042"), True),
        (Conditions(bank_reference_contains="43"), False),
        (contains("payroll", direction=Direction.OUT), True),
        (contains("payroll", direction=Direction.IN), False),
        (Conditions(amount_from_minor=125000, amount_to_minor=125000, amount_currency="USD"), True),
        (Conditions(amount_from_minor=125001, amount_currency="USD"), False),
        (Conditions(amount_to_minor=124999, amount_currency="USD"), False),
        (Conditions(amount_from_minor=1, amount_currency="EUR"), False),
        (contains("payroll", gl_account_id="1010"), True),
        (contains("payroll", gl_account_id="101"), False),
        (Conditions(gl_description_contains="august"), True),
        (Conditions(gl_description_contains="july"), False),
        (Conditions(gl_counterparty_contains="gusto"), True),
        (Conditions(gl_counterparty_contains="adp"), False),
        (Conditions(gl_reference_contains="je-7"), True),
        (Conditions(gl_reference_contains="je-8"), False),
    ],
)
def test_each_condition_narrows(conditions, fits):
    bank = [line("b1", reference="INV 0042")]
    gl = [
        line(
            "g1",
            description="Payroll August",
            counterparty="Gusto, Inc.",
            reference="JE-7",
            account="1010",
        )
    ]
    assert bool(pairs_by_rules([Rule("r", conditions)], bank, gl)) is fits


def test_an_amount_of_zero_has_no_direction():
    for direction in Direction:
        rule = Rule("r", contains("payroll", direction=direction))
        assert pairs_by_rules([rule], [line("b1", 0)], [line("g1", 0)]) == ()


def test_an_expression_that_runs_out_of_time_matches_nothing_and_says_so(monkeypatch):
    monkeypatch.setattr("app.reconciliation.rules.EXPRESSION_RUN_SECONDS", 0.05)
    slow = Rule("slow", Conditions(TextTest.EXPRESSION, "(a|aa)+$"))
    bank = [line("b1", description="a" * 200 + "!"), line("b2", -7)]
    outcomes = apply_rules([slow, PAYROLL], bank, [line("g1"), line("g2", -7)])
    assert outcomes[0].too_slow
    assert outcomes[0].pairs == ()
    assert outcomes[1].pairs == (RulePair("r1", "b2", "g2"),)


def test_ten_thousand_lines_on_each_side_give_the_same_answer_as_ten():
    spread = [line(f"b{n}", -n) for n in range(10_000)], [line(f"g{n}", -n) for n in range(10_000)]
    equal = (
        [line(f"b{n}", days=n % 90) for n in range(10_000)],
        [line(f"g{n}", days=n % 90) for n in range(10_000)],
    )
    for (bank, gl), pairs_count in ((spread, 10_000), (equal, 0)):
        assert len(pairs_by_rules([PAYROLL], bank, gl)) == pairs_count


texts = st.sampled_from(["payroll", "Payroll gusto", "rent", "fee", ""])
items = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 6), texts, st.sampled_from(["USD", "EUR"])),
    max_size=9,
)
condition_sets = st.builds(
    lambda text, days, direction, counterparty: contains(
        text,
        days_apart_max=days,
        direction=direction,
        gl_counterparty_contains=counterparty,
    ),
    st.sampled_from(["payroll", "e", "rent"]),
    st.none() | st.integers(0, 4),
    st.none() | st.sampled_from(Direction),
    st.sampled_from(["", "gusto"]),
)


def as_items(prefix: str, rows: list[tuple[int, int, str, str]]) -> list[Item]:
    return [
        line(f"{prefix}{n}", amount, days=days, description=text, counterparty=text, currency=code)
        for n, (amount, days, text, code) in enumerate(rows)
    ]


def yields(conditions: Conditions, bank: Item, gl: Item) -> bool:
    """Tell plainly whether a rule fits a pair, the way the page words it."""
    days = abs((bank.date - gl.date).days)
    in_or_out = {Direction.IN: bank.amount_minor > 0, Direction.OUT: bank.amount_minor < 0}
    return (
        (bank.amount_minor, bank.currency) == (gl.amount_minor, gl.currency)
        and conditions.bank_description in bank.description.lower()
        and conditions.gl_counterparty_contains in gl.counterparty.lower()
        and (conditions.direction is None or in_or_out[conditions.direction])
        and (conditions.days_apart_max is None or days <= conditions.days_apart_max)
    )


@given(items, items, condition_sets)
def test_a_rule_matches_exactly_the_pairs_without_any_rival(bank_rows, gl_rows, conditions):
    bank, gl = as_items("b", bank_rows), as_items("g", gl_rows)
    fitting = {(b.id, g.id) for b in bank for g in gl if yields(conditions, b, g)}
    alone = {
        pair
        for pair in fitting
        if sum(b == pair[0] for b, _ in fitting) == sum(g == pair[1] for _, g in fitting) == 1
    }
    (outcome,) = apply_rules([Rule("r", conditions)], bank, gl)
    assert {(p.bank_id, p.gl_id) for p in outcome.pairs} == alone
    assert set(outcome.ambiguous_bank_ids) == {b for b, _ in fitting} - {b for b, _ in alone}


@given(items, items, st.lists(condition_sets, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter_and_no_line_is_used_twice(
    bank_rows, gl_rows, conditions, randomness
):
    bank, gl = as_items("b", bank_rows), as_items("g", gl_rows)
    rules = [Rule(f"r{n}", each) for n, each in enumerate(conditions)]
    pairs = pairs_by_rules(rules, bank, gl)
    randomness.shuffle(bank)
    randomness.shuffle(gl)
    assert pairs_by_rules(rules, bank, gl) == pairs
    assert len({p.bank_id for p in pairs}) == len({p.gl_id for p in pairs}) == len(pairs)
