"""Measure a first sync of 100,000 transactions beside the raw download of the same pages.

`python -m benchmarks.bench_sync`; one line for each figure.  The bank is the sandbox aggregator
on this machine, so the wire is as fast as it can be; a real one takes longer for each page.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask_migrate import upgrade

from app.config import Settings
from app.connections.completion import complete
from app.connections.hosted_flows import connect
from app.connections.syncing import sync_connection
from app.factory import create_app
from app.jobs import runs
from app.models import FinancialTransaction, db
from app.people.organizations import create_organization
from app.people.sign_in import actor_of
from app.tenancy.scope import enter_scope, owned
from tests.plaid_sandbox import PlaidSandbox
from tests.servers import plaid_sandbox

BULK_BANK = "ins_900209"
PAGE_ROWS = 500


def main() -> None:
    with plaid_sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        download(sandbox)
        sync(sandbox, Path(folder))


def download(sandbox: PlaidSandbox) -> None:
    """Download all pages and throw them away: what the wire alone costs."""
    grant = _grant(sandbox)
    access = sandbox.call("/item/public_token/exchange", public_token=grant)["access_token"]
    began, cursor, rows_count, has_more = time.perf_counter(), "", 0, True
    while has_more:
        page = sandbox.call(
            "/transactions/sync", access_token=access, cursor=cursor, count=PAGE_ROWS
        )
        rows_count += len(page["added"])
        cursor, has_more = page["next_cursor"], page["has_more"]
    wall_seconds = time.perf_counter() - began
    print(f"sync.raw_download rows={rows_count} wall_s={wall_seconds:.2f}", flush=True)


def sync(sandbox: PlaidSandbox, folder: Path) -> None:
    """Sync them into the embedded database, as a worker does."""
    app = create_app(_settings(sandbox, folder))
    with app.app_context():
        upgrade(str(Path(__file__).parent.parent / "migrations"))
        founded = create_organization(
            "Bench", admin_email="a@b.example", admin_password="bench only, nobody signs in"
        )
        enter_scope(founded.organization_id)
        actor = actor_of(founded.user_id, founded.organization_id, via="job")
        assert actor is not None
        flow = connect(actor, "plaid", "http://127.0.0.1/ended")
        run_id = complete(actor, flow.connection_id, _grant(sandbox)).run_id
        assert run_id is not None
        held = runs.claim(run_id)
        assert held is not None
        wall, cpu = time.perf_counter(), time.process_time()
        sync_connection(actor, held)
        wall_seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        stored = owned(FinancialTransaction).with_only_columns(sa.func.count())
        print(
            f"sync.first_sync rows={db.session.scalar(stored)} wall_s={wall_seconds:.2f} "
            f"cpu_s={cpu_seconds:.2f} peak_mb={peak_mb}",
            flush=True,
        )


def _settings(sandbox: PlaidSandbox, folder: Path) -> Settings:
    return Settings.from_environment(
        {
            "INSTANCE_PATH": str(folder),
            "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
            "LOG_LEVEL": "ERROR",
            "PLAID_HOST": sandbox.url,
            "PLAID_CLIENT_ID": sandbox.client_id,
            "PLAID_SECRET": sandbox.secret,
        }
    )


def _grant(sandbox: PlaidSandbox) -> str:
    token: str = sandbox.call(
        "/sandbox/public_token/create",
        institution_id=BULK_BANK,
        initial_products=["transactions"],
        options={"transactions": {"days_requested": 730}},
    )["public_token"]
    return token


if __name__ == "__main__":
    main()
