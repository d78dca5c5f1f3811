"""Money: integers of minor units with a currency code; Decimal only at the edges."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from app.kernel.errors import Invalid

MINUS_SIGN: Final = "\N{MINUS SIGN}"

AMOUNT_MINOR_MAX: Final = 10**15 - 1
"""Largest amount kept, in minor units: ten trillion of a two-decimal currency."""

_DIGITS_BY_CURRENCY: Final = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
_CURRENCY: Final = re.compile(r"[A-Z]{3}", re.ASCII)
_AMOUNT: Final = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?", re.ASCII)


class AmountInvalid(Invalid):
    """The text is not an amount of this currency."""

    code = "amount_invalid"


def minor_digits(currency: str) -> int:
    """Return how many decimals the currency has (ISO 4217; two unless listed otherwise)."""
    return _DIGITS_BY_CURRENCY.get(currency, 2)


def valid_currency(text: str) -> str:
    """Return the code in capitals.

    Raises:
        Invalid: It is not three letters.
    """
    code = text.strip().upper()
    if not _CURRENCY.fullmatch(code):
        raise Invalid(f"“{text[:20]}” is not a currency code of three letters, such as USD.")
    return code


def to_minor(amount: Decimal, currency: str) -> int:
    """Return the amount in minor units, never rounding.

    Raises:
        AmountInvalid: More decimals than the currency has, not finite, or over the limit.
    """
    if not amount.is_finite():
        raise AmountInvalid(f"“{amount}” is not an amount.")
    digits = minor_digits(currency)
    if amount.adjusted() > len(str(AMOUNT_MINOR_MAX)):  # before scaling: an exponent can be huge
        raise AmountInvalid("The amount is larger than Tieout keeps.")
    scaled = amount.scaleb(digits)
    if scaled != scaled.to_integral_value():
        raise AmountInvalid(
            f"“{amount}” has more than the {digits} decimals that {currency} amounts have."
        )
    minor = int(scaled)
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise AmountInvalid(f"“{amount}” is larger than the largest amount that Tieout keeps.")
    return minor


def from_minor(amount_minor: int, currency: str) -> Decimal:
    """Return the amount as an exact Decimal with the currency's number of decimals."""
    return Decimal(amount_minor).scaleb(-minor_digits(currency))


def parse_amount(text: str, currency: str) -> int:
    """Read an amount typed by a person or sent by a program: `1,234.56`, `-12`, `−12.50`.

    Returns:
        Minor units of `currency`.

    Raises:
        AmountInvalid: With one sentence that names the text and the reason.
    """
    cleaned = text.strip().replace(MINUS_SIGN, "-").replace("\N{NO-BREAK SPACE}", "")
    if not any(c.isdigit() for c in cleaned) or not _AMOUNT.fullmatch(cleaned):
        raise AmountInvalid(f"“{text[:40]}” is not an amount such as 1,234.56 or -12.50.")
    try:
        return to_minor(Decimal(cleaned.replace(",", "")), currency)
    except InvalidOperation as error:
        raise AmountInvalid(f"“{text[:40]}” is not an amount.") from error


def decimal_text(amount_minor: int, currency: str) -> str:
    """Return the plain decimal string of files and programs: `-1234.56`."""
    return f"{from_minor(amount_minor, currency):f}"


def display_amount(amount_minor: int, currency: str, *, plus: bool = False) -> str:
    """Return the amount as people read it: thousands grouped, a real minus sign."""
    digits = f"{abs(from_minor(amount_minor, currency)):,f}"
    if amount_minor < 0:
        return MINUS_SIGN + digits
    return f"+{digits}" if plus and amount_minor > 0 else digits
