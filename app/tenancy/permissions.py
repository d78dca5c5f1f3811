"""What a person may do: a role's permissions, and two that are granted by themselves."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.models import Role


class Permission(StrEnum):
    VIEW = "view"
    BANK_CONNECTIONS = "bank_connections"
    LEDGER = "ledger"
    RECONCILE = "reconcile"
    CERTIFY = "certify"
    REOPEN = "reopen"
    SETTINGS = "settings"
    PEOPLE = "people"
    OPERATIONS = "operations"


_DAILY_WORK: Final = {
    Permission.VIEW,
    Permission.LEDGER,
    Permission.RECONCILE,
    Permission.CERTIFY,
}
_BY_ROLE: Final[dict[Role, frozenset[Permission]]] = {
    Role.VIEWER: frozenset({Permission.VIEW}),
    Role.ACCOUNTANT: frozenset(_DAILY_WORK),
    Role.CONTROLLER: frozenset(_DAILY_WORK | {Permission.REOPEN, Permission.SETTINGS}),
    Role.ADMIN: frozenset(
        _DAILY_WORK | {Permission.REOPEN, Permission.SETTINGS, Permission.PEOPLE}
    ),
}

KEY_PERMISSIONS: Final = (
    Permission.VIEW,
    Permission.BANK_CONNECTIONS,
    Permission.LEDGER,
    Permission.RECONCILE,
    Permission.CERTIFY,
    Permission.REOPEN,
    Permission.SETTINGS,
)
"""What an API key can be given; people, their keys and the installation stay with people."""

ROLE_WORDS: Final = {
    Role.ADMIN: "Admin: everything, people included",
    Role.CONTROLLER: "Controller: all accounting, certify and reopen included",
    Role.ACCOUNTANT: "Accountant: match, approve, adjust, certify",
    Role.VIEWER: "Viewer: reads",
}


def permissions_of(
    role: Role, *, bank_connections: bool, operations: bool
) -> frozenset[Permission]:
    """Return all permissions of a person in one organization."""
    granted = set(_BY_ROLE[role])
    if bank_connections:
        granted.add(Permission.BANK_CONNECTIONS)
    if operations:
        granted.add(Permission.OPERATIONS)
    return frozenset(granted)
