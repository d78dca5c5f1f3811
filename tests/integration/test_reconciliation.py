from datetime import date

import pytest

from app.audit import trail
from app.jobs import runs
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.ledger.journals import JournalDraft, JournalLine, post_journal
from app.models import (
    Certification,
    GlEntry,
    JobKind,
    JobStatus,
    MatchOrigin,
    MatchState,
    Reconciliation,
    db,
)
from app.reconciliation import decisions
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.balances import balances_of
from app.reconciliation.certification import NotReady, certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.matching_run import run_matching
from app.reconciliation.opening import change_statement, request_matching
from app.reconciliation.settings import Thresholds, set_thresholds
from app.reconciliation.statement import from_document, statement_of
from app.reports import reconciliations, workspace
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


def balances(reconciliation_id: str):
    db.session.rollback()
    return balances_of(get_owned(Reconciliation, reconciliation_id))


def by_hand(books: Books, reconciliation_id: str, bank, gl, adjustment=None) -> str:
    command = MatchByHand(reconciliation_id, tuple(bank), tuple(gl), adjustment)
    return match_by_hand(books.actor, command)


def test_opening_asks_for_the_opening_balance_only_the_first_time(books):
    books.bank(500)
    with pytest.raises(Invalid, match="balance on which the statement begins"), nothing_changes():
        books.open(500, opening_minor=None)
    first = books.open(500)
    by_hand(books, first, [books.bank(0, "nothing")], [], None)
    change_statement(books.actor, first, ending_balance_minor=0)
    line = db.session.scalars(owned(GlEntry)).all()
    assert line == []
    entry = books.gl(500)
    bank = workspace.unmatched(first, workspace.View()).bank.rows[0].id
    by_hand(books, first, [bank], [entry])
    change_statement(books.actor, first, ending_balance_minor=500)
    run_waiting_jobs()
    certify(books.actor, first)
    second = books.open(500, opening_minor=None, until=date(2026, 11, 30))
    assert balances(second).opening_minor == 500


def test_only_one_reconciliation_of_an_account_is_open(books):
    books.open(0)
    with pytest.raises(Conflict, match="still open"), nothing_changes():
        books.open(0, until=date(2026, 11, 30))


def test_a_statement_must_end_after_the_last_certified_one(books):
    first = books.open(0)
    run_waiting_jobs()
    certify(books.actor, first)
    with pytest.raises(Invalid, match="must end after 31 October 2026"), nothing_changes():
        books.open(0, None, until=OCTOBER)
    with pytest.raises(Invalid, match="last certified ending balance"), nothing_changes():
        books.open(0, 17, until=date(2026, 11, 30))


def test_matching_runs_as_a_job_and_takes_the_obvious(books):
    pairs = {
        frozenset((books.bank(-12_345, f"{name} INC 00{n}", n + 1), books.gl(-12_345, name, n)))
        for n, name in [(3, "Harbor Foods")]
    }
    for n, name in enumerate(["Quartz Media", "Vista Roofing", "Delta Air", "Gusto"], 5):
        amount = -10_007 * n
        pairs.add(frozenset((books.bank(amount, name, n + 1), books.gl(amount, name, n))))
    books.open(sum(0 for _ in pairs))
    (run,) = run_waiting_jobs()
    assert run.status == JobStatus.SUCCEEDED
    assert run.progress_percent == 100
    made = matches()
    assert {frozenset(lines_of(match)) for match in made} <= pairs
    assert len(made) >= 4
    assert all(match.origin == MatchOrigin.AI and match.score >= 85 for match in made)
    assert all(match.contributions and match.contributions[0]["words"] for match in made)


def test_matching_twice_changes_nothing_more(books):
    books.bank(-5_512, "Vista Roofing")
    books.gl(-5_512, "Vista Roofing")
    reconciliation_id = books.open(-5_512)
    run_waiting_jobs()
    before = [(match.id, match.state) for match in matches()]
    request_matching(books.actor, reconciliation_id)
    run_waiting_jobs()
    assert [(match.id, match.state) for match in matches()] == before


def test_a_match_taken_apart_is_not_made_again_by_itself(books):
    books.bank(-5_512, "Vista Roofing")
    books.gl(-5_512, "Vista Roofing")
    reconciliation_id = books.open(-5_512)
    run_waiting_jobs()
    (match,) = matches()
    decisions.unmatch(books.actor, match.id)
    request_matching(books.actor, reconciliation_id)
    run_waiting_jobs()
    assert matches() == []
    assert matches(MatchState.SUGGESTED) == []


