from __future__ import annotations

from datetime import date, timedelta
from math import log

from app.matching import Decision, Item, Outcome, rank
from app.matching.history import Memory, memory_key
from app.matching.normalize import descriptor

DAY = date(2026, 3, 9)
BANK_TEXT, RIGHT, WRONG = "QX HOLDINGS 8812", "Bright Windows", "Stone Paving"


def item(new, text, counterparty="", days=0, amount=-50_000):
    return Item(new, DAY + timedelta(days=days), amount, "USD", text, counterparty=counterparty)


def decisions(counterparty, count, outcome=Outcome.CONFIRMED, age_days=30):
    return [
        Decision(
            outcome,
            item(f"b{n}", f"QX HOLDINGS {n}331"),
            item(f"g{n}", "", counterparty),
            DAY - timedelta(days=age_days),
        )
        for n in range(count)
    ]


def score(counterparty, history):
    (pair,) = rank(
        item("b", BANK_TEXT, days=2), [item("g", "Cleaning", counterparty)], history=history
    )
    return pair.score, {c.signal: c.words for c in pair.contributions}


def evidence(points):
    """Return what a score says as log-odds: near 100 points are too short a measure."""
    return log(points / (100 - points))


def strength(memory, counterparty):
    return memory.strength(*(memory_key(descriptor(text)) for text in (BANK_TEXT, counterparty)))


def test_confirmations_raise_and_say_how_often():
    without, _ = score(RIGHT, ())
    learnt, words = score(RIGHT, decisions(RIGHT, 5))
    assert evidence(learnt) > evidence(without) + 1
    assert words["history"] == "you matched QX HOLDINGS 8812 to Bright Windows 5 times"


def test_rejections_lower():
    without, _ = score(RIGHT, ())
    rejected, words = score(RIGHT, decisions(RIGHT, 3, Outcome.REJECTED))
    assert rejected < without
    assert "rejected Bright Windows for QX HOLDINGS 8812 3 times" in words["history"]


def test_a_descriptor_known_to_go_elsewhere_lowers():
    without, _ = score(WRONG, ())
    elsewhere, words = score(WRONG, decisions(RIGHT, 6))
    assert elsewhere < without
    assert "never to Stone Paving" in words["history"]


def test_one_wrong_confirmation_does_not_flip():
    history = [*decisions(RIGHT, 5), *decisions(WRONG, 1)]
    assert evidence(score(RIGHT, history)[0]) > evidence(score(WRONG, history)[0]) + 1


def test_strength_is_bounded_and_rises_with_confirmations():
    strengths = [strength(Memory(decisions(RIGHT, n)), RIGHT) for n in range(1, 60)]
    assert strengths == sorted(strengths)
    assert 0 < strengths[0] < 0.3
    assert strengths[-1] <= 1


def test_old_decisions_weigh_less():
    old = [*decisions(RIGHT, 4, age_days=1500), *decisions(WRONG, 2, age_days=1)]
    memory = Memory(old)
    assert strength(memory, WRONG) > strength(memory, RIGHT)


def test_memory_does_not_depend_on_the_order_of_decisions():
    history = [*decisions(RIGHT, 3), *decisions(WRONG, 2), *decisions(RIGHT, 1, Outcome.REJECTED)]
    one, other = Memory(history), Memory(history[::-1])
    assert one.strength("QX HOLDINGS", "BRIGHT WINDOWS") == other.strength(
        "QX HOLDINGS", "BRIGHT WINDOWS"
    )


def test_nameless_lines_are_not_remembered():
    nameless = Decision(Outcome.CONFIRMED, item("b", "CHECK 1043"), item("g", "", RIGHT))
    assert Memory([nameless]).gl_keys("") == ()
