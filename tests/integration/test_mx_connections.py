"""Connections through MX, with the application's own services and the sandbox behind."""

from __future__ import annotations

import pytest

from app.aggregators.contract import UnreadableRow
from app.aggregators.mx import reading
from app.aggregators.registry import Aggregators, Entry
from app.connections.completion import NotFinished, complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import address_of, connect, repair
from app.connections.refresh import refresh, sync
from app.connections.sources import access_of
from app.connections.webhooks import WebhookRefused, receive
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.models import FinancialConnection, FinancialTransaction, TransactionStatus, db
from app.tenancy.scope import get_owned, owned
from ops.waiting import wait_until
from tests.books import run_waiting_jobs
from tests.mx_support import CASCADE, Person, running, sign_in

RETURN_URL = "https://tieout.example/connections/flows/ended"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with running(tmp_path_factory.mktemp("mx")) as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def mx(app, sandbox):
    """MX in the place of the configured aggregators, and nothing of another test.

    The cast's organization is the same in every test, so MX would know its logins.
    """
    sandbox.ask("POST", "/control/reset")
    configured = app.extensions["aggregators"]
    entry = Entry(sandbox.adapter.title, lambda: sandbox.adapter)
    app.extensions["aggregators"] = Aggregators({"mx": entry})
    sandbox.receiver.received.clear()
    yield sandbox.adapter
    app.extensions["aggregators"] = configured


def connection(connection_id):
    db.session.rollback()
    return get_owned(FinancialConnection, connection_id)


def held_rows():
    """Return what is held and not removed: id → signed minor units."""
    db.session.rollback()
    return {
        row.external_id: row.amount_minor
        for row in db.session.scalars(owned(FinancialTransaction))
        if row.status != TransactionStatus.REMOVED
    }


def bank_rows(sandbox, held):
    page = sandbox.adapter.sync_page(access_of(held), "")
    assert not page.has_more
    return {row.external_id: row.amount_minor for row in page.upserts}


def deliver(sandbox, kind):
    """Bring the messages of a kind that have come, as the web server would."""
    assert wait_until(
        lambda: any(m.content["type"] == kind for m in sandbox.receiver.received),
        timeout_seconds=10,
    )
    for message in list(sandbox.receiver.received):
        if message.content["type"] == kind:
            receive("mx", {k.lower(): v for k, v in message.headers.items()}, message.body)
    sandbox.receiver.received.clear()


def connected(cast, sandbox):
    flow = connect(cast.alice, "mx", RETURN_URL)
    sign_in(address_of(cast.alice, flow.flow_id))
    complete(cast.alice, flow.connection_id)
    run_waiting_jobs()
    return connection(flow.connection_id)


def test_a_person_connects_and_mxs_message_completes_it(cast, sandbox):
    flow = connect(cast.alice, "mx", RETURN_URL)
    with pytest.raises(NotFinished):
        complete(cast.alice, flow.connection_id)
    person = sign_in(address_of(cast.alice, flow.flow_id), CASCADE)
    with pytest.raises(NotFinished):
        complete(cast.alice, flow.connection_id)
    person.submit("code", code="1234")
    deliver(sandbox, "MEMBER")
    run_waiting_jobs()
    run_waiting_jobs()
    held = connection(flow.connection_id)
    assert (held.status, held.institution_name) == ("active", "Cascade Mutual Savings")
    assert held.successfully_aggregated_at is not None
    assert held_rows() == bank_rows(sandbox, held) != {}


def test_what_vanishes_or_comes_at_the_bank_does_so_here_after_a_refresh(cast, sandbox):
    held = connected(cast, sandbox)
    known = bank_rows(sandbox, held)
    gone = next(iter(known))
    access = access_of(held)
    (new,) = sandbox.at_the_bank(
        access, {"do": "add", "day": str(utc_now().date()), "amount": "-3.10"}
    )
    sandbox.at_the_bank(access, {"do": "remove", "guid": gone})
    refresh(cast.alice, held.id)
    run_waiting_jobs()
    rows = held_rows()
    assert rows == bank_rows(sandbox, connection(held.id))
    assert gone not in rows
    assert rows[new] == -310


