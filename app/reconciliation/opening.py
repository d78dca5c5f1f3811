"""Open a reconciliation: one at a time per account, each beginning where the last one ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.audit.trail import Change, record
from app.jobs.runs import request_run
from app.kernel.errors import Conflict, Invalid
from app.models import (
    FinancialAccount,
    JobKind,
    LedgerBankAccount,
    Organization,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import UnitOfWork, unit_of_work
from app.reconciliation.scope import hold_open, reason_locked
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned


@dataclass(frozen=True, slots=True)
class OpenReconciliation:
    ledger_bank_account_id: str
    ending_date: date
    ending_balance_minor: int
    opening_balance_minor: int | None = None
    """Asked for once, the first time; later it is the last certified ending balance."""


def open_reconciliation(actor: Actor, command: OpenReconciliation) -> str:
    """Open a reconciliation, ask for a matching run, and return the reconciliation's id.

    Raises:
        NotFound: No such ledger bank account here.
        Invalid: No bank account mapped, a date not after the last certified one, an opening
            balance that is missing the first time or contradicts the certified one.
        Conflict: One is open already.
    """
    actor.require(Permission.RECONCILE)
    try:
        with unit_of_work() as work:
            return _open(work, actor, command)
    except IntegrityError as error:  # two people at once: the unique index lets one pass
        raise Conflict("A reconciliation of this account has just been opened.") from error


def _open(work: UnitOfWork, actor: Actor, command: OpenReconciliation) -> str:
    account = get_owned(LedgerBankAccount, command.ledger_bank_account_id, lock=True)
    _require_bank_account(account)
    last = last_reconciliation(account.id)
    _require_later_than(last, command.ending_date)
    opening_minor = _opening_balance(last, command)
    if last is None:
        account.opening_balance_minor = opening_minor
    organization = db.session.scalar(
        sa.select(Organization).where(Organization.id == actor.organization_id)
    )
    assert organization is not None
    reconciliation = Reconciliation(
        ledger_bank_account_id=account.id,
        ending_date=command.ending_date,
        currency=account.currency,
        opening_balance_minor=opening_minor,
        ending_balance_minor=command.ending_balance_minor,
        auto_match_threshold=organization.auto_match_threshold,
        review_threshold=organization.review_threshold,
        opened_by=actor.user_id,
    )
    db.session.add(reconciliation)
    db.session.flush()
    record(
        actor,
        Change(
            "reconciliation.opened",
            "reconciliation",
            reconciliation.id,
            {},
            {
                "ledger_bank_account": account.name,
                "ending_date": command.ending_date,
                "opening_balance_minor": opening_minor,
                "ending_balance_minor": command.ending_balance_minor,
                "currency": account.currency,
            },
        ),
    )
    request_run(work, actor, JobKind.MATCH, reconciliation.id)
    return reconciliation.id


def last_reconciliation(ledger_bank_account_id: str) -> Reconciliation | None:
    """Return the account's newest reconciliation, open or certified."""
    return db.session.scalar(
        owned(Reconciliation)
        .where(Reconciliation.ledger_bank_account_id == ledger_bank_account_id)
        .order_by(Reconciliation.ending_date.desc())
        .limit(1)
    )


def request_matching(actor: Actor, reconciliation_id: str) -> str:
    """Ask for another matching run of an open reconciliation and return the run's id.

    Raises:
        Conflict: It is certified or waits for review.
    """
    actor.require(Permission.RECONCILE)
    with unit_of_work() as work:
        reconciliation = get_owned(Reconciliation, reconciliation_id)
        locked = reason_locked(reconciliation)
        if locked:
            raise Conflict(locked)
        return request_run(work, actor, JobKind.MATCH, reconciliation.id)


def change_statement(actor: Actor, reconciliation_id: str, *, ending_balance_minor: int) -> None:
    """Correct the statement's ending balance while the reconciliation is open."""
    actor.require(Permission.RECONCILE)
    with unit_of_work():
        reconciliation = hold_open(reconciliation_id)
        before = {"ending_balance_minor": reconciliation.ending_balance_minor}
        reconciliation.ending_balance_minor = ending_balance_minor
        after = {"ending_balance_minor": ending_balance_minor}
        record(
            actor,
            Change("reconciliation.changed", "reconciliation", reconciliation.id, before, after),
        )


def _require_bank_account(account: LedgerBankAccount) -> None:
    mapped = owned(FinancialAccount).where(FinancialAccount.ledger_bank_account_id == account.id)
    if db.session.scalar(mapped.limit(1)) is None:
        sentence = (
            f"No bank account is mapped to {account.name} yet; choose it on Bank connections first."
        )
        raise Invalid(sentence, {"ledger_bank_account_id": [sentence]})


def _require_later_than(last: Reconciliation | None, ending_date: date) -> None:
    if last is None:
        return
    if last.status == ReconciliationStatus.OPEN:
        raise Conflict(
            f"The reconciliation of {last.ending_date:%d %B %Y} is still open; certify it first."
        )
    if ending_date <= last.ending_date:
        sentence = (
            f"The statement must end after {last.ending_date:%d %B %Y}, the last certified one."
        )
        raise Invalid(sentence, {"ending_date": [sentence]})


def _opening_balance(last: Reconciliation | None, command: OpenReconciliation) -> int:
    given = command.opening_balance_minor
    if last is None:
        if given is None:
            sentence = "The first reconciliation needs the balance on which the statement begins."
            raise Invalid(sentence, {"opening_balance": [sentence]})
        return given
    if given is not None and given != last.ending_balance_minor:
        sentence = "The opening balance is the last certified ending balance; leave it out."
        raise Invalid(sentence, {"opening_balance": [sentence]})
    return last.ending_balance_minor
