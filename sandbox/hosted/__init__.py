"""The page where a person picks a bank, signs in and chooses accounts."""

from __future__ import annotations

from sandbox.hosted.views import pages

__all__ = ["pages"]
