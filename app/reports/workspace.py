"""What the reconciliation workspace shows, read in a handful of statements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.jobs.runs import latest_run
from app.matching import ScoredPair, rank
from app.models import (
    FinancialAccount,
    FinancialTransaction,
    GlAccount,
    GlEntry,
    JobKind,
    JobRun,
    LedgerBankAccount,
    Match,
    MatchItem,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    TransactionStatus,
    User,
    db,
)
from app.reconciliation.balances import Balances, balances_of
from app.reconciliation.certification import reasons_against
from app.reconciliation.history import past_decisions
from app.reconciliation.lines import bank_item, gl_item, lines_of_matches
from app.reconciliation.review import flagged_matches, reason_against_keeping
from app.reconciliation.scope import open_bank, open_gl
from app.reconciliation.suggestions import live_suggestions
from app.reports.paging import Order, Page, fetch_page
from app.reports.search import matches_search
from app.tenancy.scope import get_owned, owned

SUGGESTIONS_READ_MAX: Final = 600
"""Suggestions read for the queue, best first; a bank line shows its best one."""

SUGGESTIONS_SHOWN: Final = 100
FLAGGED_SHOWN: Final = 100
CANDIDATES_SHOWN: Final = 12
CANDIDATE_SCORE_MIN: Final = 1.0
RANKED_ENTRIES_MAX: Final = 20_000
_TEXTS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One open line of either side, as a table row."""

    id: str
    date: date
    text: str
    detail: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A GL entry ranked for the chosen bank transaction."""

    line: Line
    score: float
    words: str


@dataclass(frozen=True, slots=True)
class PairSide:
    """One side of a pair: one line, or several in one sentence."""

    date: date | None
    text: str
    detail: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A suggestion, or a match."""

    id: str
    origin: str
    score: float | None
    contributions: Sequence[Mapping[str, Any]]
    rivals_count: int
    bank: PairSide
    ledger: PairSide
    bank_ids: tuple[str, ...]
    decided_at: datetime | None
    decided_by: str | None
    adjusted: bool
    flag: str
    """What the bank changed since it was matched; empty when nothing is to be looked at."""

    @property
    def rest_minor(self) -> int:
        return self.bank.amount_minor - self.ledger.amount_minor


@dataclass(frozen=True, slots=True)
class FlaggedPair:
    """A match that the bank changed, its bank side as the bank states it now."""

    pair: Pair
    reason_against_keeping: str


@dataclass(frozen=True, slots=True)
class Matched:
    """The Matched tab: what waits for somebody, then a page of the rest."""

    flagged: tuple[FlaggedPair, ...]
    page: Page[Pair]


@dataclass(frozen=True, slots=True)
class Header:
    """What stands above the tabs, whichever is open."""

    id: str
    account_name: str
    gl_account_number: str
    bank_account: str
    currency: str
    ending_date: date
    is_open: bool
    auto_match_threshold: int
    review_threshold: int
    balances: Balances
    reasons: tuple[str, ...]
    matched_count: int
    flagged_count: int
    run: JobRun | None


@dataclass(frozen=True, slots=True)
class View:
    """What the address says: search, order, pages and the chosen bank line."""

    q: str = ""
    sort_bank: str = "date"
    sort_gl: str = "date"
    after_bank: str = ""
    after_gl: str = ""
    line: str = ""


@dataclass(frozen=True, slots=True)
class Unmatched:
    suggestions: tuple[Pair, ...]
    suggestions_count: int
    bank: Page[Line]
    gl: Page[Line]
    chosen: Line | None
    candidates: tuple[Candidate, ...]
    contra_accounts: tuple[tuple[str, str], ...]


def header(reconciliation_id: str) -> Header:
    """Read the workspace's head.

    Raises:
        NotFound: No such reconciliation here.
    """
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    balances = balances_of(reconciliation)
    is_open = reconciliation.status == ReconciliationStatus.OPEN
    return Header(
        id=reconciliation.id,
        account_name=account.name,
        gl_account_number=get_owned(GlAccount, account.gl_account_id).number,
        bank_account=_bank_account_words(account.id),
        currency=reconciliation.currency,
        ending_date=reconciliation.ending_date,
        is_open=is_open,
        auto_match_threshold=reconciliation.auto_match_threshold,
        review_threshold=reconciliation.review_threshold,
        balances=balances,
        reasons=tuple(reasons_against(reconciliation, balances)) if is_open else (),
        matched_count=_count(_matches(reconciliation)),
        flagged_count=_count(flagged_matches(reconciliation)),
        run=latest_run(JobKind.MATCH, reconciliation.id),
    )


