"""Who acts: a person in one organization, with what they may do and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.kernel.errors import Forbidden
from app.models import Role
from app.tenancy.permissions import Permission

SYSTEM_USER_ID: Final = "system"
"""Acts where nobody asked: schedules, webhooks, deadlines."""

_WHOM_TO_ASK: Final = {
    Permission.BANK_CONNECTIONS: "an admin of your organization can grant it to you",
    Permission.OPERATIONS: "the operator of this installation can grant it to you",
}


@dataclass(frozen=True, slots=True)
class Actor:
    organization_id: str
    organization_name: str
    time_zone: str
    user_id: str
    name: str
    email: str
    role: Role
    permissions: frozenset[Permission]
    via: str
    """`web`, `api`, `job` or `command`."""
    ip_address: str | None = None
    request_id: str | None = None
    owes_second_factor: bool = False
    """The organization asks for one and the person has none; pages lead to setting it up."""

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `Forbidden`, saying whom to ask, unless the actor has the permission."""
        if permission not in self.permissions:
            raise Forbidden(self.refusal(permission))

    @staticmethod
    def refusal(permission: Permission) -> str:
        """Return the sentence that a person without the permission reads."""
        whom = _WHOM_TO_ASK.get(permission, "ask an admin of your organization for another role")
        return f"This needs the permission “{permission}”; {whom}."
