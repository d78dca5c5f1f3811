"""SimpleFIN through the services: what the books hold is what the banks show."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest

from app.connections.deletion import delete_connection
from app.connections.nonstandard import ConnectThrough, connect_through
from app.connectors.simplefin import connector as module
from app.connectors.simplefin.windows import OVERLAP_DAYS
from app.jobs import runs
from app.kernel.errors import Invalid
from app.models import (
    ConnectionEvent,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    JobKind,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.tenancy.scope import get_owned, owned
from tests.books import run_waiting_jobs
from tests.plaid_sandbox import TODAY
from tests.sandbox_support import CASCADE, FOUNDRY, PUGET, Browser


class Shared:
    """One token's banks: what a person and the banks do, and what the books hold."""

    def __init__(self, sandbox, actor, clock):
        self.sandbox, self.actor, self.clock = sandbox, actor, clock
        self.browser = Browser().open(f"{sandbox.url}/simplefin/create")

    def connect(self, *banks):
        before = {item["item_id"] for item in self.sandbox.control("GET", "/items")["items"]}
        self.browser.submit("create", bank=banks)
        items = self.sandbox.control("GET", "/items")["items"]
        self.names = {
            item["institution_id"]: item["item_id"]
            for item in items
            if item["item_id"] not in before
        }
        return self.claim()

    def claim(self):
        self.token = re.search(r'id="token" value="([^"]+)"', self.browser.text)[1]
        command = ConnectThrough("simplefin", "My banks", {"setup_token": self.token})
        self.connection_id = connect_through(self.actor, command)
        run_waiting_jobs()
        return self

    def days_pass(self, days):
        self.clock["day"] += timedelta(days=days)
        for name in self.names.values():
            self.sandbox.control("POST", f"/items/{name}/advance", days=days)

    def sync(self):
        with unit_of_work() as work:
            runs.request_run(work, self.actor, JobKind.SYNC, self.connection_id)
        (run,) = (run for run in run_waiting_jobs() if run.kind == JobKind.SYNC)
        return run

    @property
    def connection(self):
        db.session.rollback()
        return get_owned(FinancialConnection, self.connection_id)

    def told(self):
        return [event.sentence for event in db.session.scalars(owned(ConnectionEvent))]

    def held(self, since=date.min):
        """Return what the books hold and do not call removed, by the bank's own id."""
        db.session.rollback()
        rows = db.session.scalars(
            owned(FinancialTransaction).where(
                FinancialTransaction.status != TransactionStatus.REMOVED,
                FinancialTransaction.posted_date >= since,
            )
        )
        return {row.external_id: (row.amount_minor, str(row.posted_date)) for row in rows}

    def shown(self, since):
        """Return what the banks show, the same way."""
        return {
            row["transaction_id"]: (row["amount_minor"], row["date"])
            for name in self.names.values()
            for row in self.sandbox.control("GET", f"/items/{name}/transactions")["transactions"]
            if date.fromisoformat(row["date"]) >= since
        }


@pytest.fixture
def shared(sandbox, cast, monkeypatch):
    clock = {"day": TODAY}
    monkeypatch.setattr(module, "utc_now", lambda: datetime.combine(clock["day"], time(12), UTC))
    return Shared(sandbox, cast.alice, clock)


def test_a_token_becomes_accounts_and_transactions(shared):
    shared.connect(PUGET, FOUNDRY)
    held = shared.connection
    assert (held.status, held.settings, held.institution_name) == ("active", {}, "My banks")
    assert held.successfully_aggregated_at is not None
    first = TODAY - timedelta(days=89)
    assert shared.held() == shared.shown(first)
    accounts = db.session.scalars(owned(FinancialAccount)).all()
    assert len(accounts) == 5
    assert all(account.current_balance_minor is not None for account in accounts)


def test_books_and_banks_agree_as_days_pass(shared):
    shared.connect(FOUNDRY)
    removed = 0
    for days in (1, 3, 10, 40):
        since = shared.clock["day"] - timedelta(days=OVERLAP_DAYS)
        shared.days_pass(days)
        assert shared.sync().failure == ""
        assert shared.held(since) == shared.shown(since)
        removed = db.session.query(FinancialTransaction).filter_by(status="removed").count()
    assert removed  # what was pending under another id, and what the bank took back


