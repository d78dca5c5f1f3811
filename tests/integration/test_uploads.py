from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit import trail
from app.connections import imports
from app.connections.deletion import delete_connection
from app.connections.imports import FileRefused
from app.connections.uploads import (
    confirm_upload,
    content_of,
    discard_upload,
    read_again,
    store_upload,
)
from app.jobs import runs
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from app.models import (
    AuditEvent,
    FinancialAccount,
    FinancialTransaction,
    JobKind,
    JobRun,
    Upload,
    db,
)
from app.statements.mapping import CsvMapping
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.bank_files import STATEMENT, bai2_file, csv_file, many_lines, october
from tests.bank_world import add_account, import_now, stored_lines
from workers.jobs import perform


def stored_upload(upload_id):
    db.session.rollback()
    return get_owned(Upload, upload_id)


def transactions_count():
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(FinancialTransaction.id)))


def as_stored(lines):
    return sorted((line.day, line.text, line.amount_minor, line.reference) for line in lines)


def upload_and_perform(actor, account_id, data, **decision):
    upload_id = store_upload(actor, account_id, "october.csv", data).upload_id
    run_id = confirm_upload(actor, upload_id, **decision)
    perform(run_id)
    return stored_upload(upload_id)


def test_a_preview_says_what_the_file_holds_and_stores_no_transaction(cast):
    account_id = add_account(cast.alice)
    stored = store_upload(cast.alice, account_id, "../evil/oct.csv", csv_file())
    upload = stored_upload(stored.upload_id)
    assert (upload.state, upload.format, upload.filename) == ("previewed", "csv", "oct.csv")
    assert (upload.rows_count, upload.new_count, upload.duplicate_count) == (5, 5, 0)
    assert (upload.first_date, upload.last_date) == (date(2026, 10, 1), date(2026, 10, 30))
    assert (upload.preview["in_minor"], upload.preview["out_minor"]) == (420_126, -76_278)
    assert upload.mapping["date_format"] == "%Y-%m-%d"
    assert content_of(upload) == csv_file()
    assert transactions_count() == 0


def test_a_confirmed_file_is_imported_by_its_job(cast):
    account_id = add_account(cast.alice)
    upload = upload_and_perform(cast.alice, account_id, csv_file())
    assert (upload.state, upload.new_count) == ("imported", 5)
    assert sorted(stored_lines(account_id)) == as_stored(STATEMENT)
    account = get_owned(FinancialAccount, account_id)
    assert account.covered_until == date(2026, 10, 30)
    assert account.csv_mapping == upload.mapping
    run = runs.latest_run(JobKind.IMPORT_BANK_FILE, upload.id)
    assert (run.status, run.progress_percent) == ("succeeded", 100)
    assert run.progress_text == "5 rows: 5 imported."
    actions = [event.action for event in db.session.scalars(owned(AuditEvent))]
    assert [one for one in actions if one.startswith("upload.")] == [
        "upload.previewed",
        "upload.confirmed",
        "upload.imported",
    ]
    assert trail.verify().intact


def test_confirming_twice_asks_for_one_run_and_imports_once(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    first = confirm_upload(cast.alice, upload_id)
    assert confirm_upload(cast.alice, upload_id) == first
    perform(first)
    perform(first)
    assert transactions_count() == 5
    with pytest.raises(Conflict, match="was imported; nothing was changed"):
        confirm_upload(cast.alice, upload_id)


def test_the_same_file_again_adds_nothing_and_says_so(cast):
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file())
    outcome = import_now(cast.alice, account_id, csv_file())
    assert (outcome.new_count, outcome.duplicate_count) == (0, 5)
    assert outcome.sentence == "5 rows: 0 imported, 5 present already."
    assert sorted(stored_lines(account_id)) == as_stored(STATEMENT)


def test_overlapping_files_add_only_what_is_new_and_twins_stay_two(cast):
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file(STATEMENT[:3]))
    outcome = import_now(cast.alice, account_id, csv_file(STATEMENT[1:]))
    assert (outcome.new_count, outcome.duplicate_count) == (2, 2)
    assert sorted(stored_lines(account_id)) == as_stored(STATEMENT)


def test_lines_of_a_day_keep_the_files_order_whichever_way_it_runs(cast):
    lines = [october(day, f"LINE {n}", n) for day in (1, 2) for n in range(1, 30)]
    oldest_first, newest_first = add_account(cast.alice), add_account(cast.alice, name="Other")
    import_now(cast.alice, oldest_first, csv_file(lines))
    import_now(cast.alice, newest_first, csv_file(lines[::-1]))
    assert (
        stored_lines(oldest_first)
        == stored_lines(newest_first)
        == [
            tuple(x)
            for x in ((line.day, line.text, line.amount_minor, line.reference) for line in lines)
        ]
    )


