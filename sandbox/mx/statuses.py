"""MX's connection statuses with their numbers, and what their words say to a person."""

from __future__ import annotations

from typing import Final

STATUSES: Final = (
    "CREATED",
    "PREVENTED",
    "DENIED",
    "CHALLENGED",
    "REJECTED",
    "LOCKED",
    "CONNECTED",
    "IMPEDED",
    "RECONNECTED",
    "DEGRADED",
    "DISCONNECTED",
    "DISCONTINUED",
    "CLOSED",
    "DELAYED",
    "FAILED",
    "UPDATED",
    "DISABLED",
    "IMPORTED",
    "RESUMED",
    "EXPIRED",
    "IMPAIRED",
    "PENDING",
)
"""Each at the place of its number."""

TOLD_BY_WEBHOOK: Final = frozenset(
    {
        "CHALLENGED",
        "DENIED",
        "EXPIRED",
        "IMPAIRED",
        "IMPEDED",
        "LOCKED",
        "PREVENTED",
        "REJECTED",
    }
)
"""Those that ask the person to do something; of the others no message is sent."""

DENIALS_MAX: Final = 3
"""After so many wrong passwords in a row MX tries no more."""

SENTENCES: Final = {
    "PREVENTED": "The last three sign-ins failed. Type your user name and password again.",
    "DENIED": "The bank does not know this user name and password.",
    "CHALLENGED": "The bank asks for a code.",
    "REJECTED": "The code was not right. Type it again.",
    "LOCKED": "The bank has locked this login. Unlock it at the bank first.",
    "IMPEDED": "The bank asks for something on its own site. Sign in there first.",
    "IMPAIRED": "Something is missing in this login. Type your user name and password again.",
    "EXPIRED": "The code was not typed in time.",
}


def sentence(status: str) -> str:
    """Return what the status says to a person, in a neutral sentence where nothing is to do."""
    return SENTENCES.get(status, f"The bank login is {status.lower()}.")


def number(status: str) -> int:
    return STATUSES.index(status)
