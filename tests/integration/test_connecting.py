"""From “Add bank connection” to the first transactions, and what can come between."""

import pytest

from app.connections.completion import AlreadyConnected, NotFinished, complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import connect, repair
from app.kernel.bank import ConnectionStatus
from app.kernel.errors import Conflict, Forbidden, NotFound
from app.models import FinancialAccount, FinancialTransaction, db
from app.tenancy.scope import organization_scope, owned
from tests.bank_logins import RETURN_URL, connected, connection, open_flow, token_of
from tests.books import run_waiting_jobs
from tests.scripted_bank import row


def test_a_finished_flow_becomes_an_active_connection_with_its_transactions(cast, bank):
    flow = open_flow(cast.alice)
    assert connection(flow.connection_id).status == ConnectionStatus.PENDING
    bank.add_login("item-1").log.extend([row(f"t{n}") for n in range(7)])
    bank.finish(token_of(flow), "item-1")

    done = complete(cast.alice, flow.connection_id)

    assert connection(flow.connection_id).status == ConnectionStatus.IN_PROGRESS
    assert done.run_id
    run_waiting_jobs()
    held = connection(flow.connection_id)
    assert (held.status, held.institution_name) == ("active", "First Platypus Bank")
    assert None not in (held.last_sync_at, held.successfully_aggregated_at, held.next_sync_at)
    rows = db.session.scalars(owned(FinancialTransaction)).all()
    assert sorted(one.external_id for one in rows) == [f"t{n}" for n in range(7)]
    account = db.session.scalars(owned(FinancialAccount)).one()
    assert (account.current_balance_minor, account.mask) == (100_000, "4821")


def test_completing_twice_is_harmless_and_early_is_refused(cast, bank):
    flow = open_flow(cast.alice)
    with pytest.raises(NotFinished):
        complete(cast.alice, flow.connection_id)
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")
    first = complete(cast.alice, flow.connection_id)
    assert complete(cast.alice, flow.connection_id) == first
    with organization_scope(cast.other_id), pytest.raises(NotFound):
        complete(cast.charlie, flow.connection_id)
    with pytest.raises(Forbidden):
        complete(cast.viv, flow.connection_id)


def test_a_second_login_of_the_same_accounts_is_not_exchanged(cast, bank):
    first = connected(cast.alice, bank)
    flow = open_flow(cast.alice)
    bank.add_login("item-2")
    grant = bank.finish(token_of(flow), "item-2")
    with pytest.raises(AlreadyConnected):
        complete(cast.alice, flow.connection_id)
    assert grant in bank.grants
    assert connection(flow.connection_id).status_reason == "DUPLICATE"
    assert connection(first.id).status == ConnectionStatus.ACTIVE


def test_somebody_elses_token_is_refused(cast, bank):
    theirs = open_flow(cast.alice)
    bank.add_login("item-1")
    token = bank.finish(token_of(theirs), "item-1")
    with organization_scope(cast.other_id):
        ours = connect(cast.charlie, "plaid", RETURN_URL)
        with pytest.raises(NotFinished):
            complete(cast.charlie, ours.connection_id, token)
    assert token in bank.grants


def test_repair_keeps_the_connection_and_reads_it_again(cast, bank):
    held = connected(cast.alice, bank)
    flow = repair(cast.alice, held.id, RETURN_URL)
    assert bank.requests[-1].access is not None
    with pytest.raises(NotFinished):
        complete(cast.alice, held.id)
    bank.logins["item-1"].log.append(row("later"))
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, held.id)
    run_waiting_jobs()
    assert connection(held.id).status == ConnectionStatus.ACTIVE
    assert db.session.scalars(owned(FinancialTransaction)).one().external_id == "later"


def test_a_deleted_connection_cannot_be_completed_or_repaired(cast, bank):
    held = connected(cast.alice, bank, row("t1"))
    assert delete_connection(cast.alice, held.id).access_removed
    assert bank.logins["item-1"].removed_access
    assert connection(held.id).credentials is None
    with pytest.raises(Conflict):
        repair(cast.alice, held.id, RETURN_URL)
    with pytest.raises(Conflict):
        complete(cast.alice, held.id)
    assert db.session.scalars(owned(FinancialTransaction)).one()
