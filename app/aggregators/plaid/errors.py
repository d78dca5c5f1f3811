"""Turn Plaid's errors, and the failures on the way to it, into ours.

Nothing of an answer's free text is passed on: only codes of a safe shape, and sentences of
our own, so that no token can slip into a log or onto a page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from app.aggregators.contract import AggregatorError, Health
from app.aggregators.plaid.meanings import (
    MEANINGS,
    MEANINGS_BY_TYPE,
    REASONS_OF_OAUTH,
    UNKNOWN,
    UNREADABLE,
    Meaning,
)
from app.aggregators.plaid.reading import Json, text_of

RETRY_AFTER_SECONDS: Final = 60
"""Plaid's limits count by the minute, and its refusals do not say how long to wait."""
RETRY_AFTER_SECONDS_MAX: Final = 3_600

_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{2,59}", re.ASCII)
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


def failure(code: str, meaning: Meaning, retry_after_seconds: int | None = None) -> AggregatorError:
    """Return the error of this code with its meaning."""
    return AggregatorError(
        code,
        meaning.sentence,
        permanent=meaning.permanent,
        health=_health(code, meaning),
        retry_after_seconds=retry_after_seconds,
    )


def incomplete(field: str) -> AggregatorError:
    """Return the error of an answer without a field that its reader cannot do without."""
    return failure(f"ANSWER_WITHOUT_{field.upper()}", UNREADABLE)


def error_of_answer(status: int, headers: Mapping[str, str], body: Json | None) -> AggregatorError:
    """Return what an answer other than 200 says.

    Args:
        headers: Names in lower case.
        body: None when it is not a JSON object, such as a gateway's page.
    """
    code = safe_code(text_of(body or {}, "error_code"))
    error_type = safe_code(text_of(body or {}, "error_type"))
    if not code:
        code = f"HTTP_{status}"
        error_type = "API_ERROR" if status >= _SERVER_ERROR else error_type
    if status == _TOO_MANY_REQUESTS:
        error_type = "RATE_LIMIT_EXCEEDED"
    meaning = _meaning(code, error_type)
    wait = _retry_after(headers) if error_type == "RATE_LIMIT_EXCEEDED" else None
    return failure(code, meaning, wait)


def health_of_error(error: Json) -> Health | None:
    """Return what an error object inside an item or a webhook says of the connection."""
    code = safe_code(text_of(error, "error_code")) or "UNKNOWN_ERROR"
    meaning = _meaning(code, safe_code(text_of(error, "error_type")))
    health = _health(code, meaning)
    reason = REASONS_OF_OAUTH.get(text_of(error, "error_code_reason"))
    return Health(health.status, reason) if health and reason else health


def safe_code(text: str) -> str:
    """Return a code that may be logged and shown; an empty one for anything else."""
    return text if _CODE.fullmatch(text) else ""


def _meaning(code: str, error_type: str) -> Meaning:
    return MEANINGS.get(code) or MEANINGS_BY_TYPE.get(error_type) or UNKNOWN


def _health(code: str, meaning: Meaning) -> Health | None:
    return Health(meaning.status, meaning.reason or code) if meaning.status else None


def _retry_after(headers: Mapping[str, str]) -> int:
    text = headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit()):
        return RETRY_AFTER_SECONDS
    return min(int(text[:9]), RETRY_AFTER_SECONDS_MAX)
