"""The menu: what the person may open, and where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import request, url_for

from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    current: bool
    key: str | None
    count: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


_MENU: Final[tuple[tuple[str, tuple[tuple[str, str, Permission, str | None], ...]], ...]] = (
    (
        "Cash management",
        (
            ("Bank reconciliation", "reconciliation.index", Permission.VIEW, "g r"),
            ("Bank transactions", "transactions.index", Permission.VIEW, "g t"),
            ("Ledger", "ledger.entries", Permission.VIEW, "g l"),
        ),
    ),
    (
        "Company",
        (
            ("Bank connections", "connections.index", Permission.VIEW, "g b"),
            ("People", "people.index", Permission.PEOPLE, None),
            ("Audit trail", "audit.index", Permission.VIEW, None),
        ),
    ),
    (
        "Settings",
        (
            ("Matching rules", "rules.index", Permission.VIEW, None),
            ("Bank Match AI", "settings.bank_match_ai", Permission.VIEW, None),
            ("Bank data", "bank_data.index", Permission.VIEW, None),
        ),
    ),
    (
        "Operations",
        (
            ("Connector requests", "operator.index", Permission.OPERATIONS, None),
            ("Job queue", "rq_dashboard.queues_overview", Permission.OPERATIONS, None),
        ),
    ),
)


def menu(actor: Actor) -> tuple[Section, ...]:
    """Return the sections that the actor may open at least one page of."""
    sections = []
    for title, entries in _MENU:
        shown = tuple(
            Entry(label, url_for(endpoint), _is_current(endpoint), key)
            for label, endpoint, permission, key in entries
            if actor.may(permission)
        )
        if shown:
            sections.append(Section(title, shown))
    return tuple(sections)


def _is_current(endpoint: str) -> bool:
    here = request.endpoint or ""
    return here.partition(".")[0] == endpoint.partition(".")[0]
