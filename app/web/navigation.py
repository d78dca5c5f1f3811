"""The menu: what the person may open, and where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from flask import request, url_for

from app.reports.bank_exceptions import waiting_count
from app.reports.connections import stopped_count
from app.tenancy.actor import Actor
from app.tenancy.permissions import Permission
from app.tenancy.scope import organization_scope


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    current: bool
    key: str | None
    count: str | None = None
    """What waits for somebody; empty for none, None where nothing is counted."""
    count_class: str = ""
    """By which an answer finds the count, to bring it up to date without the page."""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    entries: tuple[Entry, ...]


_MENU: Final[tuple[tuple[str, tuple[tuple[str, str, Permission, str | None], ...]], ...]] = (
    (
        "Cash management",
        (
            ("Overview", "home.index", Permission.VIEW, "g o"),
            ("Bank reconciliation", "reconciliation.index", Permission.VIEW, "g r"),
            ("Exceptions", "exceptions.waiting", Permission.VIEW, "g e"),
            ("Bank transactions", "transactions.index", Permission.VIEW, "g t"),
            ("Ledger", "ledger.entries", Permission.VIEW, "g l"),
        ),
    ),
    (
        "Reports",
        (
            ("Statements", "reports.statements", Permission.VIEW, None),
            ("Outstanding items", "reports.outstanding", Permission.VIEW, None),
            ("Adjustments", "reports.adjustments", Permission.VIEW, None),
            ("Exceptions report", "reports.exceptions", Permission.VIEW, None),
        ),
    ),
    (
        "Company",
        (
            ("Bank connections", "connections.index", Permission.VIEW, "g b"),
            ("People", "people.index", Permission.PEOPLE, None),
            ("API keys", "api_keys.index", Permission.PEOPLE, None),
            ("Audit trail", "audit.index", Permission.VIEW, None),
        ),
    ),
    (
        "Settings",
        (
            ("Matching rules", "rules.index", Permission.VIEW, None),
            ("Bank Match AI", "settings.bank_match_ai", Permission.VIEW, None),
            ("Bank data", "bank_data.index", Permission.VIEW, None),
            ("Closing", "closing.index", Permission.VIEW, None),
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
            _entry(actor, label, endpoint, key)
            for label, endpoint, permission, key in entries
            if actor.may(permission)
        )
        if shown:
            sections.append(Section(title, shown))
    return tuple(sections)


def _entry(actor: Actor, label: str, endpoint: str, key: str | None) -> Entry:
    entry = Entry(label, url_for(endpoint), _is_current(endpoint), key)
    if endpoint not in _COUNTED:
        return entry
    count, count_class = _COUNTED[endpoint]
    with organization_scope(actor.organization_id):  # an address that is no page has no scope
        return replace(entry, count=count(), count_class=count_class)


_COUNTED: Final[Mapping[str, tuple[Callable[[], str], str]]] = {
    "exceptions.waiting": (lambda: str(waiting_count() or ""), "exceptions-count"),
    "connections.index": (lambda: stopped_words(stopped_count()), "connections-count"),
}
"""What stands beside an entry, and the class by which answers find it."""


def stopped_words(count: int) -> str:
    """Return the count of connections that bring nothing until somebody signs in."""
    return f"{count} !" if count else ""


def _is_current(endpoint: str) -> bool:
    here = request.endpoint or ""
    if any(here == entry[1] for _, entries in _MENU for entry in entries):
        return here == endpoint
    return here.partition(".")[0] == endpoint.partition(".")[0]
