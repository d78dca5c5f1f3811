"""Regular expressions that people type, run with a bound on their time.

The `regex` module gives up after a set time, which Python's own `re` cannot
(docs/decisions/0020).  Texts come from banks: they are cut before they are searched.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable
from typing import Final

import regex

from app.kernel.errors import Invalid
from app.kernel.limits import (
    EXPRESSION_CHARACTERS_MAX,
    EXPRESSION_PROBE_SECONDS,
    EXPRESSION_REPEATS_MAX,
    EXPRESSION_TEXT_CHARACTERS_MAX,
)

_FLAGS: Final = regex.IGNORECASE | regex.VERSION0
_UNCOMMON_GROUP: Final = re.compile(r"(?<!\\)\(\?(?!:|=|!|<=|<!)")
_BRACES: Final = re.compile(r"\{([^}]*)\}")
_NUMBER: Final = re.compile(r"\d+", re.ASCII)


class ExpressionInvalid(Invalid):
    """The text is not a regular expression that Tieout takes."""

    code = "expression_invalid"


class ExpressionTooSlow(RuntimeError):  # noqa: N818 - it says what happened
    """The expression used up its time; what it had found so far counts for nothing."""


class Expression:
    """A compiled expression, searched without regard to case.

    Raises:
        ExpressionInvalid: Too long, a syntax error, or a construct that is not taken.
    """

    def __init__(self, pattern: str) -> None:
        _refuse_uncommon(pattern)
        try:
            self._compiled = regex.compile(pattern, _FLAGS)
        except regex.error as error:
            sentence = f"This is not a regular expression: {error.msg} at position {error.pos}."
            raise ExpressionInvalid(sentence) from error

    def found_in(self, texts: Iterable[str], *, seconds_max: float) -> list[bool]:
        """Tell for each text whether the expression is found in it.

        Args:
            texts: Cut to `EXPRESSION_TEXT_CHARACTERS_MAX` characters.
            seconds_max: Of this thread's processor time, for all texts together: how busy the
                machine is must not decide what a rule matches.

        Raises:
            ExpressionTooSlow: The time was used up.
        """
        deadline = time.thread_time() + seconds_max
        return [self._is_found(text[:EXPRESSION_TEXT_CHARACTERS_MAX], deadline) for text in texts]

    def _is_found(self, text: str, deadline: float) -> bool:
        seconds_left = deadline - time.thread_time()
        if seconds_left <= 0:
            raise ExpressionTooSlow
        try:
            # The timeout is processor time too: `regex` takes it from clock(3).
            return self._compiled.search(text, timeout=seconds_left) is not None
        except TimeoutError as error:
            raise ExpressionTooSlow from error


def require_fast(pattern: str) -> None:
    """Try the expression on texts that make backtracking ones explode.

    Raises:
        ExpressionInvalid: It is none, or takes too long on at least one of them.
    """
    expression = Expression(pattern)
    try:
        expression.found_in(_hard_texts(pattern), seconds_max=EXPRESSION_PROBE_SECONDS)
    except ExpressionTooSlow:
        raise ExpressionInvalid(
            "This expression can take very long on some descriptions; repeat fewer things "
            "inside one another, such as a+ instead of (a+)+."
        ) from None


def _refuse_uncommon(pattern: str) -> None:
    if len(pattern) > EXPRESSION_CHARACTERS_MAX:
        raise ExpressionInvalid(
            f"A regular expression has at most {EXPRESSION_CHARACTERS_MAX} characters."
        )
    if _UNCOMMON_GROUP.search(pattern):
        raise ExpressionInvalid(
            "Of the groups that begin with (? only (?:…), (?=…), (?!…), (?<=…) and (?<!…) "
            "are taken."
        )
    repeats = [int(n) for part in _BRACES.findall(pattern) for n in _NUMBER.findall(part)]
    if math.prod(max(n, 1) for n in repeats) > EXPRESSION_REPEATS_MAX:
        raise ExpressionInvalid("The repetitions in braces are too many; use + or * instead.")


def _hard_texts(pattern: str) -> list[str]:
    """Return long runs of each of the pattern's characters, with an end that does not fit.

    The pattern itself stands at the end, since an engine that misses a literal it needs
    gives up at once, and nothing would be tried.
    """
    characters = sorted({c for c in pattern if c.isalnum() or c.isspace()} | set("aA0 -*"))
    runs = [*characters, "a ", "A1", "".join(characters)]
    end = "\N{SYMBOL FOR NULL}" + pattern
    length = EXPRESSION_TEXT_CHARACTERS_MAX - len(end)
    return [(run * length)[:length] + end for run in runs]