def test_bai2_brings_balance_and_coverage(cast):
    account_id = add_account(cast.alice)
    data = bai2_file({"3300444417": STATEMENT})
    outcome = import_now(cast.alice, account_id, data)
    assert outcome.new_count == 5
    account = get_owned(FinancialAccount, account_id)
    assert (account.current_balance_minor, account.balance_date) == (343_848, date(2026, 10, 30))
    assert account.covered_until == date(2026, 10, 30)
    older = bai2_file({"3300444417": [replace_day(STATEMENT[0], date(2026, 9, 1))]})
    import_now(cast.alice, account_id, older)
    db.session.rollback()
    account = get_owned(FinancialAccount, account_id)
    assert (account.current_balance_minor, account.covered_until) == (343_848, date(2026, 10, 30))


def replace_day(line, day):
    return line._replace(day=day)


def test_of_a_file_with_several_accounts_only_ours_is_taken(cast):
    account_id = add_account(cast.alice)
    data = bai2_file({"99000111": STATEMENT[:2], "3300444417": STATEMENT[2:4]})
    outcome = import_now(cast.alice, account_id, data)
    assert (outcome.rows_count, outcome.new_count) == (2, 2)
    assert sorted(stored_lines(account_id)) == as_stored(STATEMENT[2:4])


def test_an_unclear_account_is_a_persons_choice_that_is_remembered(cast):
    account_id = add_account(cast.alice, mask="")
    data = bai2_file({"99000111": STATEMENT[:2], "3300444417": STATEMENT[2:4]})
    stored = store_upload(cast.alice, account_id, "two.bai", data)
    upload = stored_upload(stored.upload_id)
    assert upload.state == "refused"
    assert upload.findings[0]["message"].startswith("The file holds 2 accounts; choose the one")
    with pytest.raises(Conflict, match="is refused as it is read now"):
        confirm_upload(cast.alice, upload.id)
    read_again(cast.alice, stored.upload_id, chosen_account="99000111")
    assert stored_upload(stored.upload_id).state == "previewed"
    perform(confirm_upload(cast.alice, stored.upload_id))
    assert sorted(stored_lines(account_id)) == as_stored(STATEMENT[:2])
    again = import_now(cast.alice, account_id, data)
    assert (again.rows_count, again.duplicate_count) == (2, 2)


def test_an_unknown_account_is_refused(cast):
    account_id = add_account(cast.alice)
    with pytest.raises(FileRefused, match="of the account 99000111, which is not known to be"):
        import_now(cast.alice, account_id, bai2_file({"99000111": STATEMENT}))
    assert transactions_count() == 0


def test_another_currency_is_refused(cast):
    account_id = add_account(cast.alice)
    data = bai2_file({"3300444417": STATEMENT}, currency="EUR")
    with pytest.raises(FileRefused, match="is in EUR, not in USD; choose the account"):
        import_now(cast.alice, account_id, data)
    assert transactions_count() == 0


def test_other_accounts_of_the_file_may_have_other_currencies(cast):
    account_id = add_account(cast.alice)
    data = bai2_file({"99000111": STATEMENT[:2], "3300444417": STATEMENT[2:4]})
    data = data.replace(b"03,99000111,,", b"03,99000111,EUR,")
    assert import_now(cast.alice, account_id, data).new_count == 2


