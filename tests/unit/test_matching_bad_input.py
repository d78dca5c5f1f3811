from __future__ import annotations

import time
from collections import Counter
from datetime import date, timedelta

import pytest

from app.matching import Decision, Item, Outcome, Tier, match, rank

DAY = date(2026, 3, 9)
SECONDS_MAX = 15
"""Far above what it takes, far under what a search without bounds would."""


def item(new, days=0, amount=-48_317, text="", **more):
    return Item(new, DAY + timedelta(days=days), amount, "USD", text, **more)


def auto(result):
    return {(*p.bank_ids, *p.gl_ids) for p in result.pairs if p.tier is Tier.AUTO}


def test_thousands_of_identical_rows_end_in_bounded_time():
    ours = [item(f"b{n}", text="ACME LEASING") for n in range(5_000)]
    theirs = [item(f"g{n}", text="Acme Leasing") for n in range(5_000)]
    started = time.process_time()
    result = match(ours, theirs)
    assert time.process_time() - started < SECONDS_MAX
    used = Counter(i for p in result.pairs if p.tier is Tier.AUTO for i in p.gl_ids)
    assert max(used.values(), default=0) <= 1


def test_rows_without_any_description_that_tie_never_match():
    ours = [item(f"b{n}", n) for n in range(3)]
    theirs = [item(f"g{n}", n) for n in range(3)]
    assert auto(match(ours, theirs)) == set()


@pytest.mark.parametrize(
    "text",
    ["שלום עולם בע״מ", "مؤسسة النور", "\u202eGNISAEL EMCA", "Café 🥐🥐 Müller", "\x00\ufeff"],
)
def test_text_of_any_script_is_scored_and_explained(text):
    (pair,) = rank(item("b", 1, text=text), [item("g", text=text)])
    assert 0.0 < pair.score < 100.0
    assert all(c.words for c in pair.contributions)


@pytest.mark.parametrize("text", ["A" * 10_000, "A " * 5_000, "1" * 10_000, "CHECK #0" * 1_250])
def test_descriptions_of_ten_thousand_characters_are_read_in_bounded_time(text):
    started = time.process_time()
    match([item("b", text=text)], [item("g", text=text, counterparty=text)])
    assert time.process_time() - started < 1.0


def test_zero_amounts_never_match_by_amount_alone():
    ours = [item(f"b{n}", amount=0, text="ACME") for n in range(5)]
    theirs = [item(f"g{n}", amount=0, text="Zenith") for n in range(5)]
    assert auto(match(ours, theirs)) == set()


def test_a_history_that_contradicts_itself_decides_nothing():
    past = [
        Decision(
            outcome,
            item(f"b{n}", -n, text="QX HOLDINGS"),
            item(f"g{n}", -n, counterparty="Bright Windows"),
        )
        for n in range(1, 9)
        for outcome in Outcome
    ]
    ours = [item("b", text="QX HOLDINGS")]
    theirs = [item("g", counterparty="Bright Windows"), item("h", counterparty="Bright Glass")]
    first = match(ours, theirs, history=past)
    assert [(p.gl_ids, p.score) for p in first.pairs] == [
        (p.gl_ids, p.score) for p in match(ours, theirs, history=past[::-1]).pairs
    ]
    assert auto(first) == set()
