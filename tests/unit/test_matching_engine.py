from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest

from app.matching import (
    Decision,
    Item,
    MatchOptions,
    Outcome,
    Tier,
    load_model,
    match,
    rank,
)
from app.matching.model import SINGLE_SIGNAL_PERCENT_MAX, log_odds

DAY = date(2026, 3, 9)


def item(new, days=0, amount=-50_000, text="", **more):
    return Item(new, DAY + timedelta(days=days), amount, "USD", text, **more)


def tiers(result):
    return {(p.bank_ids, p.gl_ids): p.tier for p in result.pairs}


def auto(result):
    return {(*p.bank_ids, *p.gl_ids) for p in result.pairs if p.tier is Tier.AUTO}


def test_a_clear_pair_is_automatic_and_says_why():
    result = match(
        [item("b", 2, -120_034, "ORIG CO NAME:GUSTO ORIG ID:9138864007 CO ENTRY DESCR:PAYROLL")],
        [item("g", 0, -120_034, "Payroll March", counterparty="Gusto, Inc.")],
    )
    (pair,) = result.pairs
    assert pair.tier is Tier.AUTO
    words = {c.signal: c.words for c in pair.contributions}
    assert words["amount"] == "amount equal, and no other open item has it"
    assert words["date"].startswith("2 days later")
    assert words["description"] == "names agree"
    assert words["rivals"] == "no rival"


def test_contributions_add_up_to_the_score():
    ours = [item(f"b{n}", n, -10_000, f"ACME {n}") for n in range(4)]
    theirs = [item(f"g{n}", n, -10_000, "Acme Leasing") for n in range(3)]
    for pair in rank(ours[0], theirs):
        assert sum(c.points for c in pair.contributions) == pytest.approx(
            log_odds(pair.score), abs=0.01
        )
    for pair in match(ours, theirs, options=MatchOptions(review_threshold=5)).pairs:
        assert sum(c.points for c in pair.contributions) == pytest.approx(
            log_odds(pair.score), abs=0.01
        )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(item("b", 60, -48_317), item("g", 0, -48_317), id="amount"),
        pytest.param(item("b", 0, -48_317), item("g", 0, -11_111), id="date"),
        pytest.param(
            item("b", 60, -48_317, "ZENITH OPTICAL THERAPY"),
            item("g", 0, -11_111, "Zenith Optical Therapy"),
            id="description",
        ),
        pytest.param(
            item("b", 60, -48_317, reference="RX8812077"),
            item("g", 0, -11_111, reference="RX8812077"),
            id="reference",
        ),
    ],
)
def test_no_signal_alone_reaches_the_auto_threshold(ours, theirs):
    assert auto(match([ours], [theirs])) == set()
    assert rank(ours, [theirs])[0].score < SINGLE_SIGNAL_PERCENT_MAX


@pytest.mark.parametrize("signal", ["amount", "date", "description", "reference", "history"])
def test_the_best_of_one_signal_with_the_others_silent_stays_under_the_threshold(signal):
    assert load_model().best_alone()[signal] < log_odds(SINGLE_SIGNAL_PERCENT_MAX)


def test_history_alone_does_not_match():
    past = [
        Decision(
            Outcome.CONFIRMED,
            item(f"pb{n}", -30 * n, -9_900, "QX HOLDINGS"),
            item(f"pg{n}", -30 * n, -9_900, "Cleaning", counterparty="Bright Windows"),
        )
        for n in range(1, 20)
    ]
    result = match(
        [item("b", 60, -48_317, "QX HOLDINGS")],
        [item("g", 0, -11_111, "Cleaning", counterparty="Bright Windows")],
        history=past,
    )
    assert auto(result) == set()


def test_unequal_amounts_are_suggested_at_most():
    result = match(
        [item("b", 1, -54_321, "ZENITH OPTICAL", reference="RX8812077")],
        [item("g", 0, -45_321, "Zenith Optical", reference="RX8812077")],
    )
    assert tiers(result) == {(("b",), ("g",)): Tier.REVIEW}
    assert "change places" in result.pairs[0].contributions[0].words


