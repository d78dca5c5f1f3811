"""Two people, or a person and a run, at the same moment; and a run that dies anywhere."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.jobs import runs
from app.kernel.clock import utc_now
from app.models import JobKind, JobRun, JobStatus, MatchItem, MatchState, db
from app.models.session import unit_of_work
from app.reconciliation import decisions, matching_run
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.opening import request_matching
from app.tenancy.scope import get_owned, owned
from tests.books import Books, lines_of, matches, run_waiting_jobs, set_up_books
from tests.dying import perform_and_die_at
from tests.races import race
from workers.jobs import perform

ROUNDS = 8
REFUSALS = {"Conflict", "NotReady"}


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


def test_two_people_matching_the_same_line_have_exactly_one_winner(books, cast):
    reconciliation_id = books.open(0)
    run_waiting_jobs()
    for round_number in range(ROUNDS):
        line = books.bank(-500, "same line")
        entries = [books.gl(-500), books.gl(-500)]

        def contestant(actor, entry, line=line):
            return lambda: match_by_hand(actor, MatchByHand(reconciliation_id, (line,), (entry,)))

        outcomes = race(
            cast.acme_id, contestant(cast.carol, entries[0]), contestant(cast.bob, entries[1])
        )
        winners = [outcome for outcome in outcomes if outcome not in REFUSALS]
        assert len(winners) == 1, (round_number, outcomes)
        taken = owned(MatchItem).where(MatchItem.financial_transaction_id == line, MatchItem.active)
        assert len(db.session.scalars(taken).all()) == 1


def test_of_two_who_open_at_once_one_is_told(books, cast):
    outcomes = race(cast.acme_id, lambda: books.open(0), lambda: books.open(0))
    assert sum(outcome == "Conflict" for outcome in outcomes) == 1


def test_certifying_and_unmatching_at_once_never_certifies_what_is_open(books, cast):
    reconciliation_id = books.open(-500)
    run_waiting_jobs()
    command = MatchByHand(reconciliation_id, (books.bank(-500),), (books.gl(-500),))
    match_id = match_by_hand(cast.carol, command)
    outcomes = race(
        cast.acme_id,
        lambda: certify(cast.carol, reconciliation_id),
        lambda: decisions.unmatch(cast.bob, match_id),
    )
    certified, unmatched = (outcome not in REFUSALS for outcome in outcomes)
    assert certified != unmatched, outcomes
    assert bool(matches()) == certified


def test_a_run_leaves_alone_what_a_person_matched_meanwhile(books, monkeypatch):
    line, right, wrong = books.bank(-9_900, "Vista"), books.gl(-9_900, "Vista"), books.gl(-9_900)
    reconciliation_id = books.open(-9_900)
    run_id = runs.latest_run(JobKind.MATCH, reconciliation_id).id
    real = matching_run.match

    def slow(*args, **kwargs):
        match_by_hand(books.actor, MatchByHand(reconciliation_id, (line,), (wrong,)))
        return real(*args, **kwargs)

    monkeypatch.setattr(matching_run, "match", slow)
    perform(run_id)
    (match,) = matches()
    assert lines_of(match) == {line, wrong}
    assert right not in lines_of(match)


def test_a_run_that_dies_at_any_statement_leaves_nothing_or_all(books):
    pairs = [
        (books.bank(-1_000 - n, f"Payee {n}"), books.gl(-1_000 - n, f"Payee {n}")) for n in range(5)
    ]
    reconciliation_id = books.open(0)
    run_id = runs.latest_run(JobKind.MATCH, reconciliation_id).id
    statement_number, killed = 1, True
    while killed:
        killed = perform_and_die_at(run_id, statement_number)
        assert len(matches()) == (0 if killed else len(pairs)), statement_number
        with unit_of_work():
            db.session.execute(
                sa.update(JobRun)
                .where(JobRun.id == run_id, JobRun.status == JobStatus.RUNNING)
                .values(lease_until=utc_now() - timedelta(seconds=1), attempt=0)
            )
        statement_number += 1
    assert statement_number > 15
    assert get_owned(JobRun, run_id).status == JobStatus.SUCCEEDED
    request_matching(books.actor, reconciliation_id)
    run_waiting_jobs()
    assert len(matches()) == len(pairs)
    assert matches(MatchState.SUGGESTED) == []
