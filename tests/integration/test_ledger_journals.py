from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.kernel import limits
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.kernel.money import AMOUNT_MINOR_MAX
from app.ledger.imports import import_ledger_now
from app.ledger.journals import (
    JournalLine,
    post_journal,
    reverse_journal,
    write_journal,
    write_reversal,
)
from app.models import AuditEvent, GlEntry, JournalEntry, JournalSource, db
from app.models.session import unit_of_work
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.ledger_books import (
    DAY,
    a_draft,
    a_file,
    accounts,
    books_snapshot,
    certify,
    journal_sums,
    match_entry,
)


@pytest.fixture
def ids(cast):
    return accounts(cast.alice)


def test_a_journal_entry_is_written_with_its_lines_in_order(cast, ids):
    written = post_journal(cast.bob, a_draft(ids))
    assert written.number == "JE-0001"
    lines = [get_owned(GlEntry, entry_id) for entry_id in written.entry_ids]
    assert [line.amount_minor for line in lines] == [1_250, -1_250]
    assert [line.description for line in lines] == ["Rent for March", "Transfer"]
    assert (lines[1].counterparty, lines[1].reference, lines[1].date) == ("Landlord", "R-3", DAY)
    assert {line.journal_entry_id for line in lines} == {written.journal_id}
    journal = get_owned(JournalEntry, written.journal_id)
    assert (journal.source, journal.created_by) == (JournalSource.MANUAL, cast.bob.user_id)
    event = db.session.scalar(owned(AuditEvent).where(AuditEvent.subject_id == journal.id))
    assert (event.action, event.after["number"]) == ("journal_entry.posted", "JE-0001")


def test_numbers_go_on_for_each_organization_and_past_those_of_files(cast, ids):
    post_journal(cast.bob, a_draft(ids))
    import_ledger_now(
        cast.bob,
        "l.csv",
        a_file("A,1010,2026-03-31,1,USD,x,,,JE-0041", "B,5000,2026-03-31,-1,USD,x,,,JE-0041"),
    )
    assert post_journal(cast.bob, a_draft(ids)).number == "JE-0042"
    with organization_scope(cast.other_id):
        assert post_journal(cast.charlie, a_draft(accounts(cast.charlie))).number == "JE-0001"


def test_numbers_grow_past_four_digits(cast, ids):
    post_journal(cast.bob, a_draft(ids))
    with unit_of_work():
        db.session.execute(sa.update(JournalEntry).values(number="JE-9999", sequence=9_999))
    assert post_journal(cast.bob, a_draft(ids)).number == "JE-10000"
    assert post_journal(cast.bob, a_draft(ids)).number == "JE-10001"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d, _: replace(d, lines=d.lines[:1]), "at least two lines"),
        (lambda d, _: replace(d, lines=()), "at least two lines"),
        (
            lambda d, _: replace(d, lines=d.lines * (limits.JOURNAL_LINES_MAX // 2 + 1)),
            "at most 200 lines, this one has 202",
        ),
        (
            lambda d, ids: replace(d, lines=(*d.lines, JournalLine(ids["1010"], 0))),
            "Line 3 has no amount",
        ),
        (
            lambda d, ids: replace(d, lines=(d.lines[0], JournalLine(ids["1010"], -1_249))),
            "do not balance: 0.01 USD too much debit",
        ),
        (
            lambda d, ids: replace(d, lines=(d.lines[0], JournalLine(ids["1010"], -1_251))),
            "do not balance: 0.01 USD too much credit",
        ),
        (
            lambda d, _: replace(d, lines=(d.lines[0], JournalLine("unknown", -1_250))),
            "Line 2 names no account",
        ),
        (
            lambda d, ids: replace(d, lines=(d.lines[0], JournalLine(ids["1020"], -1_250))),
            "Line 2: account 1020 is kept in EUR",
        ),
        (lambda d, _: replace(d, currency="EUR"), "Line 1: account 5000 is kept in USD"),
        (
            lambda d, ids: replace(
                d,
                lines=(
                    JournalLine(ids["1010"], AMOUNT_MINOR_MAX + 1),
                    JournalLine(ids["1010"], -AMOUNT_MINOR_MAX - 1),
                ),
            ),
            "larger than Tieout keeps",
        ),
        (lambda d, _: replace(d, date=date(202, 3, 1)), "The year 202 cannot be right"),
        (lambda d, _: replace(d, description="x" * 4_001), "longer than 4000"),
        (lambda d, _: replace(d, description="a\0b"), "cannot be kept"),
    ],
)
def test_a_draft_that_cannot_be_right_is_refused_and_nothing_is_written(cast, ids, change, words):
    with pytest.raises(Invalid, match="(?s)" + words):
        post_journal(cast.bob, change(a_draft(ids), ids))
    assert books_snapshot() == []


