"""What the Bank Connections page and a connection's timeline are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from app.connections.completion import complete
from app.connections.hosted_flows import connect, repair
from app.connections.nonstandard import AskForConnector, answer_request, ask_for_connector
from app.connections.statuses import Cause, tell
from app.kernel.clock import utc_now
from app.kernel.errors import Forbidden, NotFound
from app.models import (
    AccountStatus,
    ConnectionPath,
    ConnectionStatus,
    FinancialConnection,
    HostedFlow,
    JobKind,
    JobStatus,
    db,
)
from app.models.session import unit_of_work
from app.reports import connection_history, connector_requests
from app.reports.connection_cards import LOST_SHOWN, connection_card
from app.reports.connections import connections_page, stopped_count
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, organization_scope
from tests.bank_world import add_account, add_ledger_account
from tests.books import run_waiting_jobs
from tests.connection_world import NOON, a_connection, a_sync
from tests.scripted_bank import row

S = ConnectionStatus


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what the database is asked."""
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_others) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def page(cast, now=NOON, shown=()):
    db.session.rollback()
    return connections_page(cast.alice, now, shown)


def card(cast, connection_id, now=NOON):
    db.session.rollback()
    return connection_card(cast.alice, connection_id, now)


def names(found) -> list[str]:
    return [one.institution_name for one in found.connections]


def test_the_page_takes_as_many_statements_for_thirty_connections_as_for_one(cast, bank):
    def one_more(number):
        a_sync(a_connection(f"Bank {number}", accounts=("Checking", "Savings")))

    one_more(0)
    add_account(cast.alice)
    with statements() as few:
        page(cast)
    for number in range(1, 30):
        one_more(number)
    connect(cast.alice, "plaid", "https://tieout.example/")
    with statements() as many:
        found = page(cast)
    assert len(found.connections) == 32
    assert len(many) == len(few)
    assert len(many) <= 8  # six, and what a transaction begins with


def test_those_that_need_somebody_come_first_and_the_worst_of_them_before(cast, bank):
    ledger_id = add_ledger_account()
    a_connection("Active", accounts=("Checking",), ledger_bank_account_id=ledger_id)
    a_connection("Expiring", S.RECONNECT_AVAILABLE, "ACCESS_EXPIRING_SOON")
    a_connection("Broken", S.RECONNECT_REQUIRED, "ITEM_LOGIN_REQUIRED")
    a_connection("Unmapped", accounts=("Checking",))
    flow = connect(cast.alice, "plaid", "https://tieout.example/")
    found = page(cast)
    assert names(found) == ["Broken", "New bank connection", "Expiring", "Unmapped", "Active"]
    assert found.needing_count == 4
    assert found.stopped_count == stopped_count() == 1
    assert found.connections[1].flow.flow_id == flow.flow_id


def test_who_is_looking_keeps_the_order_and_finds_what_is_new_on_top(cast):
    first = a_connection("B broken", S.RECONNECT_REQUIRED)
    second = a_connection("A active")
    shown = [card.connection_id for card in page(cast).connections]
    assert shown == [first, second]
    a_connection("New one")
    with unit_of_work():
        get_owned(FinancialConnection, first).status = S.ACTIVE
        db.session.flush()
    assert names(page(cast, shown=shown)) == ["New one", "B broken", "A active"]
    assert names(page(cast, shown=["nonsense", ""])) == ["A active", "B broken", "New one"]


def test_a_visit_is_shown_without_its_address_until_it_is_finished(cast, bank):
    flow = connect(cast.alice, "plaid", "https://tieout.example/")
    waiting = card(cast, flow.connection_id, utc_now())
    assert (waiting.awaits_visit, waiting.flow.creates, waiting.live) == (True, True, True)
    assert flow.url not in repr(waiting)
    bank.add_login("item-1").log.append(row("t1"))
    bank.finish(f"link-{flow.flow_id}", "item-1")
    complete(cast.alice, flow.connection_id)
    reading = card(cast, flow.connection_id, utc_now())
    assert (reading.status, reading.flow) == (S.IN_PROGRESS, None)
    assert reading.sync.running
    assert reading.live
    run_waiting_jobs()
    active = card(cast, flow.connection_id, utc_now())
    assert (active.status, active.sync.outcome) == (S.ACTIVE, "1 new")
    assert active.accounts[0].label == "Operating checking ··4821"
    assert not active.live


def test_a_visit_whose_time_is_up_is_no_longer_offered_and_later_not_shown(cast, bank):
    flow = connect(cast.alice, "plaid", "https://tieout.example/")
    over = card(cast, flow.connection_id, flow.expires_at + timedelta(seconds=1))
    assert (over.flow.is_over, over.awaits_visit, over.live) == (True, False, True)
    gone = card(cast, flow.connection_id, flow.expires_at + timedelta(hours=1))
    assert gone.flow is None
    assert gone.words.step == "sign_in"


def test_a_visit_that_was_left_says_how(cast, bank):
    flow = connect(cast.alice, "plaid", "https://tieout.example/")
    with unit_of_work():
        held = get_owned(HostedFlow, flow.flow_id)
        held.opened, held.exit_code = True, "requires_code"
        db.session.flush()
    shown = card(cast, flow.connection_id, utc_now()).flow
    assert shown.opened
    assert "before the security code" in shown.last_exit


