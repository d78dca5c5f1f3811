"""The audit trail as people read it: newest first, filtered, in pages, or whole for export."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.kernel.limits import PAGE_ROWS
from app.kernel.money import display_amount
from app.models import AuditEvent, User, db
from app.reports.csv_text import csv_pieces
from app.tenancy.scope import current_organization_id, organization_scope, owned

AREAS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "reconciliation": ("Reconciliation", ("reconciliation", "match", "matching", "bank_change")),
    "connections": (
        "Bank connections",
        ("connection", "account", "upload", "bank_transaction", "connector_request"),
    ),
    "ledger": (
        "Ledger",
        (
            "gl_account",
            "gl_entries",
            "entry_batch",
            "journal_entry",
            "ledger_bank_account",
            "ledger_import",
        ),
    ),
    "settings": ("Rules and settings", ("rule", "settings")),
    "people": ("People and keys", ("person", "api_key", "organization")),
}
"""Words, and what the actions of the area begin with."""

_EXPORT_BATCH_ROWS: Final = 1_000
_FIRST_DAY: Final = date(1970, 1, 1)
_LAST_DAY: Final = date(9000, 1, 1)
_EXPORT_COLUMNS: Final = (
    "sequence",
    "at",
    "actor_name",
    "actor_user_id",
    "via",
    "ip_address",
    "request_id",
    "action",
    "subject_type",
    "subject_id",
    "before",
    "after",
    "previous_hash",
    "hash",
)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is given must hold; the days are the organization's, both inclusive."""

    user_id: str = ""
    area: str = ""
    """One of `AREAS`; another one finds nothing."""
    subject_type: str = ""
    subject_id: str = ""
    first_day: date | None = None
    last_day: date | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of a subject, before and after, in words; empty where it did not exist."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReadEvent:
    sequence: int
    at: datetime
    actor_name: str
    via: str
    ip_address: str | None
    request_id: str | None
    words: str
    subject_type: str
    subject_words: str
    subject_id: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Events, newest first; the sequences say where the pages beside it begin."""

    events: tuple[ReadEvent, ...]
    newer_after: int | None
    older_before: int | None


@dataclass(frozen=True, slots=True)
class FilterChoices:
    people: tuple[tuple[str, str], ...]
    """User id and name of everybody who ever changed something, by name."""
    areas: tuple[tuple[str, str], ...]
    """Key of `AREAS` and its words."""


def audit_page(
    wanted: AuditFilter, *, before: int | None = None, after: int | None = None
) -> AuditPage:
    """Return one page of events.

    Args:
        wanted: The filter.
        before: Only events older than this sequence.
        after: Only events newer than this sequence, the page that joins on it.
    """
    statement = _filtered(wanted).limit(PAGE_ROWS + 1)
    if after is not None:
        statement = statement.where(AuditEvent.sequence > after).order_by(AuditEvent.sequence)
    else:
        statement = statement.order_by(AuditEvent.sequence.desc())
        if before is not None:
            statement = statement.where(AuditEvent.sequence < before)
    found = db.session.scalars(statement).all()
    rows, has_more = list(found[:PAGE_ROWS]), len(found) > PAGE_ROWS
    if after is not None:
        rows.reverse()
    has_newer = has_more if after is not None else before is not None
    has_older = True if after is not None else has_more
    return AuditPage(
        events=tuple(read_event(row) for row in rows),
        newer_after=rows[0].sequence if rows and has_newer else None,
        older_before=rows[-1].sequence if rows and has_older else None,
    )


def filter_choices() -> FilterChoices:
    """Return what there is to filter by; who was removed stays among the people."""
    actors = _actor_ids()
    people = db.session.execute(
        sa.select(User.id, User.name)
        .join(actors, actors.c.user_id == User.id)
        .order_by(User.name, User.id)
    )
    return FilterChoices(
        people=tuple((row.id, row.name) for row in people),
        areas=tuple((key, words) for key, (words, _) in AREAS.items()),
    )


def _actor_ids() -> sa.CTE:
    """Return the distinct actors, jumping along the index from one to the next.

    A plain DISTINCT reads every event, and a trail only grows.
    """
    mine = AuditEvent.organization_id == current_organization_id()
    smallest = sa.func.min(AuditEvent.actor_user_id)
    first = sa.select(smallest.label("user_id")).where(mine).cte("actors", recursive=True)
    following = sa.select(smallest).where(mine, AuditEvent.actor_user_id > first.c.user_id)
    return first.union_all(
        sa.select(following.scalar_subquery()).where(first.c.user_id.is_not(None))
    )


def audit_csv(wanted: AuditFilter) -> Iterator[str]:
    """Yield the filtered trail as CSV, oldest first, with what is needed to check the hashes.

    The organization is the one in scope now: a web server reads on when the request is over.
    """
    rows = _oldest_first(wanted, current_organization_id())
    return csv_pieces(_EXPORT_COLUMNS, ([_cell(value) for value in row] for row in rows))


def in_words(name: str) -> str:
    """Return `person.password_changed` as `Person password changed`."""
    words = name.replace(".", " ").replace("_", " ").capitalize()
    return re.sub(r"\bai\b", "AI", words)


def _filtered(wanted: AuditFilter) -> sa.Select[AuditEvent]:
    statement = owned(AuditEvent)
    for column, value in (
        (AuditEvent.actor_user_id, wanted.user_id),
        (AuditEvent.subject_type, wanted.subject_type),
        (AuditEvent.subject_id, wanted.subject_id),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.area:
        _, prefixes = AREAS.get(wanted.area, ("", ()))
        begins = [AuditEvent.action.startswith(f"{each}.", autoescape=True) for each in prefixes]
        statement = statement.where(sa.or_(sa.false(), *begins))
    zone = ZoneInfo(wanted.time_zone)
    if wanted.first_day:
        statement = statement.where(AuditEvent.at >= _midnight(wanted.first_day, zone))
    if wanted.last_day:
        end = _midnight(wanted.last_day, zone) + timedelta(days=1)
        statement = statement.where(AuditEvent.at < end)
    return statement


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when the day begins; days that no instant of ours can have are brought near."""
    return datetime.combine(min(max(day, _FIRST_DAY), _LAST_DAY), time(), tzinfo=zone)


