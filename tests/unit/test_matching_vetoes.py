from __future__ import annotations

from datetime import date

import pytest

from app.matching import Item, MatchOptions, Tier, match, rank
from app.matching.vetoes import reversed_entries

DAY = date(2026, 3, 9)


def bank(new, amount=-50_000, text="ACME LEASING", **more):
    return Item(new, more.pop("day", DAY), amount, more.pop("currency", "USD"), text, **more)


gl = bank


def pairs_of(ours, theirs, **options):
    return {
        (p.bank_ids, p.gl_ids) for p in match(ours, theirs, options=MatchOptions(**options)).pairs
    }


def test_opposite_directions_never_match():
    assert pairs_of([bank("b", -50_000)], [gl("g", 50_000)], review_threshold=1) == set()


def test_other_currencies_never_match():
    assert pairs_of([bank("b")], [gl("g", currency="EUR")], review_threshold=1) == set()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("CHECK 1043", ""), ("Check 1044", "")),
        (("CHECK", "1043"), ("Rent, check #1044", "")),
        (("CHECK 1043", ""), ("Cheque to Acme", "1044")),
        (("ACME LEASING INV-2001", ""), ("Acme Leasing", "INV-2002")),
        (("ACME LEASING", "20010"), ("Acme Leasing", "20011")),
        (("CHECK 1043", ""), ("Rent", "1044")),
        (("ACME LEASING", "RX-88120"), ("Acme Leasing", "RX-88121")),
        (("ACME LEASING", "RX88120"), ("Acme Leasing", "RX88121")),
    ],
)
def test_references_that_contradict_never_match(ours, theirs):
    one = [bank("b", text=ours[0], reference=ours[1])]
    other = [gl("g", text=theirs[0], reference=theirs[1], counterparty="Acme Leasing")]
    assert pairs_of(one, other, review_threshold=1) == set()
    ranked = rank(one[0], other)
    assert ranked[0].score == 0.0
    assert "contradict" in ranked[0].contributions[0].words


def test_equal_cheque_numbers_match_whatever_zeros_lead():
    found = match([bank("b", text="CHECK # 00001043")], [gl("g", text="Rent", reference="1043")])
    assert [p.tier for p in found.pairs] == [Tier.AUTO]


def test_columns_of_numbers_that_share_nothing_do_not_contradict():
    ours = [
        bank(f"b{n}", -1000 - n, f"VENDOR {n} LLC", reference=str(50_000 + n)) for n in range(12)
    ]
    theirs = [gl(f"g{n}", -1000 - n, f"Vendor {n}", reference=str(70_000 + n)) for n in range(12)]
    assert len(pairs_of(ours, theirs)) == 12


def test_a_voided_entry_and_its_reversal_are_taken_out():
    theirs = [
        gl("paid", text="Rent", counterparty="Acme"),
        gl("void", 50_000, text="VOID rent", counterparty="Acme"),
    ]
    assert reversed_entries(theirs, []) == {"paid", "void"}
    assert pairs_of([bank("b")], theirs, review_threshold=1) == set()


def test_a_reversal_that_the_bank_shows_stays():
    theirs = [
        gl("paid", text="Rent", counterparty="Acme"),
        gl("back", 50_000, text="Reversal of rent", counterparty="Acme"),
    ]
    assert reversed_entries(theirs, [bank("b", 50_000)]) == set()


def test_an_opposite_entry_of_another_counterparty_is_no_reversal():
    theirs = [
        gl("paid", text="Rent", counterparty="Acme"),
        gl("void", 50_000, text="VOID", counterparty="Other"),
    ]
    assert reversed_entries(theirs, []) == set()
