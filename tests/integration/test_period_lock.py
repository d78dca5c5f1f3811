"""The period lock: nothing on or before it enters the books, whichever way it comes."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from app.audit import trail
from app.kernel.errors import Forbidden, Invalid
from app.ledger import period_lock
from app.ledger.imports import (
    LedgerRowsRefused,
    confirm_import,
    import_ledger_now,
    preview_import,
)
from app.ledger.journals import JournalDraft, JournalLine, post_journal, reverse_journal
from app.ledger.period_lock import PeriodLocked, lock_now, set_period_lock
from app.models import JobStatus, JournalSource, PeriodLock, db
from app.models.session import unit_of_work
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.decisions import MatchByHand, match_by_hand, unmatch
from app.tenancy.scope import organization_scope, owned
from tests.books import Books, nothing_changes, run_waiting_jobs, set_up_books
from tests.ledger_books import a_file

SEPTEMBER = date(2026, 9, 30)
WHO = r"locked up to 30 September 2026 by Carol \(“Filed\.”\)"


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


def draft(books: Books, day: date) -> JournalDraft:
    lines = (JournalLine(books.fees_id, 1_250), JournalLine(books.cash_id, -1_250))
    return JournalDraft(day, "Card fees", "USD", JournalSource.MANUAL, lines)


def test_journals_and_reversals_on_or_before_the_lock_are_refused(books, cast):
    journal = post_journal(cast.bob, draft(books, date(2026, 9, 12))).journal_id
    set_period_lock(cast.carol, SEPTEMBER, " Filed. ")
    for day in (date(2026, 9, 1), SEPTEMBER):
        with pytest.raises(PeriodLocked, match=WHO) as refused, nothing_changes():
            post_journal(cast.bob, draft(books, day))
        assert refused.value.fields.keys() == {"date"}
    with pytest.raises(PeriodLocked, match=WHO) as refused, nothing_changes():
        reverse_journal(cast.bob, journal, SEPTEMBER)
    assert refused.value.fields.keys() == {"on"}
    post_journal(cast.bob, draft(books, date(2026, 10, 1)))
    reverse_journal(cast.bob, journal, date(2026, 10, 1))


def test_imports_name_the_line_and_the_date(books, cast):
    import_ledger_now(cast.bob, "a.csv", a_file("A1,1010,2026-09-29,1,USD,Old"))
    set_period_lock(cast.carol, SEPTEMBER, "Filed.")
    again = (
        "A1,1010,2026-09-29,1,USD,Old",
        "A2,1010,2026-09-30,1,USD,New and late",
        "A3,1010,2026-10-01,1,USD,New",
    )
    with pytest.raises(LedgerRowsRefused, match=WHO) as refused, nothing_changes():
        import_ledger_now(cast.bob, "b.csv", a_file(*again))
    assert [(f.line, f.column) for f in refused.value.findings] == [(3, "date")]
    assert "2026-09-30 cannot be booked" in refused.value.findings[0].message
    preview = preview_import(cast.bob, "b.csv", a_file(*again))
    assert (preview.import_id, preview.findings_count) == (None, 1)
    for changed in ("A1,1010,2026-09-29,2,USD,Old", "A1,1010,2026-10-29,1,USD,Moved out"):
        with pytest.raises(LedgerRowsRefused, match="dated 2026-09-29 and cannot be changed"):
            import_ledger_now(cast.bob, "c.csv", a_file(changed))
    import_ledger_now(cast.bob, "d.csv", a_file(again[0], again[2]))
    with pytest.raises(LedgerRowsRefused, match="2026-09-30 cannot be booked"):
        import_ledger_now(cast.bob, "e.csv", a_file("A3,1010,2026-09-30,1,USD,Moved in"))


def test_a_file_confirmed_before_the_lock_is_held_to_it_by_its_job(books, cast):
    line = a_file("A1,1010,2026-09-29,1,USD,Late")
    preview = preview_import(cast.bob, "a.csv", line)
    set_period_lock(cast.carol, SEPTEMBER, "Filed.")
    confirm_import(cast.bob, preview.import_id)
    (run,) = run_waiting_jobs()
    assert run.status == JobStatus.FAILED
    assert "Line 2, column date: 2026-09-29 cannot be booked" in run.failure


def test_adjustments_and_their_undoing_are_held_to_it(books, cast):
    month = books.open(0, until=SEPTEMBER)
    run_waiting_jobs()
    fee = books.bank(-700, "FEE", posted_date=date(2026, 9, 7))
    late = books.bank(-800, "FEE", posted_date=date(2026, 9, 8))
    account = Adjustment(books.fees_id, "Fee")
    match_id = match_by_hand(cast.bob, MatchByHand(month, (fee,), (), account))
    set_period_lock(cast.carol, SEPTEMBER, "Filed.")
    with pytest.raises(PeriodLocked, match="8 September 2026 cannot be booked"), nothing_changes():
        match_by_hand(cast.bob, MatchByHand(month, (late,), (), account))
    with pytest.raises(PeriodLocked, match="7 September 2026 cannot be booked"), nothing_changes():
        unmatch(cast.bob, match_id)


def test_the_lock_is_moved_and_lifted_with_a_reason_each_and_all_of_it_is_kept(books, cast):
    with pytest.raises(Forbidden), nothing_changes():
        set_period_lock(cast.bob, SEPTEMBER, "Filed.")
    with pytest.raises(Invalid, match="was not changed") as refused, nothing_changes():
        set_period_lock(cast.carol, SEPTEMBER, " ")
    assert refused.value.fields.keys() == {"reason"}
    for impossible in (date(1, 1, 1), None):
        with pytest.raises(Invalid), nothing_changes():
            set_period_lock(cast.carol, impossible, "Filed.")
    set_period_lock(cast.carol, SEPTEMBER, "Filed.")
    set_period_lock(cast.alice, date(2026, 8, 31), "September was filed wrongly.")
    post_journal(cast.bob, draft(books, SEPTEMBER))
    set_period_lock(cast.carol, None, "Migration.")
    assert lock_now() is None
    post_journal(cast.bob, draft(books, date(2026, 8, 1)))
    kept = db.session.scalars(owned(PeriodLock).order_by(PeriodLock.id)).all()
    assert [(row.locked_until, row.set_by_name) for row in kept] == [
        (SEPTEMBER, "Carol"),
        (date(2026, 8, 31), "Alice"),
        (None, "Carol"),
    ]
    assert trail.verify().intact


def test_another_organization_is_not_locked(books, cast):
    set_period_lock(cast.carol, SEPTEMBER, "Filed.")
    with organization_scope(cast.other_id):
        assert lock_now() is None


def test_a_journal_entry_that_waits_for_the_lock_is_held_to_it(app, books, cast):
    """While a lock is being set, a posting waits, and then reads what was set."""
    outcome: list[object] = []

    def post() -> None:
        with app.app_context(), organization_scope(cast.acme_id):
            try:
                outcome.append(post_journal(cast.bob, draft(books, SEPTEMBER)))
            except PeriodLocked as refused:
                outcome.append(refused)
            finally:
                db.session.remove()

    with unit_of_work():
        period_lock._hold_writers(cast.carol)
        thread = threading.Thread(target=post)
        thread.start()
        thread.join(0.3)
        assert outcome == []
        db.session.add(
            PeriodLock(locked_until=SEPTEMBER, reason="Filed.", set_by="x", set_by_name="Carol")
        )
        db.session.flush()
    thread.join(10)
    assert isinstance(outcome[0], PeriodLocked)