def test_one_to_many_and_many_to_many_match_when_the_sums_agree(books):
    reconciliation_id = books.open(600)
    deposit = books.bank(600)
    receipts = [books.gl(100), books.gl(200), books.gl(300)]
    match_id = by_hand(books, reconciliation_id, [deposit], receipts)
    now = balances(reconciliation_id)
    assert (now.cleared_minor, now.cleared_gl_minor, now.difference_minor) == (600, 600, 0)
    decisions.unmatch(books.actor, match_id)
    assert balances(reconciliation_id).difference_minor == 600
    more = books.bank(50)
    by_hand(books, reconciliation_id, [deposit, more], [*receipts, books.gl(50)])
    assert balances(reconciliation_id).cleared_minor == 650


def test_sides_that_differ_need_an_account_for_the_rest(books):
    reconciliation_id = books.open(-1_250)
    line, entry = books.bank(-1_250), books.gl(-1_000)
    with pytest.raises(Invalid, match=r"differ by −2\.50"), nothing_changes():
        by_hand(books, reconciliation_id, [line], [entry])
    own = Adjustment(books.cash_id)
    with pytest.raises(Invalid, match="another account"), nothing_changes():
        by_hand(books, reconciliation_id, [line], [entry], own)
    by_hand(books, reconciliation_id, [line], [entry], Adjustment(books.fees_id, "Wire fee"))
    now = balances(reconciliation_id)
    assert (now.difference_minor, now.open_gl.count) == (0, 0)
    posted = {row.gl_account_id: row.amount_minor for row in db.session.scalars(owned(GlEntry))}
    assert posted[books.fees_id] == 250


def test_an_undone_adjustment_is_reversed_and_leaves_nothing_outstanding(books):
    reconciliation_id = books.open(-1_250)
    line = books.bank(-1_250, "WIRE FEE")
    fee = Adjustment(books.fees_id)
    match_id = by_hand(books, reconciliation_id, [line], [], fee)
    decisions.unmatch(books.actor, match_id)
    now = balances(reconciliation_id)
    assert (now.open_gl.count, now.open_bank.count, now.difference_minor) == (0, 1, -1_250)
    assert sum(row.amount_minor for row in db.session.scalars(owned(GlEntry))) == 0
    with pytest.raises(Conflict, match="was reversed"):
        decisions.take_back(books.actor, match_id)
    by_hand(books, reconciliation_id, [line], [], fee)
    assert balances(reconciliation_id).difference_minor == 0


def test_lines_of_one_side_that_cancel_out_are_matched_together(books):
    reconciliation_id = books.open(0)
    by_hand(books, reconciliation_id, [books.bank(900), books.bank(-900)], [])
    by_hand(books, reconciliation_id, [], [books.gl(70), books.gl(-70)])
    now = balances(reconciliation_id)
    assert (now.open_bank.count, now.open_gl.count, now.difference_minor) == (0, 0, 0)
    with pytest.raises(Invalid):
        by_hand(books, reconciliation_id, [], [])
    with pytest.raises(Invalid):
        by_hand(books, reconciliation_id, [], [books.gl(10)])


def test_a_taken_line_is_a_conflict_that_says_who(books, cast):
    reconciliation_id = books.open(-700)
    line, entry, other = books.bank(-700), books.gl(-700), books.gl(-700)
    by_hand(books, reconciliation_id, [line], [entry])
    with pytest.raises(Conflict, match="Carol has matched one of these lines"), nothing_changes():
        by_hand(books, reconciliation_id, [line], [other])


def test_a_line_dated_after_the_statement_or_of_another_account_is_not_there(books):
    reconciliation_id = books.open(-700, until=date(2026, 10, 15))
    late, entry = books.bank(-700, day=16), books.gl(-700)
    with pytest.raises(NotFound, match="date after"), nothing_changes():
        by_hand(books, reconciliation_id, [late], [entry])


def test_strangers_find_nothing_and_viewers_may_not(books, cast):
    reconciliation_id = books.open(-700)
    line, entry = books.bank(-700), books.gl(-700)
    command = MatchByHand(reconciliation_id, (line,), (entry,))
    with pytest.raises(Forbidden):
        match_by_hand(cast.viv, command)
    with organization_scope(cast.other_id), pytest.raises(NotFound):
        match_by_hand(cast.charlie, command)
    with organization_scope(cast.other_id), pytest.raises(NotFound):
        workspace.header(reconciliation_id)


