"""What a person decides: approve, reject, match by hand, unmatch, and take it back.

Every match balances: bank total and GL total are equal to the cent.  What the ledger
lacks is recorded as a journal entry in the same transaction and becomes part of the match.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.audit.trail import Change, record
from app.connections.match_flags import flags_of
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid, NotFound
from app.kernel.ids import new_id
from app.models import (
    FinancialTransaction,
    GlEntry,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    User,
    db,
)
from app.models.session import rows_changed, unit_of_work
from app.reconciliation.adjustments import Adjustment, undo_adjustment, write_adjustment
from app.reconciliation.scope import bank_in_scope, gl_in_scope, hold_match, hold_open
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import owned


@dataclass(frozen=True, slots=True)
class MatchByHand:
    """Lines to tie together; an adjustment records what the ledger lacks."""

    reconciliation_id: str
    bank_transaction_ids: tuple[str, ...]
    gl_entry_ids: tuple[str, ...]
    adjustment: Adjustment | None = None


def match_by_hand(actor: Actor, command: MatchByHand) -> str:
    """Match the chosen lines and return the match's id.

    Raises:
        NotFound: A line is unknown, of another account, or dated after the statement.
        Invalid: Nothing chosen, or totals differ and no account was chosen for the rest.
        Conflict: A line was matched meanwhile, or the reconciliation is certified.
    """
    actor.require(Permission.RECONCILE)
    with _taken_lines_are_a_conflict(), unit_of_work():
        reconciliation = hold_open(command.reconciliation_id)
        bank, gl = _chosen_lines(reconciliation, command)
        _require_free([line.id for line in bank], [entry.id for entry in gl])
        match = Match(
            id=new_id(),
            reconciliation_id=reconciliation.id,
            origin=MatchOrigin.MANUAL,
            state=MatchState.MATCHED,
            bank_total_minor=sum(line.amount_minor for line in bank),
            gl_total_minor=sum(entry.amount_minor for entry in gl),
            decided_by=actor.user_id,
            decided_at=utc_now(),
        )
        _settle_rest(actor, reconciliation, match, bank, command.adjustment)
        db.session.add(match)
        db.session.flush()
        _add_items(match, bank, gl)
        record(actor, Change("match.made", "match", match.id, {}, _facts(match)))
        return match.id


def approve(actor: Actor, match_id: str, adjustment: Adjustment | None = None) -> str:
    """Turn a suggestion into a match and return its reconciliation's id.

    Raises:
        Conflict: Decided by somebody else meanwhile, or one of its lines is matched already or
            was changed since it was suggested.
        Invalid: The amounts differ and no account was chosen for the rest.
    """
    actor.require(Permission.RECONCILE)
    with _taken_lines_are_a_conflict(), unit_of_work():
        match, reconciliation = hold_match(match_id)
        items = _items(match.id)
        _require_free(
            [item.financial_transaction_id for item in items if item.financial_transaction_id],
            [item.gl_entry_id for item in items if item.gl_entry_id],
        )
        _move(actor, match, MatchState.SUGGESTED, MatchState.MATCHED)
        _require_unchanged(reconciliation, items)
        bank = _bank_lines(reconciliation, [i.financial_transaction_id or "" for i in items])
        _settle_rest(actor, reconciliation, match, bank, adjustment)
        _activate(match.id, active=True)
        record(actor, Change("match.approved", "match", match.id, _before(match), _facts(match)))
        return reconciliation.id


def reject(actor: Actor, match_id: str) -> str:
    """Dismiss a suggestion: it will not be made again in this reconciliation.

    Raises:
        Conflict: Decided by somebody else meanwhile.
    """
    actor.require(Permission.RECONCILE)
    with unit_of_work():
        match, reconciliation = hold_match(match_id)
        _move(actor, match, MatchState.SUGGESTED, MatchState.REJECTED)
        record(actor, Change("match.rejected", "match", match.id, _before(match), _facts(match)))
        return reconciliation.id


def unmatch(actor: Actor, match_id: str) -> str:
    """Take a match apart; an adjustment that it recorded is reversed, never deleted.

    Raises:
        Conflict: Unmatched by somebody else meanwhile, or certified.
    """
    actor.require(Permission.RECONCILE)
    with _taken_lines_are_a_conflict(), unit_of_work():
        match, reconciliation = hold_match(match_id)
        _move(actor, match, MatchState.MATCHED, MatchState.UNMATCHED)
        _activate(match.id, active=False)
        if match.adjustment_id is not None:
            voided = undo_adjustment(actor, reconciliation, match.adjustment_id)
            _tie_voided(actor, reconciliation, voided)
        before = {"state": MatchState.MATCHED}
        record(actor, Change("match.unmatched", "match", match.id, before, _facts(match)))
        return reconciliation.id


def take_back(actor: Actor, match_id: str) -> str:
    """Undo the last decision on a suggestion or match: rejected → suggested, unmatched → matched.

    Raises:
        Conflict: A line was matched elsewhere or changed by the bank meanwhile, or the match's
            adjustment was reversed.
    """
    actor.require(Permission.RECONCILE)
    with _taken_lines_are_a_conflict(), unit_of_work():
        match, reconciliation = hold_match(match_id)
        if match.state == MatchState.REJECTED:
            _move(actor, match, MatchState.REJECTED, MatchState.SUGGESTED)
        else:
            if match.adjustment_id is not None:
                raise Conflict("Its adjustment was reversed; match the lines again instead.")
            _move(actor, match, MatchState.UNMATCHED, MatchState.MATCHED)
            items = [item for item in _items(match.id) if not (match.flag and item.as_matched)]
            _require_unchanged(reconciliation, items)
            if match.flag:
                match.flag = flags_of([match.id])[match.id]
                db.session.flush()
            _activate(match.id, active=True)
        record(actor, Change("match.restored", "match", match.id, {}, _facts(match)))
        return reconciliation.id


def _move(actor: Actor, match: Match, expected: MatchState, target: MatchState) -> None:
    """Change the state where nobody was faster, else say who was."""
    moved = (
        sa.update(Match)
        .where(Match.id == match.id, Match.state == expected)
        .values(
            state=target,
            decided_by=actor.user_id,
            decided_at=utc_now(),
            updated_at=utc_now(),
        )
    )
    if rows_changed(moved) != 1:
        raise Conflict(f"{_who_decided(match)}; nothing was changed.")
    db.session.refresh(match)


def _who_decided(match: Match) -> str:
    who = db.session.scalar(sa.select(User.name).where(User.id == match.decided_by))
    verb = {
        MatchState.MATCHED: "matched these lines",
        MatchState.REJECTED: "rejected this suggestion",
        MatchState.UNMATCHED: "took this match apart",
        MatchState.SUGGESTED: "put this suggestion back",
    }[MatchState(match.state)]
    return f"{who or 'Matching'} has {verb} in the meantime"


def _chosen_lines(
    reconciliation: Reconciliation, command: MatchByHand
) -> tuple[Sequence[FinancialTransaction], Sequence[GlEntry]]:
    bank_ids, gl_ids = set(command.bank_transaction_ids), set(command.gl_entry_ids)
    count = len(bank_ids) + len(gl_ids)
    if not bank_ids and len(gl_ids) < 2:  # noqa: PLR2004 - one entry has nothing to balance it
        raise Invalid("Tick at least one bank transaction, or ledger entries that cancel out.")
    if count > limits.MATCH_ITEMS_MAX:
        raise Invalid(f"A match ties at most {limits.MATCH_ITEMS_MAX} lines; these are {count}.")
    bank, gl = _bank_lines(reconciliation, bank_ids), _gl_lines(reconciliation, gl_ids)
    if len(bank) != len(bank_ids) or len(gl) != len(gl_ids):
        raise NotFound(
            "One of the lines is not part of this reconciliation: another account, a date after "
            "the statement, or no longer there. Nothing was matched."
        )
    return bank, gl


def _require_unchanged(reconciliation: Reconciliation, items: Sequence[MatchItem]) -> None:
    """Refuse where a line is not any more what the items say, or has left the period."""
    bank_ids = {item.financial_transaction_id for item in items if item.financial_transaction_id}
    gl_ids = {item.gl_entry_id for item in items if item.gl_entry_id}
    now_minor = {row.id: row.amount_minor for row in _bank_lines(reconciliation, bank_ids)}
    now_minor |= {row.id: row.amount_minor for row in _gl_lines(reconciliation, gl_ids)}
    for item in items:
        if now_minor.get(item.financial_transaction_id or item.gl_entry_id or "") != (
            item.amount_minor
        ):
            raise Conflict(
                "One of these lines was changed or removed in the meantime; nothing was matched. "
                "Match what is there now."
            )


def _bank_lines(
    reconciliation: Reconciliation, ids: Collection[str]
) -> Sequence[FinancialTransaction]:
    return db.session.scalars(
        bank_in_scope(reconciliation)
        .where(FinancialTransaction.id.in_(ids))
        .order_by(FinancialTransaction.id)
    ).all()


def _gl_lines(reconciliation: Reconciliation, ids: Collection[str]) -> Sequence[GlEntry]:
    return db.session.scalars(
        gl_in_scope(reconciliation).where(GlEntry.id.in_(ids)).order_by(GlEntry.id)
    ).all()


def _require_free(bank_ids: Sequence[str], gl_ids: Sequence[str]) -> None:
    """Say who has matched one of the lines already; the unique indexes guard the race."""
    taken = db.session.execute(
        owned(MatchItem)
        .join(Match, Match.id == MatchItem.match_id)
        .outerjoin(User, User.id == Match.decided_by)
        .where(
            MatchItem.active,
            sa.or_(
                MatchItem.financial_transaction_id.in_(bank_ids), MatchItem.gl_entry_id.in_(gl_ids)
            ),
        )
        .with_only_columns(Match.origin, User.name)
        .limit(1)
    ).one_or_none()
    if taken is not None:
        who = taken.name or ("A matching rule" if taken.origin == MatchOrigin.RULE else "Matching")
        raise Conflict(
            f"{who} has matched one of these lines in the meantime; nothing was changed."
        )


def _settle_rest(
    actor: Actor,
    reconciliation: Reconciliation,
    match: Match,
    bank: Sequence[FinancialTransaction],
    adjustment: Adjustment | None,
) -> None:
    rest_minor = match.bank_total_minor - match.gl_total_minor
    if rest_minor == 0:
        return
    written = write_adjustment(actor, reconciliation, bank, rest_minor, adjustment)
    match.adjustment_id = written.journal_id
    match.gl_total_minor += rest_minor
    db.session.add(
        MatchItem(
            match_id=match.id,
            reconciliation_id=reconciliation.id,
            gl_entry_id=written.entry_ids[0],
            amount_minor=rest_minor,
            active=True,
        )
    )


def _add_items(match: Match, bank: Sequence[FinancialTransaction], gl: Sequence[GlEntry]) -> None:
    for line in bank:
        db.session.add(
            MatchItem(
                match_id=match.id,
                reconciliation_id=match.reconciliation_id,
                financial_transaction_id=line.id,
                amount_minor=line.amount_minor,
                active=True,
            )
        )
    for entry in gl:
        db.session.add(
            MatchItem(
                match_id=match.id,
                reconciliation_id=match.reconciliation_id,
                gl_entry_id=entry.id,
                amount_minor=entry.amount_minor,
                active=True,
            )
        )
    db.session.flush()


def _tie_voided(actor: Actor, reconciliation: Reconciliation, entry_ids: tuple[str, str]) -> None:
    """Match an adjustment's line with its reversal, so that neither shows as outstanding."""
    entries = db.session.scalars(owned(GlEntry).where(GlEntry.id.in_(entry_ids))).all()
    match = Match(
        id=new_id(),
        reconciliation_id=reconciliation.id,
        origin=MatchOrigin.MANUAL,
        state=MatchState.MATCHED,
        bank_total_minor=0,
        gl_total_minor=sum(entry.amount_minor for entry in entries),
        decided_by=actor.user_id,
        decided_at=utc_now(),
    )
    db.session.add(match)
    db.session.flush()
    _add_items(match, [], entries)


def _items(match_id: str) -> Sequence[MatchItem]:
    return db.session.scalars(owned(MatchItem).where(MatchItem.match_id == match_id)).all()


def _activate(match_id: str, *, active: bool) -> None:
    rows_changed(sa.update(MatchItem).where(MatchItem.match_id == match_id).values(active=active))


@contextmanager
def _taken_lines_are_a_conflict() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict(
            "One of these lines was matched in the meantime; nothing was changed."
        ) from error


def _before(match: Match) -> dict[str, object]:
    return {"state": MatchState.SUGGESTED, "score": match.score}


def _facts(match: Match) -> dict[str, object]:
    return {
        "reconciliation_id": match.reconciliation_id,
        "state": match.state,
        "origin": match.origin,
        "score": match.score,
        "bank_total_minor": match.bank_total_minor,
        "gl_total_minor": match.gl_total_minor,
        "adjustment_id": match.adjustment_id,
    }
