import io
import re
from collections import Counter
from contextlib import contextmanager

import html5lib
import pytest
import sqlalchemy as sa

import workers.jobs as worker
from app.jobs import runs
from app.kernel import limits
from app.ledger.accounts import create_ledger_bank_account
from app.ledger.imports import import_ledger_now, preview_import
from app.ledger.journals import post_journal
from app.models import GlAccount, JobKind, JournalEntry, LedgerImport, db
from app.tenancy.scope import enter_scope, organization_scope, owned
from tests.conftest import sign_in
from tests.ledger_books import a_draft, a_file, accounts, books_snapshot, entries, match_entry

ID = re.compile(r"[0-9a-f]{32}")
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def ids(cast):
    return accounts(cast.alice)


@pytest.fixture
def bob(app, cast, ids):
    return sign_in(app, cast.bob)


@pytest.fixture
def viv(app, cast, ids):
    return sign_in(app, cast.viv)


@pytest.fixture
def charlie(app, cast, ids):
    return sign_in(app, cast.charlie)


def checked(answer) -> str:
    """Parse a page: tags closed, ids once, controls labelled, references kept; return its words."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    root = parser.parse(answer.text)
    assert parser.errors == []
    found = Counter(node.get("id") for node in root.iter() if node.get("id"))
    assert [name for name, count in found.items() if count > 1] == []
    labelled = {node.get("for") for node in root.iter("label")}
    for name in ("input", "select", "textarea"):
        for control in root.iter(name):
            if control.get("type") != "hidden":
                assert control.get("aria-label") or control.get("id") in labelled, control.attrib
    for node in root.iter():
        for target in (node.get("aria-describedby") or "").split():
            assert target in found
    return " ".join(" ".join(root.find(".//main").itertext()).split())


def descriptions(answer) -> list[str]:
    return re.findall(r'<th scope="row"\s+class="text lead"\s+title="([^"]*)"', answer.text)


def upload(client, data: bytes, filename: str = "ledger.csv"):
    return client.post("/ledger/imports", data={"file": (io.BytesIO(data), filename)})


@contextmanager
def counted_statements():
    statements = []

    def listener(_connection, _cursor, statement, *_rest):
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", listener)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listener)


READ_PAGES = ["/ledger/", "/ledger/accounts", "/ledger/bank-accounts", "/ledger/imports"]


@pytest.mark.parametrize("path", READ_PAGES)
def test_each_page_is_well_formed_when_empty_and_when_full(app, cast, bob, ids, path):
    checked(bob.get(path))
    enter_scope(cast.acme_id)
    post_journal(cast.bob, a_draft(ids))
    create_ledger_bank_account(cast.bob, name="Operating", gl_account_id=ids["1010"])
    preview_import(cast.bob, "l.csv", a_file("A,1010,2026-03-31,1,USD,x"))
    words = checked(bob.get(path))
    assert "1010" in words or "l.csv" in words


@pytest.mark.parametrize("path", READ_PAGES)
def test_a_viewer_reads_and_is_told_why_the_buttons_are_off(viv, path):
    answer = viv.get(path)
    assert answer.status_code == 200
    assert 'aria-disabled="true"' in answer.text
    assert "This needs the permission “ledger”" in checked(answer)


def writes(cast, ids) -> list[tuple[str, str, dict]]:
    """Return every writing address of the ledger with a body that would do."""
    with organization_scope(cast.acme_id):
        journal_id = post_journal(cast.alice, a_draft(ids)).journal_id
        import_id = preview_import(
            cast.alice, "l.csv", a_file("A,1010,2026-03-31,1,USD,x")
        ).import_id
    lines = {
        "account": [ids["5000"], ids["1010"]],
        "memo": ["", ""],
        "debit": ["5", ""],
        "credit": ["", "5"],
    }
    return [
        (
            "own",
            "/ledger/accounts",
            {"number": "77", "name": "x", "type": "asset", "currency": "USD"},
        ),
        ("id", f"/ledger/accounts/{ids['1010']}/name", {"name": "Stolen"}),
        ("own", "/ledger/bank-accounts", {"name": "Bank", "gl_account_id": ids["1010"]}),
        ("own", "/ledger/journals", {"date": "2026-03-31", "description": "x", **lines}),
        ("id", f"/ledger/journals/{journal_id}/reverse", {"on": "2026-04-01"}),
        ("own", "/ledger/imports", {}),
        ("id", f"/ledger/imports/{import_id}/confirm", {}),
        ("id", f"/ledger/imports/{import_id}/discard", {}),
    ]


def test_a_viewer_is_refused_every_write(cast, viv, ids):
    for _kind, path, body in writes(cast, ids):
        before = books_snapshot()
        assert viv.post(path, data=body).status_code == 403, path
        assert books_snapshot() == before
    assert viv.get("/ledger/journals/new").status_code == 403
    assert viv.get(f"/ledger/accounts/{ids['1010']}/name").status_code == 403


def test_a_stranger_finds_nothing_and_changes_nothing(cast, charlie, ids):
    for kind, path, body in writes(cast, ids):
        before = books_snapshot()
        answer = charlie.post(path, data=body)
        if kind == "id":
            assert answer.status_code == 404, path
            random_id = ID.sub("f" * 32, path)
            same = charlie.post(random_id, data=body)
            assert ID.sub("", checked(answer)) == ID.sub("", checked(same))
        assert books_snapshot() == before
    enter_scope(cast.acme_id)
    journal_id = db.session.scalar(owned(JournalEntry)).id
    import_id = db.session.scalar(owned(LedgerImport)).id
    for path in (
        f"/ledger/journals/{journal_id}",
        f"/ledger/imports/{import_id}",
        f"/ledger/imports/{import_id}/progress",
        f"/ledger/accounts/{ids['1010']}/name",
        f"/ledger/?account={ids['1010']}",
    ):
        assert charlie.get(path).status_code == 404, path
    words = checked(charlie.get("/ledger/"))
    assert "The ledger is empty" in words
    assert "Operating cash" not in checked(charlie.get("/ledger/accounts"))


def fill(cast):
    enter_scope(cast.acme_id)
    import_ledger_now(
        cast.bob,
        "l.csv",
        a_file(
            "A1,1010,2026-03-01,137.00,USD,Deposit of a client,Halden & Co",
            "A2,1010,2026-03-02,-137,USD,Refund",
            "A3,1010,2026-03-03,13.70,USD,Interest",
            "A4,1020,2026-03-04,5,EUR,Fee,,REF-137",
            "A5,5000,2026-03-05,100,USD,50%_off",
        ),
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=137", ["Fee", "Refund", "Deposit of a client · Halden &amp; Co"]),
        ("q=-137.00", ["Refund", "Deposit of a client · Halden &amp; Co"]),
        ("q=halden", ["Deposit of a client · Halden &amp; Co"]),
        ("q=a2", ["Refund"]),
        ("q=%25_", ["50%_off"]),
        ("q=%25", ["50%_off"]),
        ("from=2026-03-02&to=2026-03-03", ["Interest", "Refund"]),
        ("from=2026-03-02&to=2026-03-03&sort=date", ["Refund", "Interest"]),
        ("q=nothing", []),
        (
            "from=rubbish&sort=rubbish&q=137&to=2026-03-01",
            ["Deposit of a client · Halden &amp; Co"],
        ),
    ],
)
def test_entries_are_found_by_amount_text_and_date(cast, bob, query, found):
    fill(cast)
    answer = bob.get(f"/ledger/?{query}")
    checked(answer)
    assert descriptions(answer) == found
    if not found:
        assert "No entry fits" in answer.text


def test_entries_are_found_by_account(cast, bob, ids):
    fill(cast)
    assert descriptions(bob.get(f"/ledger/?account={ids['1020']}")) == ["Fee"]


def test_pages_meet_without_gap_or_overlap_in_both_directions(cast, bob, monkeypatch):
    enter_scope(cast.acme_id)
    lines = [f"E{i},1010,2026-03-{i % 3 + 1:02},1,USD,entry {i}" for i in range(17)]
    import_ledger_now(cast.bob, "l.csv", a_file(*lines))
    monkeypatch.setattr("app.reports.ledger.PAGE_ROWS", 5)
    for sort in ("date", "-date"):
        everything, pages, path = [], [], f"/ledger/?sort={sort}"
        while path:
            answer = bob.get(path)
            pages.append(descriptions(answer))
            everything += pages[-1]
            path = link(answer, "next")
        assert sorted(everything) == sorted(f"entry {i}" for i in range(17))
        assert [len(page) for page in pages] == [5, 5, 5, 2]
        backwards = [pages[-1]]
        while path := link(answer, "prev"):
            answer = bob.get(path)
            backwards.append(descriptions(answer))
        assert backwards == pages[::-1]


def link(answer, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}"\s+href="([^"]+)"', answer.text)
    return found[1].replace("&amp;", "&") if found else None


def test_a_cursor_that_somebody_typed_is_refused(bob):
    assert bob.get("/ledger/?after=rubbish").status_code == 422


def test_a_fragment_is_the_list_alone_and_costs_four_statements(cast, bob):
    fill(cast)
    bob.get("/ledger/")
    with counted_statements() as statements:
        answer = bob.get("/ledger/?q=137", headers=FRAGMENT)
    assert answer.text.lstrip().startswith("<section")
    assert "<nav aria-label" not in answer.text
    assert len([s for s in statements if not s.startswith("BEGIN")]) <= 4, statements


def test_matched_and_certified_entries_say_so(cast, bob, ids):
    fill(cast)
    reconciliation_id = match_entry(cast.alice, ids["1010"], entries()["A1"].id)
    answer = bob.get("/ledger/")
    words = checked(answer)
    assert f"/reconciliations/{reconciliation_id}" in answer.text
    assert words.count("Matched") == 1
    assert words.count("Open") == 2


def test_an_account_is_added_and_a_bad_one_named_beside_its_field(bob):
    good = {"number": "6000", "name": "Fees", "type": "expense", "currency": "USD"}
    assert bob.post("/ledger/accounts", data=good).status_code == 303
    answer = bob.post("/ledger/accounts", data={**good, "currency": "dollars"})
    assert answer.status_code == 422
    assert "“dollars” is not a currency code" in checked(answer)
    assert 'id="currency-error"' in answer.text
    answer = bob.post("/ledger/accounts", data=good)
    assert "The number 6000 belongs to “Fees”" in checked(answer)
    assert bob.post("/ledger/accounts", data={}).status_code == 422


def test_an_account_is_renamed(cast, bob, ids):
    path = f"/ledger/accounts/{ids['1010']}/name"
    checked(bob.get(path))
    assert bob.post(path, data={"name": " "}).status_code == 422
    assert bob.post(path, data={"name": "Main cash"}).status_code == 303
    enter_scope(cast.acme_id)
    assert db.session.get(GlAccount, ids["1010"]).name == "Main cash"


def test_a_bank_account_is_added_once(bob, ids):
    body = {"name": "Operating", "gl_account_id": ids["1010"]}
    assert bob.post("/ledger/bank-accounts", data=body).status_code == 303
    answer = bob.post("/ledger/bank-accounts", data={**body, "name": "Again"})
    assert answer.status_code == 422
    assert "stands for “Operating” already" in checked(answer)


def journal_body(ids, **changes) -> dict:
    body = {
        "date": "2026-03-31",
        "description": "Rent",
        "counterparty": "Landlord",
        "reference": "R-1",
        "account": [ids["5000"], ids["1010"], ""],
        "memo": ["", "Transfer", ""],
        "debit": ["1,234.50", "", ""],
        "credit": ["", "1234.5", ""],
    }
    return {**body, **changes}


def test_a_journal_entry_is_posted_and_shown(cast, bob, ids):
    checked(bob.get("/ledger/journals/new"))
    answer = bob.post("/ledger/journals", data=journal_body(ids), follow_redirects=True)
    words = checked(answer)
    assert "Journal entry JE-0001" in words
    assert words.count("1,234.50") == 4
    assert "Landlord" in words


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"credit": ["", "1000", ""]}, "do not balance: 234.50 USD too much debit"),
        ({"date": "31.3.2026"}, "Give the booking date."),
        ({"description": ""}, "Say what the entry is for."),
        ({"debit": ["1.234", "", ""]}, "Line 1: “1.234” has more than the 2 decimals"),
        ({"debit": ["-5", "", ""]}, "Line 1: give an amount above zero"),
        ({"debit": ["5", "5", ""]}, "Line 2: give either a debit or a credit"),
        ({"debit": ["", "", ""]}, "Line 1: give either a debit or a credit"),
        ({"debit": ["5", "", "7"]}, "Line 3: choose an account"),
        ({"account": ["", "", ""], "memo": [], "debit": [], "credit": []}, "at least two lines"),
        ({"account": ["unknown", "unknown", ""]}, "names no account of the chart"),
    ],
)
def test_a_journal_entry_that_cannot_be_right_comes_back_as_typed(cast, bob, ids, change, words):
    body = journal_body(ids, **change)
    answer = bob.post("/ledger/journals", data=body)
    assert answer.status_code == 422
    assert words in checked(answer)
    assert 'value="Landlord"' in answer.text
    enter_scope(cast.acme_id)
    assert books_snapshot() == []


def lines_of(answer) -> list[str]:
    return re.findall(r'id="debit-\d+"\s+value="([^"]*)"', answer.text)


def test_lines_are_added_and_removed_without_javascript(bob, ids):
    answer = bob.post("/ledger/journals", data=journal_body(ids, step="add"))
    assert answer.status_code == 200
    checked(answer)
    assert lines_of(answer) == ["1,234.50", "", "", ""]
    answer = bob.post("/ledger/journals", data=journal_body(ids, step="remove-1"))
    assert lines_of(answer) == ["", ""]
    answer = bob.post("/ledger/journals", data=journal_body(ids, step="remove-99"))
    assert lines_of(answer) == ["1,234.50", "", ""]
    body = journal_body(ids, account=[ids["5000"]] * limits.JOURNAL_LINES_MAX, step="add")
    answer = bob.post("/ledger/journals", data=body)
    assert len(lines_of(answer)) == limits.JOURNAL_LINES_MAX


def test_the_sums_follow_while_typing(bob, ids):
    body = journal_body(ids, credit=["", "1000", "x"], step="sum")
    answer = bob.post("/ledger/journals", data=body, headers=FRAGMENT)
    assert answer.text.lstrip().startswith("<dl")
    assert "234.50" in answer.text


def test_a_journal_entry_is_reversed_once(cast, bob, ids):
    enter_scope(cast.acme_id)
    journal_id = post_journal(cast.bob, a_draft(ids)).journal_id
    path = f"/ledger/journals/{journal_id}"
    answer = bob.post(f"{path}/reverse", data={"on": "2026-03-30"})
    assert answer.status_code == 422
    assert "Choose 2026-03-31 or a later date." in checked(answer)
    assert bob.post(f"{path}/reverse", data={"on": ""}).status_code == 422
    answer = bob.post(f"{path}/reverse", data={"on": "2026-04-01"}, follow_redirects=True)
    assert "Reverses JE-0001" in checked(answer)
    words = checked(bob.get(path))
    assert "Reversed by JE-0002" in words
    assert "Date of the reversal" not in words
    assert bob.post(f"{path}/reverse", data={"on": "2026-04-01"}).status_code == 409


def test_a_file_goes_from_upload_to_result(app, cast, bob):
    answer = upload(bob, a_file("A,1010,2026-03-30,-12.50,USD,Coffee", "B,5000,2026-03-31,1,USD,x"))
    assert answer.status_code == 303
    path = answer.location
    words = checked(bob.get(path))
    assert "2 rows" in words
    assert "30 March 2026 to 31 March 2026" in words
    assert "2 new" in words
    assert "−12.50" in words
    assert bob.post(f"{path}/confirm").location == path
    words = checked(bob.get(path))
    assert "Waiting for a worker" in words
    bar = bob.get(f"{path}/progress", headers=FRAGMENT)
    assert 'hx-trigger="every 1s"' in bar.text
    assert "HX-Retarget" not in bar.headers
    with app.app_context():
        enter_scope(cast.acme_id)
        run = runs.latest_run(JobKind.IMPORT_LEDGER_FILE, path.rpartition("/")[2])
        worker.perform(run.id)
    db.session.rollback()
    last = bob.get(f"{path}/progress", headers=FRAGMENT)
    assert last.headers["HX-Retarget"] == "#outcome"
    assert "every 1s" not in last.text
    assert "2 new, 0 changed, 0 known already." in " ".join(last.text.split())
    assert "Imported" in checked(bob.get("/ledger/imports"))
    assert bob.post(f"{path}/confirm").status_code == 409


def test_a_file_that_fails_in_the_job_says_why_and_may_be_tried_again(app, cast, bob, ids):
    enter_scope(cast.acme_id)
    import_ledger_now(cast.bob, "l.csv", a_file("A,1010,2026-03-30,1,USD,x"))
    path = upload(bob, a_file("A,1010,2026-03-30,2,USD,x")).location
    bob.post(f"{path}/confirm")
    with app.app_context():
        enter_scope(cast.acme_id)
        match_entry(cast.alice, ids["1010"], entries()["A"].id)
        run = runs.latest_run(JobKind.IMPORT_LEDGER_FILE, path.rpartition("/")[2])
        worker.perform(run.id)
    db.session.rollback()
    words = checked(bob.get(path))
    assert "The file was not imported." in words
    assert "this entry is matched in a reconciliation" in words
    assert "Import again" in words
    assert "Failed" in checked(bob.get("/ledger/imports"))
    assert bob.post(f"{path}/discard").status_code == 303
    assert "Discarded" in checked(bob.get("/ledger/imports"))


def test_every_bad_line_is_listed_and_nothing_is_stored(cast, bob):
    answer = upload(
        bob,
        a_file(
            "A,9999,2026-03-30,1,USD,x",
            "B,1010,30.3.2026,1,USD,x",
            "C,1010,2026-03-30,1.234,USD,x",
        ),
    )
    assert answer.status_code == 422
    words = checked(answer)
    assert "3 rows found" in words
    assert "There is no account “9999” in the chart." in words
    assert "“30.3.2026” is not a date" in words
    assert "more than the 2 decimals" in words
    enter_scope(cast.acme_id)
    assert db.session.scalars(owned(LedgerImport)).all() == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01\x02", "this is not a text file"),
        ("a,b\nü,1".encode("latin-1"), "is not in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(bob, data, words):
    answer = upload(bob, data)
    assert answer.status_code == 422
    assert words in checked(answer)
    assert "Nothing was stored." in checked(answer)


def test_an_upload_without_a_file_asks_for_one(bob):
    answer = bob.post("/ledger/imports", data={})
    assert answer.status_code == 422
    assert "Choose the CSV file" in checked(answer)


def test_texts_of_a_file_are_shown_as_texts(cast, bob):
    enter_scope(cast.acme_id)
    line = 'A,1010,2026-03-30,1,USD,<script>alert(1)</script>,<b>x</b>,"><i>'
    import_ledger_now(
        cast.bob, "<x>.csv", a_file(line.replace('"', '""').replace(',""', ',"""') + '"')
    )
    answer = bob.get("/ledger/")
    assert "<script>alert" not in answer.text
    assert "<b>x" not in answer.text
