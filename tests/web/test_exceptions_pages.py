"""The pages of what the bank changed: exceptions, flagged matches, notices, pending transactions."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest

from app.models import FinancialTransaction, MatchState, TransactionStatus, db
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reports import bank_exceptions as reports
from app.tenancy.scope import get_owned, organization_scope
from tests.books import Books, matches, nothing_changes, run_waiting_jobs, set_up_books
from tests.conftest import sign_in
from tests.html import checked, checked_fragment
from tests.web_support import words

HTMX = {"HX-Request": "true", "HX-Target": "exceptions"}
LINES = {"HX-Request": "true", "HX-Target": "workspace"}
NOVEMBER = date(2026, 11, 30)


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


@pytest.fixture
def client(app, cast):
    return sign_in(app, cast.bob)


def by_hand(books: Books, reconciliation_id: str, line: str, entry: str) -> str:
    return match_by_hand(books.actor, MatchByHand(reconciliation_id, (line,), (entry,)))


@pytest.fixture
def certified(books) -> tuple[str, str]:
    """A certified October of one transaction of −100.00: the line and the reconciliation."""
    reconciliation_id = books.open(-10_000)
    run_waiting_jobs()
    line = books.bank(-10_000)
    by_hand(books, reconciliation_id, line, books.gl(-10_000))
    certify(books.actor, reconciliation_id)
    return line, reconciliation_id


@pytest.fixture
def flagged(books) -> tuple[str, str, str]:
    """An open October whose one match the bank changed in its text: line, match, reconciliation."""
    reconciliation_id = books.open(-10_000)
    run_waiting_jobs()
    line = books.bank(-10_000)
    match_id = by_hand(books, reconciliation_id, line, books.gl(-10_000))
    books.bank_says(line, description="ACME SUPPLY CO")
    return line, match_id, reconciliation_id


def the_row() -> reports.ExceptionRow:
    db.session.rollback()
    (row,) = reports.waiting("", "").rows
    return row


def form_of(row: reports.ExceptionRow, decision: str, note: str = "Agreed by phone.", **more):
    return {"decision": decision, "note": note, "seen": row.fingerprint} | more


def toast(answer) -> dict:
    return json.loads(answer.headers["HX-Trigger"])["toast"]


def count_in_menu(text: str) -> list[str]:
    return re.findall(r'class="count exceptions-count">(\d*)<', text)


def test_without_exceptions_the_page_says_so_and_the_menu_counts_nothing(client, books):
    answer = client.get("/exceptions/")
    assert "Nothing to settle" in words(answer.text)
    assert count_in_menu(answer.text) == ["", ""]
    assert "Nothing was settled yet" in words(client.get("/exceptions/settled").text)


def test_an_exception_shows_both_sides_who_signed_and_where(client, books, certified):
    line, reconciliation_id = certified
    books.bank_says(line, amount_minor=-9_000)
    answer = client.get("/exceptions/")
    said = words(answer.text)
    for part in (
        "The bank changed “ACME SUPPLY” of 10 October 2026: amount −100.00 → −90.00.",
        "As certified",
        "The bank says now",
        "Difference +10.00 USD",
        "Operating, statement of 31 October 2026",
        "Certified by Carol",
        "Carry +10.00 to the open period",
    ):
        assert part in said
    assert f"/reconciliations/{reconciliation_id}/report" in answer.text
    assert count_in_menu(answer.text) == ["1", "1"]


def test_a_removed_transaction_is_shown_as_not_there(client, books, certified):
    books.bank_states(certified[0], None)
    said = words(client.get("/exceptions/").text)
    assert "The bank removed “ACME SUPPLY” of 10 October 2026, −100.00." in said
    assert "The bank says now Not there 0.00" in said


def test_settling_by_a_plain_form_goes_back_to_the_list(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    row = the_row()
    answer = client.post(f"/exceptions/{row.id}/settle", data=form_of(row, "acknowledge"))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/exceptions/")
    page = client.get("/exceptions/")
    assert "Acknowledged: the certified statement stands." in words(page.text)
    assert f"/exceptions/{row.id}/take-back" in page.text
    settled = words(client.get("/exceptions/settled").text)
    assert "Left as certified" in settled
    assert "Bob" in settled
    assert "Agreed by phone." in settled
    assert client.post(f"/exceptions/{row.id}/take-back").headers["Location"] == (
        "/exceptions/settled"
    )
    assert the_row().id == row.id


def test_settling_by_htmx_brings_list_count_and_message(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    books.open(-10_000, None, NOVEMBER)
    row = the_row()
    data = form_of(row, "carry")
    answer = client.post(f"/exceptions/{row.id}/settle", data=data, headers=HTMX)
    checked_fragment(answer.text, set())
    assert "Nothing to settle" in answer.text
    assert 'hx-swap-oob="innerHTML:.exceptions-count"></span>' in answer.text
    assert toast(answer)["text"].startswith("Carried")
    undone = client.post(toast(answer)["undo_url"], headers={"HX-Request": "true"})
    assert undone.status_code == 204
    assert json.loads(undone.headers["HX-Trigger"])["exceptions-changed"] is True
    assert the_row().id == row.id


def test_a_carried_difference_is_linked(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    row = the_row()
    client.post(f"/exceptions/{row.id}/settle", data=form_of(row, "carry"))
    page = client.get("/exceptions/settled")
    link = re.search(r'href="(/transactions/[^"]+)"', page.text).group(1).replace("&amp;", "&")
    assert "Correction by the bank of “ACME SUPPLY”" in words(client.get(link).text)


def test_without_a_reason_the_form_comes_back_with_its_error(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    row = the_row()
    for headers in ({}, HTMX):
        with nothing_changes():
            data = form_of(row, "carry", " ")
            answer = client.post(f"/exceptions/{row.id}/settle", data=data, headers=headers)
        assert answer.status_code == 422
        if headers:
            checked_fragment(answer.text, set())
        else:
            checked(answer.text)
        assert f'id="note-{row.id}-error"' in answer.text
        assert f'href="#note-{row.id}"' in answer.text
    data = form_of(row, "burn", "why")
    answer = client.post(f"/exceptions/{row.id}/settle", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert ">why</textarea>" in answer.text


def test_what_was_settled_or_changed_meanwhile_is_shown_as_it_is_now(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    row = the_row()
    books.bank_says(certified[0], amount_minor=-8_000)
    data = form_of(row, "acknowledge")
    answer = client.post(f"/exceptions/{row.id}/settle", data=data, headers=HTMX)
    assert answer.status_code == 409
    assert "−100.00 → −80.00" in answer.text
    assert "changed it again since you looked" in toast(answer)["text"]
    assert client.post(f"/exceptions/{row.id}/settle", data=data).status_code == 409


def test_the_list_can_be_narrowed_to_one_statement(client, books, certified):
    line, october = certified
    books.bank_says(line, amount_minor=-9_000)
    november = books.open(-10_000, None, NOVEMBER)
    run_waiting_jobs()
    certify(books.actor, november)
    said = words(client.get(f"/exceptions/?statement={october}").text)
    assert "Changed by the bank after Operating was certified to 31 October 2026" in said
    assert "−100.00 → −90.00" in said
    assert "Nothing to settle" in words(client.get(f"/exceptions/?statement={november}").text)
    assert client.get("/exceptions/?statement=nowhere").status_code == 404
    row = the_row()
    data = form_of(row, "acknowledge", view=f"statement={october}")
    answer = client.post(f"/exceptions/{row.id}/settle", data=data)
    assert answer.headers["Location"] == f"/exceptions/?statement={october}"


def test_who_only_reads_sees_it_and_is_told_whom_to_ask(app, cast, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    row = the_row()
    viewer = sign_in(app, cast.viv)
    page = viewer.get("/exceptions/")
    assert "This needs the permission “reconcile”" in words(page.text)
    assert '/settle"' not in page.text
    with nothing_changes():
        answer = viewer.post(f"/exceptions/{row.id}/settle", data=form_of(row, "carry"))
        assert answer.status_code == 403


def test_strangers_find_nothing(app, cast, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    row = the_row()
    stranger = sign_in(app, cast.charlie)
    assert "ACME" not in stranger.get("/exceptions/").text
    assert count_in_menu(stranger.get("/exceptions/").text) == ["", ""]
    assert stranger.get(f"/exceptions/?statement={certified[1]}").status_code == 404
    with nothing_changes():
        for path in ("settle", "take-back"):
            data = form_of(row, "acknowledge")
            assert stranger.post(f"/exceptions/{row.id}/{path}", data=data).status_code == 404
    with organization_scope(cast.acme_id):
        assert the_row().id == row.id


def test_an_address_that_is_no_page_still_has_its_menu(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert count_in_menu(answer.text) == ["1", "1"]


def test_the_certified_statement_is_unaltered_and_says_that_the_bank_changed_it(
    client, books, certified
):
    line, october = certified
    path = f"/reconciliations/{october}/report"
    before = client.get(path)
    assert "The bank has changed" not in before.text
    books.bank_says(line, amount_minor=-9_000)
    after = client.get(path)
    assert "The bank has changed 1 transaction since." in words(after.text)
    assert "1 to settle" in words(after.text)
    assert f"/exceptions/?statement={october}" in after.text
    assert sheets(after.text) == sheets(before.text)
    row = the_row()
    client.post(f"/exceptions/{row.id}/settle", data=form_of(row, "acknowledge"))
    assert f"/exceptions/settled?statement={october}" in client.get(path).text


def sheets(text: str) -> list[str]:
    """Return the statement itself, without what stands above it."""
    tree = checked(text)
    return [
        " ".join("".join(section.itertext()).split())
        for section in tree.iter("section")
        if section.get("class", "").startswith("sheet")
    ]


def test_who_is_about_to_certify_is_told_of_open_exceptions(client, books, certified):
    books.bank_says(certified[0], amount_minor=-9_000)
    november = books.open(-10_000, None, NOVEMBER)
    run_waiting_jobs()
    page = client.get(f"/reconciliations/{november}/certify")
    assert "That does not hinder certifying" in words(page.text)
    assert client.post(f"/reconciliations/{november}/certify").status_code == 303
    assert "does not hinder" not in client.get(f"/reconciliations/{certified[1]}/report").text


def test_a_flagged_match_is_announced_counted_and_shown_first(client, flagged):
    _, match_id, reconciliation_id = flagged
    unmatched = client.get(f"/reconciliations/{reconciliation_id}")
    assert "Check again. The bank changed a transaction of one match" in words(unmatched.text)
    assert "1 match waits for you: the bank changed it." in words(unmatched.text)
    page = client.get(f"/reconciliations/{reconciliation_id}/matched")
    said = words(page.text)
    assert "1, 1 to check" in said
    assert "description now “ACME SUPPLY CO”" in said
    assert page.text.count(f'id="pair-{match_id}"') == 1
    assert page.text.index('id="check-again"') < page.text.index('id="matched-list"')


def test_keeping_and_taking_it_back(client, flagged):
    _, match_id, reconciliation_id = flagged
    (match,) = matches()
    data = {"seen": match.flag, "view": "tab=matched"}
    kept = client.post(f"/reconciliations/matches/{match_id}/keep", data=data, headers=LINES)
    assert kept.status_code == 200
    assert "check-again" not in kept.text
    assert toast(kept)["text"] == "Kept as the bank says it now."
    assert matches()[0].flag == ""
    undone = client.post(toast(kept)["undo_url"], headers={"HX-Request": "true"})
    assert undone.status_code == 204
    assert matches()[0].flag == match.flag
    plain = client.post(f"/reconciliations/matches/{match_id}/keep", data=data)
    assert (plain.status_code, plain.headers["Location"]) == (
        303,
        f"/reconciliations/{reconciliation_id}/matched",
    )


def test_a_flagged_match_that_does_not_balance_offers_only_to_unmatch(client, books, flagged):
    line, match_id, reconciliation_id = flagged
    books.bank_says(line, amount_minor=-9_000)
    page = client.get(f"/reconciliations/{reconciliation_id}/matched")
    assert "The bank says −90.00 now and the ledger −100.00; unmatch it." in words(page.text)
    assert f"/matches/{match_id}/keep" not in page.text
    (match,) = matches()
    data = {"seen": match.flag, "view": "tab=matched"}
    with nothing_changes():
        refused = client.post(f"/reconciliations/matches/{match_id}/keep", data=data, headers=LINES)
    assert refused.status_code == 422
    assert "Nothing was changed." in toast(refused)["text"]
    answer = client.post(f"/reconciliations/matches/{match_id}/unmatch", data=data, headers=LINES)
    assert toast(answer)["text"] == "Unmatched."
    client.post(toast(answer)["undo_url"], headers={"HX-Request": "true"})
    assert [each.id for each in matches(MatchState.MATCHED)] == [match_id]


def test_pending_transactions_are_listed_with_their_badge_and_replaced_ones_are_not(client, books):
    pending = books.bank(-4_200, "CAFE AUTHORIZED", status=TransactionStatus.PENDING)
    books.bank(-900, "REMOVED ONE", status=TransactionStatus.REMOVED)
    posted = books.bank(-4_700, "CAFE WITH TIP")
    books.bank(-4_600, "CAFE BEFORE TIP", status=TransactionStatus.REMOVED, replaced_by_id=posted)
    everything = words(client.get("/transactions/").text)
    assert "CAFE AUTHORIZED" in everything
    assert "Pending" in everything
    assert "REMOVED ONE" in everything
    assert "CAFE BEFORE TIP" not in everything
    only = {
        state: words(client.get(f"/transactions/?state={state}").text)
        for state in ("pending", "open", "removed")
    }
    assert "CAFE AUTHORIZED" in only["pending"]
    assert "CAFE WITH TIP" not in only["pending"]
    assert "CAFE WITH TIP" in only["open"]
    assert "CAFE AUTHORIZED" not in only["open"]
    assert "CAFE BEFORE TIP" not in only["removed"]
    assert get_owned(FinancialTransaction, pending).status == TransactionStatus.PENDING


def test_a_pending_transaction_stands_nowhere_in_the_workspace(client, books):
    books.bank(-4_200, "CAFE AUTHORIZED", status=TransactionStatus.PENDING)
    reconciliation_id = books.open(0)
    run_waiting_jobs()
    for path in ("", "/matched", "/report", "/certify"):
        page = client.get(f"/reconciliations/{reconciliation_id}{path}")
        assert "CAFE AUTHORIZED" not in page.text
