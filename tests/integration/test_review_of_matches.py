"""Matches that the bank changed: kept, taken apart, taken back; and nobody else touches them."""

from datetime import date

import pytest

from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import (
    FinancialTransaction,
    JobStatus,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    TransactionStatus,
    db,
)
from app.reconciliation import decisions, matching_run
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.balances import balances_of
from app.reconciliation.certification import NotReady, certify
from app.reconciliation.conditions import Conditions, TextTest
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.history import past_decisions
from app.reconciliation.opening import request_matching
from app.reconciliation.review import keep, take_back_keeping
from app.reconciliation.rule_book import create_rule
from app.reconciliation.rule_trial import try_rule
from app.reconciliation.settings import Thresholds, set_thresholds
from app.reports import workspace
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import (
    OCTOBER,
    Books,
    lines_of,
    matches,
    nothing_changes,
    run_waiting_jobs,
    set_up_books,
)


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


@pytest.fixture
def october(books) -> str:
    """An open reconciliation of 100.00 out, in which nothing is matched yet."""
    reconciliation_id = books.open(-10_000)
    run_waiting_jobs()
    return reconciliation_id


def by_hand(books: Books, reconciliation_id: str, bank, gl, adjustment=None) -> str:
    command = MatchByHand(reconciliation_id, tuple(bank), tuple(gl), adjustment)
    return match_by_hand(books.actor, command)


def now(match_id: str) -> Match:
    db.session.rollback()
    return get_owned(Match, match_id)


def amounts(match_id: str) -> list[int]:
    db.session.rollback()
    items = owned(MatchItem).where(
        MatchItem.match_id == match_id, MatchItem.financial_transaction_id.is_not(None)
    )
    return sorted(item.amount_minor for item in db.session.scalars(items))


def balances(reconciliation_id: str):
    db.session.rollback()
    return balances_of(get_owned(Reconciliation, reconciliation_id))


def keep_as_seen(books: Books, match_id: str) -> str:
    return keep(books.actor, match_id, seen=now(match_id).flag)


def test_a_flagged_match_counts_as_it_was_matched_and_stands_against_certifying(books, october):
    line = books.bank(-10_000)
    by_hand(books, october, [line], [books.gl(-10_000)])
    books.bank_says(line, amount_minor=-9_000)
    assert balances(october).difference_minor == 0
    with pytest.raises(NotReady) as refused, nothing_changes():
        certify(books.actor, october)
    assert refused.value.reasons == ["1 match waits for you: the bank changed it."]
    two = [books.bank(-100), books.bank(100)]
    by_hand(books, october, two, [])
    books.bank_states(two[0], None)
    with pytest.raises(NotReady, match="2 matches wait for you: the bank changed them"):
        certify(books.actor, october)


def test_a_match_whose_totals_still_agree_is_kept(books, october):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    books.bank_says(line, description="ACME SUPPLY CO", posted_date=date(2026, 10, 12))
    assert keep_as_seen(books, match_id) == october
    assert now(match_id).flag == ""
    certify(books.actor, october)


def test_amounts_that_moved_between_two_lines_are_taken_over(books, october):
    lines = [books.bank(-6_000), books.bank(-4_000)]
    match_id = by_hand(books, october, lines, [books.gl(-10_000)])
    books.bank_says(lines[0], amount_minor=-7_000)
    with pytest.raises(Invalid, match=r"The bank says −110\.00 now and the ledger −100\.00"):
        keep_as_seen(books, match_id)
    books.bank_says(lines[1], amount_minor=-3_000)
    keep_as_seen(books, match_id)
    assert amounts(match_id) == [-7_000, -3_000]
    assert now(match_id).bank_total_minor == -10_000
    take_back_keeping(books.actor, match_id)
    assert amounts(match_id) == [-6_000, -4_000]
    assert "amount −60.00 → −70.00" in now(match_id).flag
    assert "amount −40.00 → −30.00" in now(match_id).flag


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"amount_minor": -9_999}, "unmatch it"),
        ({"posted_date": date(2026, 11, 1)}, "dated after the statement now"),
        ({"pending": True}, "has not booked the transaction any more"),
        (None, "has removed the transaction"),
    ],
)
def test_what_does_not_stand_any_more_is_not_kept(books, october, changed, words):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    if changed is None:
        books.bank_states(line, None)
    else:
        books.bank_says(line, **changed)
    seen = now(match_id).flag
    with pytest.raises(Invalid, match=words), nothing_changes():
        keep(books.actor, match_id, seen=seen)


def test_a_change_that_nobody_has_read_is_not_kept(books, october):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    books.bank_says(line, description="ONE")
    seen = now(match_id).flag
    books.bank_says(line, description="TWO")
    with pytest.raises(Conflict, match="changed it again since you looked"), nothing_changes():
        keep(books.actor, match_id, seen=seen)
    keep_as_seen(books, match_id)
    with pytest.raises(Conflict, match="does not wait for anybody"), nothing_changes():
        keep(books.actor, match_id, seen=seen)


