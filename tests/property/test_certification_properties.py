"""Certified, reopened, changed, certified again, in whatever order: the equation and the past hold."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.errors import Refusal
from app.kernel.ids import new_id
from app.models import FinancialTransaction, GlEntry, MatchState, Reconciliation, db
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.reconciliation import decisions
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.ages import by_age
from app.reconciliation.balances import balances_of
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.discarding import discard
from app.reconciliation.opening import change_statement, last_reconciliation
from app.reconciliation.reopening import reopen
from app.reconciliation.scope import open_bank, open_gl
from app.reports import reconciliations
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, matches, run_waiting_jobs, set_up_books
from tests.conftest import PASSWORD

AMOUNTS = st.sampled_from([-700, -500, -200, 200, 500, 700])
ACTIONS = (
    "certify",
    "certify",
    "reopen",
    "open",
    "bank",
    "post",
    "unmatch",
    "discard",
    "bank_says",
)
MONTH_ENDS = (date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31))


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_the_equation_holds_and_no_certificate_ever_changes(app, data):
    founded = create_organization(
        "Acme", admin_email=f"{new_id()}@acme.example", admin_password=PASSWORD
    )
    actor = actor_of(founded.user_id, founded.organization_id, via="web")
    with organization_scope(founded.organization_id):
        _play(data, set_up_books(actor))
    db.session.rollback()


def _play(data, books: Books) -> None:
    books.open(1_000, 1_000)
    signed: dict[str, tuple] = {}
    for action in data.draw(st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=9)):
        run_waiting_jobs()
        with suppress(Refusal):  # a refusal is an answer too
            _act(data, books, action)
        now = _certificates(books)
        assert now.items() >= signed.items(), "a certificate was altered or is gone"
        signed = now
        _check(books)


def _act(data, books: Books, action: str) -> None:
    last = last_reconciliation(books.ledger_bank_account_id)
    if action in ("bank", "post"):
        add = books.bank if action == "bank" else books.gl
        add(data.draw(AMOUNTS), day=data.draw(st.integers(1, 28)))
    elif action == "open":
        _open(books, last)
    elif action == "reopen":
        some = db.session.scalars(owned(Reconciliation).with_only_columns(Reconciliation.id)).all()
        if some:
            reopen(books.actor, data.draw(st.sampled_from(some)), "Because.")
    elif action in ("unmatch", "bank_says"):
        _disturb(data, books, action)
    elif last is not None and action == "discard":
        discard(books.actor, last.id)
    elif last is not None:
        _certify(books, last)


def _open(books: Books, last: Reconciliation | None) -> None:
    taken = last.ending_date if last else date.min
    until = next((end for end in MONTH_ENDS if end > taken), MONTH_ENDS[-1])
    ending = last.ending_balance_minor if last else 1_000
    books.open(ending, None if last else 1_000, until=until)


def _disturb(data, books: Books, action: str) -> None:
    lines = db.session.scalars(
        owned(FinancialTransaction)
        .where(FinancialTransaction.status == "posted")
        .with_only_columns(FinancialTransaction.id)
    ).all()
    made = matches(MatchState.MATCHED)
    if action == "unmatch" and made:
        decisions.unmatch(books.actor, data.draw(st.sampled_from(made)).id)
    elif action == "bank_says" and lines:
        books.bank_says(data.draw(st.sampled_from(lines)), amount_minor=data.draw(AMOUNTS))


def _certify(books: Books, last: Reconciliation) -> None:
    """Book what the ledger lacks, take the statement's word, and sign."""
    for line in db.session.scalars(open_bank(last)).all():
        command = MatchByHand(last.id, (line.id,), (), Adjustment(books.fees_id, "rest"))
        match_by_hand(books.actor, command)
    run_waiting_jobs()
    db.session.rollback()
    last = get_owned(Reconciliation, last.id)
    balances = balances_of(last)
    change_statement(
        books.actor,
        last.id,
        ending_balance_minor=balances.opening_minor + balances.cleared_minor,
    )
    certify(books.actor, last.id)


def _check(books: Books) -> None:
    db.session.rollback()
    found = db.session.scalars(
        owned(Reconciliation)
        .where(Reconciliation.ledger_bank_account_id == books.ledger_bank_account_id)
        .order_by(Reconciliation.ending_date)
    ).all()
    opening = 1_000
    for reconciliation in found:
        report = reconciliations.report(reconciliation.id)
        statement, balances = report.statement, balances_of(reconciliation)
        assert statement.opening_minor == opening
        cleared = statement.cleared_in_minor + statement.cleared_out_minor
        outstanding = statement.deposits_in_transit_minor + statement.outstanding_payments_minor
        items = (*statement.deposits_in_transit, *statement.outstanding_payments)
        assert sum(bucket.total_minor for bucket in by_age(items)) == outstanding
        if report.version is None:
            assert opening + cleared + balances.difference_minor == statement.bank_balance_minor
            unmatched = sum(
                entry.amount_minor for entry in db.session.scalars(open_gl(reconciliation))
            )
            assert unmatched == outstanding
        else:
            assert opening + cleared == statement.bank_balance_minor
            assert opening + cleared + outstanding == statement.adjusted_book_minor
        opening = reconciliation.ending_balance_minor
    journals = owned(GlEntry).where(GlEntry.journal_entry_id.is_not(None))
    assert sum(entry.amount_minor for entry in db.session.scalars(journals)) == 0


def _certificates(books: Books) -> dict[str, tuple]:
    """Return every column of every certificate, as the database gives its bytes."""
    db.session.rollback()
    rows = db.session.execute(
        sa.text("SELECT * FROM certification WHERE organization_id = :id ORDER BY id"),
        {"id": books.actor.organization_id},
    ).mappings()
    return {row["id"]: tuple(map(repr, row.values())) for row in rows}