def test_the_newest_repair_is_the_one_that_is_offered(cast, bank):
    flow = connect(cast.alice, "plaid", "https://tieout.example/")
    again = repair(cast.alice, flow.connection_id, "https://tieout.example/")
    assert card(cast, flow.connection_id, utc_now()).flow.flow_id == again.flow_id


def test_a_running_sync_shows_how_far_it_is_beside_what_the_last_one_brought(cast):
    connection_id = a_connection("Bank")
    a_sync(connection_id, text="14 new, 2 changed. The first reason.")
    a_sync(connection_id, JobStatus.RUNNING, "120 transactions read", progress_percent=40)
    a_sync(connection_id, JobStatus.FAILED, failure="x", kind=JobKind.REMOVE_ACCESS)
    sync = card(cast, connection_id).sync
    assert (sync.running, sync.percent, sync.progress) == (True, 40, "120 transactions read")
    assert (sync.outcome, sync.failure) == ("14 new, 2 changed", "")


def test_a_failed_sync_is_said_only_where_the_status_does_not_say_it(cast):
    failed = {"status": JobStatus.FAILED, "failure": "The bank refused. Nothing was changed."}
    says_more = {}
    for name, status, path in (
        ("active", S.ACTIVE, ConnectionPath.STANDARD),
        ("degraded", S.DEGRADED, ConnectionPath.STANDARD),
        ("broken", S.RECONNECT_REQUIRED, ConnectionPath.STANDARD),
        ("connector", S.DEGRADED, ConnectionPath.NON_STANDARD),
    ):
        connection_id = a_connection(name, status, path=path)
        a_sync(connection_id, **failed)
        found = card(cast, connection_id)
        assert (found.sync.outcome, found.sync.failure) == ("failed", failed["failure"])
        says_more[name] = found.says_more
    assert says_more == {"active": True, "degraded": False, "broken": False, "connector": True}


def test_a_refresh_says_in_how_many_minutes_it_is_possible(cast):
    at = NOON + timedelta(minutes=17, seconds=10)
    connection_id = a_connection("Bank", refresh_available_at=at)
    soon = card(cast, connection_id)
    assert (soon.refresh_minutes, soon.refresh_available_at) == (18, at)
    assert "once an hour" in soon.reason_against_refresh
    later = card(cast, connection_id, at)
    assert (later.refresh_available_at, later.reason_against_refresh) == (None, "")
    broken = card(cast, a_connection("Broken", S.RECONNECT_REQUIRED))
    assert "until somebody signs in" in broken.reason_against_refresh


@pytest.mark.parametrize(
    ("facts", "live"),
    [
        ({}, False),
        ({"next_sync_at": NOON + timedelta(seconds=60)}, True),
        ({"next_sync_at": NOON + timedelta(hours=6)}, False),
        ({"status": S.IN_PROGRESS}, True),
        ({"path": ConnectionPath.NON_STANDARD, "next_sync_at": NOON}, False),
    ],
)
def test_a_card_looks_again_only_while_something_is_near(cast, facts, live):
    assert card(cast, a_connection("Bank", **facts)).live is live


def test_the_sentence_names_the_bank_the_day_and_the_accounts(cast):
    ended = a_connection("Tartan", S.RECONNECT_REQUIRED, "ACCESS_EXPIRED", access_ends_at=NOON)
    assert "Access to Tartan ended on 20 November 2026." in card(cast, ended).sentence
    stopped = a_connection(
        "Platypus", S.RECONNECT_REQUIRED, successfully_aggregated_at=NOON - timedelta(days=3)
    )
    assert "New transactions stopped on 17 November 2026." in card(cast, stopped).sentence
    partial = a_connection(
        "Gingham",
        S.PARTIALLY_ACTIVE,
        accounts=("Savings",),
        account_status=AccountStatus.FAILING,
    )
    assert "Savings ··4800, it cannot be read at the moment" in card(cast, partial).sentence


def test_ledger_accounts_that_nothing_feeds_are_named(cast):
    fed, dead = add_ledger_account(), add_ledger_account("Reserve", "1030")
    lonely = add_ledger_account("Cash, EUR", "1050", "EUR")
    a_connection("Fed", accounts=("Checking",), ledger_bank_account_id=fed)
    a_connection("Dead", S.DELETED, accounts=("Savings",), ledger_bank_account_id=dead)
    found = page(cast)
    assert [one.ledger_bank_account_id for one in found.without_path] == [dead, lonely]


def test_a_login_that_ended_at_the_provider_stands_among_the_others_for_a_while(cast):
    a_connection("Gone", S.DELETED, "ITEM_NOT_FOUND", accounts=("Checking",), deleted_at=NOON)
    a_connection("By a person", S.DELETED, accounts=("Checking",), deleted_at=NOON)
    a_connection("Went on", S.DELETED, "ITEM_NOT_FOUND", deleted_at=NOON)
    found = page(cast)
    assert names(found) == ["Gone"]
    assert found.needing_count == 1
    assert {one.institution_name for one in found.deleted} == {"By a person", "Went on"}
    assert page(cast, NOON + LOST_SHOWN).connections == ()