def test_keeping_can_be_taken_back_until_the_bank_changes_it_again(books, october):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    with pytest.raises(Conflict, match="nothing to take back"), nothing_changes():
        take_back_keeping(books.actor, match_id)
    books.bank_says(line, description="ONE")
    seen = now(match_id).flag
    with pytest.raises(Conflict, match="nothing to take back"), nothing_changes():
        take_back_keeping(books.actor, match_id)
    keep_as_seen(books, match_id)
    take_back_keeping(books.actor, match_id)
    assert now(match_id).flag == seen
    keep_as_seen(books, match_id)
    books.bank_says(line, description="TWO")
    assert now(match_id).flag == (
        "The bank changed “ONE” of 10 October 2026: description now “TWO”."
    )
    with pytest.raises(Conflict, match="nothing to take back"), nothing_changes():
        take_back_keeping(books.actor, match_id)


def test_unmatching_frees_both_sides_as_they_are_now_and_can_be_taken_back(books, october):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    books.bank_says(line, amount_minor=-9_000)
    flagged = now(match_id).flag
    decisions.unmatch(books.actor, match_id)
    free = balances(october)
    assert (free.open_bank.total_minor, free.open_gl.total_minor) == (-9_000, -10_000)
    decisions.take_back(books.actor, match_id)
    assert (now(match_id).state, now(match_id).flag) == (MatchState.MATCHED, flagged)
    assert balances(october).cleared_minor == -10_000


def test_a_match_put_back_tells_what_the_bank_changed_meanwhile(books, october):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    books.bank_says(line, amount_minor=-9_000)
    decisions.unmatch(books.actor, match_id)
    books.bank_says(line, amount_minor=-8_000)
    assert "−100.00 → −90.00" in now(match_id).flag
    decisions.take_back(books.actor, match_id)
    assert "−100.00 → −80.00" in now(match_id).flag


def test_a_match_is_not_put_back_over_a_line_that_changed_while_nothing_held_it(books, october):
    line, entry = books.bank(-10_000), books.gl(-10_000)
    match_id = by_hand(books, october, [line], [entry])
    decisions.unmatch(books.actor, match_id)
    books.bank_says(line, amount_minor=-9_000)
    with pytest.raises(Conflict, match="changed or removed in the meantime"), nothing_changes():
        decisions.take_back(books.actor, match_id)
    books.bank_states(line, None)
    with pytest.raises(Conflict, match="changed or removed in the meantime"), nothing_changes():
        decisions.take_back(books.actor, match_id)


def test_an_adjusted_match_that_the_bank_changed_comes_apart_with_its_adjustment(books, october):
    line = books.bank(-10_000, "WIRE FEE")
    match_id = by_hand(books, october, [line], [], Adjustment(books.fees_id))
    books.bank_states(line, None)
    decisions.unmatch(books.actor, match_id)
    after = balances(october)
    assert (after.open_bank.count, after.open_gl.count, after.cleared_minor) == (0, 0, 0)


def a_suggestion(books: Books) -> tuple[str, str, list[Match]]:
    """One bank line that could be either of two entries: with a low threshold, the AI asks."""
    set_thresholds(books.actor, Thresholds(auto_match=85, review=10))
    line = books.bank(-7_000, "DEBIT", 28)
    books.gl(-7_000, "Ironwood Staffing", 27)
    books.gl(-7_000, "Quartz Media", 27)
    reconciliation_id = books.open(-7_000)
    run_waiting_jobs()
    suggested = matches(MatchState.SUGGESTED)
    assert len(suggested) == 2
    return line, reconciliation_id, suggested


@pytest.mark.parametrize(
    "changed",
    [{"amount_minor": -7_001}, {"posted_date": date(2026, 11, 1)}, {"pending": True}, None],
)
def test_a_suggestion_whose_line_changed_falls_silent_and_cannot_be_approved(books, changed):
    line, reconciliation_id, suggested = a_suggestion(books)
    if changed is None:
        books.bank_states(line, None)
    else:
        books.bank_says(line, **changed)
    assert workspace.unmatched(reconciliation_id, workspace.View()).suggestions == ()
    with pytest.raises(Conflict, match="changed or removed in the meantime"), nothing_changes():
        decisions.approve(books.actor, suggested[0].id)


def test_a_suggestion_comes_back_with_its_line(books):
    line, reconciliation_id, suggested = a_suggestion(books)
    books.bank_says(line, amount_minor=-7_001)
    books.bank_says(line, amount_minor=-7_000)
    shown = workspace.unmatched(reconciliation_id, workspace.View()).suggestions
    assert {pair.id for pair in shown} <= {match.id for match in suggested}
    assert shown
    decisions.approve(books.actor, suggested[0].id)


