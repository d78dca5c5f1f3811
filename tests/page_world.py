"""A small organization in which every page has something to show, and every address its ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import product

from flask import url_for
from werkzeug.routing import Rule

from app.connections.hosted_flows import connect
from app.connections.nonstandard import AskForConnector, ask_for_connector
from app.connections.uploads import confirm_upload, store_upload
from app.ledger.imports import confirm_import, discard_import, preview_import
from app.ledger.journals import JournalDraft, JournalLine, post_journal, reverse_journal
from app.models import (
    ConnectionStatus,
    ConnectorRequest,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    JobStatus,
    JournalSource,
    MatchState,
    Membership,
    RequestState,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.people.api_keys import create_api_key
from app.reconciliation import certification, decisions
from app.reconciliation.bank_exceptions import Settle, acknowledge
from app.reconciliation.conditions import Conditions, TextTest
from app.reconciliation.lines import lines_of_matches
from app.reconciliation.rule_book import create_rule
from app.reconciliation.settings import Thresholds, set_thresholds
from app.reports import bank_exceptions
from app.tenancy.actor import Actor
from app.tenancy.scope import get_owned, owned
from tests.bank_files import csv_file, october
from tests.books import Books, matches, run_waiting_jobs, set_up_books
from tests.connection_world import a_connection, a_sync
from tests.ledger_books import a_file

SEPTEMBER = date(2026, 9, 30)


@dataclass(frozen=True)
class PageWorld:
    """The ids that stand for each parameter of an address, one for each state worth seeing."""

    ids: dict[str, list[str]]

    def paths(self, rule: Rule) -> list[str]:
        """Return the addresses of a rule, one for every id of its parameters."""
        names = sorted(rule.arguments)
        values = [self.ids[f"{rule.endpoint}:{name}"] for name in names if self._own(rule, name)]
        values = values or [self.ids[name] for name in names]
        return [
            url_for(rule.endpoint, **dict(zip(names, chosen, strict=True)))
            for chosen in product(*values)
        ]

    def _own(self, rule: Rule, name: str) -> bool:
        return f"{rule.endpoint}:{name}" in self.ids


def page_world(admin: Actor) -> PageWorld:
    """Fill the books: a certified and an open month, a suggestion, files in every state."""
    books = set_up_books(admin)
    certified = _certified_month(books)
    change_ids = _exceptions(books)
    open_id, match_ids = _open_month(books)
    _flag_a_match(books)
    journal_ids = _journals(books)
    set_of_imports = _ledger_files(admin)
    uploads = _bank_files(books)
    rule = Conditions(bank_description_test=TextTest.CONTAINS, bank_description="PAYROLL")
    rule_ids = [create_rule(admin, "Payroll", rule), create_rule(admin, "Payroll again", rule)]
    members = db.session.scalars(owned(Membership).with_only_columns(Membership.id)).all()
    bank_connections = _bank_connections(books)
    return PageWorld(
        bank_connections
        | {
            "reconciliation_id": [certified, open_id],
            "certificates.version:reconciliation_id": [certified],
            "certificates.version:version": ["1"],
            "certificates.version_pdf:reconciliation_id": [certified],
            "certificates.version_pdf:version": ["1"],
            "certificates.version_csv:reconciliation_id": [certified],
            "certificates.version_csv:version": ["1"],
            "match_id": match_ids,
            "change_id": change_ids,
            "connections.files.account:account_id": [books.financial_account_id],
            "connections.files.upload_file:account_id": [books.financial_account_id],
            "connections.map_:account_id": [books.financial_account_id],
            "ledger.ask_name:account_id": [books.cash_id],
            "ledger.rename:account_id": [books.cash_id],
            "account_id": [books.ledger_bank_account_id],
            "journal_id": journal_ids,
            "import_id": set_of_imports,
            "upload_id": uploads,
            "membership_id": list(members),
            "rule_id": rule_ids,
            "key_id": [create_api_key(admin, "Close script").id],
        }
    )


def _bank_connections(books: Books) -> dict[str, list[str]]:
    """Fill the page with a connection in every status, a visit, and a request for a connector."""
    flow = connect(books.actor, "plaid", "https://tieout.example/")
    for status in set(ConnectionStatus) - {ConnectionStatus.PENDING}:
        connection_id = a_connection(f"Bank that is {status}", status, accounts=("Checking",))
        a_sync(connection_id, JobStatus.FAILED, failure="It failed. Nothing was changed.")
        a_sync(connection_id, JobStatus.SUCCEEDED, "14 new.", result={"added": 14})
    a_sync(connection_id, JobStatus.SUCCEEDED)
    by_hand = get_owned(FinancialAccount, books.financial_account_id).connection_id
    accounts = owned(FinancialAccount).where(FinancialAccount.connection_id != by_hand)
    request = ask_for_connector(books.actor, AskForConnector("Sparkasse", "EUR", "Why not"))
    answered = ask_for_connector(books.actor, AskForConnector("Raiffeisen", "EUR", "Why not"))
    with unit_of_work():
        get_owned(ConnectorRequest, answered).state = RequestState.DECLINED
        db.session.flush()
    ids = owned(FinancialConnection).with_only_columns(FinancialConnection.id)
    continued = db.session.scalars(accounts.limit(1)).one().id
    return {
        "connection_id": list(db.session.scalars(ids)),
        "flow_id": [flow.flow_id],
        "name": ["folder", "sftp", "simplefin"],
        "old_account_id": [books.financial_account_id],
        "connections.ask_continue:account_id": [continued],
        "connections.ask_continue:old_account_id": [books.financial_account_id],
        "connections.continue_:account_id": [continued],
        "connections.continue_:old_account_id": [books.financial_account_id],
        "organization_id": [books.actor.organization_id],
        "request_id": [request],
        "aggregator": ["plaid"],
    }


def _certified_month(books: Books) -> str:
    books.bank(40_000, "DEPOSIT", posted_date=date(2026, 9, 8))
    books.gl(40_000, "Deposit", date=date(2026, 9, 8))
    reconciliation_id = books.open(50_000, opening_minor=10_000, until=SEPTEMBER)
    run_waiting_jobs()
    for suggested in matches(MatchState.SUGGESTED):
        decisions.approve(books.actor, suggested.id)
    certification.certify(books.actor, reconciliation_id, "As agreed.")
    return reconciliation_id


def _exceptions(books: Books) -> list[str]:
    """Let the bank change the certified line twice: one change is settled, the other waits."""
    (line,) = db.session.scalars(
        owned(FinancialTransaction).with_only_columns(FinancialTransaction.id)
    )
    books.bank_says(line, amount_minor=39_000)
    (first,) = bank_exceptions.waiting("", "").rows
    acknowledge(books.actor, Settle(first.id, "As agreed.", first.fingerprint))
    books.bank_states(line, None)
    (second,) = bank_exceptions.waiting("", "").rows
    db.session.rollback()
    return [first.id, second.id]


def _flag_a_match(books: Books) -> None:
    (match,) = [
        match for match in matches() if match.score is not None and match.bank_total_minor < 0
    ]
    (line,) = lines_of_matches([match.id])[match.id][0]
    books.bank_says(line.id, description="IRONWOOD STAFFING INVOICE 77")
    books.bank(-450, "CAFE, NOT BOOKED YET", status=TransactionStatus.PENDING)


def _open_month(books: Books) -> tuple[str, list[str]]:
    """One line is matched by itself, one could be either of two entries, one has no entry."""
    set_thresholds(books.actor, Thresholds(auto_match=85, review=10))
    books.bank(-12_345, "IRONWOOD STAFFING INV 77", 5, reference="77")
    books.gl(-12_345, "Ironwood Staffing", 4, counterparty="Ironwood Staffing", reference="77")
    books.bank(-7_000, "DEBIT", 28)
    books.gl(-7_000, "Ironwood Staffing", 27)
    books.gl(-7_000, "Quartz Media", 27)
    books.bank(-1_800, "MONTHLY SERVICE FEE", 30)
    books.gl(99_900, "Deposit on its way", 30)
    reconciliation_id = books.open(30_000, opening_minor=None)
    run_waiting_jobs()
    found = [*matches(MatchState.SUGGESTED), *matches()]
    return reconciliation_id, [match.id for match in found]


def _journals(books: Books) -> list[str]:
    draft = JournalDraft(
        date=date(2026, 10, 12),
        description="Card fees",
        currency="USD",
        source=JournalSource.MANUAL,
        lines=(
            JournalLine(books.fees_id, 1_250),
            JournalLine(books.cash_id, -1_250, "Fees", "Bank", "F-1"),
        ),
    )
    first = post_journal(books.actor, draft).journal_id
    second = reverse_journal(books.actor, first, date(2026, 10, 13)).journal_id
    return [first, second]


def _ledger_files(admin: Actor) -> list[str]:
    """Return imports that wait, are under way, are done, and were discarded."""
    ids = []
    for number, follow in enumerate([None, confirm_import, confirm_import, discard_import]):
        line = f"F-{number},1010,2026-10-{number + 1:02},1,USD,Line {number}"
        preview = preview_import(admin, f"{number}.csv", a_file(line))
        assert preview.import_id is not None
        ids.append(preview.import_id)
        if follow:
            follow(admin, preview.import_id)
        if number == 1:
            run_waiting_jobs()
    return ids


def _bank_files(books: Books) -> list[str]:
    """Return uploads that wait, with and without a doubt, are done, under way, and refused."""
    files = {
        "done.csv": csv_file([october(3, "COFFEE", -500), october(4, "PARKING", -600)]),
        "waits.csv": csv_file([october(6, "TOLL", -700)]),
        "doubtful.csv": csv_file([october(3, "COFFEE HOUSE 12", -500), october(9, "X", 100)]),
        "refused.csv": b"Date,Description,Amount\n2026-10-01,HALF A ROW\n2026-10-32,NO DAY,5.00\n",
        "binary.csv": bytes(range(256)) * 4,
        "under-way.csv": csv_file([october(7, "TRAIN", -800)]),
    }
    ids = []
    for name, data in files.items():
        upload_id = store_upload(books.actor, books.financial_account_id, name, data).upload_id
        ids.append(upload_id)
        if name in {"done.csv", "under-way.csv"}:
            confirm_upload(books.actor, upload_id)
        if name == "done.csv":
            run_waiting_jobs()
    return ids