def test_an_account_that_nobody_mapped_can_go_on_from_one_kept_by_file(cast):
    connection_id = a_connection("Bank", accounts=("Checking",))
    kept_id = add_account(cast.alice)
    add_account(cast.alice, currency="EUR")
    found = page(cast)
    new = next(one for one in found.connections if one.connection_id == connection_id).accounts[0]
    assert [one.account_id for one in found.continues(new)] == [kept_id]
    kept = next(one for c in found.connections for one in c.accounts if one.account_id == kept_id)
    assert found.continues(kept) == []


def test_an_account_that_brings_nothing_need_not_be_mapped(cast):
    closed = a_connection("A", accounts=("Old",), account_status=AccountStatus.CLOSED)
    active = a_connection("B", accounts=("New",))
    assert not card(cast, closed).needs_somebody
    assert card(cast, active).needs_somebody


def test_nobody_sees_the_connections_of_another_organization(cast):
    connection_id = a_connection("Ours", S.RECONNECT_REQUIRED)
    a_sync(connection_id)
    with organization_scope(cast.other_id):
        assert connections_page(cast.charlie, NOON).connections == ()
        assert stopped_count() == 0
        for look in (connection_card, history):
            with pytest.raises(NotFound):
                look(cast.charlie, connection_id, NOON)


def history(actor: Actor, connection_id: str, now=NOON, before=None):
    db.session.rollback()
    return connection_history.connection_history(actor, connection_id, now, before)


def an_event(cast, connection_id, sentence, cause=Cause.SYNC, moved=None):
    with unit_of_work():
        connection = get_owned(FinancialConnection, connection_id)
        tell(cast.alice, connection, cause=cause, sentence=sentence, moved=moved, reason="CODE")


def test_the_timeline_holds_moves_and_syncs_newest_first_with_who_led_to_them(cast):
    connection_id = a_connection("Bank")
    an_event(cast, connection_id, "Connected.", Cause.PERSON)
    a_sync(connection_id, text="14 new.", result={"added": 14})
    an_event(cast, connection_id, "Broken.", Cause.WEBHOOK, (S.ACTIVE, S.DEGRADED))
    a_sync(
        connection_id,
        JobStatus.FAILED,
        failure="It failed.",
        cause="person",
        actor_user_id=cast.carol.user_id,
    )
    lines = history(cast.alice, connection_id).lines
    assert [(line.sentence, line.by) for line in lines] == [
        ("It failed.", "Carol"),
        ("Broken.", "On word of the aggregator"),
        ("14 new.", "On schedule"),
        ("Connected.", "Alice"),
    ]
    assert [words.badge for words in lines[1].moved] == ["Active", "Delayed"]
    assert [line.sync for line in lines] == ["failed", None, "succeeded", None]


def test_syncs_in_a_row_that_told_nothing_are_one_line(cast):
    connection_id = a_connection("Bank")
    for _ in range(3):
        a_sync(connection_id)
    a_sync(connection_id, text="Nothing new.", cause="person", actor_user_id=cast.carol.user_id)
    a_sync(connection_id)
    lines = history(cast.alice, connection_id).lines
    assert [line.times for line in lines] == [1, 1, 3]
    assert lines[2].since is not None


def test_the_timeline_is_paged_without_a_gap_or_a_repetition(cast, monkeypatch):
    monkeypatch.setattr(connection_history, "LINES_READ", 5)
    connection_id = a_connection("Bank")
    for number in range(12):
        if number % 3:
            an_event(cast, connection_id, f"line {number}")
        else:
            a_sync(connection_id, text=f"line {number}", result={"added": 1})
    seen, before = [], None
    while True:
        found = history(cast.alice, connection_id, before=before)
        seen += [line.sentence for line in found.lines]
        before = found.next_cursor
        if before is None:
            break
    assert seen == [f"line {number}" for number in reversed(range(12))]


def test_the_operator_reads_the_requests_of_all_and_everybody_else_their_own(cast):
    operator = replace(cast.alice, permissions=cast.alice.permissions | {Permission.OPERATIONS})
    ours = ask_for_connector(cast.alice, AskForConnector("Sparkasse", "EUR account", "No CSV"))
    with organization_scope(cast.other_id):
        theirs = ask_for_connector(cast.charlie, AskForConnector("Elsewhere", "Payroll", "SFTP"))
        assert [one.request_id for one in connector_requests.own_requests()] == [theirs]
    answer_request(operator, cast.acme_id, ours, configured=False, answer="Their terms forbid it.")
    found = connector_requests.requests_of_all(operator)
    assert [(one.request_id, one.organization_name, one.state) for one in found] == [
        (theirs, "Other", "open"),
        (ours, "Acme", "declined"),
    ]
    assert connector_requests.own_requests()[0].answer == "Their terms forbid it."
    with pytest.raises(Forbidden):
        connector_requests.requests_of_all(cast.carol)
