"""Two people: who prepares never reviews, nothing moves meanwhile, both sign one statement."""

from __future__ import annotations

import pytest

from app.audit import trail
from app.jobs import runs
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import Certification, JobKind, JobStatus, db
from app.people.members import add_member, members, remove_member
from app.reconciliation.certification import NotReady, ReviewWanted, certify
from app.reconciliation.decisions import MatchByHand, match_by_hand, unmatch
from app.reconciliation.discarding import discard
from app.reconciliation.opening import change_statement, request_matching
from app.reconciliation.reopening import reopen
from app.reconciliation.second_review import (
    OwnWork,
    approve,
    return_,
    set_second_review,
    submit,
    withdraw,
)
from app.reports import reconciliations
from app.tenancy.scope import organization_scope, owned
from tests.books import Books, matches, nothing_changes, run_waiting_jobs, set_up_books


@pytest.fixture
def books(cast) -> Books:
    set_second_review(cast.alice, wanted=True)
    return set_up_books(cast.carol)


def a_ready_month(books: Books) -> str:
    reconciliation_id = books.open(-10_000)
    run_waiting_jobs()
    command = MatchByHand(reconciliation_id, (books.bank(-10_000),), (books.gl(-10_000),))
    match_by_hand(books.actor, command)
    return reconciliation_id


def test_with_the_setting_nobody_certifies_alone(books, cast):
    month = a_ready_month(books)
    with pytest.raises(ReviewWanted, match="submit it for review"), nothing_changes():
        certify(cast.alice, month)
    submit(cast.bob, month, " As agreed. ")
    with nothing_changes():
        for act in (lambda: approve(cast.bob, month), lambda: return_(cast.bob, month, "Mine.")):
            with pytest.raises(OwnWork, match="You have prepared it"):
                act()
        with pytest.raises(Forbidden):
            approve(cast.viv, month)
        with organization_scope(cast.other_id), pytest.raises(NotFound):
            approve(cast.charlie, month)
        with pytest.raises(Conflict, match="waits for the review"):
            certify(cast.carol, month)
    approve(cast.carol, month)
    certificate = db.session.scalars(owned(Certification)).one()
    assert (certificate.prepared_by_name, certificate.certified_by_name) == ("Bob", "Carol")
    assert certificate.remarks == "As agreed."
    report = reconciliations.report(month)
    assert (report.certificate.prepared_by, report.certified_by, report.review) == (
        "Bob",
        "Carol",
        None,
    )
    with pytest.raises(Conflict, match="Carol has approved it"), nothing_changes():
        approve(cast.alice, month)
    assert trail.verify().intact


def test_while_it_waits_nobody_changes_anything(books, cast):
    month = a_ready_month(books)
    (match,) = matches()
    line, entry = books.bank(-5), books.gl(-5)
    with pytest.raises(NotReady):
        submit(cast.bob, month)
    change_statement(cast.bob, month, ending_balance_minor=-10_005)
    match_by_hand(cast.bob, MatchByHand(month, (line,), (entry,)))
    submit(cast.bob, month)
    for change in (
        lambda: unmatch(cast.carol, match.id),
        lambda: change_statement(cast.carol, month, ending_balance_minor=1),
        lambda: request_matching(cast.carol, month),
        lambda: submit(cast.carol, month),
        lambda: discard(cast.carol, month),
    ):
        with pytest.raises(Conflict, match="Bob has submitted it"), nothing_changes():
            change()


def test_it_is_returned_with_a_reason_or_withdrawn_and_then_open_again(books, cast):
    month = a_ready_month(books)
    submit(cast.bob, month)
    with pytest.raises(Invalid, match="nothing was returned"), nothing_changes():
        return_(cast.carol, month, " ")
    with pytest.raises(Forbidden, match="return it instead"), nothing_changes():
        withdraw(cast.carol, month)
    return_(cast.carol, month, "The fee is missing.")
    review = reconciliations.report(month).review
    assert (review.state, review.decided_by, review.reason) == (
        "returned",
        "Carol",
        "The fee is missing.",
    )
    with pytest.raises(Conflict, match="Carol has returned it"), nothing_changes():
        approve(cast.alice, month)
    assert runs.latest_run(JobKind.MATCH, month).status == JobStatus.QUEUED
    run_waiting_jobs()
    unmatch(cast.bob, matches()[0].id)
    with pytest.raises(NotReady), nothing_changes():
        submit(cast.bob, month)


def test_a_withdrawn_submission_can_be_submitted_again_and_by_another(books, cast):
    month = a_ready_month(books)
    submit(cast.bob, month)
    withdraw(cast.bob, month)
    run_waiting_jobs()
    submit(cast.carol, month)
    approve(cast.bob, month)
    assert reconciliations.report(month).certified_by == "Bob"


def test_the_reviewer_signs_what_was_submitted_or_nothing(books, cast):
    month = a_ready_month(books)
    submit(cast.bob, month)
    books.gl(-9_900, "Cheque entered meanwhile")
    with pytest.raises(Conflict, match="books have changed since"), nothing_changes():
        approve(cast.carol, month)
    books.bank(-5, "CAME MEANWHILE")
    with pytest.raises(NotReady, match="not matched yet"), nothing_changes():
        approve(cast.carol, month)
    return_(cast.carol, month, "Something came in.")


def test_new_lines_ask_for_no_matching_while_it_waits(books, cast):
    month = a_ready_month(books)
    submit(cast.bob, month)
    before = runs.latest_run(JobKind.MATCH, month).id
    books.bank_says(books.bank(-5), amount_minor=-6)
    run_waiting_jobs()
    assert runs.latest_run(JobKind.MATCH, month).id == before


def test_without_the_setting_there_is_nothing_to_submit(books, cast):
    set_second_review(cast.alice, wanted=False)
    month = a_ready_month(books)
    with pytest.raises(Conflict, match="asks for no second person"), nothing_changes():
        submit(cast.bob, month)
    certify(cast.bob, month)


def test_what_waits_is_still_reviewed_when_the_setting_goes(books, cast):
    month = a_ready_month(books)
    submit(cast.bob, month)
    set_second_review(cast.carol, wanted=False)
    approve(cast.carol, month)
    reopen(cast.carol, month, "Because.")
    run_waiting_jobs()
    certify(cast.bob, month)
    assert reconciliations.report(month).certificate.prepared_by == ""


def test_the_setting_needs_two_who_may_certify_and_the_right_to_set_it(books, cast):
    with pytest.raises(Forbidden), nothing_changes():
        set_second_review(cast.bob, wanted=False)
    set_second_review(cast.alice, wanted=False)
    for member in members():
        if member.name in ("Carol", "Bob"):
            remove_member(cast.alice, member.membership_id)
    with pytest.raises(Invalid, match="Only one person here may certify"), nothing_changes():
        set_second_review(cast.alice, wanted=True)
    add_member(
        cast.alice,
        email="dan@acme.example",
        name="Dan",
        password="correct horse battery",
        role="accountant",
        bank_connections=False,
    )
    set_second_review(cast.alice, wanted=True)
