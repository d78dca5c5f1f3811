from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlaidSettings:
    """How Plaid, or what speaks like it, is reached.

    Args:
        host: `https://…` without a slash at the end; plain http for the own machine only.
        webhook_url: Where Plaid reports to, if not where the application thinks it is reached.
    """

    host: str
    client_id: str
    secret: str = field(repr=False)
    webhook_url: str = ""