def a_suggestion(books: Books):
    """One bank line that could be either of two entries: with a low threshold, the AI asks."""
    set_thresholds(books.actor, Thresholds(auto_match=85, review=10))
    books.bank(-7_000, "DEBIT", 28)
    books.gl(-7_000, "Ironwood Staffing", 27)
    books.gl(-7_000, "Quartz Media", 27)
    reconciliation_id = books.open(-7_000)
    run_waiting_jobs()
    suggested = matches(MatchState.SUGGESTED)
    assert len(suggested) == 2
    return reconciliation_id, suggested


def test_approving_clears_the_lines_and_silences_rival_suggestions(books):
    reconciliation_id, suggested = a_suggestion(books)
    decisions.approve(books.actor, suggested[0].id)
    assert balances(reconciliation_id).cleared_minor == -7_000
    assert workspace.unmatched(reconciliation_id, workspace.View()).suggestions == ()
    decisions.unmatch(books.actor, suggested[0].id)
    still = workspace.unmatched(reconciliation_id, workspace.View()).suggestions
    assert [pair.id for pair in still] == [suggested[1].id]


def test_a_rejected_suggestion_can_be_taken_back_but_is_not_made_again(books):
    reconciliation_id, suggested = a_suggestion(books)
    for match in suggested:
        decisions.reject(books.actor, match.id)
    request_matching(books.actor, reconciliation_id)
    run_waiting_jobs()
    assert matches(MatchState.SUGGESTED) == []
    decisions.take_back(books.actor, suggested[0].id)
    assert len(matches(MatchState.SUGGESTED)) == 1


def test_approving_what_somebody_just_rejected_says_who(books, cast):
    _, suggested = a_suggestion(books)
    decisions.reject(cast.bob, suggested[0].id)
    with pytest.raises(Conflict, match="Bob has rejected this suggestion"), nothing_changes():
        decisions.approve(books.actor, suggested[0].id)


def test_certifying_needs_difference_zero_and_nothing_undecided(books):
    reconciliation_id, _ = a_suggestion(books)
    with pytest.raises(NotReady) as refused, nothing_changes():
        certify(books.actor, reconciliation_id)
    assert refused.value.reasons[0] == "−70.00 is still to explain."
    assert "1 bank transaction is not matched yet." in refused.value.reasons
    assert any("for your decision" in reason for reason in refused.value.reasons)


def test_one_cent_left_is_not_certified(books):
    reconciliation_id = books.open(-701)
    run_waiting_jobs()
    by_hand(books, reconciliation_id, [books.bank(-700)], [books.gl(-700)])
    with pytest.raises(NotReady, match=r"−0\.01 is still to explain"):
        certify(books.actor, reconciliation_id)


def a_certified_month(books: Books) -> str:
    reconciliation_id = books.open(10_000 - 1_512 + 40_000, opening_minor=10_000)
    run_waiting_jobs()
    by_hand(books, reconciliation_id, [books.bank(40_000)], [books.gl(40_000)])
    fee = Adjustment(books.fees_id, "Monthly fee")
    by_hand(books, reconciliation_id, [books.bank(-1_512, "FEE")], [], fee)
    books.gl(25_000, "Deposit in transit", 31)
    books.gl(-9_900, "Check 1044", 30)
    certify(books.actor, reconciliation_id, "All there.")
    return reconciliation_id


def test_the_two_adjusted_balances_agree_to_the_cent(books):
    reconciliation_id = a_certified_month(books)
    db.session.rollback()
    statement = statement_of(get_owned(Reconciliation, reconciliation_id))
    assert statement.agrees
    assert statement.adjusted_bank_minor == 48_488 + 25_000 - 9_900
    assert statement.adjusted_book_minor == statement.adjusted_bank_minor
    assert [line.description for line in statement.adjustments] == ["Monthly fee"]
    certificate = db.session.scalars(owned(Certification)).one()
    assert from_document(certificate.document) == statement


def test_certified_is_immutable(books):
    reconciliation_id = a_certified_month(books)
    match_id = matches()[0].id
    for change in (
        lambda: decisions.unmatch(books.actor, match_id),
        lambda: change_statement(books.actor, reconciliation_id, ending_balance_minor=1),
        lambda: certify(books.actor, reconciliation_id),
        lambda: request_matching(books.actor, reconciliation_id),
    ):
        with pytest.raises(Conflict, match="certified"), nothing_changes():
            change()


def test_a_certified_report_does_not_move_when_the_books_do(books):
    reconciliation_id = a_certified_month(books)
    before = reconciliations.report(reconciliation_id).statement
    books.gl(777, "Posted late into October", 5)
    assert reconciliations.report(reconciliation_id).statement == before


