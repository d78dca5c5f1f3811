import threading

import pytest
import sqlalchemy as sa

import workers.jobs as worker
from app.audit import trail
from app.jobs import runs
from app.kernel import limits
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from app.ledger.import_file import LedgerFileRefused
from app.ledger.imports import (
    LedgerRowsRefused,
    confirm_import,
    discard_import,
    import_ledger_now,
    preview_import,
)
from app.ledger.journals import post_journal, reverse_journal
from app.models import (
    AuditEvent,
    GlEntry,
    JobKind,
    JobRun,
    JobStatus,
    JournalEntry,
    LedgerImport,
    LedgerImportState,
    Reconciliation,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.ledger_books import (
    DAY,
    a_draft,
    a_file,
    accounts,
    books_snapshot,
    certify,
    entries,
    journal_sums,
    match_entry,
    release_matches,
)

FILE = a_file(
    "A1,1010,2026-03-30,-12.50,USD,Coffee,Roastery,R-1",
    "A2,1010,2026-03-31,100.00,USD,Deposit",
    "A3,5000,2026-03-31,7,USD,Rent",
)


@pytest.fixture
def ids(cast):
    return accounts(cast.alice)


def load(actor, *lines):
    return import_ledger_now(actor, "ledger.csv", a_file(*lines))


def refused(actor, *lines) -> str:
    """Import lines that cannot be taken, see that nothing changed, return the first sentence."""
    before = books_snapshot()
    with pytest.raises(LedgerRowsRefused) as caught:
        load(actor, *lines)
    assert books_snapshot() == before
    return caught.value.detail


def perform(import_id: str) -> JobRun:
    """Do what a worker does with the import's run, and return the run afterwards."""
    run = runs.latest_run(JobKind.IMPORT_LEDGER_FILE, import_id)
    worker.perform(run.id)
    db.session.rollback()
    return runs.latest_run(JobKind.IMPORT_LEDGER_FILE, import_id)


def test_a_preview_says_what_would_happen_and_changes_no_books(cast, ids):
    load(cast.bob, "A2,1010,2026-03-31,100.00,USD,Deposit", "A3,5000,2026-03-31,8,USD,Rent")
    before = books_snapshot()
    preview = preview_import(cast.bob, r"C:\books\ledger.csv", FILE)
    assert books_snapshot() == before
    assert (preview.rows_count, preview.findings_count) == (3, 0)
    assert (preview.created_count, preview.updated_count, preview.unchanged_count) == (1, 1, 1)
    assert (str(preview.first_date), str(preview.last_date)) == ("2026-03-30", "2026-03-31")
    totals = [(t.number, t.rows_count, t.total_minor, t.currency) for t in preview.totals]
    assert totals == [("1010", 2, 8_750, "USD"), ("5000", 1, 700, "USD")]
    kept = get_owned(LedgerImport, preview.import_id)
    assert (kept.filename, kept.state) == ("ledger.csv", LedgerImportState.PREVIEWED)
    assert kept.content == FILE


def test_a_preview_with_bad_rows_is_not_kept(cast, ids):
    preview = preview_import(
        cast.bob,
        "ledger.csv",
        a_file(
            "A1,9999,2026-03-30,1,USD,x",
            "A2,1010,2026-03-30,1,EUR,x",
            "A3,1010,2026-03-30,1.234,USD,x",
            "A4,1010,2026-03-30,1,USD,x",
        ),
    )
    assert preview.import_id is None
    assert [f.sentence for f in preview.findings] == [
        "Line 2, column account_number: there is no account “9999” in the chart.",
        "Line 3, column currency: account 1010 is kept in USD, not in EUR.",
        "Line 4, column amount: “1.234” has more than the 2 decimals that USD amounts have.",
    ]
    assert preview.rows_count == 4
    assert db.session.scalars(owned(LedgerImport)).all() == []


def test_findings_are_listed_to_a_limit_and_all_counted(cast, ids):
    lines = [f"A{i},9999,2026-03-30,1,USD,x" for i in range(limits.FINDINGS_MAX + 5)]
    preview = preview_import(cast.bob, "ledger.csv", a_file(*lines))
    assert len(preview.findings) == limits.FINDINGS_MAX
    assert preview.findings_count == limits.FINDINGS_MAX + 5


def test_a_confirmed_file_is_imported_by_a_job(cast, ids):
    import_id = preview_import(cast.bob, "ledger.csv", FILE).import_id
    confirm_import(cast.bob, import_id)
    assert get_owned(LedgerImport, import_id).state == LedgerImportState.IMPORTING
    assert entries() == {}
    run = perform(import_id)
    assert (run.status, run.progress_percent) == (JobStatus.SUCCEEDED, 100)
    assert run.progress_text == "3 rows imported"
    assert sorted(entries()) == ["A1", "A2", "A3"]
    first = entries()["A1"]
    assert (first.amount_minor, first.counterparty, first.reference) == (-1_250, "Roastery", "R-1")
    kept = get_owned(LedgerImport, import_id)
    assert (kept.state, kept.created_count) == (LedgerImportState.IMPORTED, 3)
    assert kept.imported_at is not None
    actions = [
        e.action for e in db.session.scalars(owned(AuditEvent).order_by(AuditEvent.sequence))
    ]
    assert actions[-3:] == [
        "ledger_import.uploaded",
        "ledger_import.confirmed",
        "ledger_import.imported",
    ]
    assert trail.verify().intact


def test_an_import_is_confirmed_discarded_and_done_once(cast, ids):
    import_id = preview_import(cast.bob, "ledger.csv", FILE).import_id
    confirm_import(cast.bob, import_id)
    confirm_import(cast.bob, import_id)
    assert len(db.session.scalars(owned(JobRun)).all()) == 1
    with pytest.raises(Conflict, match="being imported"):
        discard_import(cast.bob, import_id)
    perform(import_id)
    with pytest.raises(Conflict, match="imported already"):
        confirm_import(cast.bob, import_id)
    with pytest.raises(Conflict, match="imported already"):
        discard_import(cast.bob, import_id)


def test_a_discarded_file_cannot_be_confirmed(cast, ids):
    import_id = preview_import(cast.bob, "ledger.csv", FILE).import_id
    discard_import(cast.bob, import_id)
    with pytest.raises(Conflict, match="was discarded"):
        confirm_import(cast.bob, import_id)


def test_what_changed_between_preview_and_job_fails_the_whole_file_and_can_be_repeated(cast, ids):
    load(cast.bob, "A1,1010,2026-03-30,-12.51,USD,Coffee")
    import_id = preview_import(cast.bob, "ledger.csv", FILE).import_id
    confirm_import(cast.bob, import_id)
    reconciliation_id = match_entry(cast.alice, ids["1010"], entries()["A1"].id)
    before = books_snapshot()
    run = perform(import_id)
    assert run.status == JobStatus.FAILED
    assert run.failure.startswith("Line 2, column external_id: this entry is matched")
    assert run.failure.endswith("Nothing was stored.")
    assert books_snapshot() == before
    release_matches(reconciliation_id)
    confirm_import(cast.bob, import_id)
    assert perform(import_id).status == JobStatus.SUCCEEDED
    assert entries()["A1"].amount_minor == -1_250


def test_a_person_who_lost_the_permission_gets_nothing_imported(cast, ids):
    import_id = preview_import(cast.bob, "ledger.csv", FILE).import_id
    confirm_import(cast.bob, import_id)
    db.session.execute(
        sa.text("UPDATE membership SET role = 'viewer' WHERE user_id = :id"),
        {"id": cast.bob.user_id},
    )
    db.session.commit()
    run = perform(import_id)
    assert run.status == JobStatus.FAILED
    assert "permission “ledger”" in run.failure
    assert entries() == {}


def test_the_same_file_twice_changes_nothing(cast, ids):
    first = import_ledger_now(cast.bob, "ledger.csv", FILE)
    assert (first.created_count, first.updated_count, first.unchanged_count) == (3, 0, 0)
    before = books_snapshot()
    second = import_ledger_now(cast.bob, "ledger.csv", FILE)
    assert (second.created_count, second.updated_count, second.unchanged_count) == (0, 0, 3)
    assert books_snapshot() == before


def test_a_changed_row_changes_its_entry_and_the_trail_keeps_both(cast, ids):
    load(cast.bob, "A1,1010,2026-03-30,-12.50,USD,Coffee,Roastery,R-1")
    entry_id = entries()["A1"].id
    outcome = load(cast.bob, "A1,5000,2026-03-29,12.51,USD,Tea,Roastery,R-1")
    assert outcome.updated_count == 1
    entry = entries()["A1"]
    assert (entry.id, entry.gl_account_id, entry.amount_minor) == (entry_id, ids["5000"], 1_251)
    event = db.session.scalar(owned(AuditEvent).where(AuditEvent.action == "gl_entries.changed"))
    assert event.subject_id == outcome.import_id
    assert event.before["A1"] == {
        "account_number": "1010",
        "amount": "-12.50",
        "date": "2026-03-30",
        "description": "Coffee",
    }
    assert event.after["A1"]["amount"] == "12.51"
    assert trail.verify().intact


def test_one_bad_row_keeps_the_whole_file_out(cast, ids):
    sentence = refused(cast.bob, "A1,1010,2026-03-30,1,USD,x", "A2,1010,2026-03-30,x,USD,x")
    assert sentence == (
        "Line 3, column amount: “x” is not an amount such as 1,234.56 or -12.50. Nothing was stored."
    )


def test_several_bad_rows_are_counted_in_the_sentence(cast, ids):
    assert " And 1 more. " in refused(
        cast.bob, "A1,1010,2026-03-30,1,US,x", "A2,1010,2026-03-30,x,USD,x"
    )


@pytest.mark.parametrize("data", [b"", b"\x00\x01", "é".encode("latin-1"), b"a,b\n1,2\n"])
def test_a_file_that_cannot_be_read_stores_nothing(cast, ids, data):
    with pytest.raises(LedgerFileRefused):
        preview_import(cast.bob, "ledger.csv", data)
    with pytest.raises(LedgerFileRefused):
        import_ledger_now(cast.bob, "ledger.csv", data)
    assert books_snapshot() == []
    assert db.session.scalars(owned(LedgerImport)).all() == []


def test_a_matched_entry_is_locked_but_may_stand_in_the_file_unchanged(cast, ids):
    load(cast.bob, "A1,1010,2026-03-30,-12.50,USD,Coffee", "A2,1010,2026-03-31,1,USD,x")
    match_entry(cast.alice, ids["1010"], entries()["A1"].id)
    assert "Line 2, column external_id: this entry is matched" in refused(
        cast.bob, "A1,1010,2026-03-30,-12.50,USD,Coffee!"
    )
    outcome = load(cast.bob, "A1,1010,2026-03-30,-12.50,USD,Coffee", "A2,1010,2026-03-31,2,USD,x")
    assert (outcome.unchanged_count, outcome.updated_count) == (1, 1)


def test_an_entry_of_a_certified_period_is_locked_whether_matched_or_outstanding(cast, ids):
    load(
        cast.bob,
        "A1,1010,2026-03-30,-12.50,USD,Matched",
        "A2,1010,2026-03-31,1,USD,Outstanding",
        "A3,1010,2026-04-01,1,USD,Later",
        "A4,5000,2026-03-31,1,USD,Elsewhere",
    )
    certify(cast.alice, match_entry(cast.alice, ids["1010"], entries()["A1"].id, ending=DAY))
    for line in ("A1,1010,2026-03-30,-13,USD,x", "A2,1010,2026-03-31,2,USD,x"):
        assert "certified to 2026-03-31 and is locked" in refused(cast.bob, line)
    outcome = load(cast.bob, "A3,1010,2026-04-01,2,USD,x", "A4,5000,2026-03-31,2,USD,x")
    assert outcome.updated_count == 2


def test_new_rows_in_a_certified_period_are_taken_with_a_warning(cast, ids):
    load(cast.bob, "A1,1010,2026-03-30,-12.50,USD,Matched")
    certify(cast.alice, match_entry(cast.alice, ids["1010"], entries()["A1"].id, ending=DAY))
    preview = preview_import(
        cast.bob, "l.csv", a_file("B1,1010,2026-03-31,1,USD,x", "B2,1010,2026-04-01,1,USD,x")
    )
    assert preview.warnings[0].startswith(
        "New rows dated in a period that is certified already: 1."
    )


JOURNAL = ("J1a,1010,2026-03-31,-5,USD,Rent,,,J-1", "J1b,5000,2026-03-31,5,USD,Rent,,,J-1")


def test_lines_of_a_journal_are_kept_together(cast, ids):
    load(cast.bob, *JOURNAL)
    journal = db.session.scalar(owned(JournalEntry))
    assert (journal.number, journal.source, journal.date) == ("J-1", "import", DAY)
    assert {entry.journal_entry_id for entry in entries().values()} == {journal.id}
    assert load(cast.bob, *JOURNAL).unchanged_count == 2


def test_a_journal_is_changed_with_all_of_its_lines_or_not_at_all(cast, ids):
    load(cast.bob, *JOURNAL)
    sentence = refused(
        cast.bob, "J1a,1010,2026-03-31,-6,USD,Rent,,,J-1", "J1c,5000,2026-03-31,6,USD,Rent,,,J-1"
    )
    assert "its line “J1b” is not in the file" in sentence
    sentence = refused(cast.bob, "J1a,1010,2026-03-31,-6,USD,Rent")
    assert "its line “J1b” is not in the file" in sentence
    sentence = refused(
        cast.bob, "J1a,1010,2026-03-31,-6,USD,Rent", "J1b,5000,2026-03-31,5,USD,Rent"
    )
    assert "the 2 lines of journal “J-1” sum to −1.00 USD" in sentence
    load(
        cast.bob,
        "J1a,1010,2026-04-01,-6,USD,Rent,,,J-1",
        "J1b,5000,2026-04-01,4,USD,Rent,,,J-1",
        "J1c,5000,2026-04-01,2,USD,Rent,,,J-1",
    )
    assert set(journal_sums().values()) == {0}
    assert str(db.session.scalar(owned(JournalEntry)).date) == "2026-04-01"


def test_an_entry_joins_a_journal_but_never_changes_it(cast, ids):
    load(cast.bob, "A1,1010,2026-03-31,-5,USD,Rent", *JOURNAL)
    assert "belongs to journal “J-1” and cannot move" in refused(
        cast.bob,
        "J1a,1010,2026-03-31,-5,USD,Rent,,,J-2",
        "J2b,5000,2026-03-31,5,USD,Rent,,,J-2",
    )
    load(cast.bob, "A1,1010,2026-03-31,-5,USD,Rent,,,J-2", "J2b,5000,2026-03-31,5,USD,Rent,,,J-2")
    assert set(journal_sums().values()) == {0}


def test_a_journal_written_here_is_never_changed_by_a_file(cast, ids):
    posted = post_journal(cast.bob, a_draft(ids))
    line = get_owned(GlEntry, posted.entry_ids[0])
    assert "is never edited; reverse it" in refused(
        cast.bob, f"{line.external_id},5000,2026-03-31,13,USD,Rent"
    )
    assert "JE-0001 was written in Tieout" in refused(
        cast.bob, "A,1010,2026-03-31,1,USD,x,,,JE-0001", "B,5000,2026-03-31,-1,USD,x,,,JE-0001"
    )


def test_a_reversed_journal_is_never_changed_by_a_file(cast, ids):
    load(cast.bob, *JOURNAL)
    journal = db.session.scalar(owned(JournalEntry))
    reverse_journal(cast.bob, journal.id, DAY)
    assert "journal “J-1” was reversed by JE-0001" in refused(
        cast.bob, *(line.replace(",5,", ",6,").replace("-5", "-6") for line in JOURNAL)
    )
    assert load(cast.bob, *JOURNAL).unchanged_count == 2


def test_a_viewer_may_not_import_and_a_stranger_finds_nothing(cast, ids):
    import_id = preview_import(cast.bob, "ledger.csv", FILE).import_id
    for refused_call in (
        lambda: preview_import(cast.viv, "l.csv", FILE),
        lambda: import_ledger_now(cast.viv, "l.csv", FILE),
        lambda: confirm_import(cast.viv, import_id),
        lambda: discard_import(cast.viv, import_id),
    ):
        with pytest.raises(Forbidden):
            refused_call()
    with organization_scope(cast.other_id):
        with pytest.raises(NotFound):
            confirm_import(cast.charlie, import_id)
        with pytest.raises(NotFound):
            discard_import(cast.charlie, import_id)
        with pytest.raises(Invalid, match="no account “1010”"):
            import_ledger_now(cast.charlie, "l.csv", FILE)


def test_two_organizations_may_use_the_same_external_ids(cast, ids):
    import_ledger_now(cast.bob, "l.csv", FILE)
    with organization_scope(cast.other_id):
        accounts(cast.charlie)
        assert import_ledger_now(cast.charlie, "l.csv", FILE).created_count == 3
        assert len(entries()) == 3
    assert len(entries()) == 3


def test_statements_do_not_grow_with_the_rows(cast, ids):
    def statements(rows_count: int) -> int:
        counted = []
        listener = lambda *_args: counted.append(1)  # noqa: E731
        sa.event.listen(db.engine, "before_cursor_execute", listener)
        try:
            lines = [f"{rows_count}-{i},1010,2026-03-30,1,USD,x" for i in range(rows_count)]
            load(cast.bob, *lines)
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", listener)
        return len(counted)

    assert statements(10) == statements(400)


def _together(app, actor, data, count):
    """Import the same bytes in several threads at once; return outcomes and refusals."""
    start = threading.Barrier(count)
    results = []

    def work():
        with app.app_context(), organization_scope(actor.organization_id):
            start.wait()
            try:
                results.append(import_ledger_now(actor, "l.csv", data))
            except Conflict as conflict:
                results.append(conflict)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_imports_of_the_same_file_at_once_add_nothing_twice(app, cast, ids):
    lines = [
        line
        for i in range(300)
        for line in (
            f"A{i},1010,2026-03-30,-{i + 1},USD,x,,,J-{i}",
            f"B{i},5000,2026-03-30,{i + 1},USD,x,,,J-{i}",
        )
    ]
    results = _together(app, cast.bob, a_file(*lines), 4)
    assert sorted(result.created_count for result in results) == [0, 0, 0, 600]
    assert len(entries()) == 600
    assert set(journal_sums().values()) == {0}
    assert trail.verify().intact


def test_journal_numbers_drawn_at_once_are_all_different(app, cast, ids):
    numbers = []

    def work():
        with app.app_context(), organization_scope(cast.acme_id):
            numbers.extend([post_journal(cast.bob, a_draft(ids)).number for _ in range(5)])
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [f"JE-{i:04}" for i in range(1, 21)]
    assert trail.verify().intact


def test_a_match_made_while_an_import_runs_is_seen_by_it(app, cast, ids):
    """The import waits for the open reconciliation's lock, and then finds the entry matched."""
    load(cast.bob, "A1,1010,2026-03-30,1,USD,x")
    reconciliation_id = match_entry(cast.alice, ids["1010"], entries()["A1"].id)
    release_matches(reconciliation_id)
    holding = threading.Event()
    outcome = []

    def import_meanwhile():
        with app.app_context(), organization_scope(cast.acme_id):
            holding.wait()
            try:
                outcome.append(load(cast.bob, "A1,1010,2026-03-30,2,USD,x"))
            except LedgerRowsRefused as refusal:
                outcome.append(refusal.detail)
            finally:
                db.session.remove()

    thread = threading.Thread(target=import_meanwhile)
    thread.start()
    with unit_of_work():
        get_owned(Reconciliation, reconciliation_id, lock=True)
        holding.set()
        thread.join(timeout=0.5)
        assert outcome == []
        db.session.execute(sa.text("UPDATE match_item SET active = true"))
    thread.join()
    assert "this entry is matched" in outcome[0]
    assert entries()["A1"].amount_minor == 100
