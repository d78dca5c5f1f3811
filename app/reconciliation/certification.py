"""Sign off: only at difference zero, with nothing in the period left undecided."""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.jobs.runs import latest_run
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict
from app.kernel.money import display_amount
from app.models import (
    Certification,
    JobKind,
    JobStatus,
    Match,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation.balances import Balances, balances_of
from app.reconciliation.review import flagged_matches
from app.reconciliation.scope import hold_open
from app.reconciliation.statement import as_document, statement_of
from app.reconciliation.suggestions import live_suggestions
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission


class NotReady(Conflict):
    """What still stands against certifying, one reason a sentence."""

    code = "not_ready_to_certify"
    title = "Not ready to certify"

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons), extra={"reasons": reasons})
        self.reasons = reasons


def reasons_against(reconciliation: Reconciliation, balances: Balances) -> list[str]:
    """Return what must be done before certifying; empty when it can be signed."""
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
        Conflict: Certified already.
    """
    actor.require(Permission.CERTIFY)
    with unit_of_work():
        reconciliation = hold_open(reconciliation_id)
        reasons = reasons_against(reconciliation, balances_of(reconciliation))
        if reasons:
            raise NotReady(reasons)
        statement = statement_of(reconciliation)
        assert statement.agrees, "a balanced reconciliation has two equal adjusted balances"
        document = as_document(statement)
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        certification = Certification(
            reconciliation_id=reconciliation.id,
            certified_at=utc_now(),
            certified_by=actor.user_id,
            certified_by_name=actor.name,
            document=document,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            remarks=remarks.strip(),
        )
        db.session.add(certification)
        reconciliation.status = ReconciliationStatus.CERTIFIED
        db.session.flush()
        after = {
            "status": reconciliation.status,
            "ending_balance_minor": reconciliation.ending_balance_minor,
            "adjusted_balance_minor": statement.adjusted_bank_minor,
            "outstanding_count": len(statement.deposits_in_transit)
            + len(statement.outstanding_payments),
            "statement_sha256": certification.sha256,
        }
        change = Change(
            "reconciliation.certified",
            "reconciliation",
            reconciliation.id,
            {"status": ReconciliationStatus.OPEN},
            after,
        )
        record(actor, change)
        return certification.id


def _count(matches: sa.Select[Match]) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(matches.subquery())) or 0