def test_a_pause_of_months_is_made_up_for(shared):
    shared.connect(PUGET)
    since = shared.clock["day"] - timedelta(days=OVERLAP_DAYS)
    shared.days_pass(200)
    run = shared.sync()
    assert run.failure == ""
    assert shared.held(since) == shared.shown(since)


def test_an_account_that_fails_loses_nothing_and_the_others_go_on(shared):
    shared.connect(PUGET, CASCADE)
    before = shared.held()
    shared.sandbox.control("POST", f"/items/{shared.names[PUGET]}/faults", name="con.auth")
    shared.days_pass(20)
    shared.sync()
    assert (shared.connection.status, before.items() <= shared.held().items()) == (
        "partially_active",
        True,
    )
    assert len(shared.held()) > len(before)
    shared.sandbox.control("DELETE", f"/items/{shared.names[PUGET]}/faults")
    shared.sync()
    assert shared.connection.status == "active"


def test_data_that_are_missing_for_a_while_are_not_gone(shared):
    shared.connect(PUGET, CASCADE)
    before = shared.held()
    shared.sandbox.control("POST", f"/items/{shared.names[PUGET]}/faults", name="act.missingdata")
    assert shared.sync().failure == ""
    assert (shared.connection.status, shared.held()) == ("partially_active", before)


def test_a_bank_that_wants_a_sign_in_is_told_in_its_words(shared):
    shared.connect(PUGET)
    shared.sandbox.control("POST", f"/items/{shared.names[PUGET]}/faults", name="con.auth")
    run = shared.sync()
    held = shared.connection
    assert (held.status, held.status_reason) == ("reconnect_required", "CON_AUTH")
    assert run.failure
    assert "Puget Harbor Bank wants you to sign in again" in shared.told()


def test_a_source_that_falls_silent_takes_nothing_back(shared, monkeypatch):
    shared.connect(PUGET)
    before = shared.held()
    assert before

    def nothing(answer, *said, with_rows):
        for account in answer["accounts"]:
            if with_rows:
                account["transactions"] = []
        return read(answer, *said, with_rows=with_rows)

    read = module.read_account_set
    monkeypatch.setattr(module, "read_account_set", nothing)
    assert shared.sync().failure == ""
    assert shared.held() == before


def test_a_row_that_cannot_be_read_any_more_is_told_and_stands(shared, monkeypatch):
    shared.connect(PUGET)
    before = shared.held()

    def spoiled(answer, *said, with_rows):
        if with_rows:
            answer["accounts"][0]["transactions"][-1]["amount"] = "?"
        return read(answer, *said, with_rows=with_rows)

    read = module.read_account_set
    monkeypatch.setattr(module, "read_account_set", spoiled)
    run = shared.sync()
    assert "1 not readable" in run.progress_text
    assert shared.held() == before


def test_a_token_taken_back_asks_for_a_person_and_keeps_everything(shared):
    shared.connect(PUGET)
    before = shared.held()
    shared.browser.open(shared.browser.url).submit("disable")
    shared.sync()
    assert shared.connection.status == "reconnect_required"
    assert shared.held() == before


def test_another_token_of_the_same_banks_goes_on_where_the_first_ended(shared, cast):
    shared.connect(PUGET)
    before = shared.held()
    shared.browser.open(shared.browser.url).submit("disable")
    shared.sync()
    delete_connection(cast.alice, shared.connection_id)
    shared.browser.submit("again")
    shared.claim()
    assert shared.connection.status == "active"
    assert shared.connection.institution_name == "Puget Harbor Bank"
    (account,) = db.session.scalars(owned(FinancialAccount)).all()
    assert account.connection_id == shared.connection_id
    assert shared.held() == before


def test_a_spent_token_makes_no_connection(shared, cast):
    shared.connect(PUGET)
    again = ConnectThrough("simplefin", "My banks", {"setup_token": shared.token})
    with pytest.raises(Invalid) as refused:
        connect_through(cast.alice, again)
    assert "stolen" in refused.value.fields["setup_token"][0]
    assert len(db.session.scalars(owned(FinancialConnection)).all()) == 1


def test_deleting_says_that_the_token_is_still_good(shared, cast):
    shared.connect(PUGET)
    assert not delete_connection(cast.alice, shared.connection_id).access_removed
    assert any("disable the token" in sentence for sentence in shared.told())
    assert shared.connection.credentials is None
