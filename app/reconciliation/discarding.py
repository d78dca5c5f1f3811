"""Give up an open reconciliation in which nobody has decided anything yet."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.audit.trail import Change, record
from app.jobs.runs import latest_run
from app.kernel.errors import Conflict
from app.models import (
    Certification,
    CertificationReview,
    JobKind,
    JobStatus,
    LedgerBankAccount,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    OrganizationOwned,
    Reconciliation,
    db,
)
from app.models.session import rows_changed, unit_of_work
from app.reconciliation.opening import last_reconciliation
from app.reconciliation.scope import hold_open
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned


def discard(actor: Actor, reconciliation_id: str) -> str:
    """Take an open reconciliation back, with what matching did by itself in it.

    Only the audit trail keeps that it was opened: nobody's decision is lost.  Returns the
    ledger bank account's id.

    Raises:
        NotFound: No such reconciliation here.
        Conflict: Certified, submitted, or somebody has decided something in it.
    """
    actor.require(Permission.RECONCILE)
    try:
        with unit_of_work():
            reconciliation = hold_open(reconciliation_id)
            reason = reason_against_discarding(reconciliation)
            if reason:
                raise Conflict(f"{reason} Nothing was discarded.")
            return _discard(actor, reconciliation)
    except IntegrityError as error:  # something rests on it: an exclusion, a note
        raise Conflict(
            "Somebody has worked in this reconciliation; nothing was discarded."
        ) from error


def reason_against_discarding(reconciliation: Reconciliation) -> str:
    """Return what of it must not be lost, or nothing."""
    if _any(Certification, reconciliation):
        return "It was certified before and reopened; its certificate rests on it."
    if _any(CertificationReview, reconciliation):
        return "It was submitted for review before."
    if db.session.scalar(_decided(reconciliation).limit(1)) is not None:
        return "Somebody has matched, rejected or unmatched lines in it."
    run = latest_run(JobKind.MATCH, reconciliation.id)
    if run is not None and run.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        return "Matching is still running; wait for the end of it."
    return ""


def _any(model: type[Certification | CertificationReview], reconciliation: Reconciliation) -> bool:
    found = owned(model).where(model.reconciliation_id == reconciliation.id)
    return db.session.scalar(found.limit(1)) is not None


def _decided(reconciliation: Reconciliation) -> sa.Select[Match]:
    """Return the matches that rest on a person's decision."""
    return owned(Match).where(
        Match.reconciliation_id == reconciliation.id,
        sa.or_(
            Match.origin == MatchOrigin.MANUAL,
            Match.state.in_((MatchState.REJECTED, MatchState.UNMATCHED)),
            Match.decided_by.is_not(None),
            Match.adjustment_id.is_not(None),
        ),
    )


def _discard(actor: Actor, reconciliation: Reconciliation) -> str:
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    before = {
        "ledger_bank_account": account.name,
        "ending_date": reconciliation.ending_date,
        "opening_balance_minor": reconciliation.opening_balance_minor,
        "ending_balance_minor": reconciliation.ending_balance_minor,
        "currency": reconciliation.currency,
    }
    owners: tuple[tuple[type[OrganizationOwned], sa.ColumnElement[bool]], ...] = (
        (MatchItem, MatchItem.reconciliation_id == reconciliation.id),
        (Match, Match.reconciliation_id == reconciliation.id),
        (Reconciliation, Reconciliation.id == reconciliation.id),
    )
    reconciliation_id = reconciliation.id
    db.session.expunge(reconciliation)
    for model, of_it in owners:
        rows_changed(sa.delete(model).where(of_it))
    if last_reconciliation(account.id) is None:
        account.opening_balance_minor = None  # asked for again when the first one is opened
        db.session.flush()
    record(
        actor, Change("reconciliation.discarded", "reconciliation", reconciliation_id, before, {})
    )
    return account.id