def test_a_login_that_fails_is_repaired_on_the_same_connection(cast, sandbox):
    held = connected(cast, sandbox)
    sandbox.set_status(access_of(held), "LOCKED")
    deliver(sandbox, "CONNECTION_STATUS")
    run_waiting_jobs()
    assert connection(held.id).status == ConnectionStatus.RECONNECT_REQUIRED
    assert connection(held.id).status_reason == "LOCKED"
    flow = repair(cast.alice, held.id, RETURN_URL)
    sign_in(address_of(cast.alice, flow.flow_id), None)
    complete(cast.alice, held.id)
    run_waiting_jobs()
    assert connection(held.id).status == ConnectionStatus.ACTIVE


def test_the_same_words_another_day_are_heard_again(cast, sandbox):
    held = connected(cast, sandbox)
    for _ in range(2):
        sandbox.set_status(access_of(held), "IMPEDED")
        deliver(sandbox, "CONNECTION_STATUS")
        run_waiting_jobs()
        assert connection(held.id).status == ConnectionStatus.RECONNECT_REQUIRED
        flow = repair(cast.alice, held.id, RETURN_URL)
        sign_in(address_of(cast.alice, flow.flow_id), None)
        complete(cast.alice, held.id)
        run_waiting_jobs()
        assert connection(held.id).status == ConnectionStatus.ACTIVE


def test_a_message_without_the_password_changes_nothing(cast, sandbox):
    held = connected(cast, sandbox)
    sandbox.set_status(access_of(held), "LOCKED")
    assert wait_until(lambda: sandbox.receiver.received, timeout_seconds=10)
    message = sandbox.receiver.received[-1]
    with pytest.raises(WebhookRefused):
        receive("mx", {"content-type": "application/json"}, message.body)
    assert run_waiting_jobs() == []


def test_a_row_that_cannot_be_read_any_more_is_told_and_not_taken_for_gone(
    cast, sandbox, monkeypatch
):
    held = connected(cast, sandbox)
    before = held_rows()
    odd = next(iter(before))

    def without_one(row, currencies):
        if row["guid"] == odd:
            return UnreadableRow(row["account_guid"], odd, "It is odd.")
        return real(row, currencies)

    real = reading.transaction
    monkeypatch.setattr(reading, "transaction", without_one)
    sync(cast.alice, held.id)
    (run,) = run_waiting_jobs()
    assert run.result["unreadable"] == 1
    assert held_rows() == before


def test_a_login_that_is_connected_already_is_not_connected_twice(cast, sandbox):
    held = connected(cast, sandbox)
    again = connect(cast.alice, "mx", RETURN_URL)
    assert "is connected" in sign_in(address_of(cast.alice, again.flow_id)).text
    with pytest.raises(NotFinished):
        complete(cast.alice, again.connection_id)
    assert connection(held.id).status == ConnectionStatus.ACTIVE


def test_a_deleted_connection_is_gone_at_mx_and_its_rows_stay_readable(cast, sandbox):
    held = connected(cast, sandbox)
    rows, access = held_rows(), access_of(held)
    assert delete_connection(cast.alice, held.id).access_removed
    path = f"/mx/users/{access.secrets['user_guid']}/members"
    guids = [m["guid"] for m in sandbox.ask("GET", path)["members"]]
    assert access.external_id not in guids
    assert held_rows() == rows


def test_a_sign_in_that_was_left_can_be_begun_again(cast, sandbox):
    flow = connect(cast.alice, "mx", RETURN_URL)
    Person().open(address_of(cast.alice, flow.flow_id)).submit("leave")
    again = repair(cast.alice, flow.connection_id, RETURN_URL)
    sign_in(address_of(cast.alice, again.flow_id))
    complete(cast.alice, flow.connection_id)
    run_waiting_jobs()
    assert connection(flow.connection_id).status == ConnectionStatus.ACTIVE
