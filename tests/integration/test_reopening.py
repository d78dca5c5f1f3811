"""Reopening: the latest, by right, with a reason; what was signed stays, byte for byte."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from app.audit import trail
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import (
    Certification,
    ChangeState,
    FinancialTransaction,
    LedgerBankAccount,
    Match,
    Reconciliation,
    Reopening,
    TransactionStatus,
    db,
)
from app.reconciliation import decisions
from app.reconciliation.bank_exceptions import Settle, carry
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.discarding import discard
from app.reconciliation.opening import change_statement
from app.reconciliation.reopening import reopen
from app.reports import bank_exceptions, reconciliations
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, matches, nothing_changes, run_waiting_jobs, set_up_books

NOVEMBER = date(2026, 11, 30)


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


def by_hand(books: Books, reconciliation_id: str, line: str, entry: str) -> str:
    return match_by_hand(books.actor, MatchByHand(reconciliation_id, (line,), (entry,)))


def a_certified_october(books: Books) -> tuple[str, str]:
    """Return a certified October of one transaction of −100.00, and that transaction."""
    reconciliation_id = books.open(-10_000)
    run_waiting_jobs()
    line = books.bank(-10_000)
    by_hand(books, reconciliation_id, line, books.gl(-10_000))
    certify(books.actor, reconciliation_id, "As agreed.")
    return reconciliation_id, line


def certificates() -> list[tuple]:
    db.session.rollback()
    rows = db.session.execute(sa.text("SELECT * FROM certification ORDER BY version")).all()
    db.session.rollback()
    return [tuple(row) for row in rows]


def test_reopening_unlocks_the_matches_and_leaves_the_certificate_as_it_was(books, cast):
    october, _ = a_certified_october(books)
    signed = certificates()
    reopen(cast.carol, october, " A fee was forgotten. ")
    run_waiting_jobs()
    assert certificates() == signed
    draft = reconciliations.report(october)
    assert (draft.version, draft.is_open, draft.certified_by) == (None, True, None)
    assert (draft.reopened.reopened_by, draft.reopened.reopened_because) == (
        "Carol",
        "A fee was forgotten.",
    )
    books.bank(-500, "FEE")
    entry = books.gl(-500, "Fee")
    change_statement(books.actor, october, ending_balance_minor=-10_500)
    (line,) = [
        row for row in db.session.scalars(owned(FinancialTransaction)) if row.amount_minor == -500
    ]
    by_hand(books, october, line.id, entry)
    certify(cast.alice, october, "With the fee.")
    again = reconciliations.report(october)
    assert (again.version, again.certified_by) == (2, "Alice")
    assert again.statement.bank_balance_minor == -10_500
    first = reconciliations.report(october, version=1)
    assert (first.certified_by, first.remarks) == ("Carol", "As agreed.")
    assert first.statement.bank_balance_minor == -10_000
    assert certificates()[0] == signed[0]
    assert trail.verify().intact


def test_a_certificate_and_a_reopening_are_append_only_in_the_database(books):
    october, _ = a_certified_october(books)
    reopen(books.actor, october, "Why not.")
    for statement in (
        "UPDATE certification SET remarks = 'forged'",
        "DELETE FROM certification",
        "UPDATE reopening SET reason = 'forged'",
        "DELETE FROM reopening",
    ):
        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(sa.text(statement))
        db.session.rollback()


def test_reopening_needs_the_right_and_a_reason(books, cast):
    october, _ = a_certified_october(books)
    with nothing_changes():
        for person in (cast.bob, cast.viv):
            with pytest.raises(Forbidden, match="reopen"):
                reopen(person, october, "Because.")
        for reason in ("", "  ", "x" * 2_001, "a\0b"):
            with pytest.raises(Invalid, match="nothing was reopened") as refused:
                reopen(cast.carol, october, reason)
            assert "reason" in refused.value.fields
        with organization_scope(cast.other_id), pytest.raises(NotFound):
            reopen(cast.charlie, october, "Because.")
        with pytest.raises(NotFound):
            reconciliations.report(october, version=2)


def test_the_last_but_one_is_not_reopened(books):
    october, _ = a_certified_october(books)
    november = books.open(-10_000, None, until=NOVEMBER)
    run_waiting_jobs()
    certify(books.actor, november)
    with pytest.raises(Conflict, match="that of 30 November 2026"), nothing_changes():
        reopen(books.actor, october, "Because.")
    reopen(books.actor, november, "Because.")
    with pytest.raises(Conflict, match="is open and begins where"), nothing_changes():
        reopen(books.actor, october, "Because.")
    with pytest.raises(Conflict, match="is open already"), nothing_changes():
        reopen(books.actor, november, "Because.")


def test_while_a_later_one_is_open_it_can_be_discarded_first(books, cast):
    october, _ = a_certified_october(books)
    line = books.bank(-2_500, "Quartz Media", posted_date=date(2026, 11, 9))
    books.gl(-2_500, "Quartz Media", date=date(2026, 11, 8))
    november = books.open(-12_500, None, until=NOVEMBER)
    with pytest.raises(Conflict, match="Matching is still running"), nothing_changes():
        discard(cast.bob, november)
    run_waiting_jobs()
    assert matches()
    with pytest.raises(Conflict, match="Discard that one first"), nothing_changes():
        reopen(books.actor, october, "Because.")
    with pytest.raises(Forbidden), nothing_changes():
        discard(cast.viv, november)
    with organization_scope(cast.other_id), pytest.raises(NotFound):
        discard(cast.charlie, november)
    assert discard(cast.bob, november) == books.ledger_bank_account_id
    reopen(books.actor, october, "Because.")
    run_waiting_jobs()
    certify(books.actor, october)
    again = books.open(-12_500, None, until=NOVEMBER)
    run_waiting_jobs()
    assert line in {i.id for i in db.session.scalars(owned(FinancialTransaction))}
    assert get_owned(Reconciliation, again).opening_balance_minor == -10_000


def test_what_somebody_has_decided_is_not_discarded(books, cast):
    first = books.open(0)
    run_waiting_jobs()
    match_id = by_hand(books, first, books.bank(-700), books.gl(-700))
    with pytest.raises(Conflict, match="Somebody has matched"), nothing_changes():
        discard(books.actor, first)
    decisions.unmatch(books.actor, match_id)
    with pytest.raises(Conflict, match="Somebody has matched"), nothing_changes():
        discard(books.actor, first)


def test_a_month_that_was_signed_once_is_never_discarded(books):
    october, _ = a_certified_october(books)
    with pytest.raises(Conflict, match="is certified"), nothing_changes():
        discard(books.actor, october)
    reopen(books.actor, october, "Because.")
    run_waiting_jobs()
    with pytest.raises(Conflict, match="its certificate rests on it"), nothing_changes():
        discard(books.actor, october)


def test_discarding_the_first_one_asks_for_the_opening_balance_again(books):
    first = books.open(500, opening_minor=300)
    run_waiting_jobs()
    discard(books.actor, first)
    account = get_owned(LedgerBankAccount, books.ledger_bank_account_id)
    assert account.opening_balance_minor is None
    with pytest.raises(Invalid, match="balance on which the statement begins"):
        books.open(500, opening_minor=None)


def test_a_change_by_the_bank_that_waits_is_taken_up_by_reopening(books):
    october, line = a_certified_october(books)
    books.bank_says(line, amount_minor=-9_000)
    reopen(books.actor, october, "The bank corrected it.")
    run_waiting_jobs()
    assert get_owned(FinancialTransaction, line).amount_minor == -9_000
    (match,) = matches()
    assert "amount −100.00 → −90.00" in match.flag
    assert bank_exceptions.waiting("", "").rows == ()
    (settled,) = bank_exceptions.settled("", "").rows
    assert (settled.state, settled.settled_by) == (ChangeState.WITHDRAWN, "Carol")
    assert reconciliations.report(october, version=1).statement.cleared_out_minor == -10_000


def test_a_correction_that_was_carried_goes_back_into_its_month(books):
    october, line = a_certified_october(books)
    books.bank_says(line, amount_minor=-9_000)
    (change,) = bank_exceptions.waiting("", "").rows
    correction = carry(books.actor, Settle(change.id, "Bank's slip.", change.fingerprint))
    reopen(books.actor, october, "Better where it belongs.")
    db.session.rollback()
    assert get_owned(FinancialTransaction, correction).status == TransactionStatus.REMOVED
    assert get_owned(FinancialTransaction, line).amount_minor == -9_000
    assert books.bank_says(line).raised_count == 0
    decisions.unmatch(books.actor, matches()[0].id)
    assert (
        db.session.scalars(owned(Match).where(Match.flag != "", Match.state == "matched")).all()
        == []
    )


def test_every_reopening_names_the_certificate_that_it_ended(books):
    october, _ = a_certified_october(books)
    for _ in range(2):
        reopen(books.actor, october, "Because.")
        run_waiting_jobs()
        certify(books.actor, october)
    db.session.rollback()
    ended = db.session.scalars(
        owned(Reopening).order_by(Reopening.id).with_only_columns(Reopening.certification_id)
    ).all()
    signed = db.session.scalars(owned(Certification).order_by(Certification.version)).all()
    assert ended == [each.id for each in signed[:2]]
    assert [each.version for each in reconciliations.report(october).certificates] == [3, 2, 1]
    (row,) = reconciliations.history(books.ledger_bank_account_id)
    assert (row.versions_count, row.certified_by) == (3, "Carol")
