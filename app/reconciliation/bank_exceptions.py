"""Settle what the bank changed after certification; the certified statement always stands.

Either a person acknowledges the change, or the difference is carried: booked as a bank
transaction of the period that is open now, where it is matched like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.connections.bank_changes import Applied, apply_bank_facts, hold_accounts
from app.connections.bank_facts import (
    booked_minor,
    day_in_words,
    facts_of,
    fingerprint,
    from_json,
    title_of,
    to_json,
)
from app.jobs.runs import request_matching_where
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, Invalid
from app.models import (
    BankChange,
    ChangeState,
    FinancialAccount,
    FinancialTransaction,
    LedgerBankAccount,
    MatchItem,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    db,
)
from app.models.session import UnitOfWork, unit_of_work
from app.reconciliation.opening import last_reconciliation
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, owned

NOTE_CHARACTERS_MAX: Final = 2_000
TAKEN_UP_NOTE: Final = "Reopened: the line reads as the bank states it now."

_SETTLED_WORDS: Final = {
    ChangeState.ACKNOWLEDGED: "{who} has acknowledged this change",
    ChangeState.CARRIED: "{who} has carried this change",
    ChangeState.WITHDRAWN: "The bank has taken this change back",
}


@dataclass(frozen=True, slots=True)
class Settle:
    """A decision on one change.

    Args:
        change_id: Which one.
        note: Why, for whoever reads the month later; never empty.
        seen: `fingerprint` of the change as the person saw it; another is not settled unread.
    """

    change_id: str
    note: str
    seen: str


def acknowledge(actor: Actor, command: Settle) -> None:
    """Let the certified month stand as it is, with the reason.

    Raises:
        NotFound: No such change here.
        Invalid: No reason was given.
        Conflict: It was settled, withdrawn or changed again meanwhile.
    """
    actor.require(Permission.RECONCILE)
    note = _checked_note(command.note)
    with unit_of_work():
        change, _ = _hold_unsettled(command)
        _settle(actor, change, ChangeState.ACKNOWLEDGED, note)


def carry(actor: Actor, command: Settle) -> str:
    """Book the difference as a bank transaction of the open period and return its id.

    It is dated today in the organization's time zone, but not after the end of a
    reconciliation that is open, and not within what is certified.

    Raises:
        NotFound: No such change here.
        Invalid: No reason was given, the amounts are equal, or the bank account is not mapped
            any more to the ledger account whose month was certified.
        Conflict: It was settled, withdrawn or changed again meanwhile.
    """
    actor.require(Permission.RECONCILE)
    note = _checked_note(command.note)
    with unit_of_work() as work:
        change, transaction = _hold_unsettled(command)
        account = get_owned(FinancialAccount, transaction.financial_account_id)
        reconciliation = get_owned(Reconciliation, change.reconciliation_id)
        ledger = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
        reason = reason_against_carrying(change, account, ledger)
        if reason:
            raise Invalid(f"{reason} Nothing was carried; acknowledge the change instead.")
        correction = _write_correction(actor, change, transaction, account)
        change.carried_transaction_id = correction.id
        _settle(actor, change, ChangeState.CARRIED, note)
        _match_again(work, account)
        return correction.id


def take_back(actor: Actor, change_id: str) -> None:
    """Let a settled change wait again; a correction that it was carried by is marked removed.

    Raises:
        NotFound: No such change here.
        Conflict: It waits already, a later change of the transaction rests on it, or its
            correction is matched.
    """
    actor.require(Permission.RECONCILE)
    with unit_of_work() as work:
        change, transaction = _hold(change_id)
        if change.state not in (ChangeState.ACKNOWLEDGED, ChangeState.CARRIED):
            raise Conflict("This change is not settled by anybody; nothing was changed.")
        _refuse_where_a_later_one_rests_on_it(change)
        if change.carried_transaction_id is not None:
            _remove_correction(actor, change.carried_transaction_id)
            change.carried_transaction_id = None
            account = get_owned(FinancialAccount, transaction.financial_account_id)
            _match_again(work, account)
        _write_state(actor, change, ChangeState.OPEN, note="", who="")


def take_up_changes(actor: Actor, reconciliation: Reconciliation) -> Applied:
    """Bring a reopened reconciliation's lines to what the bank says, in the caller's transaction.

    Waiting changes and carried ones are taken up: their lines are changed, their matches
    flagged, and the corrections that carried them are marked removed.  Acknowledged ones stay
    as a person has decided.  The caller holds the accounts.
    """
    changes = db.session.scalars(
        owned(BankChange)
        .where(
            BankChange.reconciliation_id == reconciliation.id,
            BankChange.state.in_((ChangeState.OPEN, ChangeState.CARRIED)),
        )
        .order_by(BankChange.id)
    ).all()
    for change in changes:
        if change.carried_transaction_id is not None:
            _remove_correction(actor, change.carried_transaction_id)
            change.carried_transaction_id = None
        _write_state(actor, change, ChangeState.WITHDRAWN, note=TAKEN_UP_NOTE, who=actor.name)
    stated = {change.financial_transaction_id: from_json(change.after) for change in changes}
    return apply_bank_facts(actor, stated)


def difference_of(change: BankChange) -> int:
    """Return what the change adds to the bank's balance, in minor units."""
    return booked_minor(from_json(change.after)) - booked_minor(from_json(change.before))


def reason_against_carrying(
    change: BankChange, account: FinancialAccount, ledger: LedgerBankAccount
) -> str:
    """Return why the difference cannot be booked in the open period, or nothing."""
    if difference_of(change) == 0:
        return "The amount is as certified, so there is nothing to carry."
    if account.ledger_bank_account_id != ledger.id:
        return f"“{account.name}” is not mapped to “{ledger.name}” any more."
    return ""