def test_write_journal_lives_and_dies_with_the_callers_transaction(cast, ids):
    with suppress(ZeroDivisionError), unit_of_work():
        write_journal(cast.bob, a_draft(ids, source=JournalSource.ADJUSTMENT))
        1 / 0  # noqa: B018 - the caller fails afterwards
    assert books_snapshot() == []
    with unit_of_work():
        first = write_journal(cast.bob, a_draft(ids, source=JournalSource.ADJUSTMENT))
        second = write_journal(cast.bob, a_draft(ids, source=JournalSource.ADJUSTMENT))
    assert (first.number, second.number) == ("JE-0001", "JE-0002")


def test_a_reversal_is_the_opposite_and_names_its_original(cast, ids):
    posted = post_journal(cast.bob, a_draft(ids))
    reversal = reverse_journal(cast.carol, posted.journal_id, DAY + timedelta(days=1))
    assert reversal.number == "JE-0002"
    journal = get_owned(JournalEntry, reversal.journal_id)
    assert (journal.reverses_id, journal.date) == (posted.journal_id, DAY + timedelta(days=1))
    assert journal.description == "Reversal of JE-0001: Rent for March"
    amounts = [get_owned(GlEntry, entry_id).amount_minor for entry_id in reversal.entry_ids]
    assert sorted(amounts) == [-1_250, 1_250]
    by_account = dict(
        db.session.execute(
            sa.select(GlEntry.gl_account_id, sa.func.sum(GlEntry.amount_minor)).group_by(
                GlEntry.gl_account_id
            )
        ).all()
    )
    assert set(by_account.values()) == {0}


def test_a_journal_is_reversed_once_and_not_before_its_date(cast, ids):
    posted = post_journal(cast.bob, a_draft(ids))
    with pytest.raises(Invalid, match="cannot be dated 2026-03-30"):
        reverse_journal(cast.bob, posted.journal_id, DAY - timedelta(days=1))
    reverse_journal(cast.bob, posted.journal_id, DAY)
    before = books_snapshot()
    with pytest.raises(Conflict, match="reversed by JE-0002 already"):
        reverse_journal(cast.bob, posted.journal_id, DAY)
    assert books_snapshot() == before


def test_a_line_matched_in_an_open_reconciliation_is_not_reversed_from_its_page(cast, ids):
    posted = post_journal(cast.bob, a_draft(ids))
    reconciliation_id = match_entry(cast.alice, ids["1010"], posted.entry_ids[1])
    with pytest.raises(Conflict, match="undo that match first"):
        reverse_journal(cast.bob, posted.journal_id, DAY)
    with suppress(ZeroDivisionError), unit_of_work():
        write_reversal(cast.bob, posted.journal_id, DAY)  # the service that undoes the match may
        1 / 0  # noqa: B018 - and not here
    certify(cast.alice, reconciliation_id)
    reverse_journal(cast.bob, posted.journal_id, DAY + timedelta(days=1))


def test_the_reversal_of_an_imported_journal_leaves_zero_lines_out(cast, ids):
    import_ledger_now(
        cast.bob,
        "l.csv",
        a_file(
            "A,1010,2026-03-31,5,USD,x,,,J-1",
            "B,5000,2026-03-31,-5,USD,x,,,J-1",
            "C,5000,2026-03-31,0,USD,void,,,J-1",
            "D,5000,2026-03-31,0,USD,void,,,J-2",
        ),
    )
    by_number = {j.number: j.id for j in db.session.scalars(owned(JournalEntry))}
    reversal = reverse_journal(cast.bob, by_number["J-1"], DAY)
    assert len(reversal.entry_ids) == 2
    assert get_owned(JournalEntry, reversal.journal_id).source == JournalSource.MANUAL
    with pytest.raises(Conflict, match="no amounts to reverse"):
        reverse_journal(cast.bob, by_number["J-2"], DAY)
    assert set(journal_sums().values()) == {0}


def test_a_viewer_may_not_write_and_a_stranger_finds_nothing(cast, ids):
    posted = post_journal(cast.bob, a_draft(ids))
    with pytest.raises(Forbidden):
        post_journal(cast.viv, a_draft(ids))
    with pytest.raises(Forbidden):
        reverse_journal(cast.viv, posted.journal_id, DAY)
    with organization_scope(cast.other_id):
        with pytest.raises(Invalid, match="names no account"):
            post_journal(cast.charlie, a_draft(ids))
        with pytest.raises(NotFound):
            reverse_journal(cast.charlie, posted.journal_id, DAY)
