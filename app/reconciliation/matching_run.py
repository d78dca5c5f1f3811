"""A matching run: rules first, then the AI on what they leave, written in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from app.audit.trail import Change, record
from app.jobs import runs
from app.jobs.runs import Claim
from app.kernel import limits
from app.kernel.clock import utc_now
from app.kernel.errors import Conflict, TooLarge
from app.kernel.ids import new_id
from app.matching import Item, MatchOptions, ScoredPair, Tier, match
from app.models import (
    FinancialTransaction,
    GlEntry,
    Match,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
    db,
)
from app.models.session import rows_changed, unit_of_work
from app.reconciliation.history import past_decisions
from app.reconciliation.lines import bank_item, gl_item
from app.reconciliation.rule_book import enabled_rules
from app.reconciliation.rules import RulePair, pairs_by_rules
from app.reconciliation.scope import hold_open, open_bank, open_gl
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import get_owned, insert_owned, owned

_REPORT_SECONDS: Final = 0.5
_SCORING_PERCENT: Final = (20, 90)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One match to write: its lines, where it comes from, and why."""

    origin: MatchOrigin
    state: MatchState
    bank_ids: tuple[str, ...]
    gl_ids: tuple[str, ...]
    score: float | None = None
    contributions: tuple[dict[str, Any], ...] = ()
    rivals_count: int = 0
    rule_id: str | None = None

    @property
    def ids(self) -> frozenset[str]:
        return frozenset((*self.bank_ids, *self.gl_ids))


@dataclass(frozen=True, slots=True)
class OpenLines:
    bank: tuple[Item, ...]
    gl: tuple[Item, ...]

    @property
    def amounts_minor(self) -> dict[str, int]:
        return {item.id: item.amount_minor for item in (*self.bank, *self.gl)}


def run_matching(actor: Actor, held: Claim) -> None:
    """Match the open lines of one reconciliation; the handler of the matching job.

    People may go on working meanwhile: what they match or reject during the run stands,
    and the run leaves those lines alone.

    Raises:
        Conflict: The reconciliation was certified meanwhile.
        TooLarge: More open lines than one run takes.
        LeaseLost: Another worker has the run; nothing was written.
    """
    actor.require(Permission.RECONCILE)
    reconciliation = get_owned(Reconciliation, held.subject_id)
    if reconciliation.status != ReconciliationStatus.OPEN:
        raise Conflict("The reconciliation is certified; nothing was matched.")
    lines = load_open_lines(reconciliation)
    thresholds = (reconciliation.auto_match_threshold, reconciliation.review_threshold)
    history, rules = past_decisions(), enabled_rules()
    held.report(10, f"Applying {len(rules)} rules to {len(lines.bank)} bank transactions")
    by_rule = pairs_by_rules(rules, lines.bank, lines.gl)
    left = _without(lines, (i for pair in by_rule for i in (pair.bank_id, pair.gl_id)))
    result = match(
        left.bank,
        left.gl,
        history=history,
        options=MatchOptions(auto_threshold=thresholds[0], review_threshold=thresholds[1]),
        progress=_Progress(held, len(left.bank), len(left.gl)),
    )
    proposals = [
        *(_of_rule(pair) for pair in by_rule),
        *(_of_score(pair, lines.amounts_minor) for pair in result.pairs),
    ]
    _write(actor, held, proposals, lines.amounts_minor, result.model_version)


def load_open_lines(reconciliation: Reconciliation) -> OpenLines:
    """Read both sides' open lines as the engine takes them.

    Raises:
        TooLarge: One side has more than a run takes.
    """
    bank = db.session.scalars(
        open_bank(reconciliation).limit(limits.OPEN_ITEMS_PER_SIDE_MAX + 1)
    ).all()
    gl = db.session.scalars(open_gl(reconciliation).limit(limits.OPEN_ITEMS_PER_SIDE_MAX + 1)).all()
    if max(len(bank), len(gl)) > limits.OPEN_ITEMS_PER_SIDE_MAX:
        raise TooLarge(
            f"More than {limits.OPEN_ITEMS_PER_SIDE_MAX:,} lines are open on one side; nothing "
            "was matched. Reconcile an earlier statement date first."
        )
    lines = OpenLines(tuple(map(bank_item, bank)), tuple(map(gl_item, gl)))
    db.session.rollback()  # the long part begins: hold no reading transaction meanwhile
    return lines