def unmatched(reconciliation_id: str, view: View) -> Unmatched:
    """Read the Unmatched tab: Review Queue, both panes, candidates of the chosen line."""
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    suggestions = _suggestions(reconciliation)
    chosen = _chosen(reconciliation, view.line)
    return Unmatched(
        suggestions=suggestions[:SUGGESTIONS_SHOWN],
        suggestions_count=len(suggestions),
        bank=_bank_page(reconciliation, view),
        gl=_gl_page(reconciliation, view),
        chosen=bank_line(chosen) if chosen else None,
        candidates=_candidates(reconciliation, chosen) if chosen else (),
        contra_accounts=_contra_accounts(reconciliation),
    )


def matched(reconciliation_id: str, q: str, after: str) -> Matched:
    """Read one page of the Matched tab, newest first, and above it what the bank changed."""
    reconciliation = get_owned(Reconciliation, reconciliation_id)
    flagged, others = flagged_matches(reconciliation), _matches(reconciliation)
    if q:
        holds_line = _holds_line(q, reconciliation.currency)
        flagged, others = flagged.where(holds_line), others.where(holds_line)
    page = fetch_page(
        others.where(Match.flag == ""),
        Order(Match.id, Match.id, descending=True),
        after,
        lambda match: match,
    )
    return Matched(
        flagged=_flagged_pairs(reconciliation, flagged),
        page=Page(_pairs(page.rows), page.next_cursor),
    )


def bank_line(row: FinancialTransaction) -> Line:
    detail = " · ".join(part for part in (row.counterparty, row.reference) if part)
    return Line(
        row.id, row.posted_date, row.description or "No description", detail, row.amount_minor
    )


def gl_line(row: GlEntry) -> Line:
    detail = " · ".join(part for part in (row.counterparty, row.reference) if part)
    return Line(row.id, row.date, row.description or "No description", detail, row.amount_minor)


def _bank_account_words(ledger_bank_account_id: str) -> str:
    account = db.session.scalar(
        owned(FinancialAccount).where(
            FinancialAccount.ledger_bank_account_id == ledger_bank_account_id
        )
    )
    if account is None:
        return "no bank account mapped"
    return f"{account.name} ··{account.mask}" if account.mask else account.name


def _matches(reconciliation: Reconciliation) -> sa.Select[Match]:
    return owned(Match).where(
        Match.reconciliation_id == reconciliation.id, Match.state == MatchState.MATCHED
    )


def _count(statement: sa.Select[Match]) -> int:
    return db.session.scalar(statement.with_only_columns(sa.func.count(Match.id))) or 0


def _flagged_pairs(
    reconciliation: Reconciliation, flagged: sa.Select[Match]
) -> tuple[FlaggedPair, ...]:
    """Return what waits, oldest first; the bank side counts what is booked of it now."""
    matches = db.session.scalars(flagged.order_by(Match.id).limit(FLAGGED_SHOWN)).all()
    lines = lines_of_matches(match.id for match in matches)
    shown = []
    for match, pair in zip(matches, _pairs(matches), strict=True):
        bank, _ = lines[match.id]
        booked_minor = sum(
            row.amount_minor for row in bank if row.status == TransactionStatus.POSTED
        )
        reason = reason_against_keeping(reconciliation, match, bank)
        now = replace(pair, bank=replace(pair.bank, amount_minor=booked_minor))
        shown.append(FlaggedPair(now, reason))
    return tuple(shown)


def _suggestions(reconciliation: Reconciliation) -> tuple[Pair, ...]:
    """Return the best live suggestion of each bank line, best first."""
    found = db.session.scalars(
        live_suggestions(reconciliation)
        .order_by(Match.score.desc(), Match.id)
        .limit(SUGGESTIONS_READ_MAX)
    ).all()
    shown: list[Pair] = []
    seen: set[str] = set()
    for pair in _pairs(found):
        if seen.isdisjoint(pair.bank_ids):
            shown.append(pair)
        seen.update(pair.bank_ids)
    return tuple(shown)


def _pairs(matches: Sequence[Match]) -> tuple[Pair, ...]:
    lines = lines_of_matches(match.id for match in matches)
    bank = {match_id: [bank_line(row) for row in sides[0]] for match_id, sides in lines.items()}
    gl = {match_id: [gl_line(row) for row in sides[1]] for match_id, sides in lines.items()}
    people = _names({match.decided_by for match in matches if match.decided_by})
    return tuple(
        Pair(
            id=match.id,
            origin=match.origin,
            score=match.score,
            contributions=match.contributions,
            rivals_count=match.rivals_count,
            bank=_pair_side(bank[match.id], "bank lines", match.bank_total_minor),
            ledger=_pair_side(gl[match.id], "entries", match.gl_total_minor),
            bank_ids=tuple(line.id for line in bank[match.id]),
            decided_at=match.decided_at,
            decided_by=people.get(match.decided_by or ""),
            adjusted=match.adjustment_id is not None,
            flag=match.flag,
        )
        for match in matches
    )


