"""The rates of Bank Match AI, counted from what people decided."""

from __future__ import annotations

import pytest

from app.models import Match, MatchItem, MatchOrigin, MatchState, db
from app.models.session import unit_of_work
from app.reconciliation import certification, decisions
from app.reconciliation.opening import change_statement
from app.reports.performance import performance, simulate, wilson_lower
from app.tenancy.scope import get_owned, organization_scope
from tests.books import Books, run_waiting_jobs, set_up_books


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.alice)


def paired(books: Books, opened: str, origin: MatchOrigin, score: float | None) -> str:
    """Match one line to one entry, as this origin does with this score."""
    command = decisions.MatchByHand(opened, (books.bank(-100),), (books.gl(-100),))
    match_id = decisions.match_by_hand(books.actor, command)
    with unit_of_work():
        found = get_owned(Match, match_id)
        found.origin, found.score = origin, score
    return match_id


def month(books: Books) -> str:
    """Return a month with a rule's pair, AI pairs of 97, 91 and 70, and one by hand."""
    opened = books.open(-500)
    run_waiting_jobs()
    paired(books, opened, MatchOrigin.RULE, None)
    for score in (97, 91, 70):
        paired(books, opened, MatchOrigin.AI, score)
    paired(books, opened, MatchOrigin.MANUAL, None)
    return opened


def test_rates_are_of_what_was_matched_approved_and_undone(books):
    opened = month(books)
    wrong = paired(books, opened, MatchOrigin.AI, 88)
    decisions.unmatch(books.actor, wrong)
    rejected = paired(books, opened, MatchOrigin.AI, 60)
    with unit_of_work():
        get_owned(Match, rejected).state = MatchState.REJECTED
    (period,) = performance().periods
    assert period.is_open
    assert (period.by_rule_count, period.by_ai_count) == (1, 2)
    assert (period.approved_count, period.decided_count) == (1, 2)
    assert (period.undone_count, period.automatic_count) == (1, 4)
    assert period.acceptance_rate == 0.5
    assert period.override_rate == 0.25


def test_precision_and_calibration_are_proved_by_certified_months(books):
    opened = month(books)
    assert performance().precision is None
    certification.certify(books.actor, opened)
    found = performance()
    assert (found.judged_automatic_count, found.precision) == (2, 1.0)
    assert found.precision_at_least == wilson_lower(2, 2) < 0.4
    assert [(b.score_from, b.judged_count, b.right_count) for b in found.bands] == [
        (70, 1, 1),
        (90, 2, 2),
    ]
    (period,) = found.periods
    assert (period.bank_count, period.auto_match_rate) == (5, 0.6)


def test_other_thresholds_are_tried_on_what_was_certified(books):
    opened = month(books)
    assert simulate(85, 50).matched_count == 0  # an open month proves nothing
    wrong = paired(books, opened, MatchOrigin.AI, 88)
    with unit_of_work():  # a suggestion of lines that were matched otherwise
        get_owned(Match, wrong).state = MatchState.SUGGESTED
    items = db.session.scalars(db.select(MatchItem).where(MatchItem.match_id == wrong)).all()
    with unit_of_work():
        for item in items:
            db.session.merge(item).active = False
    bank = tuple(item.financial_transaction_id for item in items if item.financial_transaction_id)
    gl = tuple(item.gl_entry_id for item in items if item.gl_entry_id)
    decisions.match_by_hand(books.actor, decisions.MatchByHand(opened, bank, gl))
    change_statement(books.actor, opened, ending_balance_minor=-600)
    certification.certify(books.actor, opened)
    strict, loose, blind = simulate(95, 50), simulate(60, 50), simulate(95, 94)
    assert (strict.matched_count, strict.wrong_count, strict.reviewed_count) == (1, 0, 3)
    assert (loose.matched_count, loose.wrong_count, loose.reviewed_count) == (4, 1, 0)
    assert (blind.reviewed_count, blind.unseen_count) == (0, 2)


def test_a_stranger_sees_nothing_of_it(cast, books):
    month(books)
    with organization_scope(cast.other_id):
        assert performance().periods == ()
        assert simulate(1, 1).matched_count == 0


@pytest.mark.parametrize(
    ("right", "count", "lower"), [(0, 0, None), (0, 9, 0.0), (995, 1000, 0.988)]
)
def test_the_lower_bound_is_wilsons(right, count, lower):
    assert wilson_lower(right, count) == pytest.approx(lower, abs=0.001)