def _oldest_first(wanted: AuditFilter, organization_id: str) -> Iterator[sa.Row[Any]]:
    """Yield `_EXPORT_COLUMNS`, read in batches: no cursor stays open while the reader is slow."""
    columns = [getattr(AuditEvent, name) for name in _EXPORT_COLUMNS]
    last = 0
    while True:
        with organization_scope(organization_id):
            batch = db.session.execute(
                _filtered(wanted)
                .with_only_columns(*columns)
                .where(AuditEvent.sequence > last)
                .order_by(AuditEvent.sequence)
                .limit(_EXPORT_BATCH_ROWS)
            ).all()
        db.session.rollback()
        yield from batch
        if len(batch) < _EXPORT_BATCH_ROWS:
            return
        last = batch[-1].sequence


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return _json(value) if isinstance(value, dict) else value


def read_event(event: AuditEvent) -> ReadEvent:
    """Return an event in words."""
    return ReadEvent(
        sequence=event.sequence,
        at=event.at,
        actor_name=event.actor_name,
        via=event.via,
        ip_address=event.ip_address,
        request_id=event.request_id,
        words=in_words(event.action),
        subject_type=event.subject_type,
        subject_words=in_words(event.subject_type),
        subject_id=event.subject_id,
        differences=_differences(event.before, event.after),
    )


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    old, new = _flat(before), _flat(after)
    return tuple(
        Difference(
            in_words(name.rpartition(".")[2].removesuffix("_minor")),
            _fact(old, name),
            _fact(new, name),
        )
        for name in dict.fromkeys((*old, *new))
    )


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with those inside a fact beside it, under both names."""
    flat: dict[str, Any] = {}
    for name, value in facts.items():
        if isinstance(value, dict) and value:
            flat.update({f"{name}.{inner}": each for inner, each in value.items()})
        else:
            flat[name] = value
    return flat


def _fact(facts: Mapping[str, Any], name: str) -> str:
    """Return one fact as people read it; an amount stands with its currency."""
    value = facts.get(name)
    if value is None:
        return ""
    if name.endswith("_minor") and isinstance(value, int):
        around = name.rpartition(".")[0]
        currency = facts.get("currency") or facts.get(f"{around}.amount_currency")
        return (
            f"{display_amount(value, currency)} {currency}" if currency else f"{value} minor units"
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _json(value) if isinstance(value, dict | list) else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
