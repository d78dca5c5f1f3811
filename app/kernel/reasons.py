"""Reasons that people give: for reopening, for returning, for a lock."""

from __future__ import annotations

from typing import Final

from app.kernel.errors import Invalid

REASON_CHARACTERS_MAX: Final = 2_000


def checked_reason(text: str, kept: str) -> str:
    """Return the reason without blanks around it.

    Args:
        text: As typed.
        kept: What did not happen, such as `nothing was reopened`.

    Raises:
        Invalid: Empty, too long, or with a character that no text has.
    """
    reason = text.strip()
    if not 1 <= len(reason) <= REASON_CHARACTERS_MAX or "\0" in reason:
        sentence = f"Say why, in 1 to {REASON_CHARACTERS_MAX:,} characters; {kept}."
        raise Invalid(sentence, {"reason": [sentence]})
    return reason
