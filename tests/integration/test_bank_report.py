from datetime import date

import pytest
import sqlalchemy as sa

from app.kernel import limits
from app.kernel.errors import Invalid, NotFound
from app.models import FinancialTransaction, ReconciliationStatus, TransactionStatus, db
from app.models.session import unit_of_work
from app.reports import bank
from app.reports.bank import Cursor, Direction, LineState, TransactionFilter
from app.tenancy.scope import organization_scope
from tests.bank_files import csv_file, many_lines, october
from tests.bank_world import (
    add_account,
    add_ledger_account,
    import_now,
    open_reconciliation_with_a_match,
)

LINES = (
    october(1, "Refund 137 STREET", 5_000),
    october(2, "ALPHA", 13_700, "INV-9"),
    october(3, "BETA", -13_700),
    october(4, "100% COTTON_SHOP", -13_750),
)


@pytest.fixture
def account_id(cast):
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file(LINES))
    return account_id


def found(**wanted):
    page = bank.transaction_page(TransactionFilter(**wanted), bank.account_choices())
    assert page.total_count == len(page.lines)
    return [line.description for line in page.lines]


@pytest.mark.parametrize(
    ("text", "descriptions"),
    [
        ("137", ["BETA", "ALPHA", "Refund 137 STREET"]),
        ("137.00", ["BETA", "ALPHA"]),
        ("-137", ["BETA", "ALPHA"]),
        ("−137.00", ["BETA", "ALPHA"]),
        ("137.5", ["100% COTTON_SHOP"]),
        ("inv-9", ["ALPHA"]),
        ("street", ["Refund 137 STREET"]),
        ("0% c", ["100% COTTON_SHOP"]),
        ("N_S", ["100% COTTON_SHOP"]),
        ("_", ["100% COTTON_SHOP"]),
        ("  ", ["100% COTTON_SHOP", "BETA", "ALPHA", "Refund 137 STREET"]),
        ("nothing like it", []),
    ],
)
def test_search_finds_amounts_in_both_directions_texts_and_references(
    account_id, text, descriptions
):
    assert found(search=text) == descriptions


def test_filters_narrow_by_account_dates_and_direction(cast, account_id):
    other = add_account(cast.alice, name="Other")
    assert found(account_id=other) == []
    assert found(account_id=account_id, direction=Direction.OUT) == ["100% COTTON_SHOP", "BETA"]
    assert found(direction=Direction.IN) == ["ALPHA", "Refund 137 STREET"]
    assert found(date_from=date(2026, 10, 2), date_to=date(2026, 10, 3)) == ["BETA", "ALPHA"]


def test_each_line_is_in_exactly_one_state(cast, account_id):
    open_reconciliation_with_a_match(account_id, add_ledger_account(), position=0)
    open_reconciliation_with_a_match(
        account_id,
        add_ledger_account("Second", "1020"),
        status=ReconciliationStatus.CERTIFIED,
        position=1,
    )
    with unit_of_work():
        db.session.execute(
            sa.update(FinancialTransaction)
            .where(FinancialTransaction.description == "BETA")
            .values(status=TransactionStatus.REMOVED)
        )
    assert found(state=LineState.MATCHED) == ["Refund 137 STREET"]
    assert found(state=LineState.CERTIFIED) == ["ALPHA"]
    assert found(state=LineState.REMOVED) == ["BETA"]
    assert found(state=LineState.OPEN) == ["100% COTTON_SHOP"]
    lines = bank.transaction_page(TransactionFilter(), bank.account_choices()).lines
    assert [line.state.value for line in lines] == ["open", "removed", "certified", "matched"]
    assert [line.reconciliation_id is not None for line in lines] == [False, False, True, True]


def test_pages_go_back_and_forth_over_every_line_once(cast, monkeypatch):
    monkeypatch.setattr(bank, "PAGE_ROWS", 7)
    account_id = add_account(cast.alice)
    import_now(cast.alice, account_id, csv_file(many_lines(30)))
    accounts = bank.account_choices()

    def page(**place):
        return bank.transaction_page(TransactionFilter(), accounts, **place)

    forth, place = [], {}
    while True:
        one = page(**place)
        forth.append(one)
        if one.older is None:
            break
        place = {"older_than": Cursor.parse(str(one.older))}
    ids = [line.transaction_id for one in forth for line in one.lines]
    assert len(ids) == len(set(ids)) == 30
    assert [len(one.lines) for one in forth] == [7, 7, 7, 7, 2]
    assert [one.newer is None for one in forth] == [True, False, False, False, False]

    back = [forth[-1]]
    while back[-1].newer is not None:
        back.append(page(newer_than=back[-1].newer))
    assert [one.lines for one in back[::-1]] == [one.lines for one in forth]


def test_a_page_needs_four_statements_at_most(cast, account_id):
    statements = []

    def note(*event):
        statements.append(event[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        bank.transaction_page(TransactionFilter(search="137"), bank.account_choices())
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    assert sum(one != "BEGIN" for one in statements) <= 4


def test_a_cursor_that_somebody_typed_is_refused():
    with pytest.raises(Invalid, match="does not exist; start at its top"):
        Cursor.parse("yesterday")


def test_strangers_see_nothing_and_cannot_filter_by_a_foreign_account(cast, account_id):
    with organization_scope(cast.other_id):
        assert bank.account_choices() == []
        assert found() == []
        with pytest.raises(NotFound):
            found(account_id=account_id)


def test_the_search_is_cut_at_its_limit(account_id):
    assert found(search="ALPHA" + " " * limits.SEARCH_CHARACTERS_MAX + "x") == ["ALPHA"]
