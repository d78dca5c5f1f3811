"""An account kept by file goes on through an aggregator: one history, nothing twice."""

from datetime import date

import pytest

from app.connections.accounts import AddManualAccount, add_manual_account
from app.connections.completion import complete
from app.connections.continuation import continue_account
from app.connections.hosted_flows import connect
from app.connections.imports import import_bank_file_now
from app.connections.refresh import sync
from app.kernel.bank import AccountType
from app.kernel.errors import Conflict, Invalid
from app.models import (
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    TransactionStatus,
    db,
)
from app.tenancy.scope import get_owned, owned
from tests.books import nothing_changes, run_waiting_jobs
from tests.scripted_bank import row

FILE = b"""date,amount,description
2026-10-05,-12.50,Rent per file
2026-10-05,-12.50,Rent per file
2026-10-06,-35.88,Fee per file
"""


@pytest.fixture
def by_file(cast) -> str:
    command = AddManualAccount("First Platypus", "Checking", "4821", AccountType.CHECKING, "USD")
    added = add_manual_account(cast.alice, command)
    import_bank_file_now(cast.alice, added.account_id, "october.csv", FILE)
    return added.account_id


@pytest.fixture
def brought(cast, bank) -> str:
    flow = connect(cast.alice, "plaid", "https://tieout.example/ended")
    login = bank.add_login("item-1")
    login.log += [
        row("t1", -1250, description="RENT AT THE AGGREGATOR"),
        row("t2", -1250, description="RENT AT THE AGGREGATOR"),
        row("t3", -3588, posted_date=date(2026, 10, 6)),
        row("t4", 90_000, posted_date=date(2026, 10, 7)),
    ]
    bank.finish(f"link-{flow.flow_id}", "item-1")
    complete(cast.alice, flow.connection_id)
    run_waiting_jobs()
    account = owned(FinancialAccount).where(FinancialAccount.connection_id == flow.connection_id)
    return db.session.scalars(account).one().id


def live(account_id: str) -> list[FinancialTransaction]:
    db.session.rollback()
    rows = owned(FinancialTransaction).where(
        FinancialTransaction.financial_account_id == account_id,
        FinancialTransaction.status != TransactionStatus.REMOVED,
    )
    return list(db.session.scalars(rows.order_by(FinancialTransaction.posted_date)))


def test_what_both_brought_stands_once_and_keeps_the_words_of_the_file(
    cast, bank, by_file, brought
):
    continue_account(cast.alice, brought, by_file)
    assert [one.amount_minor for one in live(by_file)] == [-1250, -1250, -3588, 90_000]
    assert sorted(one.external_id for one in live(by_file)) == ["t1", "t2", "t3", "t4"]
    assert live(by_file)[0].description == "Rent per file"
    assert live(brought) == []
    former = get_owned(FinancialAccount, brought).connection_id
    assert get_owned(FinancialConnection, former).status == "deleted"

    # All of it is read again, and something is new: still nothing stands twice.
    bank.logins["item-1"].epoch += 1
    bank.logins["item-1"].log.append(row("t5", 1))
    sync(cast.alice, get_owned(FinancialAccount, by_file).connection_id)
    run_waiting_jobs()
    assert len(live(by_file)) == 5
    assert live(by_file)[0].description == "Rent per file"


def test_an_amount_that_the_bank_changes_is_taken_over_all_the_same(cast, bank, by_file, brought):
    continue_account(cast.alice, brought, by_file)
    changed = row("t3", -9900, posted_date=date(2026, 10, 6), description="CORRECTED")
    bank.logins["item-1"].log.append(changed)
    sync(cast.alice, get_owned(FinancialAccount, by_file).connection_id)
    run_waiting_jobs()
    assert -9900 in [one.amount_minor for one in live(by_file)]


def test_what_does_not_fit_is_refused(cast, bank, by_file, brought):
    euro = AddManualAccount("Elsewhere", "Euro", "", AccountType.CHECKING, "EUR")
    euro_id = add_manual_account(cast.alice, euro).account_id
    with nothing_changes():
        with pytest.raises(Invalid):
            continue_account(cast.alice, brought, euro_id)
        with pytest.raises(Conflict):
            continue_account(cast.alice, by_file, euro_id)
        with pytest.raises(Conflict):
            continue_account(cast.alice, brought, brought)
