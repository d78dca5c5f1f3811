"""Whatever the bank changes while people work: the books balance, and what was certified stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit import trail
from app.connections.bank_facts import (
    Stated,
    booked_minor,
    facts_of,
    from_json,
    same_on_statement,
)
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
from app.reconciliation.bank_exceptions import Settle, difference_of
from app.reconciliation.certification import certify
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.review import flagged_matches
from app.reconciliation.scope import open_bank, open_gl
from app.reconciliation.statement import statement_of
from app.reports import bank_exceptions as reports
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, run_waiting_jobs, set_up_books
from tests.conftest import PASSWORD

AMOUNTS = st.sampled_from([-200, 200, 500])
CHANGES = st.one_of(
    st.builds(lambda minor: {"amount_minor": minor}, AMOUNTS),
    st.builds(
        lambda day: {"posted_date": day}, st.sampled_from([date(2026, 10, 8), date(2026, 11, 2)])
    ),
    st.builds(lambda text: {"description": text}, st.sampled_from(["ONE", "TWO"])),
    st.builds(lambda name: {"counterparty": name}, st.sampled_from(["Acme", "Acme Inc"])),
    st.builds(lambda pending: {"pending": pending}, st.booleans()),
)
ACTIONS = st.sampled_from(
    [
        "the bank changes",
        "the bank removes",
        "the bank reverts",
        "the bank moves",
        "match",
        "unmatch",
        "take back",
        "keep",
        "keep",
        "take back keeping",
        "acknowledge",
        "carry",
        "carry",
        "take back settling",
        "take back settling",
    ]
)


@dataclass
class World:
    """What was signed, and what the bank said last of each of its transactions."""

    books: Books
    certified_id: str
    open_id: str
    original: dict[str, Stated]
    said: dict[str, Stated]
    signed: dict[str, Any]


@settings(
    max_examples=12,
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
        world = _world(set_up_books(actor))
        for action in data.draw(st.lists(ACTIONS, min_size=6, max_size=20)):
            _act(data, world, action)
            _check(world)
        assert trail.verify().intact
    db.session.rollback()


def _world(books: Books) -> World:
    """Certify September with one pair; open October with a pair, a group and a free line."""
    certified_id = books.open(500, 0, date(2026, 9, 30))
    run_waiting_jobs()
    lines = [books.bank(500, posted_date=date(2026, 9, 10))]
    _tie(books, certified_id, lines, books.gl(500, date=date(2026, 9, 9)))
    certify(books.actor, certified_id)
    open_id = books.open(1_000, None)
    lines += [books.bank(minor) for minor in (500, 200, -200, 200)]
    _tie(books, open_id, lines[1:2], books.gl(500))
    _tie(books, open_id, lines[2:4], books.gl(0))
    original = {line: facts_of(get_owned(FinancialTransaction, line)) for line in lines}
    world = World(books, certified_id, open_id, original, dict(original), {})
    world.signed = _signed(world)
    return world


def _tie(books: Books, reconciliation_id: str, lines: list[str], entry: str) -> None:
    match_by_hand(books.actor, MatchByHand(reconciliation_id, tuple(lines), (entry,)))


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
    certified, single, first, second, free = world.said
    if action == "the bank moves":  # from one line of the group to the other: totals stay equal
        for line, minor in ((first, 100), (second, -100)):
            stated = world.said[line] or world.original[line]
            _say(world, line, replace(stated, amount_minor=stated.amount_minor + minor))
        return
    line = data.draw(st.sampled_from([*[certified] * 3, single, first, second, free]))
    if action == "the bank removes":
        _say(world, line, None)
    elif action == "the bank reverts":
        _say(world, line, world.original[line])
    else:
        stated = world.said[line] or world.original[line]
        _say(world, line, replace(stated, **data.draw(CHANGES)))


def _say(world: World, line: str, stated: Stated) -> None:
    world.said[line] = stated
    world.books.bank_states(line, stated)


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
    if waiting:
        assert same_on_statement(from_json(waiting[0].after), world.said[line])
    carried = [change for change in changes if change.state == ChangeState.CARRIED]
    corrections = owned(FinancialTransaction).where(
        FinancialTransaction.source_key.in_([f"bank-change-{change.id}" for change in changes]),
        FinancialTransaction.status == TransactionStatus.POSTED,
    )
    corrected_minor = sum(row.amount_minor for row in db.session.scalars(corrections))
    assert corrected_minor == sum(map(difference_of, carried))
    acknowledged = any(change.state == ChangeState.ACKNOWLEDGED for change in changes)
    if not waiting and not acknowledged:
        assert booked_minor(facts_of(row)) + corrected_minor == booked_minor(world.said[line])