def test_open_ledger_entries_are_carried_to_the_next_reconciliation(books):
    a_certified_month(books)
    november = books.open(48_488 + 25_000, None, until=date(2026, 11, 30))
    lines = workspace.unmatched(november, workspace.View())
    assert [line.text for line in lines.gl.rows] == ["Check 1044", "Deposit in transit"]


def test_certified_pairs_teach_the_next_run(books):
    reconciliation_id = books.open(-5_555)
    run_waiting_jobs()
    by_hand(
        books, reconciliation_id, [books.bank(-5_555, "GUSTO DES:PAYROLL")], [books.gl(-5_555, "x")]
    )
    assert workspace.past_decisions() == ()
    certify(books.actor, reconciliation_id)
    (decision,) = workspace.past_decisions()
    assert (decision.outcome, decision.bank.description) == ("confirmed", "GUSTO DES:PAYROLL")


def test_every_change_stands_in_an_intact_trail(books):
    a_certified_month(books)
    assert trail.verify().intact


def test_search_finds_amounts_in_both_directions_and_texts(books):
    reconciliation_id = books.open(0)
    books.bank(13_700, "Refund")
    books.bank(-13_700, "Rent")
    books.bank(-99, "Order 137")
    books.gl(5, "100% cotton")
    books.gl(5, "1000 cotton")

    def found(q: str) -> list[str]:
        lines = workspace.unmatched(reconciliation_id, workspace.View(q=q))
        return sorted(line.text for line in (*lines.bank.rows, *lines.gl.rows))

    assert found("137") == ["Order 137", "Refund", "Rent"]
    assert found("137.00") == ["Refund", "Rent"]
    assert found("RENT") == ["Rent"]
    assert found("100%") == ["100% cotton"]


def test_pages_by_key_show_every_line_once(books, monkeypatch):
    monkeypatch.setattr("app.reports.paging.fetch_page.__defaults__", (2,))
    reconciliation_id = books.open(0)
    made = {books.bank(amount, day=day) for amount, day in [(5, 3), (5, 3), (5, 3), (1, 9), (2, 1)]}
    for sort in ("date", "-date", "amount", "-amount"):
        seen: list[str] = []
        cursor = ""
        while cursor is not None:
            view = workspace.View(sort_bank=sort, after_bank=cursor)
            page = workspace.unmatched(reconciliation_id, view).bank
            seen += [line.id for line in page.rows]
            cursor = page.next_cursor
        assert sorted(seen) == sorted(made), sort


def test_the_chosen_line_ranks_the_ledger(books):
    reconciliation_id = books.open(0)
    line = books.bank(-3_588, "UBER *TRIP HELP.UBER.COM", 29)
    right = books.gl(-3_588, "Travel", 27, counterparty="Uber Technologies, Inc.")
    books.gl(-3_620, "Meals", 26)
    lines = workspace.unmatched(reconciliation_id, workspace.View(line=line))
    assert lines.chosen.id == line
    assert lines.candidates[0].line.id == right
    assert lines.candidates[0].words


def test_new_lines_while_it_is_open_ask_for_matching_again(books, cast):
    reconciliation_id = books.open(-2_500)
    run_waiting_jobs()
    line = books.bank(-2_500, "Quartz Media")
    lines = (
        JournalLine(books.cash_id, -2_500, "Quartz Media"),
        JournalLine(books.fees_id, 2_500, "Quartz Media"),
    )
    post_journal(cast.bob, JournalDraft(date(2026, 10, 9), "Bill", "USD", "manual", lines))
    (run,) = run_waiting_jobs()
    assert (run.kind, run.subject_id, run.status) == ("match", reconciliation_id, "succeeded")
    assert line in lines_of(matches()[0])


def test_what_arrives_during_a_run_is_matched_by_another_run_after_it(books):
    reconciliation_id = books.open(0)
    first = runs.latest_run(JobKind.MATCH, reconciliation_id)
    held = runs.claim(first.id)
    again = request_matching(books.actor, reconciliation_id)
    assert again == first.id
    run_matching(books.actor, held)
    follower = runs.latest_run(JobKind.MATCH, reconciliation_id)
    assert (follower.status, follower.id != first.id) == (JobStatus.QUEUED, True)
    run_waiting_jobs()
    last = runs.latest_run(JobKind.MATCH, reconciliation_id)
    assert (last.id, last.status) == (follower.id, JobStatus.SUCCEEDED)
