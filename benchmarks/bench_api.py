"""Measure the REST API: `python -m benchmarks.bench_api`; one line for each figure.

Lists are read from a million bank transactions and ledger entries are upserted 5,000 a call, on
the embedded database and on PostgreSQL.  Each call goes through the whole application, from the
API key to the last byte of the answer; only the socket is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask
from flask_migrate import upgrade

from app.config import Settings
from app.connections.accounts import AddManualAccount, add_manual_account
from app.factory import create_app
from app.kernel.bank import AccountType
from app.kernel.clock import utc_now
from app.kernel.ids import new_id
from app.kernel.limits import API_ENTRIES_MAX, API_PAGE_ROWS_MAX
from app.ledger.accounts import create_gl_account
from app.models import FinancialTransaction, TransactionStatus, db
from app.models.session import unit_of_work
from app.people.api_keys import create_api_key
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.tenancy.actor import Actor
from app.tenancy.scope import insert_owned, organization_scope
from tests.servers import postgres, redis

MIGRATIONS = Path(__file__).parent.parent / "migrations"
TRANSACTIONS = "/api/financial_connections/v2/transactions/"
ENTRIES = "/api/ledger/v1/entries/"
ROWS = 1_000_000
CHUNK_ROWS = 20_000
CALLS = 200
UPSERTS = 5
FIRST_DAY = date(2024, 1, 1)
DAYS = 730


@dataclass(frozen=True, slots=True)
class Books:
    """One organization with a million transactions of one bank account."""

    app: Flask
    actor: Actor
    account_id: str
    database: str

    def caller(self) -> Callable[..., Any]:
        """Return `client.open` with a new API key: each key has its own rate limit."""
        with self.app.app_context(), organization_scope(self.actor.organization_id):
            key = create_api_key(self.actor, f"bench {new_id()}").key
        client = self.app.test_client(use_cookies=False)

        def call(method: str, path: str, **options: Any) -> Any:
            headers = {"X-API-KEY": key, **options.pop("headers", {})}
            answer = client.open(path, method=method, headers=headers, **options)
            assert answer.status_code < 300, answer.get_data(as_text=True)
            return answer.get_json()

        return call


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="bank transactions")
    rows_count = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder, redis() as redis_url:
        for name, database in (("sqlite", embedded), ("postgresql", postgres)):
            with database() as database_url:
                measure(name, database_url, redis_url, Path(folder), rows_count)


def measure(name: str, database_url: str, redis_url: str, folder: Path, rows_count: int) -> None:
    """Fill one database and print its figures."""
    app = create_app(_settings(database_url, redis_url, folder))
    with app.app_context():
        upgrade(str(MIGRATIONS))
        books = _founded(app, name)
        _fill(books, rows_count)
        db.session.remove()
    lists(books, rows_count)
    upserts(books)
    with app.app_context():
        db.engine.dispose()


def lists(books: Books, rows_count: int) -> None:
    """Read pages of 200: of all, of one account, of a month, of what changed."""
    month = FIRST_DAY + timedelta(days=DAYS // 2)
    queries: dict[str, dict[str, str]] = {
        "all": {},
        "of_account": {"account_id": books.account_id},
        "of_month": {
            "posted_from": str(month),
            "posted_to": str(month + timedelta(days=30)),
        },
        "updated_since": {"updated_since": "2024-01-01T00:00:00Z"},
    }
    for name, query in queries.items():
        milliseconds = list(_page_milliseconds(books.caller(), query))
        p50, p95 = statistics.median(milliseconds), _percentile(milliseconds, 95)
        print(
            f"api.list.{name} database={books.database} rows={rows_count} "
            f"limit={API_PAGE_ROWS_MAX} calls={len(milliseconds)} p50_ms={p50:.1f} p95_ms={p95:.1f}",
            flush=True,
        )


def upserts(books: Books) -> None:
    """Create 5,000 entries in one call, change all of them, and send them unchanged."""
    call = books.caller()
    seconds: dict[str, list[float]] = {"created": [], "updated": [], "unchanged": []}
    for turn in range(UPSERTS):
        for expected, text in (
            ("created", "first"),
            ("updated", "second"),
            ("unchanged", "second"),
        ):
            body = json.dumps({"entries": list(_entries(turn, text))})
            headers = {"Idempotency-Key": new_id(), "Content-Type": "application/json"}
            began = time.perf_counter()
            answer = call("POST", ENTRIES, data=body, headers=headers)
            seconds[expected].append(time.perf_counter() - began)
            assert answer[expected] == API_ENTRIES_MAX
    for name, taken in seconds.items():
        print(
            f"api.upsert.{name} database={books.database} entries={API_ENTRIES_MAX} "
            f"calls={len(taken)} median_s={statistics.median(taken):.3f} max_s={max(taken):.3f}",
            flush=True,
        )


def _page_milliseconds(call: Callable[..., Any], query: dict[str, str]) -> Iterator[float]:
    """Yield what each page took, going on from page to page and from the end to the top."""
    cursor = None
    for _ in range(CALLS):
        parts = {**query, "limit": str(API_PAGE_ROWS_MAX)} | ({"cursor": cursor} if cursor else {})
        began = time.perf_counter()
        page = call("GET", TRANSACTIONS, query_string=parts)
        yield 1_000 * (time.perf_counter() - began)
        cursor = page["next_cursor"]


def _percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1]


def _entries(turn: int, text: str) -> Iterator[dict[str, str]]:
    for place in range(API_ENTRIES_MAX):
        yield {
            "external_id": f"B{turn}-{place}",
            "account_number": "1000",
            "date": str(FIRST_DAY + timedelta(days=place % DAYS)),
            "amount": f"{place - 2_500}.25",
            "currency": "USD",
            "description": f"Payment {place}, {text}",
            "counterparty": f"Supplier {place % 97}",
            "reference": f"R-{place}",
        }


@contextmanager
def embedded() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/tieout.sqlite3"


def _settings(database_url: str, redis_url: str, folder: Path) -> Settings:
    return Settings.from_environment(
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "INSTANCE_PATH": str(folder),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "LOG_LEVEL": "ERROR",
        }
    )


def _founded(app: Flask, database: str) -> Books:
    made = create_organization(
        "Bench", admin_email="a@bench.example", admin_password="only for this bench"
    )
    actor = actor_of(made.user_id, made.organization_id, via="command")
    assert actor is not None
    with organization_scope(made.organization_id):
        create_gl_account(actor, number="1000", name="Operating", type="asset", currency="USD")
        added = add_manual_account(
            actor,
            AddManualAccount(
                institution_name="Bench Bank",
                account_name="Operating",
                mask="0001",
                type=AccountType.CHECKING,
                currency="USD",
                ledger_bank_account_id="",
            ),
        )
    return Books(app, actor, added.account_id, database)


def _fill(books: Books, rows_count: int) -> None:
    """Write the transactions, each day as many, all of them in one account."""
    with organization_scope(books.actor.organization_id), unit_of_work():
        for start in range(0, rows_count, CHUNK_ROWS):
            places = range(start, min(start + CHUNK_ROWS, rows_count))
            insert_owned(FinancialTransaction, [_row(books.account_id, n) for n in places])
    if books.database == "postgresql":
        with unit_of_work():  # what autovacuum does within a minute; without it plans are guesses
            db.session.execute(sa.text("ANALYZE"))


def _row(account_id: str, place: int) -> dict[str, Any]:
    now = utc_now()
    return {
        "id": new_id(),
        "created_at": now,
        "updated_at": now,
        "financial_account_id": account_id,
        "posted_date": FIRST_DAY + timedelta(days=place % DAYS),
        "value_date": None,
        "amount_minor": place % 200_000 - 100_000,
        "currency": "USD",
        "description": f"ACH PAYMENT {place} TO SUPPLIER {place % 97}",
        "counterparty": f"Supplier {place % 97}",
        "reference": str(place),
        "status": TransactionStatus.POSTED,
        "source_key": f"{place:064d}",
    }


if __name__ == "__main__":
    main()
