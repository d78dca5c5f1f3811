"""Plaid's wire format over HTTP: a module per family of calls."""

from __future__ import annotations

from typing import Final

WIRE: Final = "plaid"
