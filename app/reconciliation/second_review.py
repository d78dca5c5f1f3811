"""Two people: one prepares and submits, another one approves or returns with a reason.

While a reconciliation waits for its review nobody changes it.  Both sign the same statement:
if the books or the bank move meanwhile, it is returned and submitted again.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.jobs.runs import request_run
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.ids import new_id
from app.kernel.reasons import checked_reason
from app.models import (
    CertificationReview,
    JobKind,
    Membership,
    Organization,
    Reconciliation,
    ReconciliationStatus,
    ReviewState,
    Role,
    db,
)
from app.models.session import UnitOfWork, rows_changed, unit_of_work
from app.reconciliation.certification import ready_to_sign, second_review_wanted, sign
from app.reconciliation.scope import hold_open
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission, permissions_of
from app.tenancy.scope import current_organization_id, get_owned, owned

_VERBS: Final = {
    ReviewState.APPROVED: "review_approved",
    ReviewState.RETURNED: "returned",
    ReviewState.WITHDRAWN: "withdrawn",
}


class OwnWork(Forbidden):
    """Nobody reviews what they have prepared."""

    code = "own_work"
    title = "Another person reviews"


def submit(actor: Actor, reconciliation_id: str, remarks: str = "") -> str:
    """Submit a reconciliation at difference zero for review and return the submission's id.

    Raises:
        NotFound: No such reconciliation here.
        NotReady: Names every reason; nothing is changed.
        Conflict: Certified or submitted already, or nobody asks for a second person here.
    """
    actor.require(Permission.CERTIFY)
    with unit_of_work():
        reconciliation = hold_open(reconciliation_id)
        if not second_review_wanted():
            raise Conflict(
                "Your organization asks for no second person; certify it. Nothing was submitted."
            )
        signed = ready_to_sign(reconciliation)
        review = CertificationReview(
            id=new_id(),
            reconciliation_id=reconciliation.id,
            prepared_by=actor.user_id,
            prepared_by_name=actor.name,
            remarks=remarks.strip(),
            sha256=signed.sha256,
        )
        db.session.add(review)
        reconciliation.review_id = review.id
        db.session.flush()
        after = {"review": ReviewState.WAITING, "statement_sha256": review.sha256}
        record(
            actor,
            Change("reconciliation.submitted", "reconciliation", reconciliation.id, {}, after),
        )
        return review.id


def approve(actor: Actor, reconciliation_id: str) -> str:
    """Certify what another person has prepared and return the certification's id.

    Raises:
        NotFound: No such reconciliation here.
        OwnWork: The preparer never reviews.
        NotReady: Something came in meanwhile that has to be decided; return it.
        Conflict: It does not wait any more, or the statement is not the one submitted.
    """
    actor.require(Permission.CERTIFY)
    with unit_of_work():
        reconciliation, review = _hold_waiting(reconciliation_id)
        if review.prepared_by == actor.user_id:
            raise OwnWork("You have prepared it, so another person reviews it. Nothing was signed.")
        signed = ready_to_sign(reconciliation)
        if signed.sha256 != review.sha256:
            raise Conflict(
                f"The statement is not the one that {review.prepared_by_name} has submitted: the "
                "books have changed since. Nothing was signed; return it, and it is submitted anew."
            )
        _decide(actor, review, ReviewState.APPROVED, "")
        return sign(actor, reconciliation, signed, review.remarks, review)


def return_(actor: Actor, reconciliation_id: str, reason: str) -> None:
    """Give it back to the preparer, with the reason; it can be changed again.

    Raises:
        NotFound: No such reconciliation here.
        OwnWork: The preparer withdraws it instead.
        Invalid: No reason was given.
        Conflict: It does not wait any more.
    """
    actor.require(Permission.CERTIFY)
    reason = checked_reason(reason, "nothing was returned")
    with unit_of_work() as work:
        reconciliation, review = _hold_waiting(reconciliation_id)
        if review.prepared_by == actor.user_id:
            raise OwnWork("You have prepared it; withdraw it instead. Nothing was changed.")
        _release(work, actor, reconciliation)
        _decide(actor, review, ReviewState.RETURNED, reason)


def withdraw(actor: Actor, reconciliation_id: str) -> None:
    """Take one's own submission back; the reconciliation can be changed again.

    Raises:
        NotFound: No such reconciliation here.
        Forbidden: Somebody else has prepared it.
        Conflict: It does not wait any more.
    """
    actor.require(Permission.CERTIFY)
    with unit_of_work() as work:
        reconciliation, review = _hold_waiting(reconciliation_id)
        if review.prepared_by != actor.user_id:
            raise Forbidden(
                f"{review.prepared_by_name} has submitted it; return it instead. Nothing was "
                "changed."
            )
        _release(work, actor, reconciliation)
        _decide(actor, review, ReviewState.WITHDRAWN, "")


def set_second_review(actor: Actor, *, wanted: bool) -> None:
    """Say whether a second person reviews; what waits for review goes on waiting.

    Raises:
        Invalid: Fewer than two people may certify, so that nobody could review.
    """
    actor.require(Permission.SETTINGS)
    with unit_of_work():
        organization = db.session.scalar(
            sa.select(Organization)
            .where(Organization.id == actor.organization_id)
            .with_for_update()
        )
        assert organization is not None, "an actor's organization exists"
        if organization.second_review == wanted:
            return
        if wanted and _certifiers_count() < 2:  # noqa: PLR2004 - one prepares, one reviews
            sentence = (
                "Only one person here may certify, so nobody could review. Add a second one under "
                "People first; nothing was changed."
            )
            raise Invalid(sentence, {"second_review": [sentence]})
        organization.second_review = wanted
        db.session.flush()
        before, after = {"second_review": not wanted}, {"second_review": wanted}
        change = ("settings.second_review_changed", "organization", organization.id)
        record(actor, Change(*change, before, after))


def _certifiers_count() -> int:
    roles = db.session.scalars(owned(Membership).with_only_columns(Membership.role))
    return sum(
        Permission.CERTIFY in permissions_of(Role(role), bank_connections=False, operations=False)
        for role in roles
    )


def _hold_waiting(reconciliation_id: str) -> tuple[Reconciliation, CertificationReview]:
    held = (
        sa.update(Reconciliation)
        .where(
            Reconciliation.organization_id == current_organization_id(),
            Reconciliation.id == reconciliation_id,
            Reconciliation.status == ReconciliationStatus.OPEN,
            Reconciliation.review_id.is_not(None),
        )
        .values(version=Reconciliation.version + 1)
    )
    hit = rows_changed(held)
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    if hit != 1:
        raise Conflict(f"{_what_became_of(reconciliation)} Nothing was changed.")
    assert reconciliation.review_id is not None, "the row is held"
    return reconciliation, get_owned(CertificationReview, reconciliation.review_id)


def _what_became_of(reconciliation: Reconciliation) -> str:
    last = db.session.scalar(
        owned(CertificationReview)
        .where(CertificationReview.reconciliation_id == reconciliation.id)
        .order_by(CertificationReview.id.desc())
        .limit(1)
    )
    if last is None:
        return "This reconciliation was not submitted for review."
    done = {
        ReviewState.APPROVED: "approved",
        ReviewState.RETURNED: "returned",
        ReviewState.WITHDRAWN: "withdrawn",
    }[ReviewState(last.state)]
    return f"{last.decided_by_name} has {done} it in the meantime."


def _release(work: UnitOfWork, actor: Actor, reconciliation: Reconciliation) -> None:
    """Let it be changed again; what arrived meanwhile is matched now."""
    reconciliation.review_id = None
    db.session.flush()
    request_run(work, actor, JobKind.MATCH, reconciliation.id)


def _decide(actor: Actor, review: CertificationReview, state: ReviewState, reason: str) -> None:
    review.state, review.reason = state, reason
    review.decided_at, review.decided_by_name = utc_now(), actor.name
    db.session.flush()
    before, after = {"review": ReviewState.WAITING}, {"review": state, "reason": reason}
    subject = ("reconciliation", review.reconciliation_id)
    record(actor, Change(f"reconciliation.{_VERBS[state]}", *subject, before, after))
