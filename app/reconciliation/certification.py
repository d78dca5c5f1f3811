"""Sign off: only at difference zero, with nothing in the period left undecided."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.jobs.runs import latest_run
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict
from app.kernel.money import display_amount
from app.models import (
    Certification,
    CertificationReview,
    JobKind,
    JobStatus,
    Match,
    Organization,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation.balances import Balances, balances_of
from app.reconciliation.certificates import next_version
from app.reconciliation.review import flagged_matches
from app.reconciliation.scope import hold_open
from app.reconciliation.statement import (
    ReconciliationStatement,
    as_document,
    statement_of,
)
from app.reconciliation.suggestions import live_suggestions
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import current_organization_id


class NotReady(Conflict):
    """What still stands against certifying, one reason a sentence."""

    code = "not_ready_to_certify"
    title = "Not ready to certify"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons), extra={"reasons": reasons})
        self.reasons = reasons


class ReviewWanted(Conflict):
    """One person alone does not certify here."""

    code = "review_wanted"
    title = "A second person reviews"

    def __init__(self) -> None:
        super().__init__(
            "Your organization wants a second person to review what one has prepared. Nothing was "
            "certified; submit it for review."
        )


@dataclass(frozen=True, slots=True)
class SignedText:
    """A statement as it is signed: read, as JSON, and the SHA-256 of that."""

    statement: ReconciliationStatement
    document: dict[str, Any]
    sha256: str


def reasons_against(reconciliation: Reconciliation, balances: Balances) -> list[str]:
    """Return what must be done before certifying; empty when it can be signed."""
    if reconciliation.review_id is not None:
        return ["It waits for the review of a second person."]
    return points_open(reconciliation, balances)


def points_open(reconciliation: Reconciliation, balances: Balances) -> list[str]:
    """Return what is not settled yet in the lines and the balances, one sentence each."""
    reasons = []
    if balances.difference_minor:
        shown = display_amount(balances.difference_minor, reconciliation.currency)
        reasons.append(f"{shown} is still to explain.")
    if balances.open_bank.count:
        lines = "bank transaction is" if balances.open_bank.count == 1 else "bank transactions are"
        reasons.append(f"{balances.open_bank.count} {lines} not matched yet.")
    flagged = _count(flagged_matches(reconciliation))
    if flagged == 1:
        reasons.append("1 match waits for you: the bank changed it.")
    elif flagged:
        reasons.append(f"{flagged} matches wait for you: the bank changed them.")
    undecided = _count(live_suggestions(reconciliation))
    if undecided:
        words = "suggestion waits" if undecided == 1 else "suggestions wait"
        reasons.append(f"{undecided} {words} for your decision.")
    run = latest_run(JobKind.MATCH, reconciliation.id)
    if run is not None and run.status in (JobStatus.QUEUED, JobStatus.RUNNING):
        reasons.append("Matching is still running.")
    return reasons


def certify(actor: Actor, reconciliation_id: str, remarks: str = "") -> str:
    """Certify and return the certification's id.

    Writes who, when and the whole statement, locks the matches, and leaves the open
    ledger entries to the next reconciliation as outstanding items.

    Raises:
        NotReady: Names every reason; nothing is changed.
        ReviewWanted: A second person has to approve it; submit it instead.
        Conflict: Certified already, or submitted to a second person.
    """
    actor.require(Permission.CERTIFY)
    with unit_of_work():
        reconciliation = hold_open(reconciliation_id)
        if second_review_wanted():
            raise ReviewWanted
        signed = ready_to_sign(reconciliation)
        return sign(actor, reconciliation, signed, remarks.strip())


def second_review_wanted() -> bool:
    """Tell whether the organization in scope wants a second person to review."""
    wanted = sa.select(Organization.second_review)
    return bool(db.session.scalar(wanted.where(Organization.id == current_organization_id())))


def ready_to_sign(reconciliation: Reconciliation) -> SignedText:
    """Return the statement as it would be signed now.

    Raises:
        NotReady: Names every reason against it.
    """
    reasons = points_open(reconciliation, balances_of(reconciliation))
    if reasons:
        raise NotReady(reasons)
    statement = statement_of(reconciliation)
    assert statement.agrees, "a balanced reconciliation has two equal adjusted balances"
    document = as_document(statement)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return SignedText(statement, document, hashlib.sha256(text.encode()).hexdigest())


def sign(
    actor: Actor,
    reconciliation: Reconciliation,
    signed: SignedText,
    remarks: str,
    prepared: CertificationReview | None = None,
) -> str:
    """Write the certificate inside the caller's transaction and return its id.

    Args:
        actor: Who signs; of two people the reviewer.
        reconciliation: Held by the caller.
        signed: What `ready_to_sign` gave.
        remarks: Stand on the certificate.
        prepared: The first of two signatures.
    """
    certification = Certification(
        reconciliation_id=reconciliation.id,
        version=next_version(reconciliation.id),
        certified_at=utc_now(),
        certified_by=actor.user_id,
        certified_by_name=actor.name,
        prepared_at=prepared.prepared_at if prepared else None,
        prepared_by=prepared.prepared_by if prepared else None,
        prepared_by_name=prepared.prepared_by_name if prepared else "",
        document=signed.document,
        sha256=signed.sha256,
        remarks=remarks,
    )
    db.session.add(certification)
    reconciliation.status, reconciliation.review_id = ReconciliationStatus.CERTIFIED, None
    db.session.flush()
    statement = signed.statement
    after = {
        "status": reconciliation.status,
        "version": certification.version,
        "prepared_by": certification.prepared_by_name,
        "ending_balance_minor": reconciliation.ending_balance_minor,
        "adjusted_balance_minor": statement.adjusted_bank_minor,
        "outstanding_count": len(statement.deposits_in_transit)
        + len(statement.outstanding_payments),
        "statement_sha256": certification.sha256,
    }
    before = {"status": ReconciliationStatus.OPEN}
    record(
        actor,
        Change("reconciliation.certified", "reconciliation", reconciliation.id, before, after),
    )
    return certification.id


def _count(matches: sa.Select[Match]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(matches.subquery())) or 0
