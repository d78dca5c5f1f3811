from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlaidSettings:
    """How Plaid, or what speaks like it, is reached.

    Args:
        host: `https://…` without a slash at the end; plain http for the own machine only.
    """

    host: str
    client_id: str
    secret: str = field(repr=False)