BAD_FILES = {
    "empty": (b"", None, "empty"),
    "blanks": (b" \n \n", None, "empty"),
    "binary": (bytes(range(256)) * 20, None, "binary"),
    "picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, None, "picture"),
    "half a row": (csv_file() + b"2026-10-31,CUT", 7, "7"),
    "three decimals": (csv_file() + b"2026-10-31,FUEL,-12.345,\n", 7, "decimal"),
    "day or month": (
        b"Date,Description,Amount\n01/02/2026,A,1.00\n03/04/2026,B,2.00\n",
        None,
        "choose one of the two formats",
    ),
    "wrong encoding": (
        b"\xff\xfeD\x00a\x00t\x00e\x00,\x00\x00\xd8A\x00",
        1,
        "utf-16",
    ),
    "total off by a cent": (bai2_file({"3300444417": STATEMENT}, off_by=1), 5, "control total"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_a_sentence_and_its_findings_stay(cast, name):
    data, line, word = BAD_FILES[name]
    account_id = add_account(cast.alice)
    with pytest.raises(FileRefused) as refusal:
        import_now(cast.alice, account_id, data)
    assert word in refusal.value.detail.lower()
    assert refusal.value.detail.endswith("Nothing was stored.")
    assert transactions_count() == 0
    upload = db.session.scalars(owned(Upload)).one()
    assert upload.state == "refused"
    assert upload.findings[0]["level"] == "error"
    assert line is None or upload.findings[0]["line"] == line
    assert upload.rows_count == upload.rejected_count
    assert content_of(upload) == data


def test_a_file_of_too_many_rows_is_refused(cast):
    account_id = add_account(cast.alice)
    data = csv_file(many_lines(limits.FILE_ROWS_MAX + 1))
    with pytest.raises(FileRefused, match="more than 100,000 rows"):
        import_now(cast.alice, account_id, data)
    assert transactions_count() == 0


def test_a_file_over_the_limit_of_bytes_is_refused_before_it_is_read(cast):
    account_id = add_account(cast.alice)
    store_upload(cast.alice, account_id, "a.csv", b"x" * limits.UPLOAD_BYTES_MAX)
    with pytest.raises(TooLarge, match="larger than the 20 MB that Tieout takes; nothing was"):
        store_upload(cast.alice, account_id, "a.csv", b"x" * (limits.UPLOAD_BYTES_MAX + 1))
    assert db.session.scalar(sa.select(sa.func.count(Upload.id))) == 1


def test_a_persons_correction_of_the_reading_is_previewed_and_remembered(cast):
    account_id = add_account(cast.alice)
    data = b"Date,Description,Amount\n01/02/2026,A,1.00\n03/04/2026,B,2.00\n"
    upload_id = store_upload(cast.alice, account_id, "a.csv", data).upload_id
    refused = stored_upload(upload_id)
    assert refused.state == "refused"
    document = {**refused.mapping, "date_format": "%d/%m/%Y", "sign": -1}
    read_again(cast.alice, upload_id, mapping=CsvMapping.from_json(document))
    upload = stored_upload(upload_id)
    assert (upload.state, upload.last_date) == ("previewed", date(2026, 4, 3))
    assert upload.preview["out_minor"] == -300
    assert get_owned(FinancialAccount, account_id).csv_mapping is None
    perform(confirm_upload(cast.alice, upload_id))
    outcome = import_now(cast.alice, account_id, data)
    assert outcome.duplicate_count == 2


def test_a_file_that_does_not_fit_the_remembered_reading_is_read_afresh_and_says_so(cast):
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file(STATEMENT[:2]))
    data = (
        b"Buchungstag;Betrag;Verwendungszweck\n31.10.2026;-12,50;Miete\n30.10.2026;1.012,50;Kunde\n"
    )
    stored = store_upload(cast.alice, account_id, "b.csv", data)
    upload = stored_upload(stored.upload_id)
    assert upload.state == "previewed"
    assert [finding["code"] for finding in upload.findings][-1] == "remembered_mapping_unfit"


OTHER_TEXT = [
    october(1, "POS CHECK NO 1036", -71_678),
    october(5, "ACH CREDIT STRIPE", 420_126),
    october(6, "NEW ONE", 500),
]


def test_probable_duplicates_are_shown_and_by_default_left_out(cast):
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file())
    stored = store_upload(cast.alice, account_id, "other.csv", csv_file(OTHER_TEXT))
    upload = stored_upload(stored.upload_id)
    assert (upload.new_count, upload.duplicate_count, upload.left_out_count) == (1, 0, 2)
    assert [(row["text"], row["known_text"]) for row in upload.preview["probable"]] == [
        ("POS CHECK NO 1036", "CHECK 1036 · 1036"),
        ("ACH CREDIT STRIPE", "STRIPE TRANSFER"),
    ]
    perform(confirm_upload(cast.alice, upload.id))
    assert transactions_count() == 6
    assert stored_upload(stored.upload_id).left_out_count == 2


def test_left_out_rows_are_not_lost_and_can_be_imported_from_the_same_file(cast):
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file())
    import_now(cast.alice, account_id, csv_file(OTHER_TEXT))
    upload = upload_and_perform(cast.alice, account_id, csv_file(OTHER_TEXT), import_probable=True)
    assert (upload.new_count, upload.duplicate_count, upload.left_out_count) == (2, 1, 0)
    assert transactions_count() == 8


def test_a_decision_on_doubtful_rows_holds_only_for_those_that_were_shown(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file(OTHER_TEXT)).upload_id
    run_id = confirm_upload(cast.alice, upload_id, import_probable=True)
    import_now(cast.alice, account_id, csv_file())
    perform(run_id)
    upload = stored_upload(upload_id)
    assert (upload.state, upload.left_out_count) == ("previewed", 2)
    run = runs.latest_run(JobKind.IMPORT_BANK_FILE, upload_id)
    assert run.status == "failed"
    assert run.failure.endswith("Nothing was imported; look at the preview again.")
    assert transactions_count() == 5
    perform(confirm_upload(cast.alice, upload_id))
    assert transactions_count() == 6


