"""Messages of aggregators: forged, repeated, late, lost and for somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.aggregators.contract import AggregatorError, Health, Webhook, WebhookKind
from app.connections.completion import complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import connect
from app.connections.webhooks import WebhookRefused, WebhookUndecided, receive
from app.kernel import limits
from app.kernel.bank import ConnectionStatus
from app.kernel.clock import utc_now
from app.kernel.errors import NotFound, TooLarge
from app.models import JobKind, JobRun, JobStatus, Membership, Role, WebhookReceipt, db
from app.people.members import change_member
from app.tenancy.scope import ALL_ORGANIZATIONS, enter_scope, organization_scope, owned
from tests.bank_logins import RETURN_URL, connected, connection, history, open_flow, token_of
from tests.books import nothing_changes, run_waiting_jobs
from tests.races import race
from tests.scripted_bank import HEALTHY, row

GOOD = {"plaid-verification": "good"}
DATA = Webhook(WebhookKind.DATA, "TRANSACTIONS/SYNC_UPDATES_AVAILABLE", "item-1")
LOGIN_REQUIRED = Health(ConnectionStatus.RECONNECT_REQUIRED, "ITEM_LOGIN_REQUIRED")


def hint(health: Health) -> Webhook:
    return Webhook(WebhookKind.HINT, "ITEM/HINT", "item-1", health=health)


def waiting(kind: JobKind = JobKind.SYNC) -> list[JobRun]:
    db.session.rollback()
    runs = owned(JobRun).where(JobRun.status == JobStatus.QUEUED, JobRun.kind == kind)
    return list(db.session.scalars(runs))


def receipts() -> list[WebhookReceipt]:
    db.session.rollback()
    return list(db.session.scalars(db.select(WebhookReceipt).order_by(WebhookReceipt.id)))


def sent(bank, webhook: Webhook, body: bytes = b"{}", headers=GOOD) -> None:
    bank.webhooks[body] = webhook
    receive("plaid", headers, body)


def test_news_of_data_is_a_sync_and_the_same_message_again_is_nothing(cast, bank):
    held_id = connected(cast.alice, bank).id
    sent(bank, DATA)
    (run,) = waiting()
    assert (run.subject_id, run.cause) == (held_id, "webhook")
    run_waiting_jobs()
    with nothing_changes():
        receive("plaid", GOOD, b"{}")
    receive("plaid", {"plaid-verification": "good, of another day"}, b"{}")
    assert len(waiting()) == 1
    assert [one.connection_id for one in receipts()] == [held_id, held_id]


def test_the_same_message_twice_in_one_moment_is_taken_once(cast, bank):
    connected(cast.alice, bank)
    bank.webhooks[b"{}"] = DATA
    assert race(cast.acme_id, *[lambda: receive("plaid", GOOD, b"{}")] * 3) == [None] * 3
    assert (len(receipts()), len(waiting())) == (1, 1)


def test_a_message_that_may_rightly_be_equal_is_read_each_time(cast, bank):
    connected(cast.alice, bank)
    equal = Webhook(WebhookKind.DATA, "CONNECTION_STATUS", "item-1", is_unique=False)
    for _ in range(2):
        sent(bank, equal)
        assert len(waiting()) == 1
        run_waiting_jobs()
    assert len(receipts()) == 1


@pytest.mark.parametrize("headers", [{}, {"plaid-verification": "forged"}])
def test_an_unsigned_or_forged_message_does_nothing(cast, bank, headers):
    connected(cast.alice, bank)
    bank.webhooks[b"{}"] = DATA
    with nothing_changes(), pytest.raises(WebhookRefused):
        receive("plaid", headers, b"{}")


def test_an_altered_message_does_nothing(cast, bank):
    connected(cast.alice, bank)
    bank.webhooks[b"{}"] = DATA
    with nothing_changes(), pytest.raises(WebhookRefused):
        receive("plaid", GOOD, b"{ }")


def test_a_message_that_cannot_be_verified_now_is_sent_again(cast, bank, monkeypatch):
    connected(cast.alice, bank)

    def no_key(*_args):
        raise AggregatorError("DOWN", "The aggregator is down.", permanent=False)

    with monkeypatch.context() as patch:
        patch.setattr(bank, "read_webhook", no_key)
        with nothing_changes(), pytest.raises(WebhookUndecided):
            receive("plaid", GOOD, b"{}")
    sent(bank, DATA)
    assert len(waiting()) == 1


def test_a_message_of_nobody_we_know_or_beyond_all_size_is_refused(cast, bank):
    with nothing_changes():
        with pytest.raises(NotFound):
            receive("yodlee", GOOD, b"{}")
        with pytest.raises(TooLarge):
            receive("plaid", GOOD, b"x" * (limits.WEBHOOK_BYTES_MAX + 1))
    body = b"x" * limits.WEBHOOK_BYTES_MAX
    sent(bank, Webhook(WebhookKind.DATA, "n" * 500, "item-unknown"), body)
    (stray,) = receipts()
    assert (stray.connection_id, len(stray.name)) == (None, 80)
    receive("plaid", GOOD, body)
    assert len(receipts()) == 1


def test_a_message_for_another_organizations_login_moves_that_one_only(cast, bank):
    ours = connected(cast.alice, bank, login_id="item-1").id
    enter_scope(cast.other_id)
    theirs = connected(cast.charlie, bank, login_id="item-2").id
    enter_scope(cast.acme_id)
    sent(bank, Webhook(WebhookKind.DATA, "DATA", "item-2"))
    assert waiting() == []
    with organization_scope(cast.other_id):
        assert [run.subject_id for run in waiting()] == [theirs]
    db.session.rollback()
    everybodys = db.select(JobRun).where(JobRun.status == JobStatus.QUEUED)
    runs = db.session.scalars(everybodys, execution_options=ALL_ORGANIZATIONS).all()
    assert [run.organization_id for run in runs] == [cast.other_id]
    assert [one.cause for one in history(ours)].count("webhook") == 0


def test_the_end_of_a_visit_completes_it_in_the_name_of_who_began_it(cast, bank):
    flow = connect(cast.carol, "plaid", RETURN_URL)
    bank.add_login("item-1").log.append(row("t1"))
    bank.finish(token_of(flow), "item-1")
    ended = Webhook(WebhookKind.FLOW_ENDED, "LINK/SESSION_FINISHED", flow_token=token_of(flow))
    sent(bank, ended)
    (run,) = waiting(JobKind.FINISH_FLOW)
    assert run.actor_user_id == cast.carol.user_id
    run_waiting_jobs()
    assert connection(flow.connection_id).status == "in_progress"
    run_waiting_jobs()
    assert connection(flow.connection_id).status == "active"
    receive("plaid", {"plaid-verification": "good, again"}, b"{}")  # over: for nobody
    assert receipts()[-1].connection_id is None


def test_the_end_of_a_visit_does_nothing_for_whoever_lost_the_right_meanwhile(cast, bank):
    flow = connect(cast.carol, "plaid", RETURN_URL)
    bank.add_login("item-1")
    grant = bank.finish(token_of(flow), "item-1")
    member = db.session.scalars(
        owned(Membership).where(Membership.user_id == cast.carol.user_id)
    ).one()
    change_member(cast.alice, member.id, role=Role.CONTROLLER, bank_connections=False)
    sent(bank, Webhook(WebhookKind.FLOW_ENDED, "LINK/ENDED", flow_token=token_of(flow)))
    (run,) = run_waiting_jobs()
    assert run.status == JobStatus.FAILED
    assert grant in bank.grants
    assert connection(flow.connection_id).status == "pending"


def test_the_end_of_an_unknown_visit_is_nobodys(cast, bank):
    open_flow(cast.alice)
    sent(bank, Webhook(WebhookKind.FLOW_ENDED, "LINK/ENDED", flow_token="link-of-nobody"))
    assert waiting(JobKind.FINISH_FLOW) == []
    assert receipts()[0].connection_id is None


def test_a_late_error_after_the_repair_is_read_and_found_over(cast, bank):
    held_id = connected(cast.alice, bank).id
    login = bank.logins["item-1"]
    login.health = LOGIN_REQUIRED
    error = Webhook(WebhookKind.DATA, "ITEM/ERROR", "item-1", health=LOGIN_REQUIRED)
    sent(bank, error, b"error")
    assert connection(held_id).status == "active"  # believed only when it was read
    run_waiting_jobs()
    assert connection(held_id).status == "reconnect_required"
    login.health = HEALTHY
    sent(bank, hint(HEALTHY), b"repaired")
    run_waiting_jobs()
    assert connection(held_id).status == "active"
    receive("plaid", {"plaid-verification": "good, sent late"}, b"error")
    assert connection(held_id).status == "active"
    run_waiting_jobs()
    assert connection(held_id).status == "active"


def test_an_announced_end_is_kept_and_called_off(cast, bank):
    held_id = connected(cast.alice, bank).id
    ends_at = utc_now() + timedelta(days=6)
    soon = Health(ConnectionStatus.RECONNECT_AVAILABLE, "ACCESS_EXPIRING_SOON", ends_at)
    sent(bank, hint(soon), b"soon")
    held = connection(held_id)
    assert (held.status, held.access_ends_at) == ("reconnect_available", ends_at)
    run_waiting_jobs()
    assert connection(held_id).status == "reconnect_available"
    sent(bank, hint(HEALTHY), b"off")
    held = connection(held_id)
    assert (held.status, held.access_ends_at) == ("active", None)
    assert history(held_id)[-1].sentence.endswith("somebody has signed in at the bank again.")
    assert all(one.actor_name for one in history(held_id))


def test_an_end_that_is_far_away_is_kept_without_alarm(cast, bank):
    held_id = connected(cast.alice, bank).id
    ends_at = utc_now() + timedelta(days=60)
    sent(bank, hint(Health(ConnectionStatus.RECONNECT_AVAILABLE, "ACCESS_EXPIRING_SOON", ends_at)))
    held = connection(held_id)
    assert (held.status, held.access_ends_at) == ("active", ends_at)


def test_no_message_brings_a_deleted_connection_back(cast, bank):
    held_id = connected(cast.alice, bank).id
    delete_connection(cast.alice, held_id)
    run_waiting_jobs()
    for number, webhook in enumerate((DATA, hint(HEALTHY), hint(LOGIN_REQUIRED))):
        sent(bank, webhook, str(number).encode())
    assert waiting() == []
    assert connection(held_id).status == "deleted"
    assert {one.connection_id for one in receipts()} == {None}


def test_a_message_and_a_completion_in_the_same_moment_do_not_hinder_each_other(cast, bank):
    for number in range(3):
        flow = open_flow(cast.alice)
        login_id = f"item-{number}"
        bank.add_login(login_id).accounts.clear()
        bank.finish(token_of(flow), login_id)
        body = login_id.encode()
        bank.webhooks[body] = Webhook(
            WebhookKind.FLOW_ENDED, "LINK/ENDED", flow_token=token_of(flow)
        )
        outcomes = race(
            cast.acme_id,
            lambda flow=flow: complete(cast.alice, flow.connection_id).connection_id,
            lambda body=body: receive("plaid", GOOD, body),
        )
        assert outcomes == [flow.connection_id, None]
        run_waiting_jobs()
        run_waiting_jobs()
        assert connection(flow.connection_id).status == "active"
