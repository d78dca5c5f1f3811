"""Changes by the bank after certification: acknowledged, carried, taken back; the month stands."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from app.connections.accounts import map_account
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import (
    BankChange,
    Certification,
    ChangeState,
    FinancialTransaction,
    JobKind,
    JobRun,
    Reconciliation,
    TransactionStatus,
    db,
)
from app.reconciliation import bank_exceptions, decisions
from app.reconciliation.balances import balances_of
from app.reconciliation.bank_exceptions import Settle, acknowledge, carry, take_back
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reports import bank_exceptions as reports
from app.reports import reconciliations
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, nothing_changes, run_waiting_jobs, set_up_books
from tests.races import race

NOVEMBER = date(2026, 11, 30)
NOTE = "The bank's letter of 3 November."


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


@pytest.fixture
def today(monkeypatch):
    """Let a test say what time it is."""

    def set_today(moment: datetime) -> None:
        monkeypatch.setattr(bank_exceptions, "utc_now", lambda: moment)

    set_today(datetime(2026, 11, 12, 15, tzinfo=UTC))
    return set_today


def by_hand(books: Books, reconciliation_id: str, bank, gl) -> str:
    return match_by_hand(books.actor, MatchByHand(reconciliation_id, tuple(bank), tuple(gl)))


def certified_october(books: Books) -> tuple[str, str]:
    """Certify −100.00 and 400.00; return the line of −100.00 and the reconciliation."""
    reconciliation_id = books.open(30_000)
    run_waiting_jobs()
    line = books.bank(-10_000, "ACME SUPPLY", counterparty="Acme", reference="INV 7")
    by_hand(books, reconciliation_id, [line], [books.gl(-10_000)])
    by_hand(books, reconciliation_id, [books.bank(40_000)], [books.gl(40_000)])
    certify(books.actor, reconciliation_id)
    return line, reconciliation_id


def open_november(books: Books, ending_minor: int = 30_000, until: date = NOVEMBER) -> str:
    reconciliation_id = books.open(ending_minor, None, until)
    run_waiting_jobs()
    return reconciliation_id


def the_change() -> reports.ExceptionRow:
    db.session.rollback()
    (row,) = reports.waiting("", "").rows
    return row


def settle_of(row: reports.ExceptionRow, note: str = NOTE) -> Settle:
    return Settle(row.id, note, row.fingerprint)


def stored(transaction_id: str) -> FinancialTransaction:
    db.session.rollback()
    return get_owned(FinancialTransaction, transaction_id)


def balances(reconciliation_id: str):
    db.session.rollback()
    return balances_of(get_owned(Reconciliation, reconciliation_id))


def document(reconciliation_id: str) -> dict:
    db.session.rollback()
    certificates = owned(Certification).where(Certification.reconciliation_id == reconciliation_id)
    return db.session.scalars(certificates).one().document


def test_what_waits_says_what_was_certified_and_what_the_bank_says_now(books):
    line, october = certified_october(books)
    books.bank_says(line, amount_minor=-9_000)
    row = the_change()
    assert row.sentence == (
        "The bank changed “ACME SUPPLY” of 10 October 2026: amount −100.00 → −90.00."
    )
    assert (row.before.amount_minor, row.after.amount_minor) == (-10_000, -9_000)
    assert (row.difference_minor, row.currency) == (1_000, "USD")
    assert (row.reconciliation_id, row.account_name) == (october, "Operating")
    assert (row.certified_by, row.carry_refusal) == ("Carol", "")
    seen = reports.changes_of_statement(october)
    assert (seen.changed_count, seen.waiting_count) == (1, 1)
    assert reports.waiting_count() == reports.waiting_count(october) == 1
    assert reports.waiting_count_beside(open_november(books)) == 1


def test_an_acknowledged_change_leaves_the_month_and_everything_else_as_it_is(books):
    line, october = certified_october(books)
    before = document(october)
    books.bank_states(line, None)
    acknowledge(books.actor, settle_of(the_change()))
    (row,) = reports.settled("", "").rows
    assert (row.state, row.note, row.settled_by) == (ChangeState.ACKNOWLEDGED, NOTE, "Carol")
    assert reports.waiting_count() == 0
    assert document(october) == before
    assert stored(line).status == TransactionStatus.POSTED
    assert balances(open_november(books)).bank_count == 0
    seen = reports.changes_of_statement(october)
    assert (seen.changed_count, seen.waiting_count) == (1, 0)


@pytest.mark.parametrize(
    ("changed", "difference_minor"),
    [({"amount_minor": -9_000}, 1_000), ({"amount_minor": -12_000}, -2_000), (None, 10_000)],
)
def test_a_carried_difference_is_a_bank_transaction_of_the_open_period(
    books, today, changed, difference_minor
):
    line, october = certified_october(books)
    november = open_november(books)
    if changed is None:
        books.bank_states(line, None)
    else:
        books.bank_says(line, **changed)
    correction_id = carry(books.actor, settle_of(the_change()))
    row = stored(correction_id)
    assert row.amount_minor == difference_minor
    assert row.posted_date == date(2026, 11, 12)
    assert row.description == "Correction by the bank of “ACME SUPPLY” of 10 October 2026"
    assert (row.counterparty, row.reference) == ("Acme", "INV 7")
    assert balances(november).open_bank.total_minor == difference_minor
    by_hand(books, november, [correction_id], [books.gl(difference_minor, day=31)])
    assert balances(november).difference_minor == -difference_minor
    (settled,) = reports.settled(october, "").rows
    assert (settled.state, settled.carried_day) == (ChangeState.CARRIED, date(2026, 11, 12))
    runs = db.session.scalars(owned(JobRun).where(JobRun.subject_id == november)).all()
    assert [run.kind for run in runs] == [JobKind.MATCH, JobKind.MATCH]


@pytest.mark.parametrize(
    ("moment", "until", "day"),
    [
        (datetime(2026, 12, 20, tzinfo=UTC), NOVEMBER, NOVEMBER),
        (datetime(2026, 10, 20, tzinfo=UTC), NOVEMBER, date(2026, 11, 1)),
        (datetime(2026, 11, 12, 20, tzinfo=UTC), None, date(2026, 11, 12)),
        (datetime(2026, 10, 20, tzinfo=UTC), None, date(2026, 11, 1)),
        (datetime(2026, 11, 12, 2, tzinfo=UTC), NOVEMBER, date(2026, 11, 11)),
    ],
    ids=["period over", "period to come", "none open", "certified ahead", "still yesterday there"],
)
def test_a_correction_is_dated_today_within_the_open_period(books, today, moment, until, day):
    line, _ = certified_october(books)
    if until is not None:
        open_november(books, until=until)
    books.bank_states(line, None)
    today(moment)
    actor = replace(books.actor, time_zone="America/Los_Angeles")
    assert stored(carry(actor, settle_of(the_change()))).posted_date == day
    if until is None:
        assert balances(open_november(books)).open_bank.total_minor == 10_000


def test_a_change_of_text_alone_is_acknowledged_and_not_carried(books):
    line, _ = certified_october(books)
    books.bank_says(line, description="ACME SUPPLY CO")
    row = the_change()
    assert row.carry_refusal == "The amount is as certified, so there is nothing to carry."
    with pytest.raises(Invalid, match="nothing to carry"), nothing_changes():
        carry(books.actor, settle_of(row))
    acknowledge(books.actor, settle_of(row))


def test_what_is_pending_again_is_carried_like_a_removal(books, today):
    line, _ = certified_october(books)
    books.bank_says(line, pending=True)
    assert stored(carry(books.actor, settle_of(the_change()))).amount_minor == 10_000


def test_an_account_that_is_mapped_elsewhere_takes_no_correction(books):
    line, _ = certified_october(books)
    books.bank_states(line, None)
    map_account(books.actor, books.financial_account_id, None)
    row = the_change()
    with pytest.raises(Invalid, match="not mapped to “Operating” any more"), nothing_changes():
        carry(books.actor, settle_of(row))
    assert row.carry_refusal == "“Checking” is not mapped to “Operating” any more."
    acknowledge(books.actor, settle_of(row))


@pytest.mark.parametrize("decide", [acknowledge, carry])
def test_settling_needs_a_reason_and_the_permission(books, cast, decide):
    line, _ = certified_october(books)
    books.bank_states(line, None)
    row = the_change()
    for note in ("", "   ", "x" * (bank_exceptions.NOTE_CHARACTERS_MAX + 1)):
        with pytest.raises(Invalid, match="Say why"), nothing_changes():
            decide(books.actor, settle_of(row, note))
    with pytest.raises(Forbidden), nothing_changes():
        decide(cast.viv, settle_of(row))
    decide(books.actor, settle_of(row, "x" * bank_exceptions.NOTE_CHARACTERS_MAX))


@pytest.mark.parametrize("decide", [acknowledge, carry])
def test_a_change_that_nobody_has_read_is_not_settled(books, decide):
    line, _ = certified_october(books)
    books.bank_says(line, amount_minor=-9_000)
    seen = the_change()
    books.bank_says(line, amount_minor=-8_000)
    with pytest.raises(Conflict, match="changed it again since you looked"), nothing_changes():
        decide(books.actor, settle_of(seen))


def test_settling_twice_says_who_was_first(books, cast):
    line, _ = certified_october(books)
    books.bank_says(line, amount_minor=-9_000)
    row = the_change()
    acknowledge(cast.bob, settle_of(row))
    with pytest.raises(Conflict, match="Bob has acknowledged this change"), nothing_changes():
        carry(books.actor, settle_of(row))
    take_back(cast.bob, row.id)
    carry(cast.bob, settle_of(row))
    with pytest.raises(Conflict, match="Bob has carried this change"), nothing_changes():
        acknowledge(books.actor, settle_of(row))
    take_back(cast.bob, row.id)
    books.bank_says(line)
    with pytest.raises(Conflict, match="The bank has taken this change back"), nothing_changes():
        acknowledge(books.actor, settle_of(row))


def test_of_two_who_carry_at_once_one_books_the_correction(books, cast):
    line, _ = certified_october(books)
    november = open_november(books)
    books.bank_states(line, None)
    command = settle_of(the_change())
    outcomes = race(
        cast.acme_id, lambda: carry(cast.bob, command), lambda: carry(cast.carol, command)
    )
    assert outcomes.count("Conflict") == 1
    assert balances(november).open_bank.count == 1


def test_settling_while_the_bank_changes_it_never_settles_what_nobody_saw(books, cast):
    line, _ = certified_october(books)
    for round_number in range(6):
        books.bank_says(line, amount_minor=-9_000 + round_number)
        command = settle_of(the_change())
        race(
            cast.acme_id,
            lambda command=command: acknowledge(cast.bob, command),
            lambda n=round_number: books.bank_says(line, amount_minor=-5_000 + n),
        )
        db.session.rollback()
        acknowledged = owned(BankChange).where(
            BankChange.id == command.change_id, BankChange.state == ChangeState.ACKNOWLEDGED
        )
        for change in db.session.scalars(acknowledged):
            assert change.after["amount_minor"] == -9_000 + round_number
        assert the_change().after.amount_minor == -5_000 + round_number


def test_a_settled_change_can_be_taken_back(books, today):
    line, _ = certified_october(books)
    november = open_november(books)
    books.bank_says(line, amount_minor=-9_000)
    row = the_change()
    acknowledge(books.actor, settle_of(row))
    take_back(books.actor, row.id)
    assert the_change().note == ""
    correction_id = carry(books.actor, settle_of(row))
    take_back(books.actor, row.id)
    assert stored(correction_id).status == TransactionStatus.REMOVED
    assert balances(november).open_bank.count == 0
    with pytest.raises(Conflict, match="not settled by anybody"), nothing_changes():
        take_back(books.actor, row.id)
    books.bank_says(line, amount_minor=-8_000)
    assert carry(books.actor, settle_of(the_change())) == correction_id
    assert (stored(correction_id).amount_minor, stored(correction_id).status) == (2_000, "posted")


def test_a_correction_that_is_matched_is_not_taken_back(books, today):
    line, _ = certified_october(books)
    november = open_november(books, 40_000)
    books.bank_states(line, None)
    row = the_change()
    correction_id = carry(books.actor, settle_of(row))
    match_id = by_hand(books, november, [correction_id], [books.gl(10_000)])
    with pytest.raises(Conflict, match="matched in the reconciliation to 30 November 2026"):
        take_back(books.actor, row.id)
    run_waiting_jobs()
    certify(books.actor, november)
    with pytest.raises(Conflict, match="matched in the reconciliation"), nothing_changes():
        take_back(books.actor, row.id)
    with pytest.raises(Conflict, match="certified"):
        decisions.unmatch(books.actor, match_id)


def test_only_the_latest_change_of_a_transaction_is_taken_back(books):
    line, _ = certified_october(books)
    books.bank_says(line, amount_minor=-9_000)
    first = the_change()
    carry(books.actor, settle_of(first))
    books.bank_says(line, amount_minor=-8_000)
    with pytest.raises(Conflict, match="once more since"), nothing_changes():
        take_back(books.actor, first.id)
    books.bank_says(line, amount_minor=-9_000)
    take_back(books.actor, first.id)
    assert the_change().id == first.id


def test_open_exceptions_do_not_hinder_certifying_the_next_month(books):
    line, october = certified_october(books)
    before = reconciliations.report(october)
    books.bank_states(line, None)
    certify(books.actor, open_november(books))
    assert reports.waiting_count() == 1
    assert reconciliations.report(october) == before


def test_a_change_that_is_in_the_next_statement_balances_it_once_it_is_carried(books, today):
    line, _ = certified_october(books)
    november = open_november(books, 40_000)
    books.bank_states(line, None)
    assert balances(november).difference_minor == 10_000
    correction_id = carry(books.actor, settle_of(the_change()))
    run_waiting_jobs()
    by_hand(books, november, [correction_id], [books.gl(10_000)])
    certify(books.actor, november)


def test_a_certified_correction_that_the_bank_changes_is_an_exception_too(books, today):
    line, _ = certified_october(books)
    november = open_november(books, 40_000)
    books.bank_states(line, None)
    correction_id = carry(books.actor, settle_of(the_change()))
    run_waiting_jobs()
    by_hand(books, november, [correction_id], [books.gl(10_000)])
    certify(books.actor, november)
    books.bank_says(correction_id, amount_minor=9_000)
    assert the_change().reconciliation_id == november


def test_pages_of_changes_show_every_one_once(books, monkeypatch):
    reconciliation_id = books.open(0)
    run_waiting_jobs()
    lines = [books.bank(sign * 100) for sign in (1, -1) * 3]
    by_hand(books, reconciliation_id, lines, [])
    certify(books.actor, reconciliation_id)
    for line in lines:
        books.bank_states(line, None)
    monkeypatch.setattr(reports, "WAITING_SHOWN", 4)
    first = reports.waiting("", "")
    second = reports.waiting("", first.next_cursor)
    assert len({row.id for row in (*first.rows, *second.rows)}) == 6
    assert second.next_cursor is None
    assert [row.id for row in first.rows] == sorted(row.id for row in first.rows)


def test_strangers_find_nothing(books, cast):
    line, october = certified_october(books)
    books.bank_states(line, None)
    row = the_change()
    with organization_scope(cast.other_id):
        assert reports.waiting_count() == 0
        assert reports.waiting("", "").rows == reports.waiting(october, "").rows == ()
        for call in (
            lambda: acknowledge(cast.charlie, settle_of(row)),
            lambda: carry(cast.charlie, settle_of(row)),
            lambda: take_back(cast.charlie, row.id),
            lambda: reports.changes_of_statement(october),
            lambda: reports.waiting_count_beside(october),
        ):
            with pytest.raises(NotFound):
                call()
