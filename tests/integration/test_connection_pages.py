import io
from datetime import UTC, datetime

import pytest

from app.connections.uploads import store_upload
from app.jobs import runs
from app.models import (
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    JobKind,
    Upload,
    db,
)
from app.reports import connections as report
from app.tenancy.scope import enter_scope, get_owned, owned
from tests.bank_files import STATEMENT, bai2_file, csv_file, october
from tests.bank_world import add_account, add_ledger_account, import_now
from tests.conftest import sign_in
from tests.html import checked, words
from workers.jobs import perform


@pytest.fixture
def carol(app, cast):
    """Carol's browser: a controller with the permission `bank_connections`."""
    return sign_in(app, cast.carol)


@pytest.fixture
def viv(app, cast):
    return sign_in(app, cast.viv)


def read(client, url, status=200):
    answer = client.get(url)
    assert answer.status_code == status, answer.text
    return words(checked(answer.text))


def post(client, url, data=None, status=303, **options):
    answer = client.post(url, data=data or {}, **options)
    assert answer.status_code == status, answer.text
    return answer


def upload(client, account_id, data, name="october.csv"):
    answer = post(
        client,
        f"/connections/accounts/{account_id}/uploads",
        {"file": (io.BytesIO(data), name)},
        content_type="multipart/form-data",
    )
    return answer.location


def perform_import(cast):
    enter_scope(cast.acme_id)
    upload_id = db.session.scalars(owned(Upload).order_by(Upload.id.desc())).first().id
    perform(runs.latest_run(JobKind.IMPORT_BANK_FILE, upload_id).id)
    db.session.remove()


def test_an_empty_page_holds_the_button_to_begin(carol):
    assert "No bank connection yet" in read(carol, "/connections/")
    assert "No bank transaction yet" in read(carol, "/transactions/")


def test_from_adding_an_account_to_its_transactions(carol, cast):
    enter_scope(cast.acme_id)
    ledger_id = add_ledger_account()
    assert "GL 1010 Cash, operating (USD)" in read(carol, "/connections/new/files")
    form = {
        "institution_name": "Puget Harbor Bank",
        "account_name": "Operating",
        "mask": "4417",
        "type": "checking",
        "currency": "usd",
        "ledger_bank_account_id": ledger_id,
    }
    account_url = post(carol, "/connections/new/files", form).location
    assert "No file yet" in read(carol, account_url)
    upload_url = upload(carol, account_url.rpartition("/")[2], csv_file())
    text = read(carol, upload_url)
    assert "Rows in the file 5 New 5" in text
    assert "Money in +4,201.26 USD" in text
    assert "Import 5 transactions" in text
    assert post(carol, f"{upload_url}/confirm").location == upload_url
    assert "Waiting for a worker" in read(carol, upload_url)
    waiting = carol.get(f"{upload_url}/progress", headers={"HX-Request": "true"})
    assert 'hx-trigger="every 1s"' in waiting.text
    perform_import(cast)
    done = carol.get(f"{upload_url}/progress", headers={"HX-Request": "true"})
    assert done.headers["HX-Redirect"] == upload_url
    assert "The file was taken whole: 5 transactions imported." in read(carol, upload_url)
    assert "october.csv CSV Imported" in read(carol, account_url)
    assert "MONTHLY SERVICE FEE" in read(carol, "/transactions/?q=18")
    assert "GL 1010 Cash, operating" in read(carol, "/connections/")
    assert carol.get(f"{upload_url}/file").data == csv_file()


def test_a_bad_form_says_so_beside_the_fields_and_keeps_what_was_typed(carol):
    form = {"institution_name": "Bank", "account_name": "", "type": "checking", "currency": "x"}
    answer = post(carol, "/connections/new/files", form, status=422)
    root = checked(answer.text)
    assert root.find(".//input[@id='institution_name']").get("value") == "Bank"
    for field in ("account_name", "currency"):
        assert root.find(f".//*[@id='{field}-error']") is not None


