"""What becomes of a stored transaction that the bank changes or removes: unmatched, matched, certified."""

from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from app.audit import trail
from app.connections.bank_changes import Applied, apply_bank_facts, hold_accounts
from app.connections.bank_facts import facts_of, from_json
from app.connections.certified_changes import TAKEN_BACK_NOTE
from app.kernel import limits
from app.models import (
    AuditEvent,
    BankChange,
    ChangeKind,
    ChangeState,
    FinancialTransaction,
    Match,
    Reconciliation,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation.bank_exceptions import Settle, acknowledge, carry
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reports.bank_exceptions import waiting
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, nothing_changes, run_waiting_jobs, set_up_books


class _CrashError(Exception):
    """Something fails after the change was applied, before the commit."""


@pytest.fixture
def books(cast) -> Books:
    return set_up_books(cast.carol)


def stored(transaction_id: str) -> FinancialTransaction:
    db.session.rollback()
    return get_owned(FinancialTransaction, transaction_id)


def a_match(books: Books, *amounts_minor: int) -> tuple[list[str], str, str]:
    """Open October and match bank lines with one entry; return lines, match, reconciliation."""
    reconciliation_id = books.open(sum(amounts_minor))
    run_waiting_jobs()
    lines = [books.bank(amount) for amount in amounts_minor]
    command = MatchByHand(reconciliation_id, tuple(lines), (books.gl(sum(amounts_minor)),))
    return lines, match_by_hand(books.actor, command), reconciliation_id


def a_certified_line(books: Books) -> str:
    (line,), _, reconciliation_id = a_match(books, -10_000)
    certify(books.actor, reconciliation_id)
    return line


def flag(match_id: str) -> str:
    db.session.rollback()
    return get_owned(Match, match_id).flag


def changes() -> list[BankChange]:
    db.session.rollback()
    return list(db.session.scalars(owned(BankChange).order_by(BankChange.id)))


def actions() -> list[str]:
    events = owned(AuditEvent).order_by(AuditEvent.sequence).with_only_columns(AuditEvent.action)
    return list(db.session.scalars(events))


def settle(decide, books: Books, note="As agreed with the bank.") -> None:
    (row,) = waiting("", "").rows
    decide(books.actor, Settle(row.id, note, row.fingerprint))


def test_a_transaction_in_no_match_takes_over_what_the_bank_says(books):
    line = books.bank(-10_000)
    said = {
        "amount_minor": -9_000,
        "posted_date": date(2026, 10, 12),
        "description": "ACME",
        "counterparty": "Acme",
        "reference": "77",
        "value_date": date(2026, 10, 11),
    }
    assert books.bank_says(line, **said) == Applied(updated_count=1)
    row = stored(line)
    assert {name: getattr(row, name) for name in said} == said
    assert actions()[-1] == "bank_transaction.changed"


def test_a_removed_transaction_is_marked_and_comes_back_when_the_bank_states_it_again(books):
    line = books.bank(-10_000)
    before = facts_of(stored(line))
    assert books.bank_states(line, None) == Applied(removed_count=1)
    assert stored(line).status == TransactionStatus.REMOVED
    assert stored(line).amount_minor == -10_000
    with nothing_changes():
        assert books.bank_states(line, None) == Applied()
    assert books.bank_states(line, before) == Applied(updated_count=1)
    assert stored(line).status == TransactionStatus.POSTED


def test_the_same_again_changes_nothing_and_is_not_recorded(books):
    lines, _, _ = a_match(books, -10_000)
    with nothing_changes():
        assert books.bank_says(lines[0]) == Applied()


def test_a_pending_transaction_may_become_posted_under_its_own_id(books):
    line = books.bank(-10_000, status=TransactionStatus.PENDING)
    assert books.bank_says(line, amount_minor=-12_000) == Applied(updated_count=1)
    assert stored(line).status == TransactionStatus.PENDING
    books.bank_says(line, pending=False)
    assert stored(line).status == TransactionStatus.POSTED


def test_a_match_of_an_open_reconciliation_is_flagged_with_what_changed(books):
    lines, match_id, reconciliation_id = a_match(books, -10_000)
    version = get_owned(Reconciliation, reconciliation_id).version
    assert books.bank_says(lines[0], amount_minor=-9_000) == Applied(
        updated_count=1, flagged_count=1
    )
    assert stored(lines[0]).amount_minor == -9_000
    assert flag(match_id) == (
        "The bank changed “ACME SUPPLY” of 10 October 2026: amount −100.00 → −90.00."
    )
    match = get_owned(Match, match_id)
    assert (match.state, match.bank_total_minor) == ("matched", -10_000)
    assert get_owned(Reconciliation, reconciliation_id).version > version
    assert actions()[-2:] == ["bank_transaction.changed", "match.flagged"]


def test_the_flag_tells_of_then_and_now_and_lifts_itself_when_the_bank_takes_it_back(books):
    lines, match_id, _ = a_match(books, -6_000, -4_000)
    originals = [facts_of(stored(line)) for line in lines]
    books.bank_says(lines[0], amount_minor=-5_000)
    books.bank_says(lines[0], amount_minor=-4_000, posted_date=date(2026, 10, 11))
    books.bank_states(lines[1], None)
    said = flag(match_id)
    assert "amount −60.00 → −40.00, date 10 October 2026 → 11 October 2026" in said
    assert "The bank removed “ACME SUPPLY” of 10 October 2026, −40.00." in said
    books.bank_states(lines[0], originals[0])
    assert flag(match_id) == "The bank removed “ACME SUPPLY” of 10 October 2026, −40.00."
    assert books.bank_states(lines[1], originals[1]) == Applied(updated_count=1)
    assert flag(match_id) == ""
    assert actions()[-1] == "match.flag_lifted"


def test_what_a_provider_adds_by_itself_is_stored_and_flags_nothing(books):
    lines, match_id, _ = a_match(books, -10_000)
    added = {"counterparty": "Acme Supply Inc", "value_date": date(2026, 10, 9)}
    assert books.bank_says(lines[0], **added) == Applied(updated_count=1)
    assert stored(lines[0]).counterparty == "Acme Supply Inc"
    assert flag(match_id) == ""


def test_a_certified_row_stays_as_it_was_and_the_change_is_raised_once(books):
    line = a_certified_line(books)
    before = facts_of(stored(line))
    assert books.bank_says(line, amount_minor=-9_000) == Applied(raised_count=1)
    assert facts_of(stored(line)) == before
    (change,) = changes()
    assert (change.kind, change.state) == (ChangeKind.MODIFIED, ChangeState.OPEN)
    assert from_json(change.before) == before
    assert from_json(change.after).amount_minor == -9_000
    with nothing_changes():  # every sync sees it again
        assert books.bank_says(line, amount_minor=-9_000) == Applied()


def test_a_certified_row_is_not_touched_by_what_a_provider_adds_either(books):
    line = a_certified_line(books)
    with nothing_changes():
        books.bank_says(line, counterparty="Acme Supply Inc")


def test_a_further_change_updates_the_open_one(books):
    line = a_certified_line(books)
    books.bank_says(line, amount_minor=-9_000)
    assert books.bank_states(line, None) == Applied(raised_count=1)
    (change,) = changes()
    assert (change.kind, change.after) == (ChangeKind.REMOVED, {})
    assert actions()[-2:] == ["bank_change.raised", "bank_change.changed"]


def test_a_change_back_closes_the_open_one_with_a_note(books):
    line = a_certified_line(books)
    books.bank_states(line, None)
    assert books.bank_says(line) == Applied(withdrawn_count=1)
    (change,) = changes()
    assert (change.state, change.note) == (ChangeState.WITHDRAWN, TAKEN_BACK_NOTE)
    assert change.settled_at is not None
    assert actions()[-1] == "bank_change.withdrawn"
    books.bank_says(line, amount_minor=-9_000)
    assert [each.state for each in changes()] == [ChangeState.WITHDRAWN, ChangeState.OPEN]


def test_an_acknowledged_change_is_silent_until_the_bank_says_something_else(books):
    line = a_certified_line(books)
    books.bank_says(line, amount_minor=-9_000)
    settle(acknowledge, books)
    with nothing_changes():
        books.bank_says(line, amount_minor=-9_000)
    assert books.bank_says(line, amount_minor=-8_000) == Applied(raised_count=1)
    assert books.bank_says(line, amount_minor=-9_000) == Applied(withdrawn_count=1)
    states = [change.state for change in changes()]
    assert states == [ChangeState.ACKNOWLEDGED, ChangeState.WITHDRAWN]
    assert books.bank_says(line) == Applied(withdrawn_count=1)
    first = changes()[0]
    assert (first.state, first.note) == (ChangeState.WITHDRAWN, "As agreed with the bank.")


def test_after_a_correction_was_carried_the_bank_is_compared_with_it(books):
    line = a_certified_line(books)
    original = facts_of(stored(line))
    books.bank_says(line, amount_minor=-9_000)
    settle(carry, books)
    with nothing_changes():
        books.bank_says(line, amount_minor=-9_000)
    assert books.bank_states(line, original) == Applied(raised_count=1)
    change = changes()[1]
    assert (change.before["amount_minor"], change.after["amount_minor"]) == (-9_000, -10_000)
    settle(carry, books)
    carried = owned(FinancialTransaction).where(FinancialTransaction.id != line)
    amounts = [row.amount_minor for row in db.session.scalars(carried)]
    assert sorted(amounts) == [-1_000, 1_000]


def test_the_database_takes_no_second_open_change_of_a_transaction(books):
    line = a_certified_line(books)
    books.bank_states(line, None)
    (change,) = changes()
    twin = {
        "financial_transaction_id": line,
        "reconciliation_id": change.reconciliation_id,
        "kind": ChangeKind.REMOVED,
        "before": {},
        "after": {},
    }
    with pytest.raises(sa.exc.IntegrityError), unit_of_work():
        db.session.add(BankChange(**twin))


def test_a_stranger_reaches_none_of_it(books, cast):
    line = a_certified_line(books)
    stated = {line: replace(facts_of(stored(line)), amount_minor=1)}
    with organization_scope(cast.other_id), nothing_changes(), unit_of_work():
        hold_accounts([books.financial_account_id])
        assert apply_bank_facts(cast.charlie, stated) == Applied()


def test_the_trail_is_intact_and_a_refused_transaction_leaves_nothing(books):
    line = a_certified_line(books)
    books.bank_states(line, None)
    assert trail.verify().intact
    stated = {line: replace(facts_of(stored(line)), amount_minor=1)}
    with nothing_changes(), suppress(_CrashError), unit_of_work():
        assert apply_bank_facts(books.actor, stated) == Applied(raised_count=1)
        raise _CrashError


def test_a_thousand_rows_cost_no_more_statements_than_ten(books, monkeypatch):
    monkeypatch.setattr(limits, "INGEST_CHUNK_ROWS", 400)
    counts = {}
    for count in (10, 1_000):
        lines = [books.bank(-100, f"LINE {n}") for n in range(count)]
        stated = {i: replace(facts_of(stored(i)), description="NEW") for i in lines[:5]}
        stated |= {i: facts_of(stored(i)) for i in lines[5:]}
        statements = []
        listener = lambda *args, into=statements: into.append(args[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listener)
        with unit_of_work():
            apply_bank_facts(books.actor, stated)
        event.remove(db.engine, "before_cursor_execute", listener)
        counts[count] = len(statements)
    assert counts[1_000] <= counts[10] + 2 * 5  # two more chunks, with nothing to write in them
