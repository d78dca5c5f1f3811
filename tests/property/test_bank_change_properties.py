"""Whatever the bank changes while people work: the books balance, and what was certified stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit import trail
from app.connections.bank_facts import Stated, booked_minor, facts_of, same_on_statement
from app.connections.match_flags import flags_of
from app.kernel.errors import Refusal
from app.kernel.ids import new_id
from app.models import (
    BankChange,
    Certification,
    ChangeState,
    FinancialTransaction,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    TransactionStatus,
    db,
)
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.reconciliation import bank_exceptions, decisions, review
from app.reconciliation.balances import balances_of
from app.reconciliation.bank_exceptions import Settle
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.review import flagged_matches
from app.reconciliation.scope import open_bank, open_gl
from app.reconciliation.statement import statement_of
from app.reports import bank_exceptions as reports
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, run_waiting_jobs, set_up_books
from tests.conftest import PASSWORD

AMOUNTS = st.sampled_from([-500, -200, 200, 500])
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "amount_minor": AMOUNTS,
        "posted_date": st.sampled_from([date(2026, 10, 8), date(2026, 11, 2)]),
        "description": st.sampled_from(["ONE", "TWO"]),
        "counterparty": st.sampled_from(["Acme", "Acme Inc"]),
        "pending": st.booleans(),
    },
)
ACTIONS = st.sampled_from(
    [
        "the bank changes",
        "the bank changes",
        "the bank removes",
        "match",
        "unmatch",
        "take back",
        "keep",
        "take back keeping",
        "acknowledge",
        "carry",
        "take back settling",
    ]
)


@dataclass
class World:
    """What was signed, and what the bank said last of each of its transactions."""

    books: Books
    certified_id: str
    open_id: str
    said: dict[str, Stated]
    signed: dict[str, Any]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_nothing_that_the_bank_changes_moves_a_certified_month_or_unbalances_an_open_one(app, data):
    founded = create_organization(
        "Acme", admin_email=f"{new_id()}@acme.example", admin_password=PASSWORD
    )
    actor = actor_of(founded.user_id, founded.organization_id, via="web")
    with organization_scope(founded.organization_id):
        world = _world(data, set_up_books(actor))
        for action in data.draw(st.lists(ACTIONS, max_size=14)):
            _act(data, world, action)
            _check(world)
        assert trail.verify().intact
    db.session.rollback()


def _world(data, books: Books) -> World:
    """Certify September with two pairs, and open October with a few lines, some of them matched."""
    certified_id = books.open(300, 0, date(2026, 9, 30))
    run_waiting_jobs()
    lines = []
    for minor in (500, -200):
        lines.append(books.bank(minor, posted_date=date(2026, 9, 10)))
        entry = books.gl(minor, date=date(2026, 9, 9))
        match_by_hand(books.actor, MatchByHand(certified_id, (lines[-1],), (entry,)))
    certify(books.actor, certified_id)
    open_id = books.open(1_000, None)
    for minor in data.draw(st.lists(AMOUNTS, min_size=1, max_size=4)):
        lines.append(books.bank(minor))
        entry = books.gl(minor)
        if data.draw(st.booleans()):
            match_by_hand(books.actor, MatchByHand(open_id, (lines[-1],), (entry,)))
    said = {line: facts_of(get_owned(FinancialTransaction, line)) for line in lines}
    world = World(books, certified_id, open_id, said, {})
    world.signed = _signed(world)
    return world


def _act(data, world: World, action: str) -> None:
    """Do one thing, or be refused, which must change nothing: the checks after it show."""
    try:
        if action.startswith("the bank"):
            _bank(data, world, action)
        elif action == "match":
            _match(data, world)
        elif action in {"acknowledge", "carry", "take back settling"}:
            _settle(data, world, action)
        else:
            _review(data, world, action)
    except Refusal:
        pass


def _bank(data, world: World, action: str) -> None:
    line = data.draw(st.sampled_from(sorted(world.said)))
    if action == "the bank removes":
        world.said[line] = None
    else:
        stored = facts_of(get_owned(FinancialTransaction, line))
        stated = world.said[line] or stored or facts_of_removed(line)
        world.said[line] = replace(stated, **data.draw(CHANGES))
    world.books.bank_states(line, world.said[line])


def facts_of_removed(line: str) -> Stated:
    row = get_owned(FinancialTransaction, line)
    db.session.expunge(row)
    row.status = TransactionStatus.POSTED
    return facts_of(row)


def _match(data, world: World) -> None:
    reconciliation = get_owned(Reconciliation, world.open_id)
    bank = [line.id for line in db.session.scalars(open_bank(reconciliation))]
    gl = [entry.id for entry in db.session.scalars(open_gl(reconciliation))]
    some_bank = data.draw(st.lists(st.sampled_from(bank), unique=True, max_size=2)) if bank else []
    some_gl = data.draw(st.lists(st.sampled_from(gl), unique=True, max_size=2)) if gl else []
    command = MatchByHand(world.open_id, tuple(some_bank), tuple(some_gl))
    match_by_hand(world.books.actor, command)


def _review(data, world: World, action: str) -> None:
    state = MatchState.UNMATCHED if action == "take back" else MatchState.MATCHED
    db.session.rollback()
    found = db.session.scalars(owned(Match).where(Match.state == state).order_by(Match.id)).all()
    if not found:
        return
    match, actor = data.draw(st.sampled_from(found)), world.books.actor
    if action == "keep":
        review.keep(actor, match.id, seen=match.flag)
    elif action == "unmatch":
        decisions.unmatch(actor, match.id)
    elif action == "take back":
        decisions.take_back(actor, match.id)
    else:
        review.take_back_keeping(actor, match.id)


def _settle(data, world: World, action: str) -> None:
    db.session.rollback()
    actor = world.books.actor
    rows = (reports.settled if action == "take back settling" else reports.waiting)("", "").rows
    if not rows:
        return
    row = data.draw(st.sampled_from(rows))
    if action == "take back settling":
        bank_exceptions.take_back(actor, row.id)
    else:
        decide = bank_exceptions.carry if action == "carry" else bank_exceptions.acknowledge
        decide(actor, Settle(row.id, "why", row.fingerprint))


def _check(world: World) -> None:
    db.session.rollback()
    _check_balances(world)
    assert _signed(world) == world.signed
    _check_matches(world)
    for line in world.said:
        _check_changes(world, line)


def _signed(world: World) -> dict[str, Any]:
    """Return everything that certifying has fixed: the document, the matches and their lines."""
    db.session.rollback()
    certificates = owned(Certification).where(Certification.reconciliation_id == world.certified_id)
    items = owned(MatchItem).where(MatchItem.reconciliation_id == world.certified_id)
    rows = owned(FinancialTransaction).where(
        FinancialTransaction.posted_date <= date(2026, 9, 30),
        FinancialTransaction.id.in_(world.said),
    )
    return {
        "document": db.session.scalars(certificates).one().document,
        "items": {(i.id, i.amount_minor, i.active) for i in db.session.scalars(items)},
        "rows": {row.id: facts_of(row) for row in db.session.scalars(rows) if _certified(row.id)},
        "balances": balances_of(get_owned(Reconciliation, world.certified_id)).difference_minor,
    }


def _certified(line: str) -> bool:
    held = owned(MatchItem).join(Reconciliation, Reconciliation.id == MatchItem.reconciliation_id)
    held = held.where(
        MatchItem.active,
        MatchItem.financial_transaction_id == line,
        Reconciliation.status == "certified",
    )
    return db.session.scalar(held) is not None


def _check_balances(world: World) -> None:
    reconciliation = get_owned(Reconciliation, world.open_id)
    now = balances_of(reconciliation)
    assert now.matched_difference_minor == 0
    assert now.opening_minor + now.cleared_minor + now.difference_minor == now.ending_minor
    statement = statement_of(reconciliation)
    apart = statement.adjusted_bank_minor - statement.adjusted_book_minor
    assert apart == now.difference_minor - now.open_bank.total_minor


def _check_matches(world: World) -> None:
    """A match without a flag is what the bank says; one with a flag says what is different."""
    reconciliation = get_owned(Reconciliation, world.open_id)
    flagged = {
        match.id: match.flag for match in db.session.scalars(flagged_matches(reconciliation))
    }
    assert flags_of(flagged) == flagged
    rows = db.session.execute(
        owned(MatchItem)
        .join(FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id)
        .where(MatchItem.active, MatchItem.reconciliation_id == world.open_id)
        .with_only_columns(MatchItem, FinancialTransaction)
    )
    for item, row in rows:
        if item.match_id not in flagged:
            assert (row.amount_minor, row.status) == (item.amount_minor, TransactionStatus.POSTED)
            assert row.posted_date <= reconciliation.ending_date


def _check_changes(world: World, line: str) -> None:
    """What the bank says of a certified line is in the books, waits, or was acknowledged."""
    known = owned(BankChange).where(BankChange.financial_transaction_id == line)
    changes = list(db.session.scalars(known.order_by(BankChange.id)))
    waiting = [change for change in changes if change.state == ChangeState.OPEN]
    assert len(waiting) <= 1
    row = get_owned(FinancialTransaction, line)
    if not _certified(line):
        assert facts_of(row) == world.said[line]
        assert changes == []
        return
    carried = [c.carried_transaction_id for c in changes if c.state == ChangeState.CARRIED]
    corrections = owned(FinancialTransaction).where(FinancialTransaction.id.in_(carried))
    accounted_minor = booked_minor(facts_of(row)) + sum(
        correction.amount_minor for correction in db.session.scalars(corrections)
    )
    acknowledged = any(change.state == ChangeState.ACKNOWLEDGED for change in changes)
    if not waiting and not acknowledged:
        assert accounted_minor == booked_minor(world.said[line])
    if not changes:
        assert same_on_statement(facts_of(row), world.said[line])
