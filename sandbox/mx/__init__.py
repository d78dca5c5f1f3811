"""MX's half of the sandbox: users, members, the Connect widget, accounts, transactions."""

from __future__ import annotations

from typing import Final

WIRE: Final = "mx"