def _checked_note(note: str) -> str:
    note = note.strip()
    if not 1 <= len(note) <= NOTE_CHARACTERS_MAX:
        sentence = f"Say why, in 1 to {NOTE_CHARACTERS_MAX:,} characters; nothing was settled."
        raise Invalid(sentence, {"note": [sentence]})
    return note


def _hold(change_id: str) -> tuple[BankChange, FinancialTransaction]:
    """Return the change as it is now, with its account held against syncs and matching."""
    change = get_owned(BankChange, change_id)
    transaction = get_owned(FinancialTransaction, change.financial_transaction_id)
    hold_accounts([transaction.financial_account_id])
    db.session.refresh(change)
    return change, transaction


def _hold_unsettled(command: Settle) -> tuple[BankChange, FinancialTransaction]:
    change, transaction = _hold(command.change_id)
    if change.state != ChangeState.OPEN:
        words = _SETTLED_WORDS[ChangeState(change.state)].format(who=change.settled_by_name)
        if change.state == ChangeState.WITHDRAWN and change.settled_by_name:
            words = f"{change.settled_by_name} has reopened the month"
        raise Conflict(f"{words} in the meantime; nothing was changed.")
    if fingerprint(change.before, change.after) != command.seen:
        raise Conflict(
            "The bank has changed it again since you looked; nothing was settled. This is what "
            "it says now."
        )
    return change, transaction


def _settle(actor: Actor, change: BankChange, state: ChangeState, note: str) -> None:
    _write_state(actor, change, state, note=note, who=actor.name)


def _write_state(
    actor: Actor, change: BankChange, state: ChangeState, *, note: str, who: str
) -> None:
    before = _facts(change)
    change.state, change.note, change.settled_by_name = state, note, who
    change.settled_at = utc_now() if who else None
    db.session.flush()
    action = "bank_change.waits_again" if state is ChangeState.OPEN else f"bank_change.{state}"
    record(actor, Change(action, "bank_change", change.id, before, _facts(change)))


def _facts(change: BankChange) -> dict[str, Any]:
    return {
        "state": change.state,
        "note": change.note,
        "carried_transaction_id": change.carried_transaction_id,
    }


def _write_correction(
    actor: Actor,
    change: BankChange,
    transaction: FinancialTransaction,
    account: FinancialAccount,
) -> FinancialTransaction:
    """Write the one correction of this change; the key lets it exist only once."""
    key = f"bank-change-{change.id}"
    correction = db.session.scalar(
        owned(FinancialTransaction).where(
            FinancialTransaction.financial_account_id == account.id,
            FinancialTransaction.source_key == key,
        )
    )
    if correction is None:
        correction = FinancialTransaction(
            financial_account_id=account.id, source_key=key, currency=account.currency
        )
        db.session.add(correction)
    certified = facts_of(transaction)
    assert certified is not None, "a certified row stays as it was signed"
    correction.status = TransactionStatus.POSTED
    correction.posted_date = _day_in_open_period(actor, account)
    correction.amount_minor = difference_of(change)
    correction.description = f"Correction by the bank of {title_of(certified)}"
    correction.counterparty = certified.counterparty
    correction.reference = certified.reference
    correction.updated_at = utc_now()
    db.session.flush()
    after = to_json(facts_of(correction))
    record(
        actor, Change("bank_transaction.corrected", "bank_transaction", correction.id, {}, after)
    )
    return correction


def _day_in_open_period(actor: Actor, account: FinancialAccount) -> date:
    today = utc_now().astimezone(ZoneInfo(actor.time_zone)).date()
    ledger_id = account.ledger_bank_account_id
    assert ledger_id is not None, "only a mapped account gets here"
    newest = last_reconciliation(ledger_id)
    if newest is not None and newest.status == ReconciliationStatus.OPEN:
        today = min(today, newest.ending_date)
    certified_until: date | None = db.session.scalar(
        owned(Reconciliation)
        .where(
            Reconciliation.ledger_bank_account_id == ledger_id,
            Reconciliation.status == ReconciliationStatus.CERTIFIED,
        )
        .with_only_columns(sa.func.max(Reconciliation.ending_date))
    )
    assert certified_until is not None, "a certified reconciliation holds the transaction"
    return max(today, certified_until + timedelta(days=1))


def _remove_correction(actor: Actor, correction_id: str) -> None:
    correction = get_owned(FinancialTransaction, correction_id)
    ending_date = db.session.scalar(
        owned(Reconciliation)
        .join(MatchItem, MatchItem.reconciliation_id == Reconciliation.id)
        .where(MatchItem.active, MatchItem.financial_transaction_id == correction.id)
        .with_only_columns(Reconciliation.ending_date)
    )
    if ending_date is not None:
        raise Conflict(
            f"Its correction is matched in the reconciliation to {day_in_words(ending_date)}; "
            "unmatch it there first. Nothing was changed."
        )
    before = to_json(facts_of(correction))
    correction.status, correction.updated_at = TransactionStatus.REMOVED, utc_now()
    db.session.flush()
    record(actor, Change("bank_transaction.removed", "bank_transaction", correction.id, before, {}))


def _refuse_where_a_later_one_rests_on_it(change: BankChange) -> None:
    later = owned(BankChange).where(
        BankChange.financial_transaction_id == change.financial_transaction_id,
        BankChange.id > change.id,
        BankChange.state != ChangeState.WITHDRAWN,
    )
    if db.session.scalar(later.limit(1)) is not None:
        raise Conflict(
            "The bank has changed this transaction once more since; settle or take back that "
            "change first. Nothing was changed."
        )


def _match_again(work: UnitOfWork, account: FinancialAccount) -> None:
    request_matching_where(work, LedgerBankAccount.id == account.ledger_bank_account_id)
