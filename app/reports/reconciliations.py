"""Lists around the workspace: accounts with where they stand, their history, their reports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.kernel.errors import NotFound
from app.models import (
    Certification,
    CertificationReview,
    FinancialAccount,
    GlAccount,
    LedgerBankAccount,
    Reconciliation,
    ReconciliationStatus,
    Reopening,
    ReviewState,
    db,
)
from app.reconciliation.balances import Balances, balances_of
from app.reconciliation.certificates import certificate_in_force, in_force
from app.reconciliation.discarding import reason_against_discarding
from app.reconciliation.reopening import reason_against_reopening
from app.reconciliation.scope import reason_locked
from app.reconciliation.statement import ReconciliationStatement, from_document, statement_of
from app.tenancy.scope import current_organization_id, get_owned, owned


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One ledger bank account: what is open and what was certified last."""

    id: str
    name: str
    gl_account_number: str
    currency: str
    bank_account: str | None
    open_id: str | None
    open_ending_date: date | None
    open_balances: Balances | None
    certified_id: str | None
    certified_until: date | None
    certified_balance_minor: int | None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    id: str
    account_name: str
    ending_date: date
    ending_balance_minor: int
    currency: str
    is_open: bool
    in_review: bool
    certified_at: datetime | None
    certified_by: str | None
    prepared_by: str
    versions_count: int
    """Certificates that were ever signed; of an open one, those that were reopened."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One signature under a statement, and what ended it."""

    version: int
    certified_at: datetime
    certified_by: str
    prepared_at: datetime | None
    prepared_by: str
    reopened_at: datetime | None
    reopened_by: str
    reopened_because: str


@dataclass(frozen=True, slots=True)
class Review:
    """The last submission to a second person."""

    state: str
    prepared_at: datetime
    prepared_by: str
    prepared_by_id: str
    remarks: str
    decided_at: datetime | None
    decided_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """A reconciliation statement: as it stands, or exactly as it was certified.

    Attributes:
        version: Number of the certificate that is shown; None for a draft.
        certificates: All that were ever signed, newest first.
        review: The last submission for review since the last certificate.
    """

    reconciliation_id: str
    ledger_bank_account_id: str
    statement: ReconciliationStatement
    certified_at: datetime | None
    certified_by: str | None
    remarks: str
    sha256: str
    version: int | None
    is_open: bool
    certificates: tuple[Certificate, ...]
    review: Review | None

    @property
    def certificate(self) -> Certificate | None:
        """Return the signature under the statement that is shown."""
        shown = (each for each in self.certificates if each.version == self.version)
        return next(shown, None)

    @property
    def reopened(self) -> Certificate | None:
        """Return what was reopened to make this draft."""
        return self.certificates[0] if self.version is None and self.certificates else None


@dataclass(frozen=True, slots=True)
class OpeningForm:
    """What the form for a new reconciliation asks and suggests."""

    account_id: str
    account_name: str
    currency: str
    last_ending_date: date | None
    opening_balance_minor: int | None
    suggested_ending_date: date | None


def accounts() -> list[AccountRow]:
    """Return every ledger bank account, by GL number."""
    rows = db.session.execute(
        owned(LedgerBankAccount)
        .join(GlAccount, GlAccount.id == LedgerBankAccount.gl_account_id)
        .order_by(GlAccount.number)
        .with_only_columns(LedgerBankAccount, GlAccount.number)
    ).all()
    mapped = _bank_accounts()
    newest = _newest_by_status()
    return [_account_row(account, number, mapped, newest) for account, number in rows]