def test_a_refused_file_shows_line_column_and_reason(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    url = upload(carol, account_id, csv_file() + b"2026-10-31,FUEL,-12.345,\n")
    text = read(carol, url)
    assert "This file cannot be taken as it is. Nothing was stored." in text
    assert "7 Amount Line 7, column “Amount”" in text
    post(carol, f"{url}/confirm", status=409)
    assert "Refused" in read(carol, f"/connections/accounts/{account_id}")


def test_uploading_without_choosing_a_file_is_told_beside_the_field(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    answer = post(carol, f"/connections/accounts/{account_id}/uploads", status=422)
    assert "Choose the file that the bank gave you." in words(checked(answer.text))


def test_a_person_settles_the_date_order_and_looks_again(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    data = b"Date,Description,Amount\n01/02/2026,A,1.00\n03/04/2026,B,2.00\n"
    url = upload(carol, account_id, data)
    assert "choose one of the two formats" in read(carol, url)
    form = {"date_format": "%d/%m/%Y", "column-0": "date", "column-1": "description"}
    post(carol, f"{url}/reading", form | {"column-2": "amount"})
    assert "1 Feb 2026 – 3 Apr 2026" in read(carol, url)
    twice = form | {"column-1": "amount", "column-2": "amount"}
    answer = post(carol, f"{url}/reading", twice, status=422)
    assert "Another column is “Amount, in and out” already" in words(checked(answer.text))


def test_a_person_chooses_which_of_the_files_accounts_it_is(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice, mask="")
    data = bai2_file({"99000111": STATEMENT[:2], "3300444417": STATEMENT[2:4]})
    url = upload(carol, account_id, data, "two.bai")
    assert "3300444417 · USD · 2 rows" in read(carol, url)
    post(carol, f"{url}/account", {"chosen_account": "3300444417"})
    assert "New 2" in read(carol, url)
    post(carol, f"{url}/account", status=422)


def test_probable_duplicates_stand_beside_what_is_stored(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file())
    url = upload(carol, account_id, csv_file([october(1, "POS CHECK", -71_678)]))
    text = read(carol, url)
    assert "1 row looks like transactions that are here already" in text
    assert "POS CHECK CHECK 1036 · 1036" in text
    post(carol, f"{url}/confirm", {"probable": "import"})
    perform_import(cast)
    assert "1 transaction imported" in read(carol, url)


def test_the_same_file_and_a_gap_are_pointed_out(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    early = csv_file([october(1, "EARLY", 100)])
    import_now(cast.alice, account_id, early)
    assert "Exactly this file was imported on" in read(carol, upload(carol, account_id, early))
    late = csv_file([october(20, "LATE", 100)])
    text = read(carol, upload(carol, account_id, late))
    assert "Nothing covers 2 October 2026 to 19 October 2026." in text


def test_a_discarded_file_says_that_nothing_was_stored(carol, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    url = upload(carol, account_id, csv_file())
    assert "Decide on a file" in read(carol, "/connections/")
    assert post(carol, f"{url}/discard").location == f"/connections/accounts/{account_id}"
    assert "nothing of it was stored" in read(carol, url)
    assert "Decide on a file" not in read(carol, "/connections/")


def test_a_coverage_date_in_the_future_is_told_beside_the_field(carol, cast):
    enter_scope(cast.acme_id)
    url = upload(carol, add_account(cast.alice), csv_file())
    answer = post(carol, f"{url}/confirm", {"covers_until": "2999-01-01"}, status=422)
    assert "A file cannot cover days to come" in words(checked(answer.text))


def test_a_mapping_is_changed_and_a_connection_deleted_after_a_question(carol, cast):
    enter_scope(cast.acme_id)
    ledger_id, account_id = add_ledger_account(), add_account(cast.alice)
    connection_id = get_owned(FinancialAccount, account_id).connection_id
    import_now(cast.alice, account_id, csv_file())
    url = f"/connections/accounts/{account_id}/ledger-bank-account"
    post(carol, url, {"ledger_bank_account_id": ledger_id})
    enter_scope(cast.acme_id)
    db.session.rollback()
    assert get_owned(FinancialAccount, account_id).ledger_bank_account_id == ledger_id
    assert "This cannot be undone" in read(carol, f"/connections/{connection_id}/delete")
    post(carol, f"/connections/{connection_id}/delete")
    assert "1 deleted connection" in read(carol, "/connections/")
    assert "This connection was deleted" in read(carol, f"/connections/accounts/{account_id}")
    assert "PARKING GARAGE" in read(carol, "/transactions/")


def test_who_may_only_view_sees_everything_and_whom_to_ask(viv, cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    for url in (
        "/connections/",
        f"/connections/accounts/{account_id}",
        f"/connections/uploads/{upload_id}",
    ):
        text = read(viv, url)
        assert "an admin of your organization can grant it to you" in text
    root = checked(viv.get(f"/connections/uploads/{upload_id}").text)
    assert root.find(".//button[@id='import']").get("aria-disabled") == "true"


def writing_urls(account_id, upload_id, connection_id):
    return [
        "/connections/new/files",
        f"/connections/{connection_id}/delete",
        f"/connections/accounts/{account_id}/ledger-bank-account",
        f"/connections/accounts/{account_id}/uploads",
        *(
            f"/connections/uploads/{upload_id}/{verb}"
            for verb in ("reading", "account", "confirm", "discard")
        ),
    ]


def one_of_each(cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    upload_id = store_upload(cast.alice, account_id, "a.csv", csv_file()).upload_id
    return account_id, upload_id, get_owned(FinancialAccount, account_id).connection_id


def test_the_server_refuses_every_write_without_the_permission(viv, cast):
    for url in writing_urls(*one_of_each(cast)):
        post(viv, url, status=403)
    enter_scope(cast.acme_id)
    assert db.session.scalars(owned(FinancialTransaction)).all() == []
    assert len(db.session.scalars(owned(FinancialConnection)).all()) == 1


def test_a_stranger_finds_nothing_under_any_address(app, cast):
    account_id, upload_id, connection_id = one_of_each(cast)
    charlie = sign_in(app, cast.charlie)
    for url in writing_urls(account_id, upload_id, connection_id)[1:]:
        data = {"chosen_account": "x", "file": (io.BytesIO(csv_file()), "a.csv")}
        post(charlie, url, data, status=404, content_type="multipart/form-data")
    for url in (
        f"/connections/accounts/{account_id}",
        f"/connections/{connection_id}/delete",
        f"/connections/uploads/{upload_id}",
        f"/connections/uploads/{upload_id}/file",
        f"/connections/uploads/{upload_id}/progress",
        f"/transactions/?account={account_id}",
    ):
        read(charlie, url, status=404)
    assert "No bank connection yet" in read(charlie, "/connections/")


def test_filters_of_the_list_stay_in_its_address(carol, cast, monkeypatch):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    lines = [october(1 + at // 10, f"LINE {at}", -100) for at in range(250)]
    import_now(cast.alice, account_id, csv_file(lines))
    url = f"/transactions/?account={account_id}&direction=out&q=line"
    root = checked(carol.get(url).text)
    older = root.find(".//a[@rel='next']").get("href")
    assert f"account={account_id}" in older
    assert "direction=out" in older
    root = checked(carol.get(older).text)
    assert "100 of 250" in words(root)
    assert root.find(".//a[@rel='prev']") is not None
    fragment = carol.get(url, headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith('<div id="transactions"')
    read(carol, "/transactions/?older=nonsense", status=422)


def test_the_page_says_what_is_due_and_what_is_overdue(cast):
    enter_scope(cast.acme_id)
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file())
    for today, needing in (((2026, 11, 30), 1), ((2026, 12, 2), 1)):
        page = report.connections_page(cast.alice, datetime(*today, 12, tzinfo=UTC))
        assert page.needing_count == needing  # it is not mapped to the books
    due = page.connections[0].due
    assert (due.month.isoformat(), due.state, due.business_days) == ("2026-11-01", "due", 3)
    page = report.connections_page(cast.alice, datetime(2026, 12, 8, 12, tzinfo=UTC))
    assert page.connections[0].due.state == "overdue"