def test_ties_that_are_not_interchangeable_never_match():
    result = match(
        [item("b", 1, -50_000, "CHECK")],
        [
            item("g1", 0, -50_000, "Rent", counterparty="Acme"),
            item("g2", 0, -50_000, "Rent", counterparty="Zenith"),
        ],
    )
    assert auto(result) == set()


def test_identical_rows_without_a_name_never_match_by_themselves():
    ours = [item(f"b{n}", 1, -50_000, "CHECK") for n in range(3)]
    theirs = [item(f"g{n}", 0, -50_000, "") for n in range(3)]
    assert auto(match(ours, theirs)) == set()


def test_interchangeable_instalments_match_in_date_order():
    ours = [item(f"b{n}", 7 * n + 2, -50_000, "ACME LEASING LLC") for n in range(5)]
    theirs = [item(f"g{n}", 7 * n, -50_000, "Lease", counterparty="Acme Leasing") for n in range(5)]
    expected = {(f"b{n}", f"g{n}") for n in range(5)}
    assert auto(match(ours, theirs)) == expected
    assert auto(match(ours[::-1], theirs[::-1])) == expected


def test_interchangeable_items_of_one_day_match():
    ours = [item(f"b{n}", 1, -50_000, "ACME LEASING LLC") for n in range(3)]
    theirs = [item(f"g{n}", 0, -50_000, "Lease", counterparty="Acme Leasing") for n in range(3)]
    assert auto(match(ours, theirs)) == {(f"b{n}", f"g{n}") for n in range(3)}


def test_assignment_is_optimal_rather_than_greedy():
    ours = [item("b1", 3, -50_000, "CHECK 1043"), item("b2", 3, -50_000, "CHECK")]
    theirs = [item("g1", 2, -50_000, "Acme", reference="1043"), item("g2", 0, -50_000, "Acme")]
    found = {p.bank_ids[0]: p.gl_ids[0] for p in match(ours, theirs).pairs[:2]}
    assert found["b1"] == "g1"
    assert found.get("b2", "g2") == "g2"


def test_review_suggestions_are_at_most_five_and_best_first():
    theirs = [item(f"g{n:02}", 0, -50_000, "", counterparty=f"Vendor {n}") for n in range(12)]
    result = match(
        [item("b", 1, -50_000, "CHECK")], theirs, options=MatchOptions(review_threshold=1)
    )
    scores = [p.score for p in result.pairs]
    assert len(scores) <= 5
    assert scores == sorted(scores, reverse=True)


def test_rank_agrees_with_match_where_no_other_bank_line_is_open():
    one = item("b", 2, -120_034, "GUSTO PAYROLL")
    theirs = [item("g1", 0, -120_034, "", counterparty="Gusto"), item("g2", 0, -120_034, "Rent")]
    best = rank(one, theirs)[0]
    found = match([one], theirs).pairs[0]
    assert best.gl_ids == found.gl_ids == ("g1",)
    assert best.score == pytest.approx(found.score, abs=3.0)
    assert len(rank(one, theirs, limit=1)) == 1


def test_an_id_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="stands twice among the bank items"):
        match([item("b"), item("b")], [])


@pytest.mark.parametrize("thresholds", [(85, 90), (101, 50), (85, -1), (85, 0)])
def test_thresholds_out_of_range_are_refused(thresholds):
    with pytest.raises(ValueError, match="Thresholds are percentages"):
        MatchOptions(auto_threshold=thresholds[0], review_threshold=thresholds[1])


def test_empty_sides_give_an_empty_result():
    assert match([], []).pairs == ()
    assert match([item("b")], []).pairs == ()
    assert rank(item("b"), []) == ()


def test_progress_ends_at_one():
    seen = []
    match([item("b")], [item("g")], progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_importing_the_package_brings_neither_flask_nor_scipy():
    code = "import sys, app.matching; print({'scipy', 'sklearn', 'flask', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