def test_matching_leaves_flagged_matches_and_their_lines_alone(books, october):
    line, entry = books.bank(-10_000, "GUSTO PAYROLL"), books.gl(-10_000, "Gusto payroll")
    match_id = by_hand(books, october, [line], [entry])
    books.bank_says(line, amount_minor=-9_000)
    books.gl(-9_000, "Gusto payroll")
    by_text = Conditions(bank_description_test=TextTest.CONTAINS, bank_description="GUSTO")
    create_rule(books.actor, "Payroll", by_text)
    before = now(match_id).flag
    request_matching(books.actor, october)
    run_waiting_jobs()
    (match,) = matches()
    assert (match.id, match.flag) == (match_id, before)
    assert lines_of(match) == {line, entry}
    assert matches(MatchState.SUGGESTED) == []


def test_a_run_does_not_match_a_line_that_the_bank_changed_while_it_scored(books, monkeypatch):
    line, entry = books.bank(-5_512, "Vista Roofing"), books.gl(-5_512, "Vista Roofing")
    books.open(-5_512)
    score = matching_run.match

    def score_while_the_bank_changes(*args, **options):
        books.bank_says(line, amount_minor=-5_500)
        return score(*args, **options)

    monkeypatch.setattr(matching_run, "match", score_while_the_bank_changes)
    (run,) = run_waiting_jobs()
    assert run.status == JobStatus.SUCCEEDED
    assert matches() == []
    monkeypatch.undo()
    books.bank_says(line, amount_minor=-5_512)
    request_matching(books.actor, run.subject_id)
    run_waiting_jobs()
    assert [lines_of(match) for match in matches()] == [{line, entry}]


def test_a_pair_taken_apart_because_the_bank_changed_it_is_no_bad_example(books):
    line, _ = books.bank(-5_512, "Vista Roofing"), books.gl(-5_512, "Vista Roofing")
    books.open(-5_512)
    run_waiting_jobs()
    (match,) = matches()
    assert match.origin == MatchOrigin.AI
    books.bank_says(line, amount_minor=-5_500)
    decisions.unmatch(books.actor, match.id)
    assert past_decisions() == ()


def test_pending_transactions_are_taken_by_nothing(books):
    pending = books.bank(-5_512, "Vista Roofing", status=TransactionStatus.PENDING)
    entry = books.gl(-5_512, "Vista Roofing")
    by_text = Conditions(bank_description_test=TextTest.CONTAINS, bank_description="Vista")
    create_rule(books.actor, "Roof", by_text)
    reconciliation_id = books.open(0)
    run_waiting_jobs()
    assert matches() == []
    assert matches(MatchState.SUGGESTED) == []
    with pytest.raises(NotFound, match="not part of this reconciliation"), nothing_changes():
        by_hand(books, reconciliation_id, [pending], [entry])
    seen = balances(reconciliation_id)
    assert (seen.bank_count, seen.open_bank.count, seen.difference_minor) == (0, 0, 0)
    lines = workspace.unmatched(reconciliation_id, workspace.View(line=pending))
    assert (lines.bank.rows, lines.chosen, lines.candidates) == ((), None, ())
    assert try_rule(by_text).bank_lines_count == 0
    certify(books.actor, reconciliation_id)
    assert get_owned(FinancialTransaction, pending).status == TransactionStatus.PENDING


def test_viewers_and_strangers_keep_nothing(books, october, cast):
    line = books.bank(-10_000)
    match_id = by_hand(books, october, [line], [books.gl(-10_000)])
    books.bank_says(line, description="ONE")
    seen = now(match_id).flag
    with pytest.raises(Forbidden), nothing_changes():
        keep(cast.viv, match_id, seen=seen)
    with pytest.raises(Forbidden), nothing_changes():
        take_back_keeping(cast.viv, match_id)
    with organization_scope(cast.other_id):
        for call in (
            lambda: keep(cast.charlie, match_id, seen=seen),
            lambda: take_back_keeping(cast.charlie, match_id),
            lambda: workspace.matched(october, "", ""),
        ):
            with pytest.raises(NotFound):
                call()


def test_the_matched_tab_shows_flagged_matches_first_with_what_the_bank_says_now(books, october):
    lines = [books.bank(-10_000), books.bank(-200), books.bank(-300)]
    ids = [
        by_hand(books, october, [line], [books.gl(minor)])
        for line, minor in zip(lines, (-10_000, -200, -300), strict=True)
    ]
    books.bank_says(lines[0], amount_minor=-9_000)
    books.bank_says(lines[1], description="CARD FEE")
    shown = workspace.matched(october, "", "")
    assert [each.pair.id for each in shown.flagged] == ids[:2]
    assert [pair.id for pair in shown.page.rows] == ids[2:]
    assert shown.flagged[0].pair.bank.amount_minor == -9_000
    assert "unmatch it" in shown.flagged[0].reason_against_keeping
    assert shown.flagged[1].reason_against_keeping == ""
    head = workspace.header(october)
    assert (head.matched_count, head.flagged_count) == (3, 2)
    assert [e.pair.id for e in workspace.matched(october, "CARD FEE", "").flagged] == [ids[1]]
    assert get_owned(Reconciliation, october).ending_date == OCTOBER
