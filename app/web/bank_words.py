"""Words for choices about bank accounts, shared by the forms that ask for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.kernel.bank import AccountType

ACCOUNT_TYPE_WORDS: Final[Mapping[AccountType, str]] = MappingProxyType(
    {
        AccountType.CHECKING: "Checking",
        AccountType.SAVINGS: "Savings",
        AccountType.CARD: "Card",
        AccountType.LINE_OF_CREDIT: "Line of credit",
        AccountType.OTHER: "Other",
    }
)
