"""Matches that wait for a person because the bank changed one of their lines.

Keeping one accepts what the bank says now; taking it apart is `decisions.unmatch`.  Until
somebody decides, it counts as it was matched, and nothing can be certified.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.connections.match_flags import flags_of
from app.kernel.errors import Conflict, Invalid
from app.kernel.money import display_amount
from app.models import (
    FinancialTransaction,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    TransactionStatus,
    db,
)
from app.models.session import unit_of_work
from app.reconciliation.scope import hold_match
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import owned


class MatchedLine(NamedTuple):
    """A bank line of a match, and what the match holds of it."""

    item: MatchItem
    row: FinancialTransaction


def flagged_matches(reconciliation: Reconciliation) -> sa.Select[Match]:
    """Return the reconciliation's matches that somebody must look at again."""
    return owned(Match).where(
        Match.reconciliation_id == reconciliation.id,
        Match.state == MatchState.MATCHED,
        Match.flag != "",
    )


def reason_against_keeping(
    reconciliation: Reconciliation, match: Match, bank: Sequence[FinancialTransaction]
) -> str:
    """Return why a flagged match cannot stand with its bank lines as they are now, or nothing."""
    if any(row.status == TransactionStatus.REMOVED for row in bank):
        return "The bank has removed the transaction; unmatch it."
    if any(row.status == TransactionStatus.PENDING for row in bank):
        return "The bank has not booked the transaction any more; unmatch it."
    if any(row.posted_date > reconciliation.ending_date for row in bank):
        return "It is dated after the statement now; unmatch it."
    total_minor = sum(row.amount_minor for row in bank)
    if total_minor != match.gl_total_minor:
        now, ledger = (
            display_amount(minor, reconciliation.currency)
            for minor in (total_minor, match.gl_total_minor)
        )
        return f"The bank says {now} now and the ledger {ledger}; unmatch it."
    return ""


def keep(actor: Actor, match_id: str, *, seen: str) -> str:
    """Accept what the bank changed and return the reconciliation's id.

    Args:
        seen: The flag that the person read; another one is not accepted unread.

    Raises:
        Conflict: Nothing waits any more, or the bank has changed it again.
        Invalid: The match does not balance any more, or a line has left the period.
    """
    actor.require(Permission.RECONCILE)
    with unit_of_work():
        match, reconciliation = hold_match(match_id)
        _require_flag(match, seen)
        lines = _bank_lines(match.id)
        reason = reason_against_keeping(reconciliation, match, [line.row for line in lines])
        if reason:
            raise Invalid(f"{reason} Nothing was changed.")
        before = {"flag": match.flag, "amounts_minor": _amounts(lines)}
        for item, row in lines:
            item.amount_minor = row.amount_minor
        match.flag = ""
        db.session.flush()
        after = {"flag": "", "amounts_minor": _amounts(lines)}
        record(actor, Change("match.kept", "match", match.id, before, after))
        return reconciliation.id


def take_back_keeping(actor: Actor, match_id: str) -> str:
    """Let a kept match wait again, with its amounts as they were; return its reconciliation's id.

    Raises:
        Conflict: It was unmatched or flagged anew meanwhile, or was never kept.
    """
    actor.require(Permission.RECONCILE)
    with unit_of_work():
        match, reconciliation = hold_match(match_id)
        flag = flags_of([match.id])[match.id]
        if match.state != MatchState.MATCHED or match.flag or not flag:
            raise Conflict("There is nothing to take back any more; nothing was changed.")
        lines = _bank_lines(match.id)
        before = {"flag": "", "amounts_minor": _amounts(lines)}
        for item, _ in lines:
            if item.as_matched:
                item.amount_minor = item.as_matched["amount_minor"]
        match.flag = flag
        db.session.flush()
        after = {"flag": flag, "amounts_minor": _amounts(lines)}
        record(actor, Change("match.waits_again", "match", match.id, before, after))
        return reconciliation.id


def _require_flag(match: Match, seen: str) -> None:
    if match.state != MatchState.MATCHED or not match.flag:
        raise Conflict("This match does not wait for anybody any more; nothing was changed.")
    if match.flag != seen:
        raise Conflict(
            "The bank has changed it again since you looked; nothing was changed. This is how it "
            "stands now."
        )


def _bank_lines(match_id: str) -> Sequence[MatchedLine]:
    rows = db.session.execute(
        owned(MatchItem)
        .join(FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id)
        .where(MatchItem.match_id == match_id)
        .order_by(MatchItem.id)
        .with_only_columns(MatchItem, FinancialTransaction)
        .execution_options(populate_existing=True)
    )
    return [MatchedLine(*row) for row in rows]


def _amounts(lines: Sequence[MatchedLine]) -> dict[str, int]:
    return {line.row.id: line.item.amount_minor for line in lines}
