"""The flag of a match whose bank lines the bank changed: what exactly changed since it was made.

Each item remembers how its line read when it was matched, so the sentence is always about
then and now, however many changes came between; and when the bank takes them back, the
flag lifts itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from app.audit.trail import Change
from app.connections.bank_facts import Stated, change_in_words, facts_of, from_json, to_json
from app.models import FinancialTransaction, Match, MatchItem, Reconciliation, db
from app.models.session import rows_changed
from app.tenancy.scope import owned


class ChangedItem(NamedTuple):
    """A matched bank line that the bank changed, with how it read until now."""

    item_id: str
    match_id: str
    reconciliation_id: str
    before: Stated


def flag_matches(touched: Sequence[ChangedItem]) -> list[Change]:
    """Bring the flags of these items' matches up to date; return what is to be recorded."""
    match_ids = {item.match_id for item in touched}
    if not match_ids:
        return []
    flags_before = _flags_before(match_ids)
    _forget_what_was_kept([i for i, flag in flags_before.items() if not flag])
    for item in touched:
        _remember_as_matched(item)
    flags = flags_of(match_ids)
    _raise_versions({item.reconciliation_id for item in touched})
    return [
        _set_flag(match_id, flags_before[match_id], flags[match_id])
        for match_id in sorted(match_ids)
        if flags_before[match_id] != flags[match_id]
    ]


def flags_of(match_ids: Collection[str]) -> dict[str, str]:
    """Return, for each match, what the bank changed since; empty when it is as it was matched."""
    rows = db.session.execute(
        owned(MatchItem)
        .join(FinancialTransaction, FinancialTransaction.id == MatchItem.financial_transaction_id)
        .where(MatchItem.match_id.in_(match_ids), MatchItem.as_matched.is_not(None))
        .order_by(MatchItem.id)
        .with_only_columns(MatchItem.match_id, MatchItem.as_matched, FinancialTransaction)
    )
    sentences: dict[str, list[str]] = {match_id: [] for match_id in match_ids}
    for match_id, as_matched, row in rows:
        words = change_in_words(from_json(as_matched or {}), facts_of(row), row.currency)
        sentences[match_id].append(words)
    return {match_id: " ".join(filter(None, words)) for match_id, words in sentences.items()}


def _set_flag(match_id: str, before: str, after: str) -> Change:
    rows_changed(sa.update(Match).where(Match.id == match_id).values(flag=after))
    action = "match.flagged" if after else "match.flag_lifted"
    return Change(action, "match", match_id, {"flag": before}, {"flag": after})


def _flags_before(match_ids: Collection[str]) -> dict[str, str]:
    rows = db.session.execute(
        owned(Match).where(Match.id.in_(match_ids)).with_only_columns(Match.id, Match.flag)
    )
    return {match_id: flag for match_id, flag in rows}  # noqa: C416 - rows are not pairs to mypy


def _forget_what_was_kept(match_ids: Sequence[str]) -> None:
    """A match without a flag was accepted as it stands: earlier changes are settled."""
    rows_changed(
        sa.update(MatchItem)
        .where(MatchItem.match_id.in_(match_ids), MatchItem.as_matched.is_not(None))
        .values(as_matched=sa.null())
    )


def _remember_as_matched(item: ChangedItem) -> None:
    rows_changed(
        sa.update(MatchItem)
        .where(MatchItem.id == item.item_id, MatchItem.as_matched.is_(None))
        .values(as_matched=to_json(item.before))
    )


def _raise_versions(reconciliation_ids: Collection[str]) -> None:
    rows_changed(
        sa.update(Reconciliation)
        .where(Reconciliation.id.in_(reconciliation_ids))
        .values(version=Reconciliation.version + 1)
    )