def history(ledger_bank_account_id: str = "") -> list[HistoryRow]:
    """Return an account's reconciliations, or everybody's, newest first."""
    every = aliased(Certification)
    versions = (
        sa.select(sa.func.count(every.id))
        .where(
            every.organization_id == current_organization_id(),
            every.reconciliation_id == Reconciliation.id,
        )
        .scalar_subquery()
    )
    signed = sa.and_(Certification.reconciliation_id == Reconciliation.id, in_force())
    statement = (
        owned(Reconciliation)
        .join(LedgerBankAccount, LedgerBankAccount.id == Reconciliation.ledger_bank_account_id)
        .outerjoin(Certification, signed)
        .order_by(Reconciliation.ending_date.desc(), LedgerBankAccount.name)
        .with_only_columns(Reconciliation, LedgerBankAccount.name, Certification, versions)
    )
    if ledger_bank_account_id:
        statement = statement.where(Reconciliation.ledger_bank_account_id == ledger_bank_account_id)
    return [_history_row(*row) for row in db.session.execute(statement)]


def _history_row(
    reconciliation: Reconciliation,
    account_name: str,
    certified: Certification | None,
    versions_count: int,
) -> HistoryRow:
    return HistoryRow(
        id=reconciliation.id,
        account_name=account_name,
        ending_date=reconciliation.ending_date,
        ending_balance_minor=reconciliation.ending_balance_minor,
        currency=reconciliation.currency,
        is_open=reconciliation.status == ReconciliationStatus.OPEN,
        in_review=reconciliation.review_id is not None,
        certified_at=certified.certified_at if certified else None,
        certified_by=certified.certified_by_name if certified else None,
        prepared_by=certified.prepared_by_name if certified else "",
        versions_count=versions_count,
    )


def report(reconciliation_id: str, version: int | None = None) -> Report:
    """Return the statement; a certified one is read from its certificate, never recomputed.

    Args:
        reconciliation_id: Which one.
        version: A certificate, in force or not; None for how things stand.

    Raises:
        NotFound: No such reconciliation, or no such version of its certificate.
    """
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    certified = _shown(reconciliation.id, version)
    if certified is None:
        statement = statement_of(reconciliation)
    else:
        statement = from_document(certified.document)
    return Report(
        reconciliation_id=reconciliation.id,
        ledger_bank_account_id=reconciliation.ledger_bank_account_id,
        statement=statement,
        certified_at=certified.certified_at if certified else None,
        certified_by=certified.certified_by_name if certified else None,
        remarks=certified.remarks if certified else "",
        sha256=certified.sha256 if certified else "",
        version=certified.version if certified else None,
        is_open=reconciliation.status == ReconciliationStatus.OPEN,
        certificates=_certificates(reconciliation.id),
        review=last_review(reconciliation),
    )


def reopen_refusal(reconciliation_id: str) -> str:
    """Return why this reconciliation cannot be reopened now, or nothing."""
    return reason_against_reopening(get_owned(Reconciliation, reconciliation_id))


def discard_refusal(reconciliation_id: str) -> str:
    """Return why this open reconciliation cannot be discarded, or nothing."""
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    return reason_locked(reconciliation) or reason_against_discarding(reconciliation)


def last_review(reconciliation: Reconciliation) -> Review | None:
    """Return the last submission of what is open now, or None."""
    review = db.session.scalar(
        owned(CertificationReview)
        .where(CertificationReview.reconciliation_id == reconciliation.id)
        .order_by(CertificationReview.id.desc())
        .limit(1)
    )
    if review is None or review.state == ReviewState.APPROVED:
        return None
    return Review(
        state=review.state,
        prepared_at=review.prepared_at,
        prepared_by=review.prepared_by_name,
        prepared_by_id=review.prepared_by,
        remarks=review.remarks,
        decided_at=review.decided_at,
        decided_by=review.decided_by_name,
        reason=review.reason,
    )


def _shown(reconciliation_id: str, version: int | None) -> Certification | None:
    if version is None:
        return certificate_in_force(reconciliation_id)
    certified = db.session.scalar(
        owned(Certification).where(
            Certification.reconciliation_id == reconciliation_id, Certification.version == version
        )
    )
    if certified is None:
        raise NotFound
    return certified


