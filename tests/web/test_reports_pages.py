"""Reports, certificates and the overview: three forms of one document, whose totals agree."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from app.kernel.money import display_amount
from app.ledger.accounts import create_gl_account, create_ledger_bank_account
from app.models import db
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.reopening import reopen
from app.reconciliation.second_review import set_second_review
from app.reports import reconciliations
from tests.books import Books, run_waiting_jobs, set_up_books
from tests.conftest import sign_in
from tests.web_support import words

FOREIGN = "Łódź Πάτρα Кузьмина"


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


@pytest.fixture
def ready(books) -> str:
    """An October at difference zero: a deposit, a fee, a cheque and many receipts on their way."""
    month = books.open(38_488)
    run_waiting_jobs()
    match_by_hand(books.actor, MatchByHand(month, (books.bank(40_000),), (books.gl(40_000),)))
    fee = Adjustment(books.fees_id, "Monthly fee")
    match_by_hand(books.actor, MatchByHand(month, (books.bank(-1_512, "FEE"),), (), fee))
    books.gl(-9_901, "=HYPERLINK(1)", date=date(2026, 6, 3), counterparty=FOREIGN)
    for number in range(90):
        books.gl(1_000 + number, f"Receipt {number}", 30)
    return month


@pytest.fixture
def certified(books, ready) -> str:
    certify(books.actor, ready, "As agreed.")
    return ready


def pages_of(answer) -> list[str]:
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    return [page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages]


def rows_of(answer) -> list[dict[str, str]]:
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_statement_says_the_same_on_screen_as_pdf_and_as_csv(app, cast, books, certified):
    client = sign_in(app, cast.viv)
    here = f"/reconciliations/{certified}"
    statement = reconciliations.report(certified).statement
    pages = pages_of(client.get(f"{here}/report.pdf"))
    printed, page = " ".join(pages), words(client.get(f"{here}/report").text)
    rows = rows_of(client.get(f"{here}/report.csv"))
    assert len(pages) > 1
    for number, text in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in text
    for minor in (
        statement.bank_balance_minor,
        statement.deposits_in_transit_minor,
        statement.outstanding_payments_minor,
        statement.adjusted_bank_minor,
        statement.adjusted_book_minor,
        *(bucket.total_minor for bucket in statement.outstanding_by_age),
    ):
        shown = display_amount(minor, "USD")
        assert shown in printed
        assert shown in page
    for said in ("Acme", "Operating (GL 1010)", "Carol", "As agreed.", *FOREIGN.split()):
        assert said in printed
    totals = {row["item"]: row["amount"] for row in rows if row["row"] == "total"}
    adjusted = f"{statement.adjusted_bank_minor / 100:.2f}"
    assert totals["Adjusted bank balance"] == totals["Adjusted book balance"] == adjusted
    outstanding = [row for row in rows if row["age_in_days"] and row["section"] == "Bank"]
    cents = sum(round(float(row["amount"]) * 100) for row in outstanding)
    assert cents == statement.outstanding_minor
    assert "'=HYPERLINK(1)" in {row["item"] for row in outstanding}


def test_every_report_agrees_in_its_three_forms(app, cast, books, certified):
    client = sign_in(app, cast.bob)
    reports = {
        "/reports/outstanding": display_amount(
            reconciliations.report(certified).statement.outstanding_minor, "USD"
        ),
        "/reports/adjustments": "−15.12",
        f"/reconciliations/{certified}/audit": "Reconciliation certified",
    }
    for path, said in reports.items():
        assert said in words(client.get(path).text), path
        assert said in " ".join(" ".join(pages_of(client.get(f"{path}.pdf"))).split()), path
        assert rows_of(client.get(f"{path}.csv"))
    assert rows_of(client.get("/reports/exceptions.csv"))
    assert "Nothing to report" in words(client.get("/reports/exceptions").text)


def test_a_reopened_certificate_stays_readable_and_the_page_says_why(app, cast, books, certified):
    client = sign_in(app, cast.carol)
    here = f"/reconciliations/{certified}"
    signed = client.get(f"{here}/report.csv").data
    refused = client.post(f"{here}/reopen", data={"reason": " "})
    assert refused.status_code == 422
    assert "Say why" in words(refused.text)
    answer = client.post(f"{here}/reopen", data={"reason": "A fee was forgotten."})
    assert answer.status_code == 303
    page = words(client.get(f"{here}/report").text)
    assert "was reopened by Carol" in page
    assert "because: A fee was forgotten." in page
    assert "A draft" in page
    old = client.get(f"{here}/certificates/1.csv").data
    assert set(signed.splitlines()) <= set(old.splitlines())
    assert "Superseded" in pages_of(client.get(f"{here}/certificates/1.pdf"))[0]
    assert client.get(f"{here}/certificates/2").status_code == 404
    run_waiting_jobs()
    certify(books.actor, certified)
    assert "In force" in words(client.get(f"{here}/certificates/2").text)


def test_two_people_review_in_the_browser(app, cast, books, ready):
    set_second_review(cast.alice, wanted=True)
    bob, carol = sign_in(app, cast.bob), sign_in(app, cast.carol)
    here = f"/reconciliations/{ready}"
    assert "Submit for review" in words(bob.get(f"{here}/certify").text)
    assert bob.post(f"{here}/certify").status_code == 409
    assert bob.post(f"{here}/review/submit", data={"remarks": "Mine."}).status_code == 303
    assert "You have submitted it" in words(bob.get(f"{here}/certify").text)
    assert bob.post(f"{here}/review/approve").status_code == 403
    assert "Bob has submitted the statement" in words(carol.get("/").text)
    assert "Approve and certify" in words(carol.get(f"{here}/certify").text)
    assert carol.post(f"{here}/review/return", data={"reason": ""}).status_code == 422
    assert carol.post(f"{here}/review/return", data={"reason": "Look again."}).status_code == 303
    assert "Carol has returned it" in words(bob.get(f"{here}/report").text)
    run_waiting_jobs()
    bob.post(f"{here}/review/submit")
    assert carol.post(f"{here}/review/approve").status_code == 303
    printed = pages_of(carol.get(f"{here}/report.pdf"))[0]
    assert "Prepared by" in printed
    assert "Bob" in printed
    assert "Reviewed and certified by" in printed


def test_strangers_find_nothing_at_any_of_these_addresses(app, cast, books, certified):
    client = sign_in(app, cast.charlie)
    here = f"/reconciliations/{certified}"
    for path in ("report.pdf", "report.csv", "certificates/1", "audit", "audit.pdf", "reopen"):
        assert client.get(f"{here}/{path}").status_code == 404, path
    for path in ("reopen", "discard", "review/submit", "review/approve", "review/withdraw"):
        answer = client.post(f"{here}/{path}", data={"reason": "Because."})
        assert answer.status_code == 404, path
    account = books.ledger_bank_account_id
    for name in ("outstanding", "adjustments", "exceptions"):
        assert client.get(f"/reports/{name}?account={account}").status_code == 404, name


def test_the_period_lock_is_set_moved_and_lifted_on_its_page(app, cast, books):
    client = sign_in(app, cast.carol)
    typed = {"locked_until": "2026-09-30", "reason": ""}
    assert client.post("/settings/closing/lock", data=typed).status_code == 422
    typed["reason"] = "Filed."
    assert client.post("/settings/closing/lock", data=typed).status_code == 303
    assert "locked up to 30 September 2026 by Carol" in words(client.get("/settings/closing/").text)
    assert sign_in(app, cast.bob).post("/settings/closing/lock", data=typed).status_code == 403
    assert client.post("/settings/closing/lock/lift", data={"reason": "New"}).status_code == 303
    assert "Lifted" in words(client.get("/settings/closing/").text)


def test_the_overview_takes_no_more_statements_for_more_accounts(app, cast, books, ready):
    client = sign_in(app, cast.carol)
    said = words(client.get("/").text)
    assert "is balanced and can be certified" in said
    assert "2 of 2 bank lines" in said
    one = statements(app, client)
    certify(books.actor, ready)
    reopen(books.actor, ready, "Because.")
    for number in ("1020", "1030"):
        cash = create_gl_account(
            cast.carol, number=number, name=number, type="asset", currency="USD"
        )
        create_ledger_bank_account(cast.carol, name=number, gl_account_id=cash)
    assert "No bank data arrives for it" in words(client.get("/").text)
    assert statements(app, client) <= one


def statements(app, client) -> int:
    """Count the SQL statements of the overview."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        seen.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    client.get("/")
    sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
