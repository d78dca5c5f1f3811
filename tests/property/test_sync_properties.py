"""Whatever happens at the bank, and however it is read: afterwards each transaction is here once.

And nothing that was ever stored is gone.
"""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.aggregators.contract import AggregatorError, CursorRefused, SourceTransaction
from app.connections import fetching
from app.connections.completion import complete
from app.connections.deletion import delete_connection
from app.connections.hosted_flows import connect
from app.connections.refresh import sync
from app.kernel.ids import new_id
from app.models import FinancialTransaction, TransactionStatus, db
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.tenancy.scope import enter_scope, leave_scope, owned
from tests.books import run_waiting_jobs
from tests.conftest import PASSWORD
from tests.scripted_bank import Login, ScriptedBank, row

RETURN_URL = "https://tieout.example/ended"
DAYS = st.integers(0, 6).map(lambda n: date(2026, 10, 1) + timedelta(days=n))
AMOUNTS = st.sampled_from([-1250, -1250, -3588, 90_000, 1])
TEXTS = st.sampled_from(["RENT", "FEE", "CARD 4711"])


class Bank(RuleBasedStateMachine):
    """One bank account, changed at will, behind an aggregator that is read at will."""

    app = None

    @initialize(page_rows=st.integers(1, 4))
    def begin(self, page_rows):
        founded = create_organization(
            "Acme", admin_email=f"{new_id()}@acme.example", admin_password=PASSWORD
        )
        enter_scope(founded.organization_id)
        self.actor = actor_of(founded.user_id, founded.organization_id, via="web")
        self.rows: dict[str, SourceTransaction] = {}
        self.number = 0
        self.stored_ever = 0
        self.scripted = ScriptedBank(page_rows=page_rows)
        self.app.extensions["aggregators"] = {"plaid": self.scripted}
        self.logins = 0
        self.connection_id = None
        self.link()

    def link(self):
        self.logins += 1
        login_id = f"item-{self.logins}-{new_id()}"
        self.login = self.scripted.add_login(login_id, Login())
        self.renumbered = {}
        for old_id, transaction in sorted(self.rows.items()):
            self.renumbered[old_id] = replace(transaction, external_id=f"{self.logins}-{old_id}")
        self.rows = {one.external_id: one for one in self.renumbered.values()}
        self.login.log.extend(self.rows.values())
        flow = connect(self.actor, "plaid", RETURN_URL)
        self.scripted.finish(f"link-{flow.flow_id}", login_id)
        self.connection_id = complete(self.actor, flow.connection_id).connection_id
        run_waiting_jobs()
        self.agrees()

    def new_id(self):
        self.number += 1
        return f"{self.logins}-t{self.number}"

    def state(self, transaction):
        self.rows[transaction.external_id] = transaction
        self.login.log.append(transaction)

    @rule(day=DAYS, amount=AMOUNTS, text=TEXTS, pending=st.booleans())
    def transact(self, day, amount, text, pending):
        made = row(self.new_id(), amount, posted_date=day, description=text, pending=pending)
        self.state(made)

    @precondition(lambda self: self.rows)
    @rule(data=st.data(), amount=AMOUNTS, text=TEXTS)
    def modify(self, data, amount, text):
        chosen = self.rows[data.draw(st.sampled_from(sorted(self.rows)))]
        self.state(replace(chosen, amount_minor=amount, description=text))

    @precondition(lambda self: self.rows)
    @rule(data=st.data())
    def remove(self, data):
        gone = self.rows.pop(data.draw(st.sampled_from(sorted(self.rows))))
        self.login.log.append(("acc_1", gone.external_id))

    @precondition(lambda self: any(one.pending for one in self.rows.values()))
    @rule(
        data=st.data(),
        tip=st.sampled_from([0, -250]),
        linked=st.booleans(),
        removed_first=st.booleans(),
        same_id=st.booleans(),
    )
    def post(self, data, tip, linked, removed_first, same_id):
        pending = sorted(key for key, one in self.rows.items() if one.pending)
        chosen = self.rows.pop(data.draw(st.sampled_from(pending)))
        posted = replace(chosen, pending=False, amount_minor=chosen.amount_minor + tip)
        if same_id:
            self.state(posted)
            return
        link = chosen.external_id if linked else ""
        posted = replace(posted, external_id=self.new_id(), pending_external_id=link)
        gone = ("acc_1", chosen.external_id)
        self.rows[posted.external_id] = posted
        self.login.log.extend([gone, posted] if removed_first else [posted, gone])

    @rule()
    def lose_the_cursor(self):
        """The aggregator forgets its log; only what is there now can be read, from the beginning."""
        self.login.log[:] = list(self.rows.values())
        self.login.epoch += 1

    @rule(fails_after=st.none() | st.integers(0, 3), times=st.integers(1, 3))
    def read(self, fails_after, times):
        left = [times]
        calls = [0]

        def before(call):
            calls[0] += call == "sync_page"
            if fails_after is not None and calls[0] > fails_after and left[0]:
                left[0] -= 1
                calls[0] = 0
                raise CursorRefused("TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")

        self.scripted.before = before
        sync(self.actor, self.connection_id)
        run_waiting_jobs()
        self.scripted.before = lambda _call: None
        self.agrees()

    @rule()
    def read_in_vain(self):
        def before(call):
            if call == "sync_page":
                raise AggregatorError("INSTITUTION_DOWN", "The bank is down.", permanent=False)

        self.scripted.before = before
        sync(self.actor, self.connection_id)
        run_waiting_jobs()
        self.scripted.before = lambda _call: None

    @rule()
    def connect_anew(self):
        self.read(None, 1)
        delete_connection(self.actor, self.connection_id)
        self.link()

    def agrees(self):
        db.session.rollback()
        stored = db.session.scalars(owned(FinancialTransaction)).all()
        assert len(stored) >= self.stored_ever
        self.stored_ever = len(stored)
        live = [one for one in stored if one.status != TransactionStatus.REMOVED]
        assert Counter(map(_said, live)) == Counter(map(_stated, self.rows.values()))


def _said(one):
    pending = one.status == TransactionStatus.PENDING
    return one.posted_date, one.amount_minor, pending


def _stated(one):
    return one.posted_date, one.amount_minor, one.pending


@pytest.mark.parametrize("prepared_app", ["sqlite"], indirect=True)
def test_after_a_sync_the_stored_transactions_are_the_banks(app, bank, monkeypatch):
    monkeypatch.setattr(fetching, "_RESTART_PAUSE_SECONDS", 0)
    Bank.app = app
    run_state_machine_as_test(
        Bank,
        settings=settings(
            max_examples=30,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    leave_scope()
