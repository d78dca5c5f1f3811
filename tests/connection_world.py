"""Connections in any state, in the few words that tests of pages need."""

from __future__ import annotations

from datetime import UTC, datetime

from app.models import (
    AccountStatus,
    ConnectionPath,
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    JobKind,
    JobRun,
    JobStatus,
    db,
)
from app.models.session import unit_of_work

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def a_connection(
    name: str,
    status: ConnectionStatus = ConnectionStatus.ACTIVE,
    reason: str = "",
    *,
    accounts: tuple[str, ...] = (),
    account_status: AccountStatus = AccountStatus.ACTIVE,
    ledger_bank_account_id: str | None = None,
    path: ConnectionPath = ConnectionPath.STANDARD,
    **facts,
) -> str:
    """Add one with its accounts, the first of them mapped, and return its id."""
    facts = {"provider": "plaid", "external_id": f"item-{name}"} | facts
    with unit_of_work():
        connection = FinancialConnection(
            path=path, institution_name=name, status=status, status_reason=reason, **facts
        )
        db.session.add(connection)
        db.session.flush()
        for number, account_name in enumerate(accounts):
            db.session.add(
                FinancialAccount(
                    connection_id=connection.id,
                    external_id=f"account-{number}",
                    name=account_name,
                    mask=f"48{number:02}",
                    type="checking",
                    currency="USD",
                    status=account_status,
                    current_balance_minor=123_456,
                    ledger_bank_account_id=ledger_bank_account_id if number == 0 else None,
                )
            )
        db.session.flush()
        return connection.id


def a_sync(
    connection_id: str,
    status: JobStatus = JobStatus.SUCCEEDED,
    text: str = "Nothing new.",
    *,
    kind: JobKind = JobKind.SYNC,
    **facts,
) -> str:
    facts = {"cause": "clock", "actor_user_id": "system"} | facts
    with unit_of_work():
        run = JobRun(
            kind=kind, subject_id=connection_id, status=status, progress_text=text, **facts
        )
        db.session.add(run)
        db.session.flush()
        return run.id
