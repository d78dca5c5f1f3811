"""Reopen the latest certified reconciliation of an account: by right, with a reason.

What was signed is never altered: the certificate stays readable as a version that is not in
force any more, beside it stands who reopened and why, and certifying again signs another.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.connections.bank_changes import hold_accounts
from app.jobs.runs import request_run
from app.kernel.errors import Conflict
from app.kernel.reasons import checked_reason
from app.models import (
    BankChange,
    FinancialAccount,
    FinancialTransaction,
    JobKind,
    LedgerBankAccount,
    Reconciliation,
    ReconciliationStatus,
    Reopening,
    db,
)
from app.models.session import rows_changed, unit_of_work
from app.reconciliation.bank_exceptions import take_up_changes
from app.reconciliation.certificates import certificate_in_force
from app.reconciliation.opening import last_reconciliation
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned


def reopen(actor: Actor, reconciliation_id: str, reason: str) -> None:
    """Open a certified reconciliation again, with its matches as they are.

    What the bank changed since, and nobody acknowledged, is taken up: the lines read as the
    bank states them now, and their matches wait to be kept or taken apart.

    Raises:
        NotFound: No such reconciliation here.
        Invalid: No reason was given.
        Conflict: It is open, or not the account's latest; the sentence says what to do.
    """
    actor.require(Permission.REOPEN)
    reason = checked_reason(reason, "nothing was reopened")
    with unit_of_work() as work:
        reconciliation = _hold(reconciliation_id)
        refusal = reason_against_reopening(reconciliation)
        if refusal:
            raise Conflict(refusal)
        certificate = certificate_in_force(reconciliation.id)
        assert certificate is not None, "a certified reconciliation has a certificate in force"
        _open_again(reconciliation)
        db.session.add(
            Reopening(
                reconciliation_id=reconciliation.id,
                certification_id=certificate.id,
                reopened_by=actor.user_id,
                reopened_by_name=actor.name,
                reason=reason,
            )
        )
        db.session.flush()
        before = {"status": ReconciliationStatus.CERTIFIED, "version": certificate.version}
        after = {"status": ReconciliationStatus.OPEN, "reason": reason}
        record(
            actor,
            Change("reconciliation.reopened", "reconciliation", reconciliation.id, before, after),
        )
        take_up_changes(actor, reconciliation)
        request_run(work, actor, JobKind.MATCH, reconciliation.id)


def reason_against_reopening(reconciliation: Reconciliation) -> str:
    """Return why it cannot be reopened and what to do instead, or nothing."""
    if reconciliation.status == ReconciliationStatus.OPEN:
        return "This reconciliation is open already."
    newest = last_reconciliation(reconciliation.ledger_bank_account_id)
    assert newest is not None, "there is at least this one"
    if newest.id == reconciliation.id:
        return ""
    until = f"{newest.ending_date:%d %B %Y}"
    if newest.status == ReconciliationStatus.OPEN:
        return (
            f"The reconciliation of {until} is open and begins where this one ends. Discard that "
            "one first if nobody has worked in it; else correct there what is wrong."
        )
    return (
        f"Only an account's latest certified reconciliation is reopened, which is that of {until}. "
        "Correct in a later one what is wrong in this one."
    )


def _hold(reconciliation_id: str) -> Reconciliation:
    """Keep syncs, matching, mapping and opening of the account waiting until the commit."""
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    ledger_id = reconciliation.ledger_bank_account_id
    changed = (
        sa.select(FinancialTransaction.financial_account_id)
        .join(BankChange, BankChange.financial_transaction_id == FinancialTransaction.id)
        .where(BankChange.reconciliation_id == reconciliation.id)
    )
    fed = sa.or_(
        FinancialAccount.ledger_bank_account_id == ledger_id, FinancialAccount.id.in_(changed)
    )
    ids = owned(FinancialAccount).where(fed).with_only_columns(FinancialAccount.id)
    hold_accounts(db.session.scalars(ids).all())
    get_owned(LedgerBankAccount, ledger_id, lock=True)
    db.session.refresh(reconciliation)
    return reconciliation


def _open_again(reconciliation: Reconciliation) -> None:
    opened = (
        sa.update(Reconciliation)
        .where(
            Reconciliation.id == reconciliation.id,
            Reconciliation.status == ReconciliationStatus.CERTIFIED,
        )
        .values(status=ReconciliationStatus.OPEN, version=Reconciliation.version + 1)
    )
    if rows_changed(opened) != 1:
        raise Conflict("Somebody else has just reopened it; nothing was changed.")
    db.session.refresh(reconciliation)
