from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MxSettings:
    """How MX, or what speaks like it, is reached.

    Args:
        host: `https://…` without a slash at the end; plain http for the own machine only.
        webhook_password: What MX's messages prove themselves with, as set on its dashboard.
    """

    host: str
    client_id: str
    api_key: str = field(repr=False)
    webhook_password: str = field(repr=False)