class _Progress:
    """Pass the engine's progress on, at most twice a second."""

    def __init__(self, held: Claim, bank_count: int, gl_count: int) -> None:
        self._held = held
        self._text = f"Scoring {bank_count:,} × {gl_count:,} pairings"
        self._next = 0.0

    def __call__(self, share: float) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _REPORT_SECONDS
        low, high = _SCORING_PERCENT
        self._held.report(low + int(share * (high - low)), self._text)


def _without(lines: OpenLines, ids: Iterable[str]) -> OpenLines:
    gone = frozenset(ids)
    return OpenLines(
        tuple(item for item in lines.bank if item.id not in gone),
        tuple(item for item in lines.gl if item.id not in gone),
    )


def _of_rule(pair: RulePair) -> Proposal:
    return Proposal(
        origin=MatchOrigin.RULE,
        state=MatchState.MATCHED,
        bank_ids=(pair.bank_id,),
        gl_ids=(pair.gl_id,),
        rule_id=pair.rule_id,
    )


def _of_score(pair: ScoredPair, amounts_minor: Mapping[str, int]) -> Proposal:
    balanced = _total(pair.bank_ids, amounts_minor) == _total(pair.gl_ids, amounts_minor)
    automatic = pair.tier is Tier.AUTO and balanced  # the rest of an unequal pair is a decision
    return Proposal(
        origin=MatchOrigin.AI,
        state=MatchState.MATCHED if automatic else MatchState.SUGGESTED,
        bank_ids=pair.bank_ids,
        gl_ids=pair.gl_ids,
        score=pair.score,
        contributions=tuple(asdict(part) for part in pair.contributions),
        rivals_count=pair.rivals_count,
    )


def _total(ids: Sequence[str], amounts_minor: Mapping[str, int]) -> int:
    return sum(amounts_minor[i] for i in ids)


def _write(
    actor: Actor,
    held: Claim,
    proposals: Sequence[Proposal],
    amounts_minor: Mapping[str, int],
    model_version: str,
) -> None:
    with unit_of_work():
        reconciliation = hold_open(held.subject_id)
        unchanged = _still_open(reconciliation) & amounts_minor.items()
        refused = _refused_pairs(reconciliation)
        kept = [
            proposal
            for proposal in proposals
            if {(i, amounts_minor[i]) for i in proposal.ids} <= unchanged
            and proposal.ids not in refused
        ]
        _forget_undecided(reconciliation)
        _insert(reconciliation, kept, amounts_minor)
        reconciliation.model_version = model_version
        matched = [p for p in kept if p.state is MatchState.MATCHED]
        record(actor, *_changes(reconciliation, held, matched, len(kept) - len(matched)))
        runs.succeed(held, _summary(matched, len(kept) - len(matched)))


def _still_open(reconciliation: Reconciliation) -> set[tuple[str, int]]:
    """Return the lines that nobody has matched meanwhile, each with its amount as it is now."""
    bank = open_bank(reconciliation).with_only_columns(
        FinancialTransaction.id, FinancialTransaction.amount_minor
    )
    gl = open_gl(reconciliation).with_only_columns(GlEntry.id, GlEntry.amount_minor)
    return {(row[0], row[1]) for side in (bank, gl) for row in db.session.execute(side)}


def _refused_pairs(reconciliation: Reconciliation) -> frozenset[frozenset[str]]:
    """Return what a person rejected or took apart here: it is not proposed again."""
    rows = db.session.execute(
        owned(MatchItem)
        .join(Match, Match.id == MatchItem.match_id)
        .where(
            Match.reconciliation_id == reconciliation.id,
            Match.state.in_((MatchState.REJECTED, MatchState.UNMATCHED)),
        )
        .with_only_columns(
            MatchItem.match_id, MatchItem.financial_transaction_id, MatchItem.gl_entry_id
        )
    )
    by_match: dict[str, set[str]] = {}
    for match_id, bank_id, gl_id in rows:
        by_match.setdefault(match_id, set()).add(str(bank_id or gl_id))
    return frozenset(frozenset(ids) for ids in by_match.values())