def _certificates(reconciliation_id: str) -> tuple[Certificate, ...]:
    rows = db.session.execute(
        owned(Certification)
        .outerjoin(Reopening, Reopening.certification_id == Certification.id)
        .where(Certification.reconciliation_id == reconciliation_id)
        .order_by(Certification.version.desc())
        .with_only_columns(Certification, Reopening)
    )
    return tuple(
        Certificate(
            version=certified.version,
            certified_at=certified.certified_at,
            certified_by=certified.certified_by_name,
            prepared_at=certified.prepared_at,
            prepared_by=certified.prepared_by_name,
            reopened_at=reopened.reopened_at if reopened else None,
            reopened_by=reopened.reopened_by_name if reopened else "",
            reopened_because=reopened.reason if reopened else "",
        )
        for certified, reopened in rows
    )


def opening_form(ledger_bank_account_id: str) -> OpeningForm:
    """Return what is known before a reconciliation of this account is opened."""
    account = get_owned(LedgerBankAccount, ledger_bank_account_id)
    last = db.session.scalar(
        owned(Reconciliation)
        .where(Reconciliation.ledger_bank_account_id == account.id)
        .order_by(Reconciliation.ending_date.desc())
        .limit(1)
    )
    covered = db.session.scalar(
        owned(FinancialAccount)
        .where(FinancialAccount.ledger_bank_account_id == account.id)
        .with_only_columns(FinancialAccount.covered_until)
    )
    return OpeningForm(
        account_id=account.id,
        account_name=account.name,
        currency=account.currency,
        last_ending_date=last.ending_date if last else None,
        opening_balance_minor=last.ending_balance_minor if last else None,
        suggested_ending_date=month_end_after(last.ending_date) if last else covered,
    )


def month_end_after(day: date) -> date:
    """Return the end of the month in which the day after `day` lies."""
    following = day + timedelta(days=1)
    first_of_next = (following.replace(day=1) + timedelta(days=32)).replace(day=1)
    return first_of_next - timedelta(days=1)


def _bank_accounts() -> dict[str, str]:
    rows = db.session.scalars(
        owned(FinancialAccount).where(FinancialAccount.ledger_bank_account_id.is_not(None))
    )
    return {
        row.ledger_bank_account_id or "": f"{row.name} ··{row.mask}" if row.mask else row.name
        for row in rows
    }


def _newest_by_status() -> dict[tuple[str, str], Reconciliation]:
    latest = (
        owned(Reconciliation)
        .with_only_columns(
            Reconciliation.ledger_bank_account_id,
            Reconciliation.status,
            sa.func.max(Reconciliation.ending_date).label("ending_date"),
        )
        .group_by(Reconciliation.ledger_bank_account_id, Reconciliation.status)
        .subquery()
    )
    rows = db.session.scalars(
        owned(Reconciliation).join(
            latest,
            sa.and_(
                latest.c.ledger_bank_account_id == Reconciliation.ledger_bank_account_id,
                latest.c.status == Reconciliation.status,
                latest.c.ending_date == Reconciliation.ending_date,
            ),
        )
    )
    return {(row.ledger_bank_account_id, row.status): row for row in rows}


def _account_row(
    account: LedgerBankAccount,
    gl_account_number: str,
    mapped: dict[str, str],
    newest: dict[tuple[str, str], Reconciliation],
) -> AccountRow:
    opened = newest.get((account.id, ReconciliationStatus.OPEN))
    certified = newest.get((account.id, ReconciliationStatus.CERTIFIED))
    return AccountRow(
        id=account.id,
        name=account.name,
        gl_account_number=gl_account_number,
        currency=account.currency,
        bank_account=mapped.get(account.id),
        open_id=opened.id if opened else None,
        open_ending_date=opened.ending_date if opened else None,
        open_balances=balances_of(opened) if opened else None,
        certified_id=certified.id if certified else None,
        certified_until=certified.ending_date if certified else None,
        certified_balance_minor=certified.ending_balance_minor if certified else None,
    )
