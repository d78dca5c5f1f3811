from __future__ import annotations

from datetime import date, timedelta

from app.matching import Item, Tier, match

DAY = date(2026, 3, 9)


def item(new, amount, text="", days=0, **more):
    return Item(new, DAY + timedelta(days=days), amount, "USD", text, **more)


def groups(result, tier=None):
    return [
        (tuple(sorted(p.bank_ids)), tuple(sorted(p.gl_ids)))
        for p in result.pairs
        if len(p.bank_ids) + len(p.gl_ids) > 2 and tier in {None, p.tier}
    ]


def receipts(*amounts, slip=""):
    return [
        item(f"g{n}", a, "Receipt", counterparty=f"Customer {'ABCDEFGH'[n]}ohnson", reference=slip)
        for n, a in enumerate(amounts)
    ]


def test_a_deposit_matches_its_receipts_by_the_slip_number():
    ours = [item("b", 71_734, "DEPOSIT ID NUMBER 884120", days=1)]
    result = match(ours, receipts(12_500, 40_017, 19_217, slip="DEP 884120"))
    assert groups(result, Tier.AUTO) == [(("b",), ("g0", "g1", "g2"))]
    words = {c.signal: c.words for c in result.pairs[0].contributions}
    assert words["amount"] == "3 lines add up exactly"
    assert words["reference"] == "number 884120 on all"


def test_a_sum_without_other_support_is_only_suggested():
    ours = [item("b", 71_734, "DEPOSIT", days=1)]
    result = match(ours, receipts(12_500, 40_017, 19_217))
    assert groups(result, Tier.AUTO) == []
    assert groups(result, Tier.REVIEW) == [(("b",), ("g0", "g1", "g2"))]


def test_one_payment_matches_several_bills_of_its_vendor():
    ours = [item("b", -91_733, "ZENITH OPTICAL LLC", days=2)]
    theirs = [
        item("g1", -50_011, "Bill 1", counterparty="Zenith Optical"),
        item("g2", -41_722, "Bill 2", counterparty="Zenith Optical"),
        item("other", -20_000, "Bill 9", counterparty="Acme Leasing"),
    ]
    assert groups(match(ours, theirs), Tier.AUTO) == [(("b",), ("g1", "g2"))]


def test_a_payout_matches_sales_less_fees():
    ours = [item("b", 97_000, "STRIPE DES:TRANSFER ID:ST-88120431", days=2)]
    theirs = [
        item("sales", 100_000, "Stripe sales", counterparty="Stripe", reference="ST-88120431"),
        item("fees", -3_000, "Stripe fees", counterparty="Stripe", reference="ST-88120431"),
    ]
    assert groups(match(ours, theirs), Tier.AUTO) == [(("b",), ("fees", "sales"))]


def test_several_payments_match_one_bill():
    ours = [
        item("b1", -50_011, "ZENITH OPTICAL LLC", days=1),
        item("b2", -41_722, "ZENITH OPTICAL LLC", days=4),
    ]
    theirs = [item("g", -91_733, "Bill", counterparty="Zenith Optical")]
    assert groups(match(ours, theirs), Tier.AUTO) == [(("b1", "b2"), ("g",))]


def test_a_subset_that_is_one_of_several_is_never_automatic():
    ours = [item("b", -20_000, "ZENITH OPTICAL LLC", days=2)]
    theirs = [
        item(f"g{n}", -10_000, "Bill", days=n % 3, counterparty="Zenith Optical") for n in range(5)
    ]
    assert groups(match(ours, theirs), Tier.AUTO) == []


def test_a_single_entry_of_the_amount_goes_before_a_group():
    ours = [item("b", -91_733, "ZENITH OPTICAL LLC", days=2)]
    theirs = [
        item("g1", -50_011, counterparty="Zenith Optical"),
        item("g2", -41_722, counterparty="Zenith Optical"),
        item("g3", -91_733, counterparty="Zenith Optical"),
    ]
    result = match(ours, theirs)
    assert [(p.gl_ids, p.tier) for p in result.pairs] == [(("g3",), Tier.AUTO)]