def _forget_undecided(reconciliation: Reconciliation) -> None:
    undecided = (
        owned(Match)
        .where(Match.reconciliation_id == reconciliation.id, Match.state == MatchState.SUGGESTED)
        .with_only_columns(Match.id)
    )
    ids = db.session.scalars(undecided).all()
    for start in range(0, len(ids), limits.INGEST_CHUNK_ROWS):
        chunk = ids[start : start + limits.INGEST_CHUNK_ROWS]
        rows_changed(sa.delete(MatchItem).where(MatchItem.match_id.in_(chunk)))
        rows_changed(sa.delete(Match).where(Match.id.in_(chunk)))


def _insert(
    reconciliation: Reconciliation,
    proposals: Sequence[Proposal],
    amounts_minor: Mapping[str, int],
) -> None:
    now = utc_now()
    matches: list[Mapping[str, Any]] = []
    items: list[Mapping[str, Any]] = []
    for proposal in proposals:
        match_id = new_id()
        matches.append(
            {
                "id": match_id,
                "created_at": now,
                "updated_at": now,
                "reconciliation_id": reconciliation.id,
                "origin": proposal.origin,
                "state": proposal.state,
                "score": proposal.score,
                "contributions": list(proposal.contributions),
                "rivals_count": proposal.rivals_count,
                "rule_id": proposal.rule_id,
                "bank_total_minor": _total(proposal.bank_ids, amounts_minor),
                "gl_total_minor": _total(proposal.gl_ids, amounts_minor),
                "decided_at": now if proposal.state is MatchState.MATCHED else None,
            }
        )
        items += _item_rows(reconciliation, match_id, proposal, amounts_minor)
    for model, rows in ((Match, matches), (MatchItem, items)):
        for start in range(0, len(rows), limits.INGEST_CHUNK_ROWS):
            insert_owned(model, rows[start : start + limits.INGEST_CHUNK_ROWS])


def _item_rows(
    reconciliation: Reconciliation,
    match_id: str,
    proposal: Proposal,
    amounts_minor: Mapping[str, int],
) -> list[Mapping[str, Any]]:
    sides = [("financial_transaction_id", i) for i in proposal.bank_ids]
    sides += [("gl_entry_id", i) for i in proposal.gl_ids]
    empty = {"financial_transaction_id": None, "gl_entry_id": None}
    return [
        {
            **empty,
            side: line_id,
            "id": new_id(),
            "created_at": utc_now(),
            "match_id": match_id,
            "reconciliation_id": reconciliation.id,
            "amount_minor": amounts_minor[line_id],
            "active": proposal.state is MatchState.MATCHED,
        }
        for side, line_id in sides
    ]


def _changes(
    reconciliation: Reconciliation,
    held: Claim,
    matched: Sequence[Proposal],
    suggested_count: int,
) -> list[Change]:
    made = [
        Change(
            f"match.made_by_{proposal.origin}",
            "reconciliation",
            reconciliation.id,
            {},
            {
                "bank_transaction_ids": proposal.bank_ids,
                "gl_entry_ids": proposal.gl_ids,
                "score": proposal.score,
                "rule_id": proposal.rule_id,
            },
        )
        for proposal in matched
    ]
    run = {"job_run_id": held.run_id, "matched": len(matched), "suggested": suggested_count}
    return [
        *made,
        Change("matching.finished", "reconciliation", reconciliation.id, {}, run),
    ]


def _summary(matched: Sequence[Proposal], suggested_count: int) -> str:
    by_rule = sum(proposal.origin is MatchOrigin.RULE for proposal in matched)
    by_ai = len(matched) - by_rule
    return f"{by_rule} matched by rules, {by_ai} by AI, {suggested_count} suggested for review"
