"""Whatever people do, in whatever order: the books balance, and undoing all of it gives the beginning."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kernel.errors import Refusal
from app.kernel.ids import new_id
from app.models import GlEntry, Match, MatchState, Reconciliation, db
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.reconciliation import decisions
from app.reconciliation.adjustments import Adjustment
from app.reconciliation.balances import Balances, balances_of
from app.reconciliation.decisions import MatchByHand, match_by_hand
from app.reconciliation.lines import lines_of_matches
from app.reconciliation.scope import open_bank, open_gl
from app.reconciliation.statement import statement_of
from app.tenancy.scope import get_owned, organization_scope, owned
from tests.books import Books, set_up_books
from tests.conftest import PASSWORD

AMOUNTS = st.sampled_from([-700, -500, -200, 200, 500, 700])
ACTIONS = st.sampled_from(["match", "match", "adjust", "unmatch", "take_back", "post"])
OPENING, ENDING = 1_000, 2_500


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_balances_hold_after_any_sequence_and_undoing_all_gives_the_beginning(app, data):
    founded = create_organization(
        "Acme", admin_email=f"{new_id()}@acme.example", admin_password=PASSWORD
    )
    actor = actor_of(founded.user_id, founded.organization_id, via="web")
    with organization_scope(founded.organization_id):
        _play(data, set_up_books(actor))
    db.session.rollback()


def _play(data, books: Books) -> None:
    bank_amounts = data.draw(st.lists(AMOUNTS, min_size=1, max_size=6))
    for day, amount in enumerate(bank_amounts, 1):
        books.bank(amount, day=day)
    for day, amount in enumerate(data.draw(st.lists(AMOUNTS, min_size=1, max_size=6)), 1):
        books.gl(amount, day=day)
    reconciliation_id = books.open(ENDING, OPENING)
    beginning = _balances(reconciliation_id)
    _check(reconciliation_id, len(bank_amounts))
    posted_minor = 0
    for action in data.draw(st.lists(ACTIONS, max_size=8)):
        posted_minor += _act(data, books, reconciliation_id, action)
        _check(reconciliation_id, len(bank_amounts))
    for match in _matches(MatchState.MATCHED):
        if lines_of_matches([match.id])[match.id][0]:
            decisions.unmatch(books.actor, match.id)
    end = _balances(reconciliation_id)
    assert end.open_bank == beginning.open_bank
    assert end.cleared_minor == 0
    assert end.open_gl.total_minor == beginning.open_gl.total_minor + posted_minor


def _act(data, books: Books, reconciliation_id: str, action: str) -> int:
    """Do one thing, or be refused; return what it posted to the ledger from outside."""
    if action == "post":
        amount = data.draw(AMOUNTS)
        books.gl(amount, "posted meanwhile")
        return amount
    try:
        if action == "unmatch":
            _decide(data, decisions.unmatch, books, MatchState.MATCHED)
        elif action == "take_back":
            _decide(data, decisions.take_back, books, MatchState.UNMATCHED)
        else:
            _match(data, books, reconciliation_id, adjust=action == "adjust")
    except Refusal:
        pass  # a refusal is an answer too; it must change nothing, as the checks after it show
    return 0


def _decide(data, decide, books: Books, state: MatchState) -> None:
    matches = _matches(state)
    if matches:
        decide(books.actor, data.draw(st.sampled_from(matches)).id)


def _match(data, books: Books, reconciliation_id: str, *, adjust: bool) -> None:
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    bank = [line.id for line in db.session.scalars(open_bank(reconciliation))]
    gl = [entry.id for entry in db.session.scalars(open_gl(reconciliation))]
    some_bank = data.draw(st.lists(st.sampled_from(bank), unique=True, max_size=2)) if bank else []
    some_gl = data.draw(st.lists(st.sampled_from(gl), unique=True, max_size=2)) if gl else []
    command = MatchByHand(
        reconciliation_id,
        tuple(some_bank),
        tuple(some_gl),
        Adjustment(books.fees_id, "rest") if adjust else None,
    )
    match_by_hand(books.actor, command)


def _check(reconciliation_id: str, bank_count: int) -> None:
    now = _balances(reconciliation_id)
    assert now.matched_difference_minor == 0
    assert now.opening_minor + now.cleared_minor + now.difference_minor == now.ending_minor
    assert now.bank_count == bank_count
    statement = statement_of(get_owned(Reconciliation, reconciliation_id))
    apart = statement.adjusted_bank_minor - statement.adjusted_book_minor
    assert apart == now.difference_minor - now.open_bank.total_minor
    journals = owned(GlEntry).where(GlEntry.journal_entry_id.is_not(None))
    assert sum(entry.amount_minor for entry in db.session.scalars(journals)) == 0


def _balances(reconciliation_id: str) -> Balances:
    db.session.rollback()
    return balances_of(get_owned(Reconciliation, reconciliation_id))


def _matches(state: MatchState) -> list[Match]:
    db.session.rollback()
    found = db.session.scalars(owned(Match).where(Match.state == state).order_by(Match.id.desc()))
    return list(found)
