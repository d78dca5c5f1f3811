"""Every status of a connection: what brings it about, what ends it, and what is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.aggregators.contract import (
    AggregatorError,
    FlowResult,
    FlowState,
    Grant,
    Health,
    History,
    SourceAccountStatus,
    Webhook,
    WebhookKind,
)
from app.connections.accounts import map_account
from app.connections.completion import AlreadyConnected, GrantRefused, NotFinished, complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import ProviderRefused, repair
from app.connections.refresh import refresh, sync
from app.connections.schedule import do_what_is_due
from app.connections.webhooks import receive
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict
from app.models import FinancialAccount, HostedFlow, db
from app.tenancy import vault
from app.tenancy.scope import get_owned, owned
from tests.bank_logins import (
    RETURN_URL,
    change_connection,
    connected,
    connection,
    history,
    open_flow,
    stored_ids,
    token_of,
)
from tests.bank_world import add_ledger_account
from tests.books import run_waiting_jobs
from tests.scripted_bank import HEALTHY, checking, row

LOGIN_REQUIRED = Health(ConnectionStatus.RECONNECT_REQUIRED, "ITEM_LOGIN_REQUIRED")
DOWN = AggregatorError("DOWN", "The aggregator is down.", permanent=False)


def synced(cast, connection_id: str):
    """Sync as the clock does, whatever a person may do in this status, and look."""
    change_connection(connection_id, next_sync_at=utc_now())
    do_what_is_due(utc_now())
    runs = run_waiting_jobs()
    return connection(connection_id), runs


def stands(cast, connection_id: str) -> tuple[str, str]:
    held, _runs = synced(cast, connection_id)
    return held.status, held.status_reason


def moves(connection_id: str) -> list[tuple[str, str, str, str]]:
    return [
        (one.from_status, one.to_status, one.reason, one.cause)
        for one in history(connection_id)
        if one.to_status
    ]


def failing_at(bank, *calls: str, error: Exception = DOWN) -> None:
    def before(call: str) -> None:
        if call in calls:
            raise error

    bank.before = before


def quiet(bank) -> None:
    bank.before = lambda _call: None


def accounts_in(connection_id: str) -> dict[str, tuple[str, str]]:
    db.session.rollback()
    rows = owned(FinancialAccount).where(FinancialAccount.connection_id == connection_id)
    return {one.external_id: (one.status, one.status_reason) for one in db.session.scalars(rows)}


# pending


def test_a_flow_that_is_opened_and_left_keeps_its_connection_pending(cast, bank, clock):
    flow = open_flow(cast.alice)
    held = connection(flow.connection_id)
    assert (held.status, held.status_reason) == ("pending", "")
    for state, code, reason in (
        (FlowState.OPENED, "", "HOSTED_FLOW_OPEN"),
        (FlowState.EXITED, "requires_credentials", "LAST_EXIT:requires_credentials"),
        (FlowState.EXITED, "x" * 500, ("LAST_EXIT:" + "x" * 500)[:60]),
    ):
        bank.flows[token_of(flow)] = FlowResult(state, exit_code=code)
        clock.pass_by(seconds=limits.FLOW_POLL_SECONDS_MAX)
        do_what_is_due(utc_now())
        run_waiting_jobs()
        held = connection(flow.connection_id)
        assert (held.status, held.status_reason) == ("pending", reason)
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")
    clock.pass_by(seconds=limits.FLOW_POLL_SECONDS_MAX)
    do_what_is_due(utc_now())  # nobody asks: the clock notices the end by itself
    run_waiting_jobs()
    run_waiting_jobs()
    assert connection(flow.connection_id).status == "active"


def test_a_pending_connection_can_be_deleted_and_never_comes_back(cast, bank):
    flow = open_flow(cast.alice)
    assert delete_connection(cast.alice, flow.connection_id).access_removed
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")
    do_what_is_due(utc_now() + timedelta(days=1))
    run_waiting_jobs()
    with pytest.raises(Conflict):
        complete(cast.alice, flow.connection_id)
    assert connection(flow.connection_id).status == "deleted"
    assert moves(flow.connection_id) == [("pending", "deleted", "", "person")]


# in_progress


def test_a_history_that_is_not_ready_is_in_progress_until_it_is(cast, bank):
    flow = open_flow(cast.alice)
    login = bank.add_login("item-1")
    login.history = History.NOT_READY
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, flow.connection_id)
    run_waiting_jobs()
    held = connection(flow.connection_id)
    assert (held.status, held.status_reason, held.last_read_at) == (
        "in_progress",
        "NOT_READY",
        None,
    )
    assert held.next_sync_at < utc_now() + timedelta(seconds=limits.NOT_READY_LOOK_AGAIN_SECONDS)
    login.history = History.RECENT
    assert stands(cast, held.id) == ("active", "")
    login.history = History.NOT_READY  # said again, of what has been read: no way back
    assert stands(cast, held.id) == ("active", "")
    assert moves(held.id) == [
        ("pending", "in_progress", "", "hosted_flow"),
        ("in_progress", "in_progress", "NOT_READY", "sync"),
        ("in_progress", "active", "", "sync"),
    ]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (LOGIN_REQUIRED, "reconnect_required"),
        (Health(ConnectionStatus.EXPIRED, "CONSENT"), "expired"),
        (Health(ConnectionStatus.DEGRADED, "INSTITUTION_UNAVAILABLE"), "degraded"),
    ],
)
def test_a_first_read_that_the_bank_refuses_leaves_in_progress_and_comes_back(
    cast, bank, said, status
):
    flow = open_flow(cast.alice)
    login = bank.add_login("item-1")
    login.health = said
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, flow.connection_id)
    run_waiting_jobs()
    assert connection(flow.connection_id).status == status
    login.health = HEALTHY
    assert stands(cast, flow.connection_id) == ("active", "")


# active, and the time of the last attempt


def test_the_last_attempt_is_told_whether_it_failed_or_not(cast, bank, clock):
    held_id = connected(cast.alice, bank).id
    first = connection(held_id)
    read_at = first.last_read_at
    clock.pass_by(hours=1)
    failing_at(bank, "login_status")
    held, (run,) = synced(cast, held_id)
    assert (run.status, held.status) == ("failed", "active")
    assert held.last_sync_at == clock.at
    assert held.last_read_at == read_at
    assert held.successfully_aggregated_at == bank.logins["item-1"].aggregated_at
    quiet(bank)
    clock.pass_by(hours=1)
    held, _ = synced(cast, held_id)
    assert held.last_sync_at == held.last_read_at == clock.at


# partially_active


@pytest.mark.parametrize("status", [SourceAccountStatus.FAILING, SourceAccountStatus.UNSUPPORTED])
def test_one_account_that_does_not_sync_makes_a_connection_partly_active(cast, bank, status):
    held_id = connected(cast.alice, bank).id
    login = bank.logins["item-1"]
    login.accounts.append(checking("acc_2", mask="9", status=status, reason="NOT_HERE"))
    assert stands(cast, held_id) == ("partially_active", "PARTIAL_AGGREGATION")
    login.accounts[:] = [checking(status=status), login.accounts[1]]
    assert stands(cast, held_id) == ("degraded", "PARTIAL_AGGREGATION")  # none is left that does
    login.accounts[:] = [checking(), checking("acc_2", mask="9")]
    assert stands(cast, held_id) == ("active", "")
    login.accounts[:] = [checking()]  # one that is shared no more is no trouble
    assert stands(cast, held_id) == ("active", "")


def test_an_account_of_two_logins_syncs_once_until_the_first_login_ends(cast, bank):
    first_id = connected(cast.alice, bank, row("t1")).id
    flow = open_flow(cast.alice)
    login = bank.add_login("item-2")
    login.accounts = [checking("acc_1b"), checking("acc_2", mask="77", name="Savings")]
    login.log += [row("t1b", account_external_id="acc_1b")]
    bank.finish(token_of(flow), "item-2")
    second_id = complete(cast.alice, flow.connection_id).connection_id
    run_waiting_jobs()
    held = connection(second_id)
    assert (held.status, held.status_reason) == ("partially_active", "PARTIAL_AGGREGATION")
    assert accounts_in(second_id)["acc_1b"] == ("duplicate", "INACTIVE_DUPLICATE")
    assert stored_ids() == ["t1"]
    delete_connection(cast.alice, first_id)
    assert stands(cast, second_id) == ("active", "")


def test_an_account_taken_back_at_the_bank_is_shared_again_by_choosing_it(cast, bank):
    held_id = connected(cast.alice, bank).id
    bank.logins["item-1"].accounts.append(checking("acc_2", mask="9"))
    assert stands(cast, held_id) == ("active", "")
    bank.webhooks[b"gone"] = Webhook(
        WebhookKind.ACCOUNT_GONE, "ITEM/GONE", "item-1", account_external_id="acc_2"
    )
    receive("plaid", {"plaid-verification": "good"}, b"gone")
    run_waiting_jobs()
    assert connection(held_id).status == "partially_active"
    flow = repair(cast.alice, held_id, RETURN_URL, add_accounts=True)
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, held_id)
    run_waiting_jobs()
    assert connection(held_id).status == "active"
    assert accounts_in(held_id)["acc_2"] == ("active", "")


# reconnect_required


def test_a_login_that_asks_for_its_person_waits_for_them_and_says_so(cast, bank):
    held_id = connected(cast.alice, bank).id
    login = bank.logins["item-1"]
    login.health = LOGIN_REQUIRED
    held, (run,) = synced(cast, held_id)
    assert (held.status, held.status_reason) == ("reconnect_required", "ITEM_LOGIN_REQUIRED")
    assert run.status == "failed"
    assert "sign in again" in run.failure
    for ask in (sync, refresh):
        with pytest.raises(Conflict, match="until somebody signs in"):
            ask(cast.alice, held_id)
    flow = repair(cast.alice, held_id, RETURN_URL)
    bank.flows[token_of(flow)] = FlowResult(FlowState.EXITED, exit_code="left")
    complete(cast.alice, held_id)  # left without signing in: still the same
    run_waiting_jobs()
    assert connection(held_id).status == "reconnect_required"
    login.health = HEALTHY
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, held_id)
    run_waiting_jobs()
    assert connection(held_id).status == "active"
    assert moves(held_id)[-2:] == [
        ("active", "reconnect_required", "ITEM_LOGIN_REQUIRED", "sync"),
        ("reconnect_required", "active", "", "sync"),
    ]


def test_failures_that_pass_do_not_hide_that_somebody_must_sign_in(cast, bank):
    held_id = connected(cast.alice, bank).id
    bank.logins["item-1"].health = LOGIN_REQUIRED
    synced(cast, held_id)
    failing_at(bank, "login_status")
    for _ in range(limits.FAILURES_UNTIL_DEGRADED + 1):
        assert stands(cast, held_id)[0] == "reconnect_required"


# reconnect_available


def test_new_accounts_at_the_bank_can_be_added_until_they_are(cast, bank):
    held_id = connected(cast.alice, bank).id
    new = Health(ConnectionStatus.RECONNECT_AVAILABLE, "NEW_ACCOUNTS_AVAILABLE")
    bank.webhooks[b"new"] = Webhook(WebhookKind.HINT, "ITEM/NEW", "item-1", health=new)
    receive("plaid", {"plaid-verification": "good"}, b"new")
    held = connection(held_id)
    assert (held.status, held.status_reason) == ("reconnect_available", "NEW_ACCOUNTS_AVAILABLE")
    assert moves(held_id)[-1][3] == "webhook"
    run_waiting_jobs()
    assert stands(cast, held_id) == ("reconnect_available", "NEW_ACCOUNTS_AVAILABLE")
    flow = repair(cast.alice, held_id, RETURN_URL, add_accounts=True)
    assert bank.requests[-1].add_accounts
    bank.logins["item-1"].accounts.append(checking("acc_2", mask="9"))
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, held_id)
    run_waiting_jobs()
    assert connection(held_id).status == "active"
    assert len(accounts_in(held_id)) == 2


def test_an_access_that_ends_asks_for_a_visit_a_week_before_and_insists_afterwards(
    cast, bank, clock
):
    held_id = connected(cast.alice, bank).id
    login = bank.logins["item-1"]
    ends_at = clock.at + timedelta(days=30)
    login.health = Health(ConnectionStatus.ACTIVE, deadline=ends_at)
    assert stands(cast, held_id) == ("active", "")
    clock.at = ends_at - timedelta(days=7)
    assert stands(cast, held_id) == ("reconnect_available", "ACCESS_EXPIRING_SOON")
    clock.at = ends_at
    do_what_is_due(utc_now())  # the clock alone, before anything is read
    held = connection(held_id)
    assert (held.status, held.status_reason) == ("reconnect_required", "ACCESS_EXPIRED")
    assert moves(held_id)[-1] == (
        "reconnect_available",
        "reconnect_required",
        "ACCESS_EXPIRED",
        "clock",
    )
    assert stands(cast, held_id) == ("reconnect_required", "ACCESS_EXPIRED")
    flow = repair(cast.alice, held_id, RETURN_URL)
    login.health = Health(ConnectionStatus.ACTIVE, deadline=ends_at + timedelta(days=90))
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, held_id)
    run_waiting_jobs()
    assert connection(held_id).status == "active"


def test_an_announced_end_that_did_not_come_is_forgotten_once_the_login_was_read(cast, bank, clock):
    held_id = connected(cast.alice, bank).id
    change_connection(held_id, access_ends_at=clock.at + timedelta(hours=1))
    clock.pass_by(hours=2)
    do_what_is_due(utc_now())
    assert connection(held_id).status == "reconnect_required"
    assert stands(cast, held_id) == ("active", "")
    assert connection(held_id).access_ends_at is None


# degraded


def test_failures_in_a_row_are_trouble_and_one_success_ends_it(cast, bank):
    held_id = connected(cast.alice, bank).id
    failing_at(bank, "sync_page")
    for number in range(1, limits.FAILURES_UNTIL_DEGRADED + 1):
        held, _ = synced(cast, held_id)
        assert held.failures_count == number
        degraded = number == limits.FAILURES_UNTIL_DEGRADED
        assert held.status == ("degraded" if degraded else "active")
        assert utc_now() < held.next_sync_at
    assert held.status_reason == "PROVIDER_UNAVAILABLE"
    quiet(bank)
    held, _ = synced(cast, held_id)
    assert (held.status, held.failures_count) == ("active", 0)


def test_what_the_aggregator_says_of_the_bank_is_believed_at_once(cast, bank):
    held_id = connected(cast.alice, bank).id
    trouble = Health(ConnectionStatus.DEGRADED, "INSTITUTION_UNAVAILABLE")
    bank.logins["item-1"].health = trouble
    assert stands(cast, held_id) == ("degraded", "INSTITUTION_UNAVAILABLE")
    bank.logins["item-1"].health = HEALTHY
    failing_at(
        bank,
        "sync_page",
        error=AggregatorError("DOWN", "The bank is down.", permanent=False, health=trouble),
    )
    assert stands(cast, held_id) == ("degraded", "INSTITUTION_UNAVAILABLE")
    assert stands(cast, held_id) == ("degraded", "INSTITUTION_UNAVAILABLE")
    quiet(bank)
    assert stands(cast, held_id) == ("active", "")


def test_a_provider_that_wants_a_year_of_quiet_is_asked_again_the_next_day(cast, bank):
    held_id = connected(cast.alice, bank).id
    busy = AggregatorError("BUSY", "Busy.", permanent=False, retry_after_seconds=31_536_000)
    failing_at(bank, "login_status", error=busy)
    held, _ = synced(cast, held_id)
    latest = utc_now() + timedelta(seconds=limits.RETRY_AFTER_SECONDS_MAX * 1.25)
    assert utc_now() < held.next_sync_at <= latest


def test_a_lost_key_is_said_and_ends_with_its_return(app, cast, bank, monkeypatch):
    held_id = connected(cast.alice, bank).id
    good = vault._keys

    def lost(_purpose):
        raise vault.VaultClosed("no key of CREDENTIAL_KEYS opens it")

    monkeypatch.setattr(vault, "_keys", lost)
    held, (run,) = synced(cast, held_id)
    assert (held.status, held.status_reason) == ("degraded", "CREDENTIALS_UNREADABLE")
    assert "Ask your operator" in run.failure
    with pytest.raises(vault.VaultClosed):
        repair(cast.alice, held_id, RETURN_URL)
    monkeypatch.setattr(vault, "_keys", good)
    assert stands(cast, held_id) == ("active", "")


# expired


def test_an_attempt_that_nobody_finishes_expires_and_may_be_tried_again(cast, bank, clock):
    flow = open_flow(cast.alice)
    clock.at = flow.expires_at + timedelta(seconds=limits.FLOW_GRACE_SECONDS - 1)
    do_what_is_due(utc_now())
    assert connection(flow.connection_id).status == "pending"  # a last-moment finish still counts
    clock.pass_by(seconds=1)
    do_what_is_due(utc_now())
    held = connection(flow.connection_id)
    assert (held.status, held.status_reason) == ("expired", "ABANDONED")
    assert get_owned(HostedFlow, flow.flow_id).secrets is None
    with pytest.raises(NotFinished):
        complete(cast.alice, held.id)
    again = repair(cast.alice, held.id, RETURN_URL)
    assert connection(held.id).status == "pending"
    bank.add_login("item-1")
    bank.finish(token_of(again), "item-1")
    complete(cast.alice, held.id)
    run_waiting_jobs()
    assert [(one[0], one[1]) for one in moves(held.id)] == [
        ("pending", "expired"),
        ("expired", "pending"),
        ("pending", "in_progress"),
        ("in_progress", "active"),
    ]


def test_a_consent_that_ran_out_expires_and_is_given_again(cast, bank):
    held_id = connected(cast.alice, bank, row("t1")).id
    login = bank.logins["item-1"]
    login.health = Health(ConnectionStatus.EXPIRED, "CONSENT_ENDED")
    assert stands(cast, held_id) == ("expired", "CONSENT_ENDED")
    flow = repair(cast.alice, held_id, RETURN_URL)
    login.health = HEALTHY
    login.log.append(row("t2"))
    bank.finish(token_of(flow), "item-1")
    complete(cast.alice, held_id)
    run_waiting_jobs()
    assert connection(held_id).status == "active"
    assert stored_ids() == ["t1", "t2"]


# deleted


def test_a_login_that_the_aggregator_forgot_ends_as_a_deletion_does(cast, bank):
    held_id = connected(cast.alice, bank, row("t1")).id
    (account,) = db.session.scalars(owned(FinancialAccount)).all()
    ledger_id = add_ledger_account()
    map_account(cast.alice, account.id, ledger_id)
    visit = repair(cast.alice, held_id, RETURN_URL)
    bank.logins["item-1"].health = Health(ConnectionStatus.DELETED, "ITEM_NOT_FOUND")
    held, _ = synced(cast, held_id)
    assert (held.status, held.status_reason) == ("deleted", "ITEM_NOT_FOUND")
    assert held.deleted_at is not None
    assert get_owned(FinancialAccount, account.id).ledger_bank_account_id is None
    assert get_owned(HostedFlow, visit.flow_id).progress == "replaced"
    run_waiting_jobs()
    assert connection(held_id).credentials is None
    assert stored_ids() == ["t1"]
    bank.logins["item-1"].health = HEALTHY
    change_connection(held_id, next_sync_at=utc_now())
    do_what_is_due(utc_now())
    assert run_waiting_jobs() == []
    assert connection(held_id).next_sync_at is None
    assert moves(held_id)[-1] == ("active", "deleted", "ITEM_NOT_FOUND", "sync")


def test_nothing_that_fails_late_touches_a_deleted_connection(cast, bank):
    held_id = connected(cast.alice, bank).id
    sync(cast.alice, held_id)

    def delete_and_fail(call):
        if call == "sync_page":
            quiet(bank)
            delete_connection(cast.alice, held_id)
            raise DOWN

    bank.before = delete_and_fail
    run_waiting_jobs()
    held = connection(held_id)
    assert (held.status, held.failures_count, held.next_sync_at) == ("deleted", 0, None)


# the end of a hosted flow, when something goes wrong


def test_an_access_is_kept_although_the_aggregator_falls_silent_after_giving_it(cast, bank):
    flow = open_flow(cast.alice)
    bank.add_login("item-1")
    token = bank.finish(token_of(flow), "item-1")
    bank.flows[token_of(flow)] = FlowResult(FlowState.FINISHED, (Grant(token, None, ()),))
    failing_at(bank, "login_status")
    complete(cast.alice, flow.connection_id)
    assert connection(flow.connection_id).status == "in_progress"
    run_waiting_jobs()
    quiet(bank)
    held, _ = synced(cast, flow.connection_id)
    assert (held.status, held.institution_name) == ("active", "First Platypus Bank")


def test_a_token_that_nobody_knows_leaves_the_flow_as_it_was(cast, bank):
    flow = open_flow(cast.alice)
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")
    with pytest.raises(ProviderRefused):
        complete(cast.alice, flow.connection_id, "public-mistyped")
    assert connection(flow.connection_id).status == "pending"
    complete(cast.alice, flow.connection_id)
    assert connection(flow.connection_id).status == "in_progress"


def test_a_grant_that_is_used_up_ends_the_attempt_and_says_what_to_do(cast, bank):
    flow = open_flow(cast.alice)
    bank.add_login("item-1")
    del bank.grants[bank.finish(token_of(flow), "item-1")]
    with pytest.raises(GrantRefused, match="begin again"):
        complete(cast.alice, flow.connection_id)
    held = connection(flow.connection_id)
    assert (held.status, held.status_reason) == ("expired", "INVALID_PUBLIC_TOKEN")
    repair(cast.alice, held.id, RETURN_URL)
    assert connection(held.id).status == "pending"


def test_a_login_that_another_connection_reads_leaves_none_behind(cast, bank):
    first = connected(cast.alice, bank)
    flow = open_flow(cast.alice)
    bank.finish(token_of(flow), "item-1")
    (grant,) = bank.flows[token_of(flow)].grants
    bank.flows[token_of(flow)] = FlowResult(FlowState.FINISHED, (Grant(grant.token, None, ()),))
    with pytest.raises(NotFinished, match="another connection reads already"):
        complete(cast.alice, flow.connection_id)
    held = connection(flow.connection_id)
    assert (held.status, held.status_reason, held.credentials) == ("expired", "DUPLICATE", None)
    assert connection(first.id).status == "active"


def test_a_duplicate_is_refused_by_the_clock_as_well(cast, bank, clock):
    connected(cast.alice, bank)
    flow = open_flow(cast.alice)
    bank.add_login("item-2")
    bank.finish(token_of(flow), "item-2")
    clock.pass_by(seconds=limits.FLOW_POLL_SECONDS_MAX)
    do_what_is_due(utc_now())
    run_waiting_jobs()
    held = connection(flow.connection_id)
    assert (held.status, held.status_reason) == ("expired", "DUPLICATE")
    with pytest.raises(NotFinished):
        complete(cast.alice, held.id)
    again = repair(cast.alice, held.id, RETURN_URL)
    bank.finish(token_of(again), "item-2")
    with pytest.raises(AlreadyConnected):
        complete(cast.alice, held.id)


def test_an_exchange_that_was_interrupted_is_done_again_by_the_clock(cast, bank, clock):
    flow = open_flow(cast.alice)
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")

    class DiedError(BaseException):
        pass

    failing_at(bank, "exchange", error=DiedError())
    with pytest.raises(DiedError):
        complete(cast.alice, flow.connection_id)
    quiet(bank)
    with pytest.raises(Conflict, match="completed at this moment"):
        complete(cast.alice, flow.connection_id)
    clock.pass_by(seconds=limits.EXCHANGE_SECONDS_MAX)
    do_what_is_due(utc_now())
    run_waiting_jobs()
    run_waiting_jobs()
    assert connection(flow.connection_id).status == "active"


def test_a_second_flow_of_a_connection_that_is_finished_meanwhile_changes_no_login(cast, bank):
    flow = open_flow(cast.alice)
    bank.add_login("item-1")
    bank.finish(token_of(flow), "item-1")

    def finished_meanwhile(call):
        if call == "start_flow":
            quiet(bank)
            complete(cast.carol, flow.connection_id)

    bank.before = finished_meanwhile
    with pytest.raises(Conflict, match="changed meanwhile"):
        repair(cast.alice, flow.connection_id, RETURN_URL)
    assert connection(flow.connection_id).external_id == "item-1"
    assert connection(flow.connection_id).status == "in_progress"


def test_one_row_that_breaks_does_not_stop_the_clock(cast, bank, monkeypatch):
    held_id = connected(cast.alice, bank).id
    flow = open_flow(cast.alice)
    change_connection(held_id, next_sync_at=utc_now() - timedelta(days=1))
    monkeypatch.setattr("app.connections.schedule.next_regular_sync", lambda _connection: 1 / 0)
    do_what_is_due(utc_now() + timedelta(days=1))
    assert connection(flow.connection_id).status == "expired"