def _pair_side(lines: Sequence[Line], noun: str, total_minor: int) -> PairSide:
    if not lines:
        return PairSide(None, f"no {noun}", "", total_minor)
    if len(lines) == 1:
        line = lines[0]
        return PairSide(line.date, line.text, line.detail, total_minor)
    texts = [line.text for line in lines[:_TEXTS_SHOWN]]
    more = "" if len(lines) <= _TEXTS_SHOWN else ", …"
    details = dict.fromkeys(line.detail for line in lines if line.detail)
    return PairSide(
        max(line.date for line in lines),
        f"{len(lines)} {noun}: {', '.join(texts)}{more}",
        ", ".join(details),
        total_minor,
    )


def _names(user_ids: Iterable[str]) -> dict[str, str]:
    rows = db.session.execute(sa.select(User.id, User.name).where(User.id.in_(list(user_ids))))
    return {row.id: row.name for row in rows}


def _bank_page(reconciliation: Reconciliation, view: View) -> Page[Line]:
    keys = {"date": FinancialTransaction.posted_date, "amount": FinancialTransaction.amount_minor}
    statement = open_bank(reconciliation)
    if view.q:
        statement = statement.where(
            matches_search(
                view.q,
                reconciliation.currency,
                FinancialTransaction.amount_minor,
                FinancialTransaction.description,
                FinancialTransaction.counterparty,
                FinancialTransaction.reference,
            )
        )
    key = keys.get(view.sort_bank.lstrip("-"), FinancialTransaction.posted_date)
    order = Order(key, FinancialTransaction.id, view.sort_bank.startswith("-"))
    return fetch_page(statement, order, view.after_bank, bank_line)


def _gl_page(reconciliation: Reconciliation, view: View) -> Page[Line]:
    keys = {"date": GlEntry.date, "amount": GlEntry.amount_minor}
    statement = open_gl(reconciliation)
    if view.q:
        statement = statement.where(
            matches_search(
                view.q,
                reconciliation.currency,
                GlEntry.amount_minor,
                GlEntry.description,
                GlEntry.counterparty,
                GlEntry.reference,
            )
        )
    key = keys.get(view.sort_gl.lstrip("-"), GlEntry.date)
    return fetch_page(
        statement, Order(key, GlEntry.id, view.sort_gl.startswith("-")), view.after_gl, gl_line
    )


def _chosen(reconciliation: Reconciliation, line_id: str) -> FinancialTransaction | None:
    if not line_id:
        return None
    return db.session.scalar(open_bank(reconciliation).where(FinancialTransaction.id == line_id))


def _candidates(
    reconciliation: Reconciliation, chosen: FinancialTransaction
) -> tuple[Candidate, ...]:
    """Rank the open GL entries for one bank transaction, best first."""
    entries = db.session.scalars(open_gl(reconciliation).limit(RANKED_ENTRIES_MAX)).all()
    by_id = {entry.id: gl_line(entry) for entry in entries}
    items = [gl_item(entry) for entry in entries]
    chosen_item = bank_item(chosen)
    ranked = rank(chosen_item, items, history=past_decisions(), limit=CANDIDATES_SHOWN)
    return tuple(
        Candidate(by_id[pair.gl_ids[0]], pair.score, _words(pair))
        for pair in ranked
        if len(pair.gl_ids) == 1 and pair.score >= CANDIDATE_SCORE_MIN
    )


def _words(pair: ScoredPair) -> str:
    strongest = sorted(pair.contributions, key=lambda part: -abs(part.points))
    return " · ".join(part.words for part in strongest[:2])


def _contra_accounts(reconciliation: Reconciliation) -> tuple[tuple[str, str], ...]:
    account = get_owned(LedgerBankAccount, reconciliation.ledger_bank_account_id)
    rows = db.session.scalars(
        owned(GlAccount)
        .where(GlAccount.currency == reconciliation.currency, GlAccount.id != account.gl_account_id)
        .order_by(GlAccount.number)
    )
    return tuple((row.id, f"{row.number} {row.name}") for row in rows)


def _holds_line(q: str, currency: str) -> sa.ColumnElement[bool]:
    bank = matches_search(
        q,
        currency,
        FinancialTransaction.amount_minor,
        FinancialTransaction.description,
        FinancialTransaction.reference,
    )
    gl = matches_search(
        q, currency, GlEntry.amount_minor, GlEntry.description, GlEntry.counterparty
    )
    return (
        owned(MatchItem)
        .outerjoin(
            FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id
        )
        .outerjoin(GlEntry, GlEntry.id == MatchItem.gl_entry_id)
        .where(MatchItem.match_id == Match.id, sa.or_(bank, gl))
        .with_only_columns(MatchItem.id)
        .exists()
    )


def reconciliation_of_match(match_id: str) -> str:
    """Return the reconciliation a match belongs to.

    Raises:
        NotFound: No such match here.
    """
    return get_owned(Match, match_id).reconciliation_id