def test_a_preview_that_grew_old_imports_only_what_is_new_by_then(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    import_now(cast.alice, account_id, csv_file(STATEMENT[:3]))
    perform(confirm_upload(cast.alice, upload_id))
    upload = stored_upload(upload_id)
    assert (upload.new_count, upload.duplicate_count) == (2, 3)
    assert transactions_count() == 5


def test_a_person_can_say_that_a_file_covers_days_without_a_row(cast):
    account_id = add_account(cast.alice)
    yesterday = utc_now().date() - timedelta(days=1)
    data = csv_file([replace_day(STATEMENT[0], yesterday - timedelta(days=9))])
    import_now(cast.alice, account_id, data, covers_until=yesterday)
    assert get_owned(FinancialAccount, account_id).covered_until == yesterday


@pytest.mark.parametrize(
    ("days", "sentence"), [(-1, "rows after this day"), (9_999, "cannot cover days to come")]
)
def test_coverage_before_the_last_row_or_in_the_future_is_refused(cast, days, sentence):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    day = date(2026, 10, 30) + timedelta(days=days)
    with pytest.raises(Invalid, match=sentence):
        confirm_upload(cast.alice, upload_id, covers_until=day)
    assert stored_upload(upload_id).state == "previewed"


def test_a_discarded_file_stays_in_the_history_and_cannot_be_imported(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    discard_upload(cast.alice, upload_id)
    discard_upload(cast.alice, upload_id)
    assert stored_upload(upload_id).state == "discarded"
    for call in (confirm_upload, read_again):
        with pytest.raises(Conflict, match="was discarded; nothing was changed"):
            call(cast.alice, upload_id)


def test_an_import_of_a_connection_deleted_meanwhile_is_refused(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    run_id = confirm_upload(cast.alice, upload_id)
    delete_connection(cast.alice, get_owned(FinancialAccount, account_id).connection_id)
    perform(run_id)
    assert transactions_count() == 0
    assert "was deleted; nothing was changed" in db.session.get(JobRun, run_id).failure


def test_who_lacks_the_permission_and_strangers_cannot_touch_an_upload(cast):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    for call in (confirm_upload, read_again, discard_upload):
        for actor in (cast.bob, cast.viv):
            with pytest.raises(Forbidden):
                call(actor, upload_id)
        with organization_scope(cast.other_id), pytest.raises(NotFound):
            call(cast.charlie, upload_id)
    assert stored_upload(upload_id).state == "previewed"


def test_a_person_who_lost_the_permission_meanwhile_imports_nothing(cast):
    account_id = add_account(cast.carol)
    upload_id = store_upload(cast.carol, account_id, "a.csv", csv_file()).upload_id
    run_id = confirm_upload(cast.carol, upload_id)
    db.session.execute(sa.text("UPDATE membership SET bank_connections = false"))
    db.session.commit()
    perform(run_id)
    assert transactions_count() == 0
    assert "bank_connections" in db.session.get(JobRun, run_id).failure


def test_many_rows_need_few_statements(cast):
    account_id = add_account(cast.alice)
    data = csv_file(many_lines(12_000))
    upload_id = store_upload(cast.alice, account_id, "a.csv", data).upload_id
    run_id = confirm_upload(cast.alice, upload_id)
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    perform(run_id)
    assert transactions_count() == 12_000
    assert sum("INSERT INTO financial_transaction" in one for one in statements) <= 30
    assert len(statements) < 80


def test_after_a_bug_of_ours_nothing_is_stored_and_the_person_can_try_again(cast, monkeypatch):
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    run_id = confirm_upload(cast.alice, upload_id)
    with monkeypatch.context() as broken:
        broken.setattr(imports, "_conclude", lambda *_: 1 / 0)
        perform(run_id)
    assert transactions_count() == 0
    assert "Nothing was changed; try again" in db.session.get(JobRun, run_id).failure
    again = confirm_upload(cast.alice, upload_id)
    assert again != run_id
    perform(again)
    assert transactions_count() == 5


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    spans=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=5),
    statement=st.lists(
        st.builds(
            october,
            st.integers(1, 6),
            st.sampled_from(["PARKING", "RETAINER"]),
            st.sampled_from([-1_400, 150_000]),
        ),
        max_size=25,
    ),
)
def test_files_of_whole_days_in_any_order_yield_the_statement(cast, spans, statement):
    account_id = add_account(cast.alice)
    covered = set()
    for span in spans:
        days = range(min(span), max(span) + 1)
        part = [line for line in statement if line.day.day in days]
        if part:
            import_now(cast.alice, account_id, csv_file(part))
            covered.update(days)
    expected = [line for line in statement if line.day.day in covered]
    assert sorted(stored_lines(account_id)) == as_stored(expected)
